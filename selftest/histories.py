"""Histories as tests take them apart: records as plain dictionaries, whatever their kind."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeAlias, cast

from evidence import history
from evidence.records import LoadChunk, Record

Raw: TypeAlias = dict[str, Any]


def read(path: Path) -> Iterator[Raw]:
    """Yield the records of a history file, as the strict reader gives them."""
    return cast("Iterator[Raw]", history.read(path))


def typed(records: Iterable[Raw]) -> list[Record]:
    """Return records made by hand as what reads them takes them."""
    return cast("list[Record]", list(records))


def note(number: int = 0) -> LoadChunk:
    """Return a record that means nothing to anybody."""
    return LoadChunk(record="load", load=str(number), samples=[])
