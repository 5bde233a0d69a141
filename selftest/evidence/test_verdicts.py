"""The lattice: error and unknown never pass, a failure is never outvoted, nothing executed is unknown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.aggregate import ORDER, Outcome, of_all, of_runs, of_test, worst
from evidence.verdict import Verdict

P, F, U, X = Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN, Verdict.ERROR
ANY = st.lists(st.sampled_from(list(Verdict)))


@pytest.mark.parametrize(
    ("outcome", "expectations", "verdict"),
    [
        ("passed", [P], P),
        ("passed", [P, P], P),
        ("passed", [], U),
        ("passed", [P, U], U),
        ("passed", [P, F], F),
        ("passed", [X, U], X),
        ("failed", [F], F),
        ("failed", [U], U),
        ("failed", [P], X),
        ("failed", [], X),
        ("error", [P], X),
        ("error", [F], F),
        ("error", [U], U),
        (None, [P], U),
        (None, [F], F),
        ("skipped", [], Verdict.SKIPPED),
        ("not_testable", [], Verdict.NOT_TESTABLE),
        ("not_supported", [P], Verdict.NOT_SUPPORTED),
        ("skipped", [F], F),
        ("exploded", [P], X),
    ],
    ids=map(str, range(20)),
)
def test_the_verdict_of_a_test(outcome: str | None, expectations: list[Verdict], verdict: Verdict) -> None:
    ruling = of_test(outcome, None, [(expectation, f"because {expectation}") for expectation in expectations])
    assert ruling.verdict is verdict
    assert verdict is P or ruling.reason


@given(ANY)
def test_only_unanimity_passes(verdicts: list[Verdict]) -> None:
    assert (worst(verdicts) is P) == (bool(verdicts) and set(verdicts) == {P})


@given(ANY)
def test_one_failure_is_enough(verdicts: list[Verdict]) -> None:
    assert worst([*verdicts, F]) is F


@given(ANY, ANY)
def test_order_does_not_matter_and_more_tests_never_make_it_better(one: list[Verdict], other: list[Verdict]) -> None:
    assert worst(one + other) is worst(other + one)
    if one:
        assert ORDER.index(worst(one + other)) <= ORDER.index(worst(one))


def test_every_verdict_has_its_rank() -> None:
    assert set(ORDER) == set(Verdict)


@pytest.mark.parametrize(
    ("runs", "verdict"),
    [([P], P), ([P, P], P), ([F, F], F), ([P, F], Verdict.FLAKY), ([P, F, U], Verdict.FLAKY), ([P, U], U), ([], U)],
    ids=map(str, range(7)),
)
def test_the_verdict_of_several_runs(runs: list[Verdict], verdict: Verdict) -> None:
    assert of_runs([Outcome(run, "why") for run in runs]).verdict is verdict


def test_a_requirement_without_tests_is_unknown_and_says_so() -> None:
    assert of_all([]) == Outcome(U, "no test of it was executed")
    assert of_all([Outcome(P), Outcome(F, "why")]) == Outcome(F, "why")
