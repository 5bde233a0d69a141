"""Runs of tests, and what their expectations came to."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class ReportedViolation:
    """Why a check failed: the message, the seqs of the records that prove it, and where the event was last seen."""

    message: str
    witness: tuple[int, ...] = ()
    where: str = ""


@dataclass(frozen=True, slots=True)
class ReportedExpectation:
    """One expectation, judged again from the history."""

    id: str
    check: str
    args: Mapping[str, Any]
    seq: int
    t: float
    """Seconds on the probe's clock when it was recorded."""
    verdict: str
    recorded: str
    """The verdict that the run itself wrote down."""
    violations: tuple[ReportedViolation, ...] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)
    """Measurements worth reporting, like percentiles."""
    proof: str = ""
    """The kind of proof that the verdict stands on (`evidence.verdict.Proof`), where it needed one."""
    samples: Sequence[float] = ()
    """The sorted seconds behind a verdict on a distribution, infinite where there was no end; for pictures."""


@dataclass(frozen=True, slots=True)
class Diagnostics:
    """What was read of the cluster when a test failed: a folder in the run's own, and the files in it."""

    folder: str
    files: tuple[str, ...]

    @property
    def paths(self) -> tuple[str, ...]:
        """The files, from the run's folder on."""
        return tuple(f"{self.folder}/{file}" for file in self.files)


@dataclass(frozen=True, slots=True)
class Test:
    """One run of a test."""

    __test__ = False  # pytest: the name means a run of a test

    node: str
    scope: str
    mutant: str | None
    requirements: tuple[str, ...]
    outcome: str
    verdict: str
    reason: str
    duration: float
    started: float
    expectations: tuple[ReportedExpectation, ...] = ()
    diagnostics: Diagnostics | None = None

    @property
    def proofs(self) -> dict[str, int]:
        """How many of its expectations stand on each kind of proof that was needed."""
        return dict(sorted(Counter(each.proof for each in self.expectations if each.proof).items()))
