"""The operator's own entries: what they forgive, what they do not; a reader finds the same from the history alone."""

import hashlib
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from evidence.allowances import (
    LONGEST,
    MOST_BYTES,
    MOST_ENTRIES,
    MOST_FAULTS,
    MOST_FILES,
    AllowanceError,
    expect_valid,
    load,
    parse,
)
from evidence.record_values import AllowanceKind
from reports import __main__ as cli
from reports import check, document, html, junit, terminal, write
from reports.model import Report
from selftest.reports.conftest import BAD, GOOD, IDS, KNOWN, History

ING, RTE, FLT = "EVT-ING-001", "EVT-RTE-003", "EVT-FLT-003"
BEGAN = date(2026, 11, 21)
ISSUE = "https://example.org/suite/issues/7"
Reported = Callable[[History], Report]


def entry(requirement: str = ING, kind: AllowanceKind = "known", **fields: str) -> str:
    """Return an entry in TOML; a field is given as TOML too, an empty one is left out."""
    told = {
        "requirement": f'"{requirement}"',
        "reason": '"Our lab loses events."',
        "owner": '"Ada <ada@example.org>"',
        "expires": "2026-11-21",
        "url": f'"{ISSUE}"' if kind == "waiver" else "",
        **fields,
    }
    return f"[[{kind}]]\n" + "".join(f"{name} = {value}\n" for name, value in told.items() if value)


def given(history: History, *texts: str, kind: AllowanceKind = "known", digest: str = "") -> History:
    """Put files into the beginning of a history."""
    history.records[0].setdefault("allowances", []).extend(
        {
            "kind": kind,
            "file": f"{kind}{number}.toml",
            "sha256": digest or hashlib.sha256(text.encode()).hexdigest(),
            "text": text,
        }
        for number, text in enumerate(texts)
    )
    return history


def failing(*bad: str, gate: str = "known", status: int = BAD) -> History:
    """Return a run of which some requirements failed."""
    history = History().start(gate=gate, kserve="0.99.0")
    for requirement in IDS:
        history.test(requirement, status if requirement in bad else GOOD)
    return history


def statuses(report: Report) -> list[str]:
    return [allowed.status for allowed in report.allowances]


@pytest.mark.parametrize(
    ("gate", "text", "code", "status"),
    [
        ("known", entry(), 0, "seen"),
        ("known", entry(expires='"2026-11-21"'), 0, "seen"),
        ("known", entry(expires="2026-11-20"), 1, "expired"),
        ("known", entry(cases=f'["suites/e/test_e.py::{ING}"]'), 0, "seen"),
        ("known", entry(cases='["suites/e/test_e.py::another"]'), 1, "unfit"),
        ("known", entry(sut='"kserve"', versions='["0.99.0"]'), 0, "seen"),
        ("known", entry(sut='"kserve"', versions='["0.98.0"]'), 1, "elsewhere"),
        ("known", entry(RTE), 1, "gone"),
        ("known", entry("EVT-ZZZ-001"), 1, "elsewhere"),
        ("strict", entry(), 1, "seen"),
        ("strict", entry(expires="2026-11-20"), 1, "expired"),
    ],
    ids=[
        "seen",
        "its-last-day",
        "expired",
        "its-case",
        "another-case",
        "its-version",
        "another-version",
        "another-requirement",
        "no-requirement",
        "strict",
        "strict-expired",
    ],
)
def test_an_entry_forgives_its_failure_until_its_day(
    reported: Reported, gate: str, text: str, code: int, status: str
) -> None:
    report = reported(given(failing(ING, gate=gate), text).finish())
    assert (report.gate.exit, statuses(report)) == (code, [status])
    assert report.find(ING).verdict == "fail"  # type: ignore[union-attr] # the verdict stays what it is


@pytest.mark.parametrize("gate", ["known", "strict"])
@pytest.mark.parametrize(
    ("outcome", "code"), [("failed", 0), ("error", 0), ("unknown", 0), ("skipped", 2), ("not_testable", 2)]
)
def test_a_waiver_takes_what_the_suite_got_wrong_out_of_every_gate(
    reported: Reported, gate: str, outcome: str, code: int
) -> None:
    history = History().start(gate=gate)
    for requirement in (FLT, RTE):
        history.test(requirement)
    if outcome == "failed":
        history.test(ING, BAD)
    else:
        history.test(ING, outcome=outcome, reason="of ours")
    report = reported(given(history, entry(kind="waiver"), kind="waiver").finish())
    undecided = gate == "known" and code == 2  # skipped and not testable count under strict only
    assert report.gate.exit == (0 if undecided else code)
    assert any(reason.startswith("WAIVED: 1 requirement") for reason in report.gate.reasons) == (code == 0)
    assert report.overall.waived == (code == 0)


def test_a_claim_does_not_count_what_is_waived_and_says_so(reported: Reported) -> None:
    report = reported(given(failing(ING, gate="strict"), entry(kind="waiver"), kind="waiver").finish())
    (core,) = [tally for tally in report.profiles if tally.name == "broker-core"]
    assert (core.verdict, core.waived, core.counts["pass"], core.counts["fail"]) == ("pass", 1, 1, 1)
    everything = reported(
        given(failing(ING, FLT), entry(kind="waiver") + entry(FLT, kind="waiver"), kind="waiver").finish()
    )
    assert everything.profiles[0].verdict == "unknown"


def test_a_waiver_that_had_ended_is_a_fault_and_forgives_nothing(reported: Reported) -> None:
    text = entry(kind="waiver", expires="2026-11-20")
    report = reported(given(failing(ING, gate="strict"), text, kind="waiver").finish())
    assert (report.gate.exit, statuses(report), report.overall.waived) == (1, ["expired"], 0)
    assert "the waiver of EVT-ING-001 in waiver0.toml ended on 2026-11-20" in "".join(report.history_faults)
    passing = reported(given(failing(), text, kind="waiver").finish())
    assert passing.gate.exit == 2


def test_a_flaky_requirement_is_not_forgiven_as_known(reported: Reported) -> None:
    history = failing().test(ING, BAD)
    report = reported(given(history, entry()).finish())
    assert report.find(ING).verdict == "flaky"  # type: ignore[union-attr] # it is in the catalogue
    assert (report.gate.exit, statuses(report)) == (1, ["unfit"])


def test_the_day_is_that_of_the_run_and_not_of_the_reader(reported: Reported) -> None:
    history = given(failing(ING), entry())
    assert reported(history.finish()).gate.exit == 0  # the entry has ended long ago today
    history.records[0]["wall"] = "2026-11-22T00:30:00+01:00"
    assert reported(history).gate.exit == 0  # it is the 21st by UTC still
    history.records[0]["wall"] = "2026-11-22T00:30:00+00:00"
    assert reported(history).gate.exit == 1


@pytest.mark.parametrize(
    ("text", "digest", "told"),
    [
        (entry(), "0" * 64, "known0.toml is not the file that its sha256 0000000000000000 names"),
        (entry(owner=""), "", "known0.toml: [[known]] 1 (line 1): owner: is missing"),
        (entry(kind="waiver"), "", "known0.toml: unknown table 'waiver', expected [[known]]"),
        (f"# {'x' * MOST_BYTES}", "", f"known0.toml: expected at most {MOST_BYTES} bytes, got more"),
    ],
    ids=["digest", "entry", "kind", "size"],
)
def test_a_file_in_a_history_that_cannot_be_used_is_a_fault(
    reported: Reported, text: str, digest: str, told: str
) -> None:
    report = reported(given(failing(ING), text, digest=digest).finish())
    assert (report.gate.exit, report.allowances) == (1, ())
    assert told in "".join(report.history_faults)
    assert reported(given(failing(), text, digest=digest).finish()).gate.exit == 2


def test_check_judges_by_the_entries_in_the_history(run_dir: Path, catalogue: Any, reported: Reported) -> None:
    history = given(failing(ING), entry()).finish()
    report = reported(history)
    write.write(report, run_dir, run_dir / "history.ndjson")
    assert check.check(run_dir, catalogue, KNOWN).agrees
    written = json.loads((run_dir / "report.json").read_text(encoding="utf-8"))
    written["allowances"]["entries"][0]["owner"] = "nobody"
    (run_dir / "report.json").write_text(json.dumps(written), encoding="utf-8")
    (difference,) = check.check(run_dir, catalogue, KNOWN).differences
    assert difference.startswith("allowances.entries[0].owner: expected ")


def test_every_output_shows_reason_owner_and_day(run_dir: Path, reported: Reported) -> None:
    history = given(failing(ING, RTE), entry(), entry(FLT, expires="2026-11-20") + entry("EVT-OLD-001"))
    report = reported(given(history, entry(RTE, kind="waiver"), kind="waiver").finish())
    document.validate(json.loads(json.dumps(document.to_json(report))))
    shown = terminal.text(report, width=400, color=False)
    page = html.render(report, run_dir / "history.ndjson")
    for text in (shown, page):
        assert "Our lab loses events." in text
        assert text.count("2026-11-20") >= 1
        assert "expired: forgives nothing" in text
        assert ISSUE in text
    assert "Ada <ada@example.org>, until 2026-11-21, known0.toml" in shown
    assert "Ada &lt;ada@example.org&gt;" in page
    xml = junit.render(report).decode()
    assert "known: Our lab loses events. (Ada &lt;ada@example.org&gt;, until 2026-11-21, known0.toml)" in xml
    assert f"waived as a fault of the suite: Our lab loses events. ({ISSUE};" in xml
    assert [tally.known for tally in report.profiles] == [1, 0]


def test_a_comparison_names_waivers_and_what_is_no_more(
    tmp_path: Path, catalogue: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "CATALOGUE", tmp_path / "catalogue")
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    new = given(failing(ING, RTE), entry(), entry("EVT-OLD-001", reason='"| `@octocat` <b>"'))
    for name, history in (("base", failing(ING, RTE)), ("new", given(new, entry(RTE, kind="waiver"), kind="waiver"))):
        (tmp_path / name).mkdir()
        history.finish().of_run(name).write(tmp_path / name)
    told = tmp_path / "told.md"
    cli.main(["compare", str(tmp_path / "base"), str(tmp_path / "new"), "--markdown", str(told)])
    rows = [line for line in told.read_text(encoding="utf-8").splitlines() if line.startswith(("| known", "| waiver"))]
    assert [row.strip("| ").split(" | ") for row in rows] == [
        [
            "known",
            "`EVT-OLD-001`",
            "`not of this run the catalogue has no such requirement`",
            "`\\| '@octocat' <b>`",
            "`Ada <ada@example.org>`",
            "2026-11-21",
            "`known1.toml`",
        ],
        [
            "waiver",
            f"`{RTE}`",
            "`showed`",
            f"`Our lab loses events. {ISSUE}`",
            "`Ada <ada@example.org>`",
            "2026-11-21",
            "`waiver0.toml`",
        ],
    ]


WRONG: dict[str, tuple[str, AllowanceKind, str]] = {
    "no-toml": ("[[known]\n", "known", r"known\.toml: .*line 1"),
    "unknown-field": (entry(expire="2026-11-21"), "known", r"\(line 1\): expire: unknown field: did you mean expires"),
    "unknown-table": ('[[knwon]]\nrequirement = "A-1"\n', "known", r"unknown table 'knwon', expected \[\[known\]\]"),
    "no-list": ("known = 1\n", "known", r"known is no list of tables"),
    "no-reason": (entry(reason='" "'), "known", r"reason: is no text, or is empty"),
    "no-owner": (entry(owner=""), "known", r"owner: is missing: write owner"),
    "no-day": (entry(expires=""), "known", r"expires: is missing: write expires = 2027-01-31"),
    "bad-day": (entry(expires='"soon"'), "known", r"expires: got 'soon'"),
    "a-time": (entry(expires="2026-11-21T00:00:00Z"), "known", r"expires: got '2026-11-21 00:00:00"),
    "no-such-requirement": (entry("EVT-ING-01"), "known", r"no requirement 'EVT-ING-01': did you mean EVT-ING-001"),
    "no-id": (entry("evt ing"), "known", r"requirement: expected an id such as EVT-FLT-003, got 'evt ing'"),
    "twice": ("\n" + entry() + entry(), "known", r"\[\[known\]\] 2 \(line 7\): requirement: EVT-ING-001 stands twice"),
    "half-a-version": (entry(sut='"kserve"'), "known", r"versions: expected both sut and versions, or neither"),
    "waiver-without-issue": (entry(kind="waiver", url=""), "waiver", r"url: is missing: .* the address of the issue"),
    "no-address": (entry(kind="waiver", url='"see chat"'), "waiver", r"url: expected an address such as https"),
    "too-long": (entry(reason=f'"{"x" * (LONGEST + 1)}"'), "known", rf"expected at most {LONGEST} characters"),
    "number": (f"a = {'1' * 5000}\n", "known", r"known\.toml: Exceeds the limit"),
    "too-many": ("[[known]]\n" * (MOST_ENTRIES + 1), "known", rf"expected at most {MOST_ENTRIES} entries, got"),
    "nested": (f"a = {'[' * 5000}{']' * 5000}\n", "known", r"known\.toml: "),
    "too-large": (f"# {'x' * MOST_BYTES}\n", "known", rf"expected at most {MOST_BYTES} bytes, got more"),
}


@pytest.mark.parametrize(("text", "kind", "told"), WRONG.values(), ids=WRONG)
def test_a_wrong_file_is_told_with_its_place(tmp_path: Path, text: str, kind: AllowanceKind, told: str) -> None:
    path = tmp_path / "known.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(AllowanceError, match=told):
        load(path, kind, IDS)


def test_faults_of_one_file_are_bounded() -> None:
    with pytest.raises(AllowanceError) as told:
        parse("[[known]]\n" * 1000, "known", Path("known.toml"), IDS)
    assert MOST_FAULTS <= len(str(told.value).splitlines()) < MOST_FAULTS + 5


def test_too_many_files_in_a_history_are_a_fault(reported: Reported) -> None:
    history = given(failing(), *[""] * (MOST_FILES + 1))
    report = reported(history.finish())
    assert report.gate.exit == 2
    assert f"allowances: expected at most {MOST_FILES} files, got {MOST_FILES + 1}" in report.history_faults


def test_a_reader_sees_owner_and_day_of_one_requirement(
    run_dir: Path, tmp_path: Path, catalogue: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "CATALOGUE", tmp_path / "catalogue")
    history = given(failing(ING), entry(reason='"It is \\u001b[31mred."'))
    given(history, entry(kind="waiver"), kind="waiver").finish().write(run_dir)
    cli.main(["show", str(run_dir), "--requirement", ING])
    shown = " ".join(capsys.readouterr().out.split())
    assert "(Ada <ada@example.org>, until 2026-11-21, known0.toml)" in shown
    assert f"until 2026-11-21, waiver0.toml; {ISSUE})" in shown
    assert "\x1b" not in shown


def test_a_file_that_is_missing_or_no_text_is_told(tmp_path: Path) -> None:
    with pytest.raises(AllowanceError, match=r"none\.toml: cannot be read: No such file"):
        load(tmp_path / "none.toml", "known", IDS)
    (tmp_path / "known.toml").write_bytes(b"# \xff")
    with pytest.raises(AllowanceError, match=r"expected UTF-8, got byte 0xff at 2"):
        load(tmp_path / "known.toml", "known", IDS)


def test_entries_of_disjoint_versions_may_stand_beside_each_other() -> None:
    old, new = (entry(sut='"kserve"', versions=f'["{version}"]') for version in ("1", "2"))
    assert len(parse(old + new, "known", Path("known.toml"))) == 2


def test_a_waiver_that_has_ended_is_refused_before_a_run(tmp_path: Path) -> None:
    path = tmp_path / "waivers.toml"
    path.write_text(entry(kind="waiver"), encoding="utf-8")
    file = load(path, "waiver", IDS)
    expect_valid([file], BEGAN)
    with pytest.raises(AllowanceError, match=rf"expires: expected 2026-11-22 or later, got 2026-11-21: .*{ISSUE}"):
        expect_valid([file], date(2026, 11, 22))


@pytest.fixture
def baseline(
    run_dir: Path, tmp_path: Path, catalogue: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Return what runs the command on a history and returns exit code, standard output and standard error."""
    monkeypatch.setattr(cli, "CATALOGUE", tmp_path / "catalogue")

    def run(history: History, *words: str) -> tuple[int, str, str]:
        history.write(run_dir)
        code = cli.main(["baseline", str(run_dir), *words])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def test_a_baseline_forgives_what_failed_and_no_other_case(baseline: Any, reported: Reported) -> None:
    words = ("--owner", 'A "B" \\', "--expires", "2026-12-31")
    code, text, _ = baseline(failing(ING, FLT).finish(), *words)
    entries = parse(text, "known", Path("known.toml"), IDS)
    assert code == 0
    assert [(each.requirement, each.owner, each.expires) for each in entries] == [
        (requirement, 'A "B" \\', date(2026, 12, 31)) for requirement in (FLT, ING)
    ]
    assert all("got" in each.reason and each.cases for each in entries)
    assert reported(given(failing(ING, FLT), text).finish()).gate.exit == 0
    worse = failing(ING).test(ING, BAD, name="a_new_case")
    assert reported(given(worse, text).finish()).gate.exit == 1


def test_a_baseline_keeps_what_an_entry_of_the_run_says_and_names_what_it_cannot_forgive(baseline: Any) -> None:
    history = failing(ING, FLT).test(RTE, BAD)
    _, text, _ = baseline(given(history, entry()).finish(), "--owner", "another", "--json")
    told = {each["requirement"]: (each["owner"], each["reason"]) for each in json.loads(text)}
    assert told[ING] == ("Ada <ada@example.org>", "Our lab loses events.")
    assert told[FLT][0] == "another"
    _, text, _ = baseline(given(failing(ING, FLT).test(RTE, BAD), entry()).finish())
    assert f"# Not forgiven, since it is flaky: {RTE}" in text


@pytest.mark.parametrize(
    ("history", "words", "code", "told"),
    [
        (failing().finish("interrupted"), (), 2, "expected a run that came to its end, got one that was interrupted"),
        (History().start(argv=["--prove"]).test(ING).finish(), (), 2, "expected a run of a released system, got one"),
        (History().start(argv=["--conforming"]).test(ING).finish(), (), 2, "expected a run of a released system"),
        (failing().finish(), ("--owner", " "), 3, "--owner: expected the name of who looks after the entries"),
    ],
    ids=["interrupted", "proof", "conforming", "no-owner"],
)
def test_a_baseline_of_something_else_is_refused(
    baseline: Any, history: History, words: tuple[str, ...], code: int, told: str
) -> None:
    found, out, err = baseline(history, *words)
    assert (found, out) == (code, "")
    assert told in err


def test_a_day_that_is_none_is_a_usage_error(baseline: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        baseline(failing().finish(), "--expires", "soon")
    assert ended.value.code == 3
    assert "expected a day such as 2027-01-31, got 'soon'" in capsys.readouterr().err
