"""`python -m reports trend`: since when something fails, what is comparable, and what is left out, and why."""

import json
import re
import tracemalloc
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from reports import __main__ as cli
from reports.document import dump, to_json
from reports.model import Report
from reports.trend import collecting, document
from reports.trend.sparkline import blocks, svg
from selftest.reports.conftest import IDS, History

ING, RTE, FLT = "EVT-ING-001", "EVT-RTE-003", "EVT-FLT-003"
HOSTILE = "</style><script>alert(1)</script>\x1b[31m`x"
Raw = dict[str, Any]
Reported = Callable[[History], Report]
Write = Callable[..., Path]


@pytest.fixture
def report(reported: Reported) -> Raw:
    """Return the report of a small real run, in which all passed."""
    history = History().start()
    for requirement in IDS:
        history.test(requirement)
    made: Raw = json.loads(dump(to_json(reported(history.finish()))))
    for result in made["results"]:
        result["known"] = None
    return made


@pytest.fixture
def write(tmp_path: Path, report: Raw) -> Write:
    """Return what writes a run of a day into a folder: verdicts by id, other fields by their dotted place."""

    def make(name: str, day: int, verdicts: Raw | None = None, **fields: Any) -> Path:
        changed: Raw = json.loads(json.dumps(report))
        changed["run"] |= {"id": name, "started": f"2026-11-{day:02d}T00:00:00+00:00"}
        changed["history"]["sha256"] = f"{day:064x}"
        for result in changed["results"]:
            result["verdict"] = (verdicts or {}).get(result["id"], result["verdict"])
        for place, value in fields.items():
            *outer, last = place.split("__")
            inner: Any = changed
            for key in outer:
                inner = inner[int(key) if key.isdigit() else key]
            inner[last] = value
        folder = tmp_path / "runs" / name
        folder.mkdir(parents=True)
        (folder / "report.json").write_text(json.dumps(changed), encoding="utf-8")
        return folder

    return make


@pytest.fixture
def trend(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Return what runs the command over the folder of runs and returns exit code, output and errors."""

    def run(*words: object) -> tuple[int, str, str]:
        code = cli.main(["trend", str(tmp_path / "runs"), *map(str, words)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def rows_of(out: str) -> dict[str, Raw]:
    return {row["id"]: row for row in json.loads(out)["requirements"]}


def figures(p95: float | None, samples: int = 80, stage: str = "ack") -> list[Raw]:
    return [{"check": "within", "stage": stage, "samples": samples, "p95": p95}]


FIGURES = "results__1__tests__0__figures"


def test_runs_are_ordered_by_their_start_and_not_by_their_names(write: Write, trend: Any) -> None:
    for name, day in (("a", 3), ("b", 1), ("c", 2)):
        write(name, day)
    code, out, _ = trend("--json")
    told = json.loads(out)
    jsonschema.Draft202012Validator.check_schema(json.loads(document.SCHEMA.read_text(encoding="utf-8")))
    assert [run["run"] for run in told["runs"]] == ["b", "c", "a"]
    assert (code, told["exit"], told["leftOut"]) == (0, 0, [])
    assert list(rows_of(out)) == list(IDS)


@pytest.mark.parametrize(
    ("verdicts", "since", "passed", "worse"),
    [
        (["pass", "pass", "fail", "fail"], 2, 1, True),
        (["pass", "fail", "skipped", "flaky"], 1, 0, True),
        (["fail", "pass", "fail", "pass"], None, None, False),
        (["fail", "fail", "fail", "fail"], 0, None, False),
        (["pass", "fail", "fail", "unknown"], 1, 0, False),
        (["pass", "unknown", "unknown", "fail"], 3, 0, True),
        (["skipped", "skipped", "skipped", "skipped"], None, None, False),
    ],
    ids=["second-half", "flaky-counts", "repaired", "ever-since", "undecided-now", "undecided-between", "left-out"],
)
def test_since_when_it_fails(
    write: Write, trend: Any, verdicts: list[str], since: int | None, passed: int | None, *, worse: bool
) -> None:
    for number, verdict in enumerate(verdicts):
        write(f"run{number}", number + 1, {ING: verdict})
    code, out, _ = trend("--json")
    row = rows_of(out)[ING]
    assert (row["marks"], row["since"], row["passed"], row["worse"]) == (verdicts, since, passed, worse)
    assert code == (1 if worse else 0)


@pytest.mark.parametrize(
    ("fields", "mark"),
    [
        ({"results__1__known": {"summary": "documented"}}, "known"),
        ({"allowances": {"entries": [{"kind": "known", "status": "seen", "requirement": ING}]}}, "known"),
        ({"allowances": {"entries": [{"kind": "waiver", "status": "seen", "requirement": ING}]}}, "waived"),
        ({"allowances": {"entries": [{"kind": "known", "status": "expired", "requirement": ING}]}}, "fail"),
        ({"results__1__level": "MAY"}, "fail"),
    ],
    ids=["documented", "operators", "waived", "expired", "may"],
)
def test_what_is_forgiven_is_not_worse(write: Write, trend: Any, fields: Raw, mark: str) -> None:
    write("old", 1)
    write("new", 2, {ING: "fail"}, **fields)
    code, out, _ = trend("--json")
    row = rows_of(out)[ING]
    assert (row["marks"], row["since"]) == (["pass", mark], 1)
    assert code == (1 if mark == "fail" and row["level"] != "MAY" else 0)


def test_a_requirement_of_one_run_only_is_neither_a_pass_nor_a_failure(write: Write, trend: Any, report: Raw) -> None:
    write("old", 1, results=report["results"][:2])
    write("new", 2, results=report["results"][1:])
    _, out, _ = trend("--json")
    assert {id_: row["marks"] for id_, row in rows_of(out).items()} == {
        ING: ["pass", "pass"],
        RTE: [None, "pass"],
        FLT: ["pass", None],
    }


@pytest.mark.parametrize(
    ("fields", "other"),
    [
        ({}, []),
        ({"target__name": "kind"}, ["target name"]),
        ({"target__kafka": {"kind": "apache", "version": "4"}}, ["target kafka kind", "target kafka version"]),
        ({"suite__catalogue__sha256": "0" * 64}, ["catalogue"]),
        ({"sut__kserve": "9"}, []),
    ],
    ids=["same", "target", "kafka", "catalogue", "product"],
)
def test_latency_is_only_compared_where_the_environment_is_the_same(
    write: Write, trend: Any, fields: Raw, other: list[str]
) -> None:
    write("old", 1, **{FIGURES: figures(0.5)}, **fields)
    write("new", 2, **{FIGURES: figures(0.25)})
    _, out, _ = trend("--json")
    told = json.loads(out)
    assert (told["runs"][0]["other"], told["runs"][0]["comparable"]) == (other, not other)
    (stage,) = told["stages"]
    assert (stage["p95"], stage["comparable"]) == ([0.5, 0.25], [not other, True])


def test_other_samples_are_another_measurement_and_no_end_is_no_figure(write: Write, trend: Any) -> None:
    write("fewer", 1, **{FIGURES: figures(0.5, samples=40)})
    write("endless", 2, **{FIGURES: figures(None)})
    write("new", 3, **{FIGURES: figures(0.25)})
    _, out, _ = trend("--json")
    (stage,) = json.loads(out)["stages"]
    assert (stage["p95"], stage["comparable"]) == ([0.5, None, 0.25], [False, True, True])


def test_the_table_has_a_strip_a_requirement_and_a_line_a_stage(write: Write, trend: Any) -> None:
    for number, value in enumerate((0.1, 0.2, 0.8)):
        write(f"run{number}", number + 1, {ING: "fail" if number == 2 else "pass"}, **{FIGURES: figures(value)})
    code, out, _ = trend()
    assert code == 1
    assert re.search(r"EVT-ING-001 +MUST +✓✓✗ +3: run2 +2: run1", out)
    assert "2 of 3 requirements did nothing but pass, or were left out" in out
    assert re.search(r"ack +▂▃█ +800 ms +80 +EVT-ING-001", out)
    assert "worse since it passed: EVT-ING-001" in out


def test_a_terminal_without_unicode_reads_the_same(write: Write, trend: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "_ascii_only", lambda: True)
    write("old", 1, {ING: "fail"}, **{FIGURES: figures(0.1)})
    write("new", 2, **{FIGURES: figures(0.8)})
    _, out, _ = trend()
    assert out.isascii()
    assert re.search(r"EVT-ING-001 +MUST +F\.", out)
    assert re.search(r"ack +\.#", out)


WRONG: dict[str, tuple[Raw, str]] = {
    "no-time": ({"run__started": "soon"}, "run.started: expected a time as by ISO 8601"),
    "no-start": ({"run__started": None}, "run.started: expected a text, got NoneType"),
    "another-kind": ({"kind": "RunComparison"}, "expected a report of kind ConformanceReport"),
    "verdict": ({"results__1__verdict": "green"}, "results[1].verdict: expected one of pass, fail"),
    "id-twice": ({"results__1__id": FLT}, "results[1].id: expected an id that stands once, got 'EVT-FLT-003'"),
    "no-id": ({"results__1__id": "<b>"}, "results[1].id: expected an id"),
    "results": ({"results": {}}, "results: expected a list, got dict"),
    "result": ({"results": [1]}, "results[0]: expected an object, got int"),
    "exit": ({"gate__exit": True}, "gate.exit: expected 0, 1, 2 or 3, got 'True'"),
    "tests": ({"results__0__tests": 1}, "EVT-FLT-003.tests: expected a list, got int"),
}


@pytest.mark.parametrize(("fields", "told"), WRONG.values(), ids=WRONG)
def test_a_report_that_is_none_is_left_out_and_told(write: Write, trend: Any, fields: Raw, told: str) -> None:
    write("good", 1)
    path = write("bad", 2, **fields)
    code, out, _ = trend("--json")
    (left_out,) = json.loads(out)["leftOut"]
    assert left_out.startswith(f"{path / 'report.json'}: {told}")
    assert (code, len(json.loads(out)["runs"])) == (2, 1)


@pytest.mark.parametrize(
    "content", [b"{", b"\xff", b"[" * 5000, b"", b"null"], ids=["cut", "bytes", "deep", "empty", "null"]
)
def test_a_file_that_is_no_json_is_left_out_and_told(write: Write, trend: Any, content: bytes) -> None:
    write("good", 1)
    (write("bad", 2) / "report.json").write_bytes(content)
    code, out, _ = trend("--json")
    assert code == 2
    assert "bad/report.json" in json.loads(out)["leftOut"][0]


def test_proofs_folders_without_a_report_and_the_same_run_again_are_told(
    write: Write, trend: Any, tmp_path: Path
) -> None:
    folder = write("run", 1)
    write("proof", 2, selection__prove=True)
    write("mutant", 3, selection__mutant=["broken"])
    write("ours", 4, selection__conforming=True)
    copy = write("copy", 1)
    (tmp_path / "runs" / "notes").mkdir()
    (tmp_path / "runs" / "latest").symlink_to(folder.name)
    code, out, _ = trend("--json")
    told = json.loads(out)
    assert (code, [run["run"] for run in told["runs"]]) == (0, ["copy"])  # the first by name; a link is no run
    assert sorted(re.sub(r".*/runs/(\w+)\S*: ", r"\1: ", line)[:40] for line in told["leftOut"]) == [
        "mutant: expected a run of a released sys",
        "notes: no run: it holds no report.json",
        "ours: expected a run of a released system"[:40],
        "proof: expected a run of a released syst",
        f"run: the same run as {copy}"[:40],
    ]


@pytest.mark.parametrize(("inner", "code"), [("none", 3), ("empty", 3), ("bad", 2)])
def test_no_run_at_all_is_told_without_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], inner: str, code: int
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "report.json").write_text("{}", encoding="utf-8")
    assert cli.main(["trend", str(tmp_path / inner)]) == code
    assert "expected" in capsys.readouterr().err


def test_too_many_runs_are_a_usage_error(write: Write, trend: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "MOST_RUNS", 2)
    for number in range(4):
        write(f"run{number}", number + 1)
    code, _, err = trend()
    assert (code, err) == (3, "expected at most 2 runs, got more: name some of them\n")


def test_of_each_report_only_what_is_shown_stays_in_memory(write: Write, tmp_path: Path) -> None:
    for number in range(8):
        write(f"run{number}", number + 1, results__1__reason="x" * (1 << 20))
    tracemalloc.start()
    try:
        told = collecting.collect([tmp_path / "runs"])
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(told.columns) == 8
    assert kept < 1 << 20  # eight reports of a megabyte each


class Page(HTMLParser):
    """Collects what a page refers to, and the elements that a keyboard or a script would use."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: list[str] = []
        self.scrolled: list[dict[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note one element."""
        told = dict(attrs)
        self.tags.append(tag)
        self.links += [str(told[name]) for name in ("href", "src") if name in told]
        if str(told.get("class")) in ("scroll", "strip"):
            self.scrolled.append(told)


def test_the_site_is_one_page_without_a_script_that_links_the_runs_beside_it(
    write: Write, trend: Any, tmp_path: Path
) -> None:
    for name, day in (("old run", 1), ("new", 2)):
        folder = write(name, day, {ING: "fail"} if day == 2 else None, **{FIGURES: figures(day / 10)})
        (folder / "index.html").write_text("a run's page", encoding="utf-8")
    write("bare", 3, {ING: "fail"}, **{FIGURES: figures(None)})
    code, _, _ = trend("--html", tmp_path / "runs")
    text = (tmp_path / "runs" / "index.html").read_text(encoding="utf-8")
    page = Page(text)
    assert code == 1
    assert set(page.links) == {"old%20run/index.html", "new/index.html"}
    assert not {"script", "iframe", "img", "link", "form"} & set(page.tags)
    assert all(told.get("tabindex") == "0" and told.get("aria-label") for told in page.scrolled)
    assert "default-src 'none'" in text
    assert "prefers-color-scheme: dark" in text
    assert 'aria-label="p95 of ack: none in the newest run, between 100 ms and 200 ms in 2 runs"' in text
    assert (tmp_path / "runs" / ".nojekyll").is_file()


def test_runs_that_lie_elsewhere_are_not_linked_and_their_pages_stay(write: Write, trend: Any, tmp_path: Path) -> None:
    folder = write("run", 1)
    (folder / "index.html").write_text("a run's page", encoding="utf-8")
    assert trend("--html", tmp_path / "site")[0] == 0
    assert Page((tmp_path / "site" / "index.html").read_text(encoding="utf-8")).links == []
    code, _, err = trend("--html", folder)
    assert code == 3
    assert "got a run's own folder" in err
    assert (folder / "index.html").read_text(encoding="utf-8") == "a run's page"


def test_nobodys_text_becomes_markup_or_an_escape_sequence(write: Write, trend: Any, tmp_path: Path) -> None:
    fields: Raw = {"suite__commit": HOSTILE, "sut": {HOSTILE: HOSTILE}, "gate__outcome": HOSTILE, "run__id": HOSTILE}
    fields |= {"results__1__text": HOSTILE, "results__1__area": HOSTILE, FIGURES: figures(0.1, stage=HOSTILE)}
    write("run", 1, {ING: "fail"}, **fields)
    _, out, _ = trend("--html", tmp_path / "site")
    page = Page((tmp_path / "site" / "index.html").read_text(encoding="utf-8"))
    assert "script" not in page.tags
    assert "\x1b" not in out


def test_a_line_leads_past_what_is_apart_and_breaks_where_nothing_was_measured() -> None:
    values, comparable = [0.1, 9.0, 0.2, None, 0.4, 0.3], [True, False, True, True, True, True]
    assert blocks(values, comparable) == "▃x▅ █▆"
    drawn = str(svg(values, comparable, 'a "stage" <b>'))
    assert drawn.count("<polyline") == 2
    assert drawn.count("<circle") == 5
    assert drawn.count('class="apart"') == 1
    assert 'aria-label="a &#34;stage&#34; &lt;b&gt;"' in drawn
    assert blocks([0.0, None], [True, True]) == "▁ "
