"""Exit codes: what is expected, what is not, what is undecided."""

from collections.abc import Callable
from typing import Any

import pytest

from evidence.saboteur import Finding, Status
from reports import gate
from reports.build import tally
from reports.model import Cases, Known, Missing, Report, Result, Sabotages, Test

Reported = Callable[[Any], Report]
KNOWN = Known("A-1", "kserve", ("0.21.0",), "It fails.", "a thread")
RAN = (Test("t.py::t", "s", None, ("A-1",), "passed", "pass", "", 0.1, 0.0),)


def result(verdict: str, level: str = "MUST", known: Known | None = None, profile: str = "broker-core") -> Result:
    return Result("A-1", level, profile, "eventing", "It does.", "a spec", None, verdict, "", RAN, known)


@pytest.mark.parametrize(
    ("name", "verdict", "level", "known", "code"),
    [
        ("known", "pass", "MUST", None, 0),
        ("known", "fail", "MUST", None, 1),
        ("known", "fail", "SHOULD", None, 1),
        ("known", "fail", "MAY", None, 0),
        ("known", "fail", "MUST", KNOWN, 0),
        ("known", "pass", "MUST", KNOWN, 0),
        ("known", "unknown", "MUST", KNOWN, 2),
        ("known", "error", "MUST", KNOWN, 2),
        ("known", "flaky", "MUST", KNOWN, 1),
        ("known", "not_testable", "MUST", None, 0),
        ("known", "skipped", "MUST", None, 0),
        ("strict", "pass", "MUST", None, 0),
        ("strict", "pass", "MUST", KNOWN, 0),
        ("strict", "fail", "MUST", KNOWN, 1),
        ("strict", "not_supported", "MUST", None, 1),
        ("strict", "not_testable", "MUST", None, 2),
        ("strict", "skipped", "MUST", None, 2),
        ("strict", "unknown", "MUST", None, 2),
        ("strict", "error", "MUST", None, 2),
    ],
)
def test_exit_codes(name: str, verdict: str, level: str, known: Known | None, code: int) -> None:
    assert gate.decide(name, [result(verdict, level, known)], []).exit == code


def left_out(profile: str, why: str) -> Result:
    cases = Cases(1, 0, (Missing("t.py::t", f"left out by {why}", chosen=True),))
    return Result("A-2", "MUST", profile, "mlserver", "It does.", "a spec", None, "skipped", why, (), None, cases)


@pytest.mark.parametrize(
    ("profile", "why", "code"),
    [
        ("mlserver-kafka", "a run without --pipeline mlserver-kafka", 0),
        ("mlserver-kafka", "-k other", 2),
        ("broker-core", "a run without --pipeline mlserver-kafka", 2),
    ],
    ids=["on request", "left out", "of another profile"],
)
def test_what_is_there_on_request_only_does_not_count_unrequested(profile: str, why: str, code: int) -> None:
    results = [result("pass"), left_out(profile, why)]
    assert gate.decide("strict", results, []).exit == code
    assert tally("all", results).verdict == ("pass" if code == 0 else "unknown")


@pytest.mark.parametrize(("verdict", "code"), [("fail", 0), ("pass", 1), ("skipped", 0), ("unknown", 2)])
def test_beside_a_personality_the_list_is_exact(verdict: str, code: int) -> None:
    decided = gate.decide("known", [result(verdict, known=KNOWN)], [], exact=True)
    assert decided.exit == code
    assert ("the personality and the list differ" in "".join(decided.reasons)) == (verdict == "pass")


def test_a_certain_failure_outweighs_what_is_undecided() -> None:
    assert gate.decide("known", [result("fail"), result("error")], []).exit == 1


def sabotages(*statuses: Status) -> Sabotages:
    findings = [
        Finding("lost-before-sink", "lost", "sink", "It is lost.", status, message="why") for status in statuses
    ]
    return Sabotages(7, tuple(findings))


@pytest.mark.parametrize(
    ("status", "verdict", "code"),
    [
        (Status.FOUND, "pass", 0),
        (Status.FOUND, "fail", 1),
        (Status.NOT_TESTABLE, "pass", 0),
        (Status.UNDECIDED, "pass", 2),
        (Status.UNDECIDED, "fail", 1),
        (Status.MISSED, "pass", 2),
        (Status.MISSED, "fail", 2),
        (Status.MISTAKEN, "fail", 2),
    ],
)
@pytest.mark.parametrize("name", ["known", "strict"])
def test_a_blind_instrument_ends_with_two_whatever_it_says(name: str, status: Status, verdict: str, code: int) -> None:
    decided = gate.decide(name, [result(verdict)], [], sabotages=sabotages(Status.FOUND, status))
    assert decided.exit == code
    told = any("lost-before-sink: why" in reason for reason in decided.reasons)
    assert told == (status not in {Status.FOUND, Status.NOT_TESTABLE})


def test_what_cannot_be_told_on_a_system_does_not_count() -> None:
    told = sabotages(Status.FOUND, Status.NOT_TESTABLE, Status.MISSED).told
    assert told == "1 of 2 sabotages found, 1 not testable on this system"


def test_strict_judges_the_profiles_that_were_asked_for() -> None:
    results = [result("pass"), result("skipped", profile="latency")]
    assert gate.decide("strict", results, [], profiles=["broker-core"]).exit == 0
    assert gate.decide("strict", results, []).exit == 2


def test_nothing_executed_is_undecided() -> None:
    nothing = Result("A-1", "MUST", "p", "a", "It does.", "a spec", None, "skipped", "", (), None)
    decided = gate.decide("known", [nothing], [])
    assert decided.exit == 2
    assert "no test ran" in decided.reasons


@pytest.mark.parametrize(("faults", "completed"), [(["line 3 is no JSON"], True), ([], False)])
def test_a_faulty_or_unfinished_history_is_undecided(faults: list[str], completed: bool) -> None:  # noqa: FBT001 - a parameter
    assert gate.decide("known", [result("pass")], faults, completed=completed).exit == 2


def test_a_known_one_that_is_gone_is_told_loudly() -> None:
    assert any(reason.startswith("GONE") for reason in gate.decide("known", [result("pass", known=KNOWN)], []).reasons)


def test_known_applies_to_its_exact_versions_only(reported: Reported, history: Any) -> None:
    report = reported(history.start(kserve="0.22.0", argv=["-k", "x"]).test("EVT-FLT-003", 500).finish())
    assert report.gate.exit == 1


def test_a_documented_failure_is_as_expected(reported: Reported, history: Any) -> None:
    report = reported(history.start(argv=["-k", "x"]).test("EVT-FLT-003", 500).finish())
    failed = report.find("EVT-FLT-003")
    assert failed is not None
    assert (failed.verdict, failed.excused) == ("fail", True)
    assert report.gate.exit == 0


def test_a_proof_of_a_part_that_also_ran_honestly_says_so(reported: Reported, history: Any) -> None:
    history.start(argv=["--prove", "-k", "ingress"]).test("EVT-ING-001")
    report = reported(history.test("EVT-ING-001", 500, mutant="ingress-down").finish())
    assert (report.gate.exit, report.gate.outcome) == (0, "as expected, of the part that was asked")


def test_conforming_entry_points_are_told_and_nothing_known_excuses_them(reported: Reported, history: Any) -> None:
    report = reported(history.start(argv=["--conforming"]).test("EVT-FLT-003", 500).finish())
    assert report.gate.exit == 1
    assert "this says nothing of released ones" in report.gate.reasons[-1]
