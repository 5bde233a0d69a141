"""Histories as tests take them apart: records as plain dictionaries, whatever their kind."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeAlias, cast

import orjson

from evidence import history
from evidence.chain import sealed
from evidence.records import LoadChunk, Record

Raw: TypeAlias = dict[str, Any]


def read(path: Path) -> Iterator[Raw]:
    """Yield the records of a history file, as the strict reader gives them."""
    return cast("Iterator[Raw]", history.read(path))


def lines(records: Iterable[Raw | Record]) -> list[bytes]:
    """Return records made by hand as the lines of a history, each with its digest, whatever else is wrong with them."""
    head, made = "", []
    for record in records:
        content = {name: value for name, value in record.items() if name != "digest"}
        line, head = sealed(orjson.dumps(content, option=orjson.OPT_APPEND_NEWLINE), head)
        made.append(line)
    return made


def resealed(data: Iterable[bytes]) -> list[bytes]:
    """Return lines made by hand with their digests; what is no object in JSON, or has no end, stays as it is."""
    head, made = "", []
    for line in data:
        ends = line.endswith(b"}\n")
        sealed_line, head = sealed(line, head) if ends else (line, head)
        made.append(sealed_line)
    return made


def without_digests(records: Iterable[Raw]) -> list[Raw]:
    """Return records as they were made by hand, without what their lines ended with."""
    return [{name: value for name, value in record.items() if name != "digest"} for record in records]


def typed(records: Iterable[Raw]) -> list[Record]:
    """Return records made by hand as what reads them takes them."""
    return cast("list[Record]", list(records))


def note(number: int = 0) -> LoadChunk:
    """Return a record that means nothing to anybody."""
    return LoadChunk(record="load", load=str(number), samples=[])
