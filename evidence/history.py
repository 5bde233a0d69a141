"""The history: an append-only file of records, one JSON object a line, numbered without a gap.

Records stay plain dicts (`Record`); bytes are latin-1 text (`octets` gives them back), headers are lists of pairs. The
reader is strict: what it yields has every field that the checks rely on. It judges nothing, and writes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

Record: TypeAlias = dict[str, Any]

_TEXT = (str,)
_MAYBE = (str, type(None))
_INT = (int,)
_MAYBE_INT = (int, type(None))
_NUMBER = (int, float)
_LIST = (list,)
_DICT = (dict,)

# Fields that a record of a kind must have, beside seq, t, kind and scope. Further fields are welcome.
KINDS: dict[str, dict[str, tuple[type, ...]]] = {
    "run.started": {"run": _TEXT, "suite": _DICT, "target": _DICT, "sut": _DICT, "selection": _DICT, "wall": _TEXT},
    "run.finished": {"reason": _TEXT, "wall": _TEXT},
    "test.started": {"test": _TEXT, "requirements": _LIST, "mutant": _MAYBE},
    "test.finished": {"outcome": _TEXT, "reason": _MAYBE, "duration": _NUMBER},
    "sent": {"send": _TEXT, "url": _TEXT, "method": _TEXT, "headers": _LIST, "body": _TEXT},
    "answered": {"send": _TEXT, "status": _MAYBE_INT, "headers": _LIST, "body": _TEXT, "error": _MAYBE},
    "received": {
        "sink": _TEXT, "path": _TEXT, "method": _TEXT, "headers": _LIST, "body": _TEXT, "receive": _TEXT,
    },
    "replied": {"receive": _TEXT, "status": _MAYBE_INT, "headers": _LIST, "body": _TEXT},
    "record": {
        "topic": _TEXT, "partition": _INT, "offset": _INT, "key": _MAYBE, "headers": _LIST, "value": _MAYBE,
    },
    "produced": {"produce": _TEXT, "topic": _TEXT, "key": _MAYBE, "headers": _LIST, "value": _MAYBE, "error": _MAYBE},
    "offsets": {"group": _MAYBE, "topic": _TEXT, "committed": _DICT, "end": _DICT},
    "object": {"verb": _TEXT, "apiVersion": _TEXT, "kind_": _TEXT, "namespace": _MAYBE, "name": _TEXT, "code": _INT},
    "load": {"load": _TEXT, "samples": _LIST},
    "preflight": {"rows": _LIST, "not_testable": _DICT},
    "probe.started": {"instance": _TEXT},
    "probe.restarted": {"instance": _TEXT, "reason": _TEXT},
    "history.gap": {"reason": _TEXT},
    "probe.shortage": {"reason": _TEXT},
    "diagnostics": {"folder": _TEXT, "files": _LIST},
    "expectation": {
        "expectation": _TEXT, "check": _TEXT, "args": _DICT, "timed_out": (bool,), "upto": _INT, "verdict": _TEXT,
        "violations": _LIST,
    },
}  # fmt: skip

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


def fault_of(record: Any, seq: int) -> str | None:
    """What is wrong with a record that should have this number, or None."""
    if not isinstance(record, dict):
        return "is no JSON object"
    if record.get("seq") != seq:
        return f"has seq {record.get('seq')!r}, expected {seq}: records are missing, repeated or out of order"
    kind = record.get("kind")
    needed = KINDS.get(kind) if isinstance(kind, str) else None
    if needed is None:
        return f"has the unknown kind {kind!r}"
    if not isinstance(record.get("scope"), str):
        return "has no scope"
    if not isinstance(record.get("t"), int | float):
        return "has no time t"
    for name, types in needed.items():
        if name not in record and type(None) not in types:
            return f"of kind {kind} has no field {name}"
        if not isinstance(record.get(name), types):
            return f"of kind {kind} has a field {name} of type {type(record[name]).__name__}"
    values = _MAYBE if kind in {"record", "produced"} else _TEXT
    for pair in record.get("headers") or ():
        if not (isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str) and isinstance(pair[1], values)):
            return f"of kind {kind} has a header that is no pair of texts: {pair!r}"
    return None


def parse(lines: Iterable[bytes], name: str = "history") -> Iterator[Record]:
    """The records of NDJSON lines, each checked.

    Raises:
        HistoryError: a line is no record, or a number is missing.
        HistoryTruncatedError: the last line has no end.
    """
    for number, line in enumerate(lines, start=1):
        if not line.endswith(b"\n"):
            raise HistoryTruncatedError(f"{name}:{number}: the line is cut off")
        try:
            record = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise HistoryError(f"{name}:{number}: no JSON: {error}") from error
        fault = fault_of(record, number)
        if fault:
            raise HistoryError(f"{name}:{number}: the record {fault}")
        yield record


def read(path: Path) -> Iterator[Record]:
    """The records of a history file (see `parse`), one at a time.

    Raises:
        HistoryError: as `parse`; or the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            yield from parse(file, str(path))
    except OSError as error:
        raise HistoryError(f"{path}: {error.strerror}") from error
