"""Finds in a history what explains the expectations of tests: the paths of their events, and their witnesses."""

from collections.abc import Sequence
from pathlib import Path

from evidence.history import Record
from reports import path, run
from reports.model import ReportedExpectation
from reports.path import EventPath


class Lookup:
    """Paths and witnesses of expectations, looked up in one pass over the history, however many there are.

    Args:
        expectations: All that will be asked for.
        history: The file.
    """

    def __init__(self, expectations: Sequence[ReportedExpectation], history: Path) -> None:
        self._subjects = {id(expectation): path.subjects(expectation.args) for expectation in expectations}
        self._records: dict[int, Record] = {}
        records = run.keeping(history, set(witness_of(expectations)), self._records)
        self._paths = path.trace(records, self._subjects.values())

    def paths(self, expectations: Sequence[ReportedExpectation]) -> list[EventPath]:
        """Return the paths of what these expectations talk about, the one that began first, first."""
        subjects = [self._subjects[id(expectation)] for expectation in expectations]
        keys = {key for one in subjects for key in (*one.events, *one.sends, *one.produces)}
        return [event_path for key, event_path in self._paths.items() if key in keys]

    def records(self, seqs: Sequence[int]) -> list[Record]:
        """Return the records with these numbers, as far as they are there."""
        return [self._records[seq] for seq in seqs if seq in self._records]


def witness_of(expectations: Sequence[ReportedExpectation]) -> list[int]:
    """Return the numbers of the records that witness against these expectations, each once, in order."""
    return sorted(
        {seq for expectation in expectations for violation in expectation.violations for seq in violation.witness}
    )
