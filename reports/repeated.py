"""What looked worse than in an earlier run, and what became of it in the repetitions of the same run, as data."""

from dataclasses import dataclass
from typing import Final, Literal

from evidence.record_values import WorseWord

Status = Literal["seen", "flaky", "gone", "undecided"]
"""What the repetitions showed: it, each time; it, in some of them; never; or not enough of them were decided."""
_WORDS: Final[dict[Status, str]] = {
    "seen": "seen again each time",
    "flaky": "flaky",
    "gone": "not seen again",
    "undecided": "undecided",
}
WORSE: Final = ("regressed", "lost")
"""The words that end a run with 1."""


@dataclass(frozen=True, slots=True)
class RepeatedCase:
    """A case that looked worse.

    Attributes:
        case: The node id.
        word: What became of it in the first pass.
        requirements: The requirements that looked worse by it.
        seen: The number of repetitions that showed it again.
        runs: The number of repetitions that were decided.
        wanted: The number of repetitions that were asked for.
    """

    case: str
    word: WorseWord
    requirements: tuple[str, ...]
    seen: int
    runs: int
    wanted: int

    @property
    def status(self) -> Status:
        """What the repetitions showed."""
        return _status(self.seen, self.runs, self.wanted)

    @property
    def told(self) -> str:
        """The same in words."""
        return _told(self.word, self.seen, self.runs, self.wanted)

    @property
    def certain(self) -> bool:
        """Whether it regressed or was lost, and each repetition showed it again."""
        return self.word in WORSE and self.status == "seen"


@dataclass(frozen=True, slots=True)
class RepeatedStage:
    """A stage of a load that looked slower; fields as those of `RepeatedCase`."""

    case: str
    stage: str
    percentile: float
    seen: int
    runs: int
    wanted: int

    @property
    def status(self) -> Status:
        """What the repetitions showed."""
        return _status(self.seen, self.runs, self.wanted)

    @property
    def told(self) -> str:
        """The same in words."""
        return _told("slower", self.seen, self.runs, self.wanted)


@dataclass(frozen=True, slots=True)
class Again:
    """What was repeated, and against which run.

    Attributes:
        base: The name of the earlier run.
        sha256: The digest of its history.
        times: The number of repetitions.
        differences: All that is not the same around both runs, in words.
        cases: The cases that looked worse, in the order in which they were asked.
        stages: The stages that looked slower.
    """

    base: str
    sha256: str
    times: int
    differences: tuple[str, ...]
    cases: tuple[RepeatedCase, ...]
    stages: tuple[RepeatedStage, ...]

    def requirements(self, *statuses: Status) -> frozenset[str]:
        """Return the ids of the requirements of which a case has one of the statuses."""
        return frozenset(name for case in self.cases if case.status in statuses for name in case.requirements)

    @property
    def certain(self) -> frozenset[str]:
        """The ids of the requirements that regressed or were lost, which each repetition showed again."""
        return frozenset(name for case in self.cases if case.certain for name in case.requirements)

    @property
    def told(self) -> str:
        """The result in a few words."""
        found = [*(case.status for case in self.cases), *(stage.status for stage in self.stages)]
        if not found:
            return "nothing looked worse"
        return ", ".join(f"{found.count(status)} {word}" for status, word in _WORDS.items() if status in found)


def _status(seen: int, runs: int, wanted: int) -> Status:
    if runs < wanted:
        return "undecided"
    return "seen" if seen == runs else "flaky" if seen else "gone"


def _told(word: str, seen: int, runs: int, wanted: int) -> str:
    status = _status(seen, runs, wanted)
    if status == "undecided":
        return f"{word}, undecided ({seen} of {runs}; {wanted - runs} of {wanted} repetitions undecided)"
    said = {"seen": word, "flaky": "flaky", "gone": "not seen again"}[status]
    return f"{said} ({seen} of {wanted})"
