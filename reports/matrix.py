"""The kill matrix of a prove run: which requirement caught which mutant, what slipped through, and what cried wolf.

Rows come from the catalogue (a mutant must be caught by every requirement that names it), cells from the judged tests.
"""

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum

from evidence.aggregate import Outcome
from evidence.catalogue import Catalogue
from evidence.verdict import Verdict
from reports import from_replay
from reports.model import Cell, MutantRow, Mutation, Test


class CellKind(StrEnum):
    """What became of a requirement under a mutant, measured by what the catalogue demands."""

    KILLED = "killed"
    MISSED = "missed"
    SPARED = "spared"
    FALSE_KILL = "false-kill"
    UNDECIDED = "undecided"
    NOT_ASKED = "not-asked"


def kind(cell: Cell) -> CellKind:
    """Return what a cell is."""
    if cell.verdict == "fail":
        return CellKind.KILLED if cell.expected else CellKind.FALSE_KILL
    if cell.verdict == "pass":
        return CellKind.MISSED if cell.expected else CellKind.SPARED
    if cell.expected or cell.verdict in {"error", "unknown", "flaky"}:
        return CellKind.UNDECIDED
    return CellKind.NOT_ASKED


def compute(
    catalogue: Catalogue,
    tests: Sequence[Test],
    *,
    whole: bool = True,
    unrun: Mapping[tuple[str, str], Sequence[str]] | None = None,
) -> Mutation:
    """Return the matrix.

    Args:
        catalogue: Requirements with the mutants that they must catch.
        tests: The tests that ran under a mutant.
        whole: Whether the operator asked for the whole matrix; otherwise only what was selected is expected.
        unrun: The cases that were selected and never ran, by mutant and requirement.
    """
    under: dict[str, dict[str, list[Test]]] = {}
    missing = unrun or {}
    for test in tests:
        for requirement in test.requirements:
            under.setdefault(test.mutant or "", {}).setdefault(requirement, []).append(test)
    order = [requirement.id for requirement in catalogue.requirements]
    rows: list[MutantRow] = []
    listed = {mutant.name: (mutant.host, mutant.about, mutant.source) for mutant in catalogue.mutants}
    listed |= {name: ("?", "not in the catalogue", "") for name in under if name not in listed}
    for name, (host, about, source) in listed.items():
        ran = under.get(name, {})
        named = catalogue.kill_sets.get(name, frozenset())
        selected = frozenset(ran) | {requirement for mutant, requirement in missing if mutant == name}
        expected = named if whole else named & selected
        cells = tuple(
            _cell(requirement, ran.get(requirement), missing.get((name, requirement)), expected=requirement in expected)
            for requirement in order
            if requirement in ran or (requirement in expected and ran)
        )
        status = _status(cells, expected, deselected=bool(named) and not expected)
        rows.append(MutantRow(name, str(host), about, source, status, cells))
    killed = {requirement for row in rows for requirement in row.killers}
    asked = {cell.requirement for row in rows for cell in row.cells if cell.expected}
    # A requirement whose only killers are undecided is undecided with them, not unproven.
    undecided = {
        cell.requirement for row in rows for cell in row.cells if cell.expected and kind(cell) is CellKind.UNDECIDED
    }
    unproven = tuple(
        requirement.id
        for requirement in catalogue.requirements
        if requirement.binding and requirement.id not in killed | undecided and (whole or requirement.id in asked)
    )
    complete = all(row.status not in {"not_run", "not_asked"} for row in rows)
    rows = [row for row in rows if row.cells or row.status == "not_run"]
    return Mutation(tuple(rows), unproven, complete)


def _cell(requirement: str, tests: list[Test] | None, unrun: Sequence[str] | None, *, expected: bool) -> Cell:
    if not tests:
        return Cell(requirement, "unknown", expected, reason="no test of it ran under this mutant")
    said = f"{len(unrun or ())} of its cases were selected and did not run, among them {(unrun or ('',))[0]}"
    verdict, reason = from_replay.combine(tests, [Outcome(Verdict.UNKNOWN, said)] if unrun else ())
    return Cell(requirement, verdict, expected, reason)


def _status(cells: Sequence[Cell], expected: Collection[str], *, deselected: bool) -> str:
    if deselected:
        return "not_asked"
    if not cells:
        return "not_run"
    verdicts = [cell.verdict for cell in cells if cell.requirement in expected]
    if all(verdict == "fail" for verdict in verdicts):
        return "killed" if verdicts else "undecided"
    return "survived" if any(verdict == "pass" for verdict in verdicts) else "undecided"
