"""Reads what a history says beside its tests: the instrument's troubles, processes of the probe, products, times."""

from pathlib import Path
from typing import Final, TypeVar

from evidence.records import GAP, RESTART, Record, RunFinished, RunStarted
from evidence.watch import Watch
from reports.attest.images import Images
from reports.run import records
from reports.verify.model import Observations

MOST: Final = 100
"""How much of each kind is kept."""
_OF_TESTS: Final = ("test.started", "test.finished", "expectation")
_T = TypeVar("_T")


def read(history: Path) -> Observations:
    """Read a history once more, from its beginning to its end.

    Raises:
        ReportError: It cannot be read.
    """
    watch, reader, images = Watch(), _Reader(), Images()
    for record in records(history):
        reader.trouble(*((trouble.kind, trouble.text) for trouble in watch.feed(record)))
        reader.feed(record)
        images.feed(record)
    reader.trouble(*((trouble.kind, trouble.text) for trouble in watch.end()))
    return Observations(
        troubles=reader.troubles,
        instances=list(reader.instances),
        restarts=reader.restarts,
        outside=reader.outside,
        versions=reader.versions,
        images=images.found,
        walls=reader.walls,
    )


class _Reader:
    """Takes note of what rules ask for; feed all records, in order."""

    def __init__(self) -> None:
        self.troubles: list[tuple[str, str]] = []
        self.instances: dict[str, None] = {}
        self.restarts: list[str] = []
        self.outside: list[str] = []
        self.versions: dict[str, str | None] | None = None
        self.walls: list[tuple[str, str, float | None]] = []
        self._began = self._ended = False

    def trouble(self, *troubles: tuple[str, str]) -> None:
        """Keep troubles of the instrument."""
        for trouble in troubles:
            _keep(self.troubles, trouble)

    def feed(self, record: Record) -> None:
        """Take a record."""
        seq, kind = record["seq"], record["record"]
        if (instance := record.get("instance")) and len(self.instances) < MOST:
            self.instances.setdefault(str(instance))
        if record["record"] == RESTART or record["record"] == GAP:
            _keep(self.restarts, f"record {seq} of kind {kind}")
        elif record["record"] == "run.started" or record["record"] == "run.finished":
            self._border(record)
        elif kind in _OF_TESTS and not self._began:
            _keep(self.outside, f"record {seq} of kind {kind} before the run's beginning")
        elif kind in _OF_TESTS and self._ended:
            _keep(self.outside, f"record {seq} of kind {kind} behind the run's end")
        elif record["record"] == "preflight" and (versions := record.get("observed")) is not None:
            self.versions = {**(self.versions or {}), **versions}

    def _border(self, record: RunStarted | RunFinished) -> None:
        seq = record["seq"]
        if record["record"] == "run.started":
            self._began = True
        elif self._ended:
            _keep(self.outside, f"record {seq}: a second run.finished")
        else:
            self._ended = True
        _keep(self.walls, (f"record {seq}: field wall", record["wall"], record.get("wall_t")))


def _keep(kept: list[_T], item: _T) -> None:
    if len(kept) < MOST:
        kept.append(item)
