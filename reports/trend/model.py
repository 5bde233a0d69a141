"""A trend over runs as data: what every output shows. `reports.trend.collecting` fills it in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from reports.model import Exit

FAILING = ("fail", "flaky", "known", "waived")
"""The marks of a requirement that did not do what it asks for, forgiven or not."""
NEWLY = ("fail", "flaky")
"""Those that nobody forgives."""


@dataclass(frozen=True, slots=True)
class StageKey:
    """What latencies are only compared with their own kind: the case, its stage, and how many samples it took."""

    case: str
    stage: str
    samples: int


@dataclass(frozen=True, slots=True)
class ReadRun:
    """What is kept of one run's report.

    Attributes:
        folder: The run's folder.
        name: The name of the run.
        started: The time of day when it began, as its report says.
        order: The same as seconds since 1970, for sorting.
        digest: The SHA-256 of its history.
        suite: The version and commit of the suite.
        catalogue: The digest of its catalogue.
        products: The products under test, with their versions.
        facts: What stands around it and decides how fast it is.
        outcome: How it ended, in words.
        exit: Its exit code.
        marks: The mark of each requirement, by id.
        about: Level, profile, area and text of each requirement, by id.
        stages: The 95th percentile of each stage in seconds, by what it measures; None where requests had no end.
    """

    folder: Path
    name: str
    started: str
    order: float
    digest: str
    suite: str
    catalogue: str
    products: Mapping[str, str]
    facts: Mapping[str, str]
    outcome: str
    exit: int
    marks: Mapping[str, str]
    about: Mapping[str, tuple[str, str, str, str]]
    stages: Mapping[StageKey, float | None]


@dataclass(frozen=True, slots=True)
class Column:
    """One run of the trend.

    Attributes:
        run: What its report says.
        other: What is not the same around it as around the newest run, where latencies are not compared; else empty.
    """

    run: ReadRun
    other: tuple[str, ...] = ()

    @property
    def comparable(self) -> bool:
        """Whether its latencies say something beside those of the newest run."""
        return not self.other


@dataclass(frozen=True, slots=True)
class Row:
    """One requirement over all runs.

    Attributes:
        id: The id.
        level: The level.
        profile: The profile.
        area: The area.
        text: The sentence.
        marks: Its mark in each run, the oldest first; empty where the run does not have it.
        since: The number of the run in which it began to fail, where it fails since then; else None.
        passed: The number of the last run before that in which it passed; None where there is none.
    """

    id: str
    level: str
    profile: str
    area: str
    text: str
    marks: Sequence[str]
    since: int | None = None
    passed: int | None = None

    @property
    def steady(self) -> bool:
        """Whether it did nothing in any run but pass, or be left out."""
        return all(mark in ("pass", "skipped", "") for mark in self.marks)

    @property
    def worse(self) -> bool:
        """Whether the newest run fails what an earlier one passed, and nobody forgives it. A MAY decides nothing."""
        return self.level != "MAY" and self.passed is not None and bool(self.marks) and self.marks[-1] in NEWLY


@dataclass(frozen=True, slots=True)
class StageRow:
    """The 95th percentile of one stage over all runs.

    Attributes:
        requirement: The id of the requirement.
        stage: The name of the stage.
        samples: How many samples the newest run took.
        values: Seconds in each run, the oldest first; None where there is no figure.
        comparable: Whether the value of each run can be compared with that of the newest.
    """

    requirement: str
    stage: str
    samples: int
    values: Sequence[float | None]
    comparable: Sequence[bool]


@dataclass(frozen=True, slots=True)
class Trend:
    """All runs, the oldest first.

    Attributes:
        columns: The runs.
        rows: The requirements: those of the newest run in its order, then those that it does not have.
        stages: The stages that the newest run measured.
        left_out: The folders that were not read, each with the reason.
        unread: Whether one of these was a run that cannot be read, or whose verdicts cannot be placed.
    """

    columns: Sequence[Column]
    rows: Sequence[Row]
    stages: Sequence[StageRow]
    left_out: Sequence[str] = field(default_factory=tuple)
    unread: bool = False

    @property
    def newest(self) -> ReadRun:
        """The newest run."""
        return self.columns[-1].run

    @property
    def worse(self) -> list[Row]:
        """The requirements that fail in the newest run and passed before."""
        return [row for row in self.rows if row.worse]

    @property
    def failing(self) -> list[Row]:
        """The requirements that fail since some run."""
        return [row for row in self.rows if row.since is not None]

    @property
    def exit(self) -> Exit:
        """The exit code: 1 where something is worse, 2 where a run could not be read."""
        return 1 if self.worse else 2 if self.unread else 0
