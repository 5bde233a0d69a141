"""A comparison of two runs as data: what every output shows, and what decides the exit code.

`reports.compare.comparing` fills it in. No output computes anything that is not here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from reports.model import Allowed, Exit
from reports.path import EventPath
from reports.speeds import StageChange

LEVELS: Final = ("MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY", "")
"""The levels, the weightiest first; a requirement of which only its id is known has none."""


class Word(StrEnum):
    """What became of a case or of a requirement, the worst first."""

    REGRESSED = "regressed"
    LOST = "lost"
    UNDECIDED = "undecided now"
    NEWLY_FAILING = "newly failing"
    FLAKE_RATE_MOVED = "flake rate moved"
    KNOWN_AND_GONE = "known and gone"
    REPAIRED = "repaired"
    NEWLY_PASSING = "newly passing"
    ADDED = "added"
    REMOVED = "removed"
    UNCHANGED = "unchanged"


WORDS: Final = tuple(Word)
_WORSE = (Word.REGRESSED, Word.LOST)


@dataclass(frozen=True, slots=True)
class State:
    """What one run says of a case.

    Attributes:
        verdict: The verdict, by today's checks.
        reason: The reason, where it did not pass.
        passes: The number of its runs that passed.
        runs: The number of its runs.
        excused: Whether its failure is documented for the versions of that run.
    """

    verdict: str
    reason: str = ""
    passes: int = 0
    runs: int = 0
    excused: bool = False


@dataclass(frozen=True, slots=True)
class CaseChange:
    """One case in both runs; None where a run does not know it."""

    case: str
    word: Word
    base: State | None
    new: State | None
    rates: str = ""
    """How often it passed in each run, with the interval of the difference, where it was flaky in one of them."""


@dataclass(frozen=True, slots=True)
class Witness:
    """What one run shows of a case: its claim and the path of its event.

    Attributes:
        test: The node id of the test.
        check: The name of the check; empty where the test claimed nothing.
        verdict: The verdict of the expectation.
        message: The violation; empty where there is none.
        where: The place where the event was last seen.
        path: The path, to be drawn; None where the expectation is about no event.
        line: The same path as one line of text.
        seqs: The numbers of the records that prove the violation.
    """

    test: str
    check: str = ""
    verdict: str = ""
    message: str = ""
    where: str = ""
    path: EventPath | None = None
    line: str = ""
    seqs: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Evidence:
    """Both witnesses of one change, and the first difference between the paths of their events."""

    headline: str
    base: Witness | None
    new: Witness | None


@dataclass(frozen=True, slots=True)
class Change:
    """One requirement in both runs. Its word is the worst of its cases."""

    id: str
    level: str
    profile: str
    area: str
    text: str
    word: Word
    base: str
    """The verdict in the old run; empty where that did not know the requirement."""
    new: str
    cases: tuple[CaseChange, ...] = ()
    documented: bool = False
    """Whether the failure of the new run is documented for its versions."""
    evidence: Evidence | None = None

    @property
    def worse(self) -> bool:
        """Whether it makes the comparison fail: a MAY cannot be violated."""
        return self.word in _WORSE and self.level != "MAY"

    @property
    def open(self) -> bool:
        """Whether it leaves the comparison undecided."""
        return self.word is Word.UNDECIDED and self.level != "MAY"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not the same around both runs."""

    what: str
    base: str
    new: str
    environment: bool
    """Whether it makes latencies incomparable."""


@dataclass(frozen=True, slots=True)
class Rejudged:
    """A case that today's checks judge otherwise than the run itself did: a change of the suite, not of the system."""

    side: str
    """Which run: `base` or `new`."""
    requirements: tuple[str, ...]
    case: str
    recorded: str
    now: str


@dataclass(frozen=True, slots=True)
class RunName:
    """What a comparison says of one run, so that the comparison can be made again."""

    run: str
    path: str
    sha256: str
    suite: str
    target: str
    records: int
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs compared.

    Attributes:
        base: The old run.
        new: The new run.
        catalogue_sha256: The digest of the catalogue that judged both.
        differences: All that is not the same around the two runs.
        changes: Every requirement, the weightiest change first.
        rejudged: The cases that today's checks judge otherwise than the runs did.
        stages: The latencies.
        stages_why: The reason why latencies are not compared; empty where they are.
        allowances: The operator's entries of the new run, and what became of them there.
    """

    base: RunName
    new: RunName
    catalogue_sha256: str
    differences: tuple[Difference, ...]
    changes: tuple[Change, ...]
    rejudged: tuple[Rejudged, ...] = ()
    stages: tuple[StageChange, ...] = ()
    stages_why: str = ""
    allowances: tuple[Allowed, ...] = ()

    @property
    def exit(self) -> Exit:
        """The exit code: 1 where something regressed or was lost, 2 where something is undecided."""
        if any(change.worse for change in self.changes):
            return 1
        undecided = any(change.open for change in self.changes) or self.base.faults or self.new.faults
        return 2 if undecided else 0

    @property
    def outcome(self) -> str:
        """The exit code in words."""
        return {0: "nothing regressed, nothing lost", 1: "worse", 2: "undecided"}[self.exit]

    @property
    def counts(self) -> dict[Word, int]:
        """How many requirements each word has; none with zero."""
        counted = {word: sum(change.word is word for change in self.changes) for word in WORDS}
        return {word: count for word, count in counted.items() if count}

    @property
    def changed(self) -> tuple[Change, ...]:
        """The requirements of which something changed."""
        return tuple(change for change in self.changes if change.word is not Word.UNCHANGED)


@dataclass(frozen=True, slots=True)
class Comparisons:
    """Several new runs, each compared with the same old one."""

    pairs: Sequence[Comparison] = field(default_factory=tuple)

    @property
    def exit(self) -> Exit:
        """The worst exit code of all: certainly worse before undecided before all well."""
        codes = {pair.exit for pair in self.pairs}
        return 1 if 1 in codes else 2 if 2 in codes else 0
