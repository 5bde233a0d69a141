"""The whole report, and its gate."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from evidence.catalogue import OURS
from evidence.record_values import AllowanceFile
from reports.model.proof import Cell, MutantRow, Mutation
from reports.model.results import Allowed, Result, Tally
from reports.model.sabotages import Sabotages
from reports.model.tests import Test
from reports.repeated import Again

Exit = Literal[0, 1, 2, 3]


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
    again: Again | None = None
    """What looked worse than in an earlier run, and was repeated; None: the run was held against none."""
    allowance_files: tuple[AllowanceFile, ...] = ()
    """The operator's files of known failures and waivers, as the history holds them."""
    allowances: tuple[Allowed, ...] = ()
    """Their entries, and what became of each."""
    groups: Mapping[str, str] = field(default_factory=dict)
    """What each group of requirements is about, in a few words."""

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
