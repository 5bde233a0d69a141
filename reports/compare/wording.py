"""The words that every output of a comparison shares, so that they say the same."""

import math
from typing import Final

from reports.compare.model import Comparison, Word
from reports.speeds import Speed, StageChange

MARKS: Final = {
    Word.REGRESSED: "fail",
    Word.LOST: "fail",
    Word.UNDECIDED: "unknown",
    Word.NEWLY_FAILING: "error",
    Word.FLAKE_RATE_MOVED: "flaky",
    Word.KNOWN_AND_GONE: "pass",
    Word.REPAIRED: "pass",
    Word.NEWLY_PASSING: "pass",
    Word.ADDED: "not_testable",
    Word.REMOVED: "not_testable",
    Word.UNCHANGED: "skipped",
}
"""The verdict whose colour a word has."""
SPEED_MARKS: Final = {Speed.SLOWER: "fail", Speed.FASTER: "pass", Speed.CANNOT_TELL: "skipped"}
SIDES: Final = {"base": "old run", "new": "new run"}


def numbers(comparison: Comparison) -> str:
    """Return the line on top: how many requirements each word has."""
    return ", ".join(f"{count} {word}" for word, count in comparison.counts.items())


def verdicts(base: str, new: str) -> str:
    """Return both verdicts of a requirement, the old one first."""
    return f"{_verdict(base)} -> {_verdict(new)}"


def _verdict(name: str) -> str:
    return name.replace("_", " ") or "not there"


def milliseconds(value: float | None) -> str:
    """Return a time for a reader."""
    return "no bound" if value is None else f"{value * 1000:.1f} ms"


def moved(value: float | None) -> str:
    """Return a difference of times for a reader, with its sign."""
    return "no bound" if value is None else f"{value * 1000:+.1f} ms"


def interval(stage: StageChange) -> str:
    """Return the interval of a difference for a reader."""
    return f"{moved(stage.interval[0])} to {moved(stage.interval[1])}"


def probability(stage: StageChange) -> str:
    """Return a p-value for a reader."""
    if stage.p is None or math.isnan(stage.p):
        return "-"
    return "< 0.001" if stage.p < 0.001 else f"{stage.p:.3f}"


def why(stage: StageChange) -> str:
    """Return the reason of the word on a stage, with the samples that would be needed to say more."""
    if stage.needed is None:
        return stage.why
    have = min(stage.samples)
    if stage.needed <= have:
        return f"{stage.why}; more samples than {have} a run are needed"
    return f"{stage.why}; about {stage.needed} samples a run would be needed"


def excused(level: str, *, documented: bool) -> str:
    """Return what makes a change weigh less: a MAY decides nothing; a documented failure is one all the same."""
    told = ["decides nothing"] if level == "MAY" else []
    return ", ".join([*told, *(["documented for these versions"] if documented else [])])
