"""The saboteur on the embedded platform: each sabotage is found as what it is; a blind check, a lie or a gap shows."""

import json
import os
import subprocess
import sys
from bisect import bisect_right
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from evidence import catalogue as catalogues
from evidence.checks.base import REGISTRY, failed, violation
from evidence.saboteur import Status
from evidence.saboteur_cases import CASES
from evidence.verdict import PASSED
from reports import build, check
from reports.model import Report, Sabotages
from selftest.histories import Raw, lines, read, without_digests

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = catalogues.load(ROOT / "suites" / "catalogue")
TEST = "suites/eventing/test_routing.py"

pytestmark = pytest.mark.timeout(300)
Change = Callable[[list[Raw]], None]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Path]:
    """Run one test behind the saboteur, as `tox -e certify` does; the folder of the run."""
    out = tmp_path_factory.mktemp("runs")
    words = [
        "-q",
        "-n0",
        "-p",
        "no:cacheprovider",
        "--saboteur",
        "7",
        "--requirement",
        "EVT-RTE-007",
        "--out",
        str(out),
    ]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    argv = [sys.executable, "-m", "pytest", *words, TEST]
    done = subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=280)
    assert (out / "latest").exists(), done.stdout + done.stderr
    return done, out / "latest"


@pytest.fixture(scope="module")
def folder(ran: tuple[subprocess.CompletedProcess[str], Path]) -> Path:
    return ran[1]


def judged(history: Path) -> tuple[Report, Sabotages]:
    report = build.build(history, CATALOGUE)
    assert report.sabotages is not None
    return report, report.sabotages


def statuses(sabotages: Sabotages) -> dict[str, str]:
    return {finding.case: str(finding.status) for finding in sabotages.findings}


def changed(folder: Path, tmp_path: Path, change: Change) -> Path:
    """Write the run's history as somebody else has changed it."""
    records = without_digests(read(folder / "history.ndjson"))
    change(records)
    numbers = [record["seq"] for record in records]
    for number, record in enumerate(records, start=1):
        record["seq"] = number
        if record["record"] == "expectation":
            record["upto"] = bisect_right(numbers, record["upto"])
    path = tmp_path / "history.ndjson"
    path.write_bytes(b"".join(lines(records)))
    return path


def scope_of(records: Iterable[Raw], case: str, *, twin: bool = False) -> str:
    """Return the scope of a case, or of its twin."""
    (scope,) = [
        record["scope"]
        for record in records
        if record["record"] == "test.started" and record.get("sabotage") == case and bool(record.get("twin")) == twin
    ]
    return str(scope)


def test_all_are_found_and_every_output_says_so(ran: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    done, folder = ran
    assert done.returncode == 0, done.stdout
    told = f"{len(CASES)} of {len(CASES)} sabotages found"
    assert told in done.stdout
    document = json.loads((folder / "report.json").read_text())
    assert document["selection"]["saboteur"] == document["sabotages"]["seed"] == 7
    assert {row["case"]: row["status"] for row in document["sabotages"]["cases"]} == {
        case.name: "found" for case in CASES
    }
    page = (folder / "index.html").read_text()
    assert told in page
    for row in document["sabotages"]["cases"]:
        assert row["event"] in page
        assert row["check"] in page


def test_each_is_found_by_its_check_for_the_event_that_was_hit(folder: Path) -> None:
    hit = {
        record["scope"]: record["event"]["id"]
        for record in read(folder / "history.ndjson")
        if record["record"] == "sabotage.done"
    }
    records = list(read(folder / "history.ndjson"))
    _, sabotages = judged(folder / "history.ndjson")
    for case, finding in zip(CASES, sabotages.findings, strict=True):
        assert (finding.event, finding.check) == (hit[scope_of(records, case.name)], case.stored.check)
    assert len({finding.event for finding in sabotages.findings}) == len(CASES)


def test_they_are_no_tests_of_requirements(folder: Path) -> None:
    report, _ = judged(folder / "history.ndjson")
    tests = [test.node for result in report.results for test in result.tests]
    assert tests == [f"{TEST}::test_a_delivery_is_a_post_that_invites_a_reply"]
    assert report.history_faults == ()


def test_a_report_with_another_word_on_a_sabotage_is_not_confirmed(folder: Path, tmp_path: Path) -> None:
    document = json.loads((folder / "report.json").read_text())
    document["sabotages"]["cases"][0]["status"] = "missed"
    (tmp_path / "report.json").write_text(json.dumps(document))
    (tmp_path / "history.ndjson").write_bytes((folder / "history.ndjson").read_bytes())
    assert any("sabotages.cases[0].status" in told for told in check.check(tmp_path, CATALOGUE).differences)


@pytest.mark.parametrize("name", sorted({case.stored.check for case in CASES}))
def test_a_check_that_always_passes_makes_the_instrument_blind(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    blind = {case.name for case in CASES if case.stored.check == name}
    monkeypatch.setattr(REGISTRY[name], "decide", lambda *_, **__: PASSED)
    report, sabotages = judged(folder / "history.ndjson")
    assert blind <= {finding.case for finding in sabotages.blind}
    assert report.gate.exit == 2
    (reason,) = [reason for reason in report.gate.reasons if reason.startswith("blind instrument: ")]
    assert all(finding.case in reason for finding in sabotages.blind[:5])


@pytest.mark.parametrize("name", sorted({case.stored.check for case in CASES}))
def test_a_check_that_always_fails_proves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    told = failed(violation("something", "something else", ()))
    monkeypatch.setattr(REGISTRY[name], "decide", lambda *_, **__: told)
    report, sabotages = judged(folder / "history.ndjson")
    undecided = {case.name for case in CASES if case.stored.check == name}
    assert undecided <= {finding.case for finding in sabotages.undecided}
    assert all("its honest twin did not pass" in finding.message for finding in sabotages.undecided)
    assert any("proved nothing: " in reason for reason in report.gate.reasons)
    assert report.gate.exit in {1, 2}  # 1: the requirement that was asked is judged by this check too


def _without(kind: str, case: str, *, twin: bool = False) -> Change:
    def change(records: list[Raw]) -> None:
        scope = scope_of(records, case, twin=twin)
        records[:] = [each for each in records if each["scope"] != scope or (kind and each["record"] != kind)]

    return change


def _done(case: str, **fields: Any) -> Change:
    def change(records: list[Raw]) -> None:
        scope = scope_of(records, case)
        next(each for each in records if each["scope"] == scope and each["record"] == "sabotage.done").update(fields)

    return change


def _at_the_twin(records: list[Raw]) -> None:
    of_case, of_twin = scope_of(records, CASES[0].name), scope_of(records, CASES[0].name, twin=True)
    done = next(each for each in records if each["scope"] == of_case and each["record"] == "sabotage.done")
    done["scope"] = of_twin


@pytest.mark.parametrize(
    ("change", "status", "told"),
    [
        (_without("sabotage.done", CASES[0].name), Status.UNDECIDED, "did not get hold of the event"),
        (_without("", CASES[0].name), Status.UNDECIDED, "got 0 and 1"),
        (_without("", CASES[0].name, twin=True), Status.UNDECIDED, "got 1 and 0"),
        (_without("expectation", CASES[0].name, twin=True), Status.UNDECIDED, "its honest twin did not pass"),
        (_without("expectation", CASES[0].name), Status.MISSED, "got no failure"),
        (_done(CASES[0].name, what="doubled"), Status.UNDECIDED, "expected one sabotage, lost before the ingress"),
        (_done(CASES[0].name, place="sink"), Status.UNDECIDED, "expected one sabotage, lost before the ingress"),
        (_done(CASES[0].name, event={"source": "/s", "id": "x"}), Status.MISTAKEN, "it for another event"),
        (_at_the_twin, Status.UNDECIDED, "got one of what must be honest"),
    ],
    ids=[
        "not-done",
        "not-run",
        "no-twin",
        "twin-not-judged",
        "not-judged",
        "done-as-something-else",
        "done-elsewhere",
        "done-to-another-event",
        "done-to-the-twin",
    ],
)
def test_a_case_that_is_not_what_it_should_be_is_not_found(
    folder: Path, tmp_path: Path, change: Change, status: Status, told: str
) -> None:
    report, sabotages = judged(changed(folder, tmp_path, change))
    assert sabotages.findings[0].status is status
    assert told in sabotages.findings[0].message
    assert report.gate.exit == 2


def test_a_sabotaged_test_of_the_suite_is_an_error(folder: Path, tmp_path: Path) -> None:
    def change(records: list[Raw]) -> None:
        done = next(each for each in records if each["record"] == "sabotage.done")
        place, ordinary = next(
            (number, each["scope"])
            for number, each in enumerate(records)
            if each["record"] == "test.started" and "sabotage" not in each
        )
        records.insert(place + 1, {**done, "scope": ordinary, "t": records[place]["t"]})

    report, _ = judged(changed(folder, tmp_path, change))
    result = report.find("EVT-RTE-007")
    assert result is not None
    assert (result.verdict, "got one of what must be honest" in result.reason) == ("error", True)


def test_cases_that_nobody_asked_for_are_a_fault_of_the_history(folder: Path, tmp_path: Path) -> None:
    path = changed(folder, tmp_path, lambda records: records[0]["selection"].pop("saboteur"))
    report = build.build(path, CATALOGUE)
    assert report.sabotages is None
    assert any("cases of the saboteur" in fault for fault in report.history_faults)
