"""From what single expectations gave to the verdict of a test, and from its tests to the verdict of a requirement.

Pure. Two rules hold everywhere: error and unknown never become pass, and what did not run is unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from evidence.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# Of several verdicts the first in this order stands: pass must be unanimous, and a failure is never outvoted.
ORDER = (
    Verdict.FAIL,
    Verdict.ERROR,
    Verdict.UNKNOWN,
    Verdict.FLAKY,
    Verdict.NOT_SUPPORTED,
    Verdict.NOT_TESTABLE,
    Verdict.SKIPPED,
    Verdict.PASS,
)
# How a test may end (`test.finished`, field outcome) beside passed and failed: it tells the verdict itself.
_TOLD = {
    str(v): v for v in (Verdict.ERROR, Verdict.NOT_SUPPORTED, Verdict.NOT_TESTABLE, Verdict.SKIPPED, Verdict.UNKNOWN)
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """A verdict and why."""

    verdict: Verdict
    reason: str = ""


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the verdict of several; unknown of none."""
    found = set(verdicts)
    return next((verdict for verdict in ORDER if verdict in found), Verdict.UNKNOWN)


def of_test(outcome: str | None, reason: str | None, expectations: Sequence[tuple[Verdict, str]]) -> Outcome:
    """Return the verdict of one run of a test.

    Args:
        outcome: The outcome of its `test.finished`; None when it never finished.
        reason: Likewise.
        expectations: What its expectations were judged, each with a reason.
    """
    judged = worst(verdict for verdict, _ in expectations)
    why = next((text for verdict, text in expectations if verdict is judged), "")
    if expectations and judged in {Verdict.FAIL, Verdict.ERROR, Verdict.UNKNOWN}:
        return Outcome(judged, why)
    if outcome is None:
        return Outcome(Verdict.UNKNOWN, "the test did not finish")
    if outcome in _TOLD:
        return Outcome(_TOLD[outcome], reason or outcome)
    if outcome == "failed":
        return Outcome(Verdict.ERROR, f"the test failed although no expectation did: {reason or 'no reason given'}")
    if outcome != "passed":
        return Outcome(Verdict.ERROR, f"unknown outcome {outcome!r}")
    if not expectations:
        return Outcome(Verdict.UNKNOWN, "the test claimed nothing")
    return Outcome(Verdict.PASS)


def of_runs(runs: Sequence[Outcome]) -> Outcome:
    """Return the verdict of a test that ran several times: flaky(k/n) if it both passed and failed, else the worst."""
    verdicts = [run.verdict for run in runs]
    passes = verdicts.count(Verdict.PASS)
    if passes and Verdict.FAIL in verdicts:
        why = next(run.reason for run in runs if run.verdict is Verdict.FAIL)
        return Outcome(Verdict.FLAKY, f"flaky({passes}/{len(runs)}): {why}")
    return of_all(runs)


def of_all(rulings: Sequence[Outcome]) -> Outcome:
    """Return the verdict of a requirement from those of all its tests."""
    if not rulings:
        return Outcome(Verdict.UNKNOWN, "no test of it was executed")
    verdict = worst(ruling.verdict for ruling in rulings)
    return next(ruling for ruling in rulings if ruling.verdict is verdict)
