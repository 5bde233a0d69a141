"""What became of each requirement, why it may be forgiven, and how many there are of each verdict."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from evidence.allowances import Allowance
from evidence.catalogue import NOT_REQUESTED, ON_REQUEST, OURS
from reports.model.tests import Test

VERDICTS = ("pass", "fail", "error", "unknown", "flaky", "not_supported", "not_testable", "skipped")
"""Every verdict, in the order in which tables count them."""
LEFT_OUT_BY = "left out by"
"""How the reason begins why a case did not run that the operator has left out."""


@dataclass(frozen=True, slots=True)
class Known:
    """A documented failure of exact versions of one part of the system under test.

    Attributes:
        requirement: The id of the requirement that finds it.
        sut: The part of the system.
        versions: The versions that fail so.
        summary: The fault and what it looks like, in words.
        source: The file, issue or change where anybody can see the fault.
        url: The address of the source.
        how: `observed` for a fault that was seen in a run of these versions, `read` for one of the source alone.
        where: The system that it was observed on, or the state of the source that was read.
        at: The day of the observation; empty for one that was read.
    """

    requirement: str
    sut: str
    versions: tuple[str, ...]
    summary: str
    source: str
    url: str | None = None
    how: Literal["observed", "read"] = "read"
    where: str = ""
    at: str = ""

    @property
    def evidence(self) -> str:
        """How it is known, in words."""
        return f"observed on {self.where}, {self.at}" if self.how == "observed" else f"read in {self.where}"


AllowanceStatus = Literal["seen", "gone", "expired", "unfit", "undecided", "elsewhere"]
"""What became of an allowance: its failure showed; it passed; the day had gone by; something failed that it does not
name; nothing was decided; it speaks of other versions, or of a requirement that is not there."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """An entry of an operator's file, and what became of it in the run."""

    entry: Allowance
    status: AllowanceStatus
    note: str = ""
    """What else is to be said, in words; empty where the status says it all."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A case of a requirement that did not run, and why."""

    case: str
    """Node id, without the mutant; empty for one that nobody has collected."""
    why: str
    chosen: bool
    """Whether the operator left it out."""


@dataclass(frozen=True, slots=True)
class Cases:
    """How many cases of a requirement there are by the catalogue, how many ran, and which did not."""

    pinned: int
    ran: int
    missing: tuple[Missing, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """The verdict on one requirement of the catalogue."""

    id: str
    level: str
    profile: str
    area: str
    text: str
    source: str
    url: str | None
    verdict: str
    reason: str
    tests: tuple[Test, ...]
    known: Known | None
    """The known nonconformity that applies to this run's versions, whether it showed or not."""
    cases: Cases = Cases(0, 0)
    origin: str = OURS
    """The name of the catalogue that asks it: ours, or a vendor's."""
    allowance: Allowance | None = None
    """The failure that the operator knows, of these versions, which had not ended when the run began."""
    waiver: Allowance | None = None
    """The fault of the suite that the operator names, likewise."""

    @property
    def duration(self) -> float:
        """Seconds that its tests took, added."""
        return sum(test.duration for test in self.tests)

    @property
    def unrequested(self) -> bool:
        """It stands on a pipeline that is there on request only, and the run requested none: it does not count."""
        if self.profile not in ON_REQUEST or self.verdict != "skipped" or not self.cases.missing:
            return False
        return all(case.chosen and f"{LEFT_OUT_BY} {NOT_REQUESTED}" in case.why for case in self.cases.missing)

    @property
    def by_missing(self) -> bool:
        """What did not run decides the verdict: no test that ran has it."""
        undecided = self.verdict in ("unknown", "skipped")
        return undecided and bool(self.cases.missing) and all(test.verdict != self.verdict for test in self.tests)

    @property
    def lines(self) -> tuple[Test | None, ...]:
        """What formats list of it: its tests, and None for what the requirement itself has to say."""
        return (*self.tests, None) if self.by_missing or not self.tests else self.tests

    @property
    def excused(self) -> bool:
        """It failed, and that is documented for this very version, or known to the operator."""
        if self.verdict != "fail" or self.waived:
            return False
        return self.known is not None or self.covered_by(self.allowance)

    @property
    def waived(self) -> bool:
        """It did not pass, and the operator shows that the suite is at fault. What did not run cannot be waived."""
        undecided = self.verdict in ("fail", "flaky", "error", "unknown")
        return undecided and bool(self.tests) and not self.cases.missing and self.covered_by(self.waiver)

    def covered_by(self, entry: Allowance | None) -> bool:
        """Tell whether an operator's entry names every case that did not pass."""
        if entry is None:
            return False
        return not entry.cases or all(test.node in entry.cases for test in self.tests if test.verdict != "pass")

    @property
    def excuse(self) -> str:
        """Why its failure is forgiven, in words; empty where it is not."""
        if self.waived and self.waiver is not None:
            return f"waived as a fault of the suite: {self.waiver.reason} ({self.waiver.url}; {self.waiver.told})"
        if not self.excused:
            return ""
        if self.known is not None:
            return f"known nonconformity: {self.known.summary}"
        return "" if self.allowance is None else f"known: {self.allowance.reason} ({self.allowance.told})"

    @property
    def gone(self) -> bool:
        """A documented failure that did not show: it passed."""
        return self.known is not None and self.verdict == "pass"


@dataclass(frozen=True, slots=True)
class Tally:
    """Verdicts counted over a group of requirements."""

    name: str
    verdict: str
    """What may be claimed for the group: pass, fail or unknown, over its MUSTs (over everything where it has none)."""
    counts: Mapping[str, int]
    known: int
    origin: str = OURS
    """The name of the catalogue whose requirements it counts; for the tally of all, ours."""
    waived: int = 0
    """How many did not pass by a fault of the suite, as the operator shows; no claim counts them."""

    @property
    def total(self) -> int:
        """How many requirements the group has."""
        return sum(self.counts.values())

    @property
    def is_left_out(self) -> bool:
        """Whether nothing of the group was asked."""
        return self.counts["skipped"] == self.total
