"""The history: an append-only file of records, one JSON object a line, numbered without a gap and chained.

`evidence.records` says what records there are. Bytes are latin-1 text (`octets` gives them back), headers are lists of
pairs. The reader is strict, for a history may come from anybody: what it yields has every field that the checks rely
on, of its type and within its bounds, and whole bodies; a line, the nesting in it, the bodies and the file are bounded.
It judges nothing, and writes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

import orjson

from common.jsontext import too_deep
from evidence import history_file
from evidence.bodies import BODY, Bodies
from evidence.chain import Chain
from evidence.fields import LARGEST, MISSING, fault_in, shown
from evidence.history_file import HistoryError, HistoryTruncatedError, lines
from evidence.records import FORMAT, GAP, RESTART, SHORTAGE, Record
from evidence.rules import BODY_FIELDS, COMMON, KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = [
    "FORMAT",
    "GAP",
    "KINDS",
    "MOST_NESTED",
    "RESTART",
    "SHORTAGE",
    "HistoryError",
    "HistoryTruncatedError",
    "Parser",
    "Record",
    "fault_of",
    "octets",
    "parse",
    "read",
]

MOST_NESTED: Final = 64
_NUMBERS = (int, float)
_FLAT = {kind: [(name, rule.types, rule.fits) for name, rule in rules.items()] for kind, rules in KINDS.items()}
_NESTED = {kind: rules for kind, rules in KINDS.items() if any(rule.inner for rule in rules.values())}
# Kinds with values of any shape, which their readers walk.
_DEEP = frozenset({"run.started", "object", "load", "preflight", "diagnostics", "expectation", "sink.opened"})


def octets(text: str) -> bytes:
    """Return the bytes that latin-1 text of a history stands for.

    Raises:
        HistoryError: The text has characters beyond one byte.
    """
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError as error:
        raise HistoryError(f"a byte string of the history has a character beyond U+00FF: {error}") from error


def fault_of(record: object) -> str | None:
    """Return what is wrong with the fields of a record, or None. Its number may be any: records tell it together."""
    if type(record) is not dict:
        return f"expected a JSON object, got {shown(record)}"
    kind = record.get("record", MISSING)
    rules = _FLAT.get(kind) if type(kind) is str else None
    if rules is None:
        return f"field record: expected one of the known kinds of records, got {shown(kind)}"
    get = record.get
    seq: Any = get("seq")
    t: Any = get("t")
    # `fault_in` unrolled: this is done for every record of every history. It words what is found here.
    if type(seq) is int and seq > 0 and type(t) in _NUMBERS and 0 <= t <= LARGEST and type(get("scope")) is str:
        for name, types, fits in rules:
            value = get(name, MISSING)
            if type(value) not in types or (fits is not None and not fits(value)):
                return fault_in(record, KINDS[kind])
        return fault_in(record, _NESTED[kind]) if kind in _NESTED else None
    return fault_in(record, COMMON)


class Parser:
    """Makes records of the lines of one history, in their order: it keeps the bodies that later lines name.

    Args:
        name: The name of the file, for messages.
    """

    def __init__(self, name: str = "history") -> None:
        self._name = name
        self._bodies = Bodies()
        self._began = False

    def record(self, line: bytes, number: int) -> Record:
        """Return the record of the next line.

        Args:
            line: The line, with its end.
            number: Its number in the file, from 1, for messages.

        Raises:
            HistoryError: The line is no record, or the history has another format than ours.
            HistoryTruncatedError: The line has no end.
        """
        if len(line) > history_file.MOST_LINE:
            raise self._error(number, f"expected a line of at most {history_file.MOST_LINE} bytes, got a longer one")
        if not line.endswith(b"\n"):
            raise HistoryTruncatedError(f"{self._name}:{number}: the line is cut off")
        try:
            record = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise self._error(number, f"no JSON: {error}") from error
        fault = None if self._began else _format_fault(record)
        self._began = True
        if fault is None:
            fault = self._fault(record, line)
        if fault is not None:
            raise self._error(number, fault)
        return cast("Record", record)

    def _fault(self, record: Any, line: bytes) -> str | None:
        kind = record.get("record") if type(record) is dict else None
        name = BODY_FIELDS.get(kind) if type(kind) is str else None
        if name is not None and type(record.get(name)) is dict and (fault := self._bodies.fill(record, name)):
            return fault
        if fault := fault_of(record):
            return fault
        # No line nests deeper than it has brackets: to count them is cheaper than to walk through all values.
        if kind in _DEEP and line.count(b"{") + line.count(b"[") > MOST_NESTED and too_deep(record, MOST_NESTED):
            return f"expected lists and objects nested at most {MOST_NESTED} deep, got deeper ones"
        return self._bodies.take(record) if kind == BODY else None

    def _error(self, number: int, fault: str) -> HistoryError:
        return HistoryError(f"{self._name}:{number}: {fault}")


def _format_fault(record: object) -> str | None:
    """Return why a history that begins with this record cannot be read here; None when it can, or is no history."""
    if type(record) is not dict:
        return None
    number = record.get("format", MISSING)
    if type(number) is int and number == FORMAT:
        return None
    if number is MISSING:
        return f"expected a history of format {FORMAT}, got one whose first record names none: it is older, or cut off"
    suite = record.get("suite")
    writer = "with the suite that wrote it"
    if type(suite) is dict:
        writer += f" (version {shown(suite.get('version'))}, commit {shown(suite.get('commit'))})"
    return f"expected a history of format {FORMAT}, got one of format {shown(number)}: read it {writer}"


def parse(lines: Iterable[bytes], name: str = "history") -> Iterator[Record]:
    """Yield the records of NDJSON lines, each checked.

    Raises:
        HistoryError: A line is no record, a number is missing, or the chain of digests is broken.
        HistoryTruncatedError: The last line has no end.
    """
    parser, chain = Parser(name), Chain()
    for number, line in enumerate(lines, start=1):
        record = parser.record(line, number)
        if (fault := chain.fault(line)) is not None:
            raise HistoryError(f"{name}:{number}: record {record['seq']}: {fault}")
        if record["seq"] != number:
            told = f"field seq: expected {number}, got {record['seq']}: records are missing, repeated or out of order"
            raise HistoryError(f"{name}:{number}: {told}")
        yield record


def read(path: Path) -> Iterator[Record]:
    """Yield the records of a history file (see `parse`), one at a time.

    Raises:
        HistoryError: As `parse` and `history_file.lines`.
    """
    return parse(lines(path), str(path))
