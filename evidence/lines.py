"""The line of a record in a history, as its writers write it, before it is sealed (`evidence.chain`)."""

from collections.abc import Mapping
from typing import Any

import orjson

from evidence.records import FORMAT


def line_of(seq: int, t: float, scope: str, fields: Mapping[str, Any], *, first: bool) -> bytes:
    """Return the line of a record, with its end and without its digest (`evidence.chain`).

    Args:
        seq: The number of the record.
        t: The time on the probe's monotonic clock, in seconds.
        scope: The scope of the record.
        fields: The record as its writer has built it.
        first: Whether it is the first one of its file, which begins with the number of the format.
    """
    head: dict[str, Any] = {"format": FORMAT} if first else {}
    record = {**head, "seq": seq, "t": t, "record": fields["record"], "scope": scope, **fields}
    return orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)
