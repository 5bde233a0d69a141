"""What a run says of a mutant: noticed, and how, or not noticed, and which tests passed over it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from mutation.orders import Ended
from mutation.reading import Test
from mutation.sampling import Mutant


class Outcome(StrEnum):
    """What became of a mutant."""

    FAILED = "failed"
    UNDECIDED = "undecided"
    START = "start"
    LIMIT = "limit"
    SURVIVED = "survived"
    NOT_RUN = "not_run"
    OURS = "ours"


MEANINGS = {
    Outcome.FAILED: "noticed: a test failed, by the verdict on an expectation",
    Outcome.UNDECIDED: "noticed without a verdict: a test ended in an error or undecided, twice",
    Outcome.START: "noticed at start: the system did not get so far that one expectation was judged",
    Outcome.LIMIT: "noticed by its limit: the run took too much time or memory and was killed",
    Outcome.SURVIVED: "not noticed: all tests that can see it passed",
    Outcome.NOT_RUN: "not noticed: no test runs the line",
    Outcome.OURS: "not measured: the run left no report; a fault of ours, not counted",
}
NOTICED = (Outcome.FAILED, Outcome.UNDECIDED, Outcome.START, Outcome.LIMIT)
COUNTED = (*NOTICED, Outcome.SURVIVED, Outcome.NOT_RUN)


@dataclass(frozen=True, slots=True)
class Finding:
    """A mutant and what became of it.

    Attributes:
        mutant: The mutant.
        outcome: What became of it.
        by: The test that noticed it, and its requirement; empty where none did.
        reason: What that test, or the limit, says.
        passed: The tests that passed over it.
        asked: The number of tests that can see it.
        seconds: How long its run took.
        cpu: The CPU time of its run, in seconds.
    """

    mutant: Mutant
    outcome: Outcome
    by: str = ""
    reason: str = ""
    passed: tuple[str, ...] = ()
    asked: int = 0
    seconds: float = 0.0
    cpu: float = 0.0


def judge(mutant: Mutant, asked: Sequence[str], ended: Ended, tests: Sequence[Test] | None, said: str) -> Finding:
    """Judge a run under a mutant.

    Args:
        mutant: The mutant.
        asked: The ids of the tests that were to run.
        ended: How the run ended.
        tests: The tests that it reports; None: it has left no report.
        said: The end of what it printed.
    """
    outcome, by, reason = outcome_of(asked, ended, tests, said)
    passed = tuple(test.id for test in tests or () if test.verdict == "pass")
    return Finding(mutant, outcome, by, reason, passed, len(asked), ended.seconds, ended.cpu)


def outcome_of(asked: Sequence[str], ended: Ended, tests: Sequence[Test] | None, said: str) -> tuple[Outcome, str, str]:
    """Return what became of a run, the test that tells it with its requirement, and what that test says.

    Args:
        asked: The ids of the tests that were to run.
        ended: How the run ended.
        tests: The tests that it reports; None: it has left no report.
        said: The end of what it printed.
    """
    if ended.limit:
        return Outcome.LIMIT, "", f"passed its limit of {ended.limit} after {ended.seconds:.0f} s"
    if tests is None:
        return Outcome.OURS, "", f"the run ended with {ended.code} and left no report\n{said}"
    if failed := [test for test in tests if test.verdict == "fail"]:
        return Outcome.FAILED, _name(failed[0]), failed[0].reason
    open_ = [test for test in tests if test.verdict != "pass"]
    if not any(test.expectations for test in tests):
        return Outcome.START, _name(open_[0]) if open_ else "", open_[0].reason if open_ else _last_line(said)
    if open_:
        return Outcome.UNDECIDED, _name(open_[0]), f"{open_[0].verdict}: {open_[0].reason}"
    if missing := set(asked) - {test.id for test in tests}:
        return Outcome.UNDECIDED, "", f"{len(missing)} of {len(asked)} tests did not run: {_last_line(said)}"
    if ended.code:
        return Outcome.UNDECIDED, "", f"the run ended with {ended.code}: {_last_line(said)}"
    return Outcome.SURVIVED, "", ""


def _name(test: Test) -> str:
    return f"{test.requirement} {test.id}"


def _last_line(text: str) -> str:
    """Return the last line that names an error, or the last one of all."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return next(
        (line for line in reversed(lines) if _ERROR.match(line)), lines[-1] if lines else "(it printed nothing)"
    )


_ERROR = re.compile(r"(E +)?[\w.]*(Error|Exception)\b")


@dataclass(frozen=True, slots=True)
class Share:
    """How many of some mutants were noticed.

    Attributes:
        counts: The number of mutants by outcome.
    """

    counts: dict[Outcome, int]

    @classmethod
    def of(cls, findings: Iterable[Finding]) -> "Share":
        """Count."""
        outcomes = [finding.outcome for finding in findings]
        return cls({outcome: outcomes.count(outcome) for outcome in Outcome})

    @property
    def counted(self) -> int:
        """The number of mutants that were measured."""
        return sum(self.counts[outcome] for outcome in COUNTED)

    @property
    def noticed(self) -> int:
        """The number of them that were noticed, in whatever way."""
        return sum(self.counts[outcome] for outcome in NOTICED)

    @property
    def percent(self) -> float | None:
        """The share of the noticed, in percent; None: none was measured."""
        return 100 * self.noticed / self.counted if self.counted else None

    @property
    def by_verdict(self) -> float | None:
        """The share of those noticed by a verdict, in percent: what a start or a limit notices flatters the suite."""
        return 100 * self.counts[Outcome.FAILED] / self.counted if self.counted else None
