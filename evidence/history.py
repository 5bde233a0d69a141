"""The history: an append-only file of records, one JSON object a line, numbered without a gap.

Records stay plain dicts (`Record`); bytes are latin-1 text (`octets` gives them back), headers are lists of pairs. The
reader is strict, for a history may come from anybody: what it yields has every field that the checks rely on, of its
type and within its bounds; a line, the nesting in it and the whole file are bounded. It judges nothing, and writes
nothing.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, BinaryIO, Final, TypeAlias

import orjson

from common.jsontext import too_deep
from evidence.fields import (
    BOOL,
    COUNT,
    COUNTS,
    HEADERS,
    KAFKA_HEADERS,
    LARGEST,
    LIST,
    LISTS,
    MISSING,
    NAME,
    NAMES,
    OBJECT,
    OFFSETS,
    ORDINAL,
    SECONDS,
    TEXT,
    TEXTS,
    TIME,
    WHOLE,
    Field,
    an_object,
    fault_in,
    maybe,
    one_of,
    optional,
    shown,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

Record: TypeAlias = dict[str, Any]

FORMAT: Final = 2
"""What `run.started` says of histories that record what was collected; older ones have no number.

It rises when a reader of the number before would refuse or misread a history; a further field or kind is no reason.
"""
MOST_LINE: Final = 128 << 20
MOST_HISTORY: Final = 8 << 30
MOST_NESTED: Final = 64

OUTCOMES: Final = ("passed", "failed", "error", "unknown", "not_supported", "not_testable", "skipped")
GATES: Final = ("known", "strict")

_STATUS = maybe(Field("a whole number from 0 to 999", frozenset({int}), lambda value: 0 <= value <= 999))
_SHA256 = Field("64 hexadecimal digits", frozenset({str}), lambda value: len(value) == 64 and value.isalnum())
_EVENT = maybe(an_object(source=TEXT, id=TEXT))
_SELECTION = an_object(
    gate=optional(one_of(*GATES)),
    prove=optional(BOOL),
    mutant=optional(NAMES),
    requirements=optional(NAMES),
    profiles=optional(NAMES),
    narrowed=optional(TEXTS),
    uncollected=optional(TEXTS),
)
_SUITE = an_object(version=optional(maybe(TEXT)), commit=optional(maybe(TEXT)), dirty=optional(BOOL))
_VERSIONS = Field("an object of texts or null", frozenset({dict}), lambda value: all(
    type(version) in (str, type(None)) for version in value.values()
))  # fmt: skip
_CASE = {"test": NAME, "requirements": NAMES, "mutant": maybe(NAME), "left_out": TEXT}
_CASES = Field("a list of cases (test, requirements, mutant, left_out)", frozenset({list}), lambda value: all(
    type(case) is dict and fault_in(case, _CASE) is None for case in value
))  # fmt: skip

# Fields that a record of a kind must have, beside seq, t, kind and scope. Further fields are welcome.
KINDS: dict[str, dict[str, Field]] = {
    "run.started": {
        "run": NAME, "suite": _SUITE, "target": an_object(name=optional(maybe(TEXT))), "sut": _VERSIONS,
        "selection": _SELECTION, "wall": TIME, "format": optional(ORDINAL), "requirements": optional(COUNTS),
        "catalogue": optional(an_object(version=optional(TEXT))),
    },
    "run.finished": {"reason": TEXT, "wall": TIME},
    "collection": {"worker": NAME, "cases": COUNT, "sha256": _SHA256},
    "collected": {"worker": NAME, "part": ORDINAL, "parts": ORDINAL, "cases": _CASES},
    "test.started": {"test": NAME, "requirements": NAMES, "mutant": maybe(NAME)},
    "test.finished": {"outcome": one_of(*OUTCOMES), "reason": maybe(TEXT), "duration": SECONDS},
    "sent": {
        "send": TEXT, "url": TEXT, "method": TEXT, "headers": HEADERS, "body": TEXT, "event": optional(_EVENT),
    },
    "answered": {"send": TEXT, "status": _STATUS, "headers": HEADERS, "body": TEXT, "error": maybe(TEXT)},
    "received": {"sink": TEXT, "path": TEXT, "method": TEXT, "headers": HEADERS, "body": TEXT, "receive": TEXT},
    "replied": {"receive": TEXT, "status": _STATUS, "headers": HEADERS, "body": TEXT},
    "record": {
        "topic": TEXT, "partition": COUNT, "offset": COUNT, "key": maybe(TEXT), "headers": KAFKA_HEADERS,
        "value": maybe(TEXT),
    },
    "produced": {
        "produce": TEXT, "topic": TEXT, "partition": optional(maybe(WHOLE)), "offset": optional(maybe(WHOLE)),
        "key": maybe(TEXT), "headers": KAFKA_HEADERS, "value": maybe(TEXT), "error": maybe(TEXT),
    },
    "offsets": {
        "group": maybe(TEXT), "topic": TEXT, "committed": OFFSETS, "end": OFFSETS, "asked_t": optional(SECONDS),
    },
    "object": {
        "verb": TEXT, "apiVersion": TEXT, "kind_": TEXT, "namespace": maybe(TEXT), "name": TEXT, "code": WHOLE,
        "reason": optional(maybe(TEXT)), "message": optional(maybe(TEXT)), "object": optional(maybe(OBJECT)),
    },
    "fence": {"namespace": NAME, "trigger": NAME, "source": NAME, "id": NAME},
    "load": {
        "load": TEXT, "samples": LISTS, "error": optional(maybe(TEXT)), "shortage": optional(maybe(TEXT)),
        "calibration": optional(maybe(an_object(latencies=optional(LIST)))), "machine": optional(maybe(OBJECT)),
    },
    "preflight": {"rows": LIST, "not_testable": OBJECT},
    "probe.started": {"instance": TEXT},
    "probe.restarted": {"instance": TEXT, "reason": TEXT},
    "history.gap": {"reason": TEXT},
    "probe.shortage": {"reason": TEXT},
    "diagnostics": {"folder": TEXT, "files": LIST},
    "expectation": {
        "expectation": NAME, "check": NAME, "args": OBJECT, "timed_out": BOOL, "upto": COUNT, "verdict": TEXT,
        "violations": LIST,
    },
}  # fmt: skip

_COMMON = {"seq": ORDINAL, "t": SECONDS, "scope": TEXT}
_NUMBERS = (int, float)
_FLAT = {kind: [(name, field.types, field.fits) for name, field in fields.items()] for kind, fields in KINDS.items()}
_NESTED = {kind: fields for kind, fields in KINDS.items() if any(field.inner for field in fields.values())}
# Kinds with values of any shape, which their readers walk.
_DEEP = frozenset({"run.started", "object", "load", "preflight", "diagnostics", "expectation"})

# What makes everything that was going on at the time untellable; `reason` says what happened. After a restart of the
# probe the history is whole, but nobody listened for a while; a gap says that records are missing for good.
RESTART, GAP = "probe.restarted", "history.gap"
# What the probe could not do, or may have missed, because its machine ran short (descriptors, memory, ports): it makes
# the test of its scope untellable, or all that were going on if its scope is "".
SHORTAGE = "probe.shortage"


class HistoryError(ValueError):
    """A history cannot be trusted; the message names the file and the line."""


class HistoryTruncatedError(HistoryError):
    """The last line of a history is cut off: whoever wrote it was killed."""


def octets(text: str) -> bytes:
    """The bytes that latin-1 text of a history stands for.

    Raises:
        HistoryError: the text has characters beyond one byte.
    """
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError as error:
        raise HistoryError(f"a byte string of the history has a character beyond U+00FF: {error}") from error


def fault_of(record: object) -> str | None:
    """What is wrong with the fields of a record, or None. Its number may be any: records tell that among themselves."""
    if type(record) is not dict:
        return f"expected a JSON object, got {shown(record)}"
    kind = record.get("kind", MISSING)
    fields = _FLAT.get(kind) if type(kind) is str else None
    if fields is None:
        return f"field kind: expected one of the known kinds of records, got {shown(kind)}"
    get = record.get
    seq: Any = get("seq")
    t: Any = get("t")
    # `fault_in` unrolled: this is done for every record of every history. It words what is found here.
    if type(seq) is int and seq > 0 and type(t) in _NUMBERS and 0 <= t <= LARGEST and type(get("scope")) is str:
        for name, types, fits in fields:
            value = get(name, MISSING)
            if type(value) not in types or (fits is not None and not fits(value)):
                return fault_in(record, KINDS[kind])
        return fault_in(record, _NESTED[kind]) if kind in _NESTED else None
    return fault_in(record, _COMMON)


def parse_line(line: bytes, number: int, name: str = "history") -> Record:
    """The record of one NDJSON line.

    Args:
        line: The line, with its end.
        number: Its number in the file, from 1, for messages.
        name: The file's name, for messages.

    Raises:
        HistoryError: The line is no record.
        HistoryTruncatedError: The line has no end.
    """
    if len(line) > MOST_LINE:
        raise HistoryError(f"{name}:{number}: expected a line of at most {MOST_LINE} bytes, got a longer one")
    if not line.endswith(b"\n"):
        raise HistoryTruncatedError(f"{name}:{number}: the line is cut off")
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise HistoryError(f"{name}:{number}: no JSON: {error}") from error
    fault = fault_of(record)
    if fault is None and record["kind"] in _DEEP and too_deep(record, MOST_NESTED):
        fault = f"expected lists and objects nested at most {MOST_NESTED} deep, got deeper ones"
    if fault is not None:
        raise HistoryError(f"{name}:{number}: {fault}")
    return record  # type: ignore[no-any-return]  # an object, as `fault_of` has seen


def parse(lines: Iterable[bytes], name: str = "history") -> Iterator[Record]:
    """The records of NDJSON lines, each checked.

    Raises:
        HistoryError: a line is no record, or a number is missing.
        HistoryTruncatedError: the last line has no end.
    """
    for number, line in enumerate(lines, start=1):
        record = parse_line(line, number, name)
        if record["seq"] != number:
            told = f"field seq: expected {number}, got {record['seq']}: records are missing, repeated or out of order"
            raise HistoryError(f"{name}:{number}: {told}")
        yield record


def lines(path: Path) -> Iterator[bytes]:
    """The lines of a history file; of one that is too long no more than shows it.

    Raises:
        HistoryError: the file cannot be read, is no regular file, or is too large.
    """
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > MOST_HISTORY:
                raise HistoryError(f"{path}: expected a file of at most {MOST_HISTORY} bytes, got {size}")
            yield from _bounded(file)
    except OSError as error:
        raise HistoryError(f"{path}: {error.strerror}") from error


def _bounded(file: BinaryIO) -> Iterator[bytes]:
    while line := file.readline(MOST_LINE + 1):
        yield line


def read(path: Path) -> Iterator[Record]:
    """The records of a history file (see `parse`), one at a time.

    Raises:
        HistoryError: as `parse` and `lines`.
    """
    return parse(lines(path), str(path))
