"""The conformance report as data: what `report.json` says, typed.

No judging here (`evidence` does that) and no exit codes (`reports.gate`). `reports.build` fills it in,
`reports.document` makes JSON of it.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from evidence.allowances import Allowance
from evidence.catalogue import OURS
from evidence.record_values import AllowanceFile
from evidence.saboteur import Finding, Status

VERDICTS = ("pass", "fail", "error", "unknown", "flaky", "not_supported", "not_testable", "skipped")
"""Every verdict, in the order in which tables count them."""

Exit = Literal[0, 1, 2, 3]


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


@dataclass(frozen=True, slots=True)
class Cell:
    """One square of the kill matrix: what a requirement's tests said under a mutant."""

    requirement: str
    verdict: str
    expected: bool
    """Whether the catalogue says that this mutant must be caught here."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class MutantRow:
    """What became of one mutant: killed, survived, undecided, not run or not asked.

    Not asked: the operator left out every requirement that must catch it; only requirements that it must spare ran.
    """

    name: str
    host: str
    about: str
    source: str
    status: str
    cells: tuple[Cell, ...]

    @property
    def killers(self) -> tuple[str, ...]:
        """The requirements whose tests failed under it, as they must."""
        return tuple(cell.requirement for cell in self.cells if cell.expected and cell.verdict == "fail")

    @property
    def missed(self) -> tuple[str, ...]:
        """The requirements that must catch it and did not (whatever they said instead of fail)."""
        return tuple(cell.requirement for cell in self.cells if cell.expected and cell.verdict != "fail")

    @property
    def false_kills(self) -> tuple[str, ...]:
        """The requirements that failed and should not have."""
        return tuple(cell.requirement for cell in self.cells if not cell.expected and cell.verdict == "fail")


@dataclass(frozen=True, slots=True)
class Mutation:
    """The kill matrix of a prove run."""

    mutants: tuple[MutantRow, ...]
    unproven: tuple[str, ...]
    """MUST and MUST NOT requirements that no mutant of this run killed."""
    complete: bool
    """Whether every mutant of the catalogue was part of the run, and asked."""


@dataclass(frozen=True, slots=True)
class Sabotages:
    """Whether the checks found what the saboteur did to events on the system itself.

    Attributes:
        seed: The number that chose what was hit.
        findings: One for each case.
    """

    seed: int
    findings: tuple[Finding, ...]

    @property
    def asked(self) -> tuple[Finding, ...]:
        """Those that this system lets anybody tell."""
        return tuple(each for each in self.findings if each.status is not Status.NOT_TESTABLE)

    @property
    def found(self) -> tuple[Finding, ...]:
        """Those that were found as what they are."""
        return self._of(Status.FOUND)

    @property
    def blind(self) -> tuple[Finding, ...]:
        """Those that were not found, or found as something else: nothing else that the checks say can be trusted."""
        return self._of(Status.MISSED, Status.MISTAKEN)

    @property
    def undecided(self) -> tuple[Finding, ...]:
        """Those that prove nothing."""
        return self._of(Status.UNDECIDED)

    @property
    def told(self) -> str:
        """The result in a few words."""
        left = len(self.findings) - len(self.asked)
        more = f", {left} not testable on this system" if left else ""
        return f"{len(self.found)} of {len(self.asked)} sabotages found{more}"

    def _of(self, *statuses: Status) -> tuple[Finding, ...]:
        return tuple(each for each in self.findings if each.status in statuses)


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether the run ended as the gate expects, and why."""

    name: str
    exit: Exit
    outcome: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """All that `report.json` says."""

    run: str
    reason: str
    started: str | None
    finished: str | None
    duration: float
    suite: Mapping[str, Any]
    catalogue_sha256: str
    catalogue_version: str | None
    target: Mapping[str, Any]
    sut: Mapping[str, str]
    selection: Mapping[str, Any]
    gate: Gate
    results: tuple[Result, ...]
    profiles: tuple[Tally, ...]
    areas: tuple[Tally, ...]
    overall: Tally
    origins: tuple[Tally, ...]
    """One tally a catalogue: ours first, then the vendors'."""
    mutation: Mutation | None
    history_sha256: str
    history_records: int
    history_faults: tuple[str, ...]
    history_head: str = ""
    """The digest of the last record, at the end of the chain; empty where no record has one."""
    first_t: float = 0.0
    """The first record on the probe's clock, for placing tests in time."""
    sabotages: Sabotages | None = None
    """What the saboteur's cases showed; None: they were not asked for. They are no tests of requirements."""
    mutant_tests: tuple[Test, ...] = ()
    """Tests that ran against a mutant; they never count towards `results`."""
    allowance_files: tuple[AllowanceFile, ...] = ()
    """The operator's files of known failures and waivers, as the history holds them."""
    allowances: tuple[Allowed, ...] = ()
    """Their entries, and what became of each."""

    @property
    def doubts(self) -> list[tuple[MutantRow, Cell, tuple[Test, ...]]]:
        """The cells of the kill matrix that are not as they should be, with the tests behind them."""
        rows = () if self.mutation is None else self.mutation.mutants
        under: dict[tuple[str, str], list[Test]] = {}
        for test in self.mutant_tests:
            for requirement in test.requirements:
                under.setdefault((test.mutant or "", requirement), []).append(test)
        return [
            (row, cell, tuple(under.get((row.name, cell.requirement), ())))
            for row in rows
            for cell in row.cells
            if (cell.expected and cell.verdict != "fail")
            or (not cell.expected and cell.verdict in ("fail", "error", "unknown", "flaky"))
        ]

    @property
    def vendors(self) -> tuple[Tally, ...]:
        """The tallies of the vendors' catalogues."""
        return tuple(tally for tally in self.origins if tally.origin != OURS)

    def find(self, requirement: str) -> Result | None:
        """Return the result of one requirement id."""
        return next((result for result in self.results if result.id == requirement), None)
