"""`python -m reports compare`: what it writes, what it refuses, and that nobody's text becomes markup."""

import gzip
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from evidence.collection import Case
from evidence.expectations import within
from evidence.refs import LoadRef
from evidence.run_names import run_hash, scope_name
from reports import __main__ as cli
from reports.compare import command, document
from selftest.reports.conftest import BAD, GOOD, IDS, RUN, History

HOSTILE = "x[</code><script>alert(1)</script>|`@octocat` ![a](http://evil/)]\r\n# h"
Write = Callable[..., Path]


def run_of(*bad: str, name: str = "") -> History:
    history = History().start()
    for requirement in IDS:
        history.test(requirement, BAD if requirement in bad else GOOD, name=f"{requirement}{name}", text=name or "{}")
    return history.finish()


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return what writes a history into a folder of its own; each run has a name of its own, as real ones do."""

    def make(folder: str, history: History) -> Path:
        path = tmp_path / folder
        path.mkdir()
        history.of_run(folder).write(path)
        return path

    return make


@pytest.fixture
def compare(
    tmp_path: Path, catalogue: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Return what runs the command and returns the exit code, standard output and standard error."""
    monkeypatch.setattr(cli, "CATALOGUE", tmp_path / "catalogue")
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)

    def run(*words: object) -> tuple[int, str, str]:
        code = cli.main(["compare", *map(str, words)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def test_json_fits_its_schema_and_names_both_histories(write: Write, compare: Any) -> None:
    base, new = write("base", run_of()), write("new", run_of("EVT-ING-001"))
    code, out, _ = compare(base, new, "--json")
    told = json.loads(out)
    jsonschema.Draft202012Validator.check_schema(json.loads(document.SCHEMA.read_text(encoding="utf-8")))
    (pair,) = told["comparisons"]
    assert (code, told["exit"], pair["exit"]) == (1, 1, 1)
    assert pair["base"]["sha256"] != pair["new"]["sha256"]
    assert [(change["id"], change["word"]) for change in pair["changes"]] == [("EVT-ING-001", "regressed")]
    evidence = pair["changes"][0]["evidence"]
    assert evidence["headline"] == "at the client: `ingress 202` before, `ingress 500` now"
    assert "sender" in evidence["base"]["path"]
    assert evidence["new"]["records"]


def test_a_packed_history_compares_like_a_plain_one(write: Write, compare: Any) -> None:
    base, new = write("base", run_of()), write("new", run_of("EVT-ING-001"))
    plain = new / "history.ndjson"
    _, before, _ = compare(base, new, "--json")
    (new / "history.ndjson.gz").write_bytes(gzip.compress(plain.read_bytes()))
    plain.unlink()
    _, after, _ = compare(base, new, "--json")
    assert json.loads(after) == json.loads(before)


def test_several_runs_are_compared_each_by_itself_and_the_worst_counts(write: Write, compare: Any) -> None:
    runs = [write("base", run_of()), write("good", run_of()), write("bad", run_of("EVT-RTE-003"))]
    code, out, _ = compare(*runs, "--json")
    assert [pair["exit"] for pair in json.loads(out)["comparisons"]] == [0, 1]
    assert code == 1


def test_what_todays_checks_judge_otherwise_is_set_apart(write: Write, compare: Any) -> None:
    base = run_of("EVT-ING-001")
    scope = scope_of(base, "EVT-ING-001")
    # An old check let pass what today's does not: the system is the same, and nothing regressed.
    mine = {record["record"]: record for record in base.records if record["scope"] == scope}
    mine["expectation"] |= {"verdict": "pass", "violations": []}
    mine["test.finished"]["outcome"] = "passed"
    code, out, _ = compare(write("base", base), write("new", run_of("EVT-ING-001")), "--json")
    (pair,) = json.loads(out)["comparisons"]
    assert (code, pair["changes"], pair["base"]["faults"]) == (0, [], [])
    (case,) = pair["rejudged"]
    assert (case["side"], case["requirements"], case["recorded"], case["now"]) == (
        "base",
        ["EVT-ING-001"],
        "pass",
        "fail",
    )


def scope_of(history: History, requirement: str) -> str:
    return str(next(r["scope"] for r in history.records if r["record"] == "test.started" and requirement in r["test"]))


@pytest.mark.parametrize(
    ("field", "value", "what"),
    [
        ("suite", {"version": "9"}, "suite version"),
        ("target", {"name": "kind", "kafka": {"kind": "mock", "version": "2.16.0"}}, "target name"),
        ("target", {"name": "embedded", "kafka": {"kind": "apache", "version": "4"}}, "target kafka kind"),
        ("sut", {"kserve": "0.22.0"}, "product kserve"),
        ("requirements", dict.fromkeys(IDS, 2), "catalogue cases"),
    ],
    ids=["suite", "target", "kafka", "product", "catalogue"],
)
def test_what_is_not_the_same_around_the_runs_is_named(
    write: Write, compare: Any, field: str, value: object, what: str
) -> None:
    new = run_of()
    new.records[0][field] = value
    _, out, _ = compare(write("base", run_of()), write("new", new), "--json")
    (pair,) = json.loads(out)["comparisons"]
    found = {difference["what"]: difference["environment"] for difference in pair["differences"]}
    assert found[what] is (field == "target")
    if field == "target":
        assert what in pair["latency"]["why"]


def with_load(seconds: float, cpus: int = 2) -> History:
    history = run_of()
    del history.records[-4:]  # what was collected, and the end
    scope, case = scope_name(run_hash(RUN), "gw0", 99), "suites/e/test_e.py::load"
    history.cases.append(Case(case, ("EVT-ING-001",), None))
    history.add("test.started", scope, test=case, requirements=["EVT-ING-001"], mutant=None)
    samples = [[n / 20, n / 20, n / 20 + seconds * (1 + n / 400), 202, str(n)] for n in range(80)]
    machine = {"cpus": cpus, "pressure": 0.0}
    last = history.add("load", scope, load="l", rate=20, count=80, samples=samples, done=True, machine=machine)
    claim = within(LoadRef("l", 80), "ack", 95, 9.0)
    fields = {"deadline": 1.0, "timed_out": False, "upto": last, "verdict": "pass", "violations": []}
    history.add("expectation", scope, expectation=f"{scope}-e1", check=claim.check, args=claim.args, **fields)
    history.add("test.finished", scope, outcome="passed", reason="", duration=4.0)
    return history.finish()


@pytest.mark.parametrize(("seconds", "word"), [(0.3, "slower"), (0.1, "cannot tell"), (0.03, "faster")])
def test_a_stage_is_compared_from_the_samples_of_the_histories(
    write: Write, compare: Any, seconds: float, word: str
) -> None:
    code, out, _ = compare(write("base", with_load(0.1)), write("new", with_load(seconds)), "--json")
    (pair,) = json.loads(out)["comparisons"]
    (stage,) = pair["latency"]["stages"]
    assert (code, stage["word"], stage["stage"], stage["samples"]) == (0, word, "ack", {"base": 80, "new": 80})
    assert stage["value"]["new"] == pytest.approx(seconds * (1 + 75 / 400))


def test_latencies_of_another_machine_are_not_compared(write: Write, compare: Any) -> None:
    _, out, _ = compare(write("base", with_load(0.1)), write("new", with_load(0.3, cpus=8)), "--json")
    (pair,) = json.loads(out)["comparisons"]
    assert pair["latency"] == {"compared": False, "why": "the environment is another one: machine", "stages": []}


def interrupted() -> History:
    history = History().start().test("EVT-ING-001")
    return history.finish("interrupted")


def proof() -> History:
    return History().start(argv=["--prove"]).test("EVT-ING-001", mutant="ingress-down").finish()


def old_format() -> History:
    history = run_of()
    history.records[0]["format"] = 1
    return history


def headless() -> History:
    history = run_of()
    del history.records[0]
    history.records[0]["format"] = History().start().records[0]["format"]
    return history


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (interrupted, "expected a run that came to its end, got one that was interrupted"),
        (proof, "expected a run of the suite, got a proof of it"),
        (old_format, "format"),
        (headless, "run.started"),
    ],
    ids=["interrupted", "proof", "another-format", "without-a-beginning"],
)
@pytest.mark.parametrize("place", ["base", "new"])
def test_a_run_that_cannot_be_compared_is_refused(
    write: Write, compare: Any, make: Callable[[], History], told: str, place: str
) -> None:
    good, bad = write("good", run_of()), write("bad", make())
    paths = (bad, good) if place == "base" else (good, bad)
    got, out, err = compare(*paths)
    assert (got, out) == (2, "")
    assert told in err
    assert str(bad) in err
    assert "Traceback" not in err


def test_the_same_run_twice_is_a_mistake_wherever_it_lies(write: Write, compare: Any, tmp_path: Path) -> None:
    base = write("base", run_of())
    copy = tmp_path / "copy.ndjson.gz"
    copy.write_bytes(gzip.compress((base / "history.ndjson").read_bytes()))
    code, _, err = compare(base, copy)
    assert code == 3
    assert f"{copy}: expected a run of its own, got the one of {base} again" in err


@pytest.mark.parametrize(("name", "told"), [("nowhere", "is no folder"), ("empty", "is no run")])
def test_what_is_no_run_is_a_mistake(write: Write, compare: Any, tmp_path: Path, name: str, told: str) -> None:
    (tmp_path / "empty").mkdir()
    code, _, err = compare(write("base", run_of()), tmp_path / name)
    assert code == 3
    assert told in err


@pytest.mark.parametrize("option", ["--markdown", "--html"])
def test_a_file_that_cannot_be_written_is_named(write: Write, compare: Any, tmp_path: Path, option: str) -> None:
    code, _, err = compare(write("base", run_of()), write("new", run_of()), option, tmp_path / "no" / "file")
    assert code == 2
    assert "cannot write" in err


def test_the_summary_of_a_step_is_added_to(
    write: Write, compare: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = tmp_path / "summary"
    summary.write_text("before\n", encoding="utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    markdown = tmp_path / "told.md"
    compare(write("base", run_of()), write("new", run_of("EVT-ING-001")), "--markdown", markdown)
    assert summary.read_text(encoding="utf-8") == "before\n" + markdown.read_text(encoding="utf-8")
    assert "| **regressed** | `EVT-ING-001` | MUST | pass -> fail |" in markdown.read_text(encoding="utf-8")


def test_markdown_for_a_comment_is_no_longer_than_github_takes(
    write: Write, compare: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "MOST_COMMENTED", 700)
    markdown = tmp_path / "told.md"
    compare(write("base", run_of()), write("new", run_of("EVT-ING-001")), "--markdown", markdown)
    text = markdown.read_text(encoding="utf-8")
    assert 300 < len(text.encode()) <= 700
    assert text.endswith("the reports have it.\n")


def test_a_hostile_run_writes_no_markup(write: Write, compare: Any, tmp_path: Path) -> None:
    markdown, page = tmp_path / "a.md", tmp_path / "a.html"
    new = run_of("EVT-ING-001", name=HOSTILE)
    new.records[0]["suite"]["version"] = HOSTILE
    _, out, _ = compare(write("base", run_of(name=HOSTILE)), write("new", new), "--markdown", markdown, "--html", page)
    assert "\r" not in out
    tags = Tags()
    tags.feed(page.read_text(encoding="utf-8"))
    assert not {"script", "img", "link", "iframe"} & tags.seen
    assert not re.search(r"(?:href|src)=", page.read_text(encoding="utf-8"))
    for line in outside_of_code(markdown.read_text(encoding="utf-8")):
        assert not re.search(r"script|octocat|evil|<(?!/?(?:details|summary|code)>)", line), line


class Tags(HTMLParser):
    """The names of all tags of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        """Note a tag."""
        del attrs
        self.seen.add(tag)


def outside_of_code(text: str) -> list[str]:
    """Return the lines of Markdown without its code blocks and spans."""
    return [
        re.sub(r"`[^`]*`", "", line) for line in re.sub(r"```text\n.*?\n```", "", text, flags=re.DOTALL).split("\n")
    ]
