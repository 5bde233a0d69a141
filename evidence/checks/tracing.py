"""W3C Trace Context, level 1: a delivery goes on in the trace that the sender began."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from evidence.checks.base import check, header_values
from evidence.checks.content import Content

if TYPE_CHECKING:
    from evidence.records import Received

_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")


class Traceparent(NamedTuple):
    """The two ids of a `traceparent` header."""

    trace: str
    span: str


def read_traceparent(value: str) -> Traceparent | None:
    """Read a `traceparent` strictly (Trace Context §3.2.2); None if it is not valid."""
    match = _TRACEPARENT.fullmatch(value)
    if match is None or match[1] == "ff" or (match[1] == "00" and match[5]):
        return None
    if set(match[2]) == {"0"} or set(match[3]) == {"0"}:
        return None
    return Traceparent(match[2], match[3])


@check("traced")
class Traced(Content):
    """Same trace-id as sent, a span id of its own."""

    compares = False

    def faults(self, delivery: Received) -> list[str]:
        """Return what is wrong with the delivery's traceparent."""
        wanted = self.args["traceparent"]
        sent = [wanted] if wanted else [v for r in self._seen.sent for v in header_values(r["headers"], "traceparent")]
        began = read_traceparent(sent[0]) if sent else None
        if began is None:
            return [f"expected a valid traceparent to have been sent; got {sent[0] if sent else 'none'!r}"]
        values = header_values(delivery["headers"], "traceparent")
        if len(values) != 1:
            return [f"expected one traceparent of trace {began.trace}; got {len(values)}"]
        got = read_traceparent(values[0])
        if got is None:
            return [f"expected a valid traceparent of trace {began.trace}; got {values[0]!r}"]
        if got.trace != began.trace:
            return [f"expected trace {began.trace}; got trace {got.trace}"]
        if got.span == began.span:
            return [f"expected another span id than the sender's; got {got.span}"]
        return []
