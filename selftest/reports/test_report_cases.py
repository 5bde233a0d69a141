"""Cases that did not run: the requirement is never passed, and the reason, the gate and every format say why."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evidence.catalogue import Catalogue
from evidence.catalogue import load as load_catalogue
from evidence.collection import Case
from reports import build, document, junit, terminal, write
from reports.model import Report
from selftest.reports.conftest import CATALOGUE, MUTANTS, History

ID = "EVT-ING-001"
ONE, TWO, THREE = (f"{ID}[{number}]" for number in (1, 2, 3))
Reported = Callable[[History], Report]


def case(name: str, left_out: str = "", mutant: str | None = None) -> Case:
    return Case(f"suites/e/test_e.py::{name}", (ID,), mutant, left_out)


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    """Return the catalogue of this folder's tests, with three cases of one requirement."""
    folder = tmp_path / "catalogue"
    folder.mkdir()
    head, mark, tail = CATALOGUE.partition(f'id = "{ID}"')
    (folder / "eventing.toml").write_text(head + mark + tail.replace("cases = 1", "cases = 3", 1), encoding="utf-8")
    (folder / "mutants.toml").write_text(MUTANTS, encoding="utf-8")
    return load_catalogue(folder)


def rest(history: History) -> History:
    """Return the other requirements of the catalogue, passed; the run's suite had the catalogue of this module."""
    history.records[0]["requirements"][ID] = 3
    return history.test("EVT-FLT-003").test("EVT-RTE-003")


def all_three(history: History) -> History:
    return rest(history.test(ID, name=ONE).test(ID, name=TWO).test(ID, name=THREE))


def only_one(history: History) -> History:
    return rest(history.test(ID, name=ONE))


def uncollected(history: History, *words: str, whole: tuple[str, ...] = ()) -> History:
    history.records[0]["selection"] |= {"narrowed": list(words), "uncollected": list(words), "whole": list(whole)}
    return history


def judged(report: Report) -> tuple[str, str]:
    result = report.find(ID)
    assert result is not None
    return result.verdict, result.reason


def test_all_of_the_pinned_cases_pass(reported: Reported, history: History) -> None:
    report = reported(all_three(history.start()).finish())
    assert judged(report) == ("pass", "")
    assert (report.gate.exit, report.gate.outcome) == (0, "as expected")


MISSING: list[tuple[str, Callable[[History], History], str, str, int]] = [
    (
        "interrupted",
        lambda history: only_one(history.start()).finish("interrupted", case(TWO), case(THREE)),
        "unknown",
        f"1 of 3 cases ran; {case(TWO).test}, {case(THREE).test} did not run: the run was interrupted before it",
        2,
    ),
    (
        "lost",
        lambda history: only_one(history.start()).finish("completed", case(TWO), case(THREE)),
        "unknown",
        "it was selected and never began",
        2,
    ),
    (
        "not collected",
        lambda history: only_one(history.start()).finish(),
        "unknown",
        "1 of 3 cases ran; 2 did not run: not collected",
        2,
    ),
    (
        "left out by -k",
        lambda history: only_one(history.start(argv=["-k", "one"])).finish(
            "completed", case(TWO, "-k one"), case(THREE, "-k one")
        ),
        "skipped",
        "left out by -k one",
        0,
    ),
    (
        "left out by a path",
        lambda history: only_one(uncollected(history.start(), "suites/eventing/test_a.py")).finish(),
        "skipped",
        "left out by suites/eventing/test_a.py",
        0,
    ),
    (
        "not collected although its area was given",
        lambda history: only_one(uncollected(history.start(), "suites/eventing", whole=("eventing",))).finish(),
        "unknown",
        "2 did not run: not collected",
        2,
    ),
    (
        "one by choice, one lost",
        lambda history: only_one(history.start(argv=["-k", "one"])).finish(
            "completed", case(TWO, "-k one"), case(THREE)
        ),
        "unknown",
        f"{THREE} did not run: it was selected and never began; suites/e/test_e.py::{TWO} did not run: left out by -k",
        2,
    ),
]


@pytest.mark.parametrize(
    ("tell", "verdict", "reason", "code"),
    [pytest.param(*rest, id=name) for name, *rest in MISSING],
)
def test_a_requirement_is_not_passed_by_a_part_of_its_cases(
    reported: Reported,
    history: History,
    run_dir: Path,
    *,
    tell: Callable[[History], History],
    verdict: str,
    reason: str,
    code: int,
) -> None:
    report = reported(tell(history))
    assert judged(report)[0] == verdict
    assert reason in judged(report)[1]
    assert report.gate.exit == code, report.gate
    if code == 0:
        assert report.gate.outcome == "as expected, of the part that was asked"
    written = document.to_json(report)
    document.validate(written)
    (told,) = (result["cases"] for result in written["results"] if result["id"] == ID)
    assert (told["pinned"], told["ran"], len(told["missing"])) == (3, 1, 2)
    assert b'name="verdict" value="%s"' % verdict.encode() in junit.render(report)
    write.write(report, run_dir, run_dir / "history.ndjson")
    assert "1 of 3 cases ran" in (run_dir / "index.html").read_text(encoding="utf-8")


def test_the_terminal_says_what_did_not_run(reported: Reported, history: History) -> None:
    report = reported(only_one(history.start()).finish("interrupted", case(TWO), case(THREE)))
    text = terminal.text(report, width=200, color=False)
    assert "1 of 3 cases ran" in text
    assert TWO in text


def test_a_failure_stands_however_few_cases_ran(reported: Reported, history: History) -> None:
    report = reported(rest(history.start().test(ID, 500, name=ONE)).finish())
    assert (judged(report)[0], report.gate.exit) == ("fail", 1)


def test_a_case_deleted_from_the_history_is_missed(reported: Reported, history: History) -> None:
    all_three(history.start()).finish()
    scope = next(record["scope"] for record in history.records if record.get("test", "").endswith(TWO))
    history.records = [record for record in history.records if record["scope"] != scope]
    numbers = {}
    for number, record in enumerate(history.records, start=1):
        numbers[record["seq"]] = record["seq"] = number
    for record in history.records:
        if record["record"] == "expectation":
            record["upto"] = record["seq"] - 1
    report = reported(history)
    assert report.history_faults == ()
    assert (judged(report)[0], report.gate.exit) == ("unknown", 2)


FORGED: list[tuple[str, Callable[[list[dict[str, Any]]], object], str]] = [
    ("no digest", lambda records: records.pop(-2) and records.pop(-2), "expected a digest by worker gw0, got none"),
    ("another set", lambda records: records[-2].update(sha256="0" * 64), "worker gw1 collected 5 cases"),
    ("fewer cases", lambda records: records[-4]["cases"].pop(), "expected the recorded 4"),
    ("a part is missing", lambda records: records[-4].update(parts=2), "expected 2 parts, each once, got 1"),
    ("nothing recorded", lambda records: records.__delitem__(slice(-4, -1)), "what was collected is not recorded"),
]


@pytest.mark.parametrize(("forge", "fault"), [pytest.param(*rest, id=name) for name, *rest in FORGED])
def test_a_collection_that_cannot_be_trusted_is_a_fault(
    reported: Reported, history: History, forge: Callable[[list[dict[str, Any]]], object], fault: str
) -> None:
    all_three(history.start()).finish()
    forge(history.records)
    for number, record in enumerate(history.records, start=1):
        record["seq"] = number
    report = reported(history)
    assert any(fault in told for told in report.history_faults), report.history_faults
    assert report.gate.exit == 2


def test_a_test_that_nobody_collected_is_a_fault(reported: Reported, history: History) -> None:
    all_three(history.start())
    history.cases.pop()
    report = reported(history.finish())
    assert any("was not among the selected ones" in told for told in report.history_faults)
    assert report.gate.exit == 2


def test_where_the_collection_stands_makes_no_difference(run_dir: Path, catalogue: Catalogue, history: History) -> None:
    all_three(history.start()).finish()
    late = build.build(history.write(run_dir), catalogue, ())
    collected = [record for record in history.records if record["record"].startswith("collect")]
    others = [record for record in history.records if record not in collected]
    shift = len(collected)
    moved = [others[0], *collected, *others[1:]]
    for number, record in enumerate(moved, start=1):
        if record["record"] == "expectation":
            record["upto"] += shift
        record |= {"seq": number, "t": 100 + number / 1000}
    history.records = moved
    early = build.build(history.write(run_dir), catalogue, ())
    assert [result.verdict for result in early.results] == [result.verdict for result in late.results]
    assert early.gate == late.gate
    assert early.history_faults == late.history_faults == ()


def test_a_mutant_does_not_survive_by_cases_that_did_not_run(reported: Reported, history: History) -> None:
    history.start(argv=["--prove"]).test(ID, 202, mutant="ingress-down", name=ONE)
    report = reported(history.finish("interrupted", case(TWO, mutant="ingress-down")))
    assert report.mutation is not None
    row = next(row for row in report.mutation.mutants if row.name == "ingress-down")
    assert (row.status, row.cells[0].verdict) == ("undecided", "unknown")
