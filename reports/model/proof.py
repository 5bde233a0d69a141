"""The kill matrix: mutants against requirements."""

from dataclasses import dataclass


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
