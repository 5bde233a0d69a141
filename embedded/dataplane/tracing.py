"""W3C Trace Context, Level 1: carry a sender's trace on from ingress to record, to delivery, to reply.

No trace is ever begun here: without a valid `traceparent` coming in, none goes out (that is how the Knative Kafka
Broker propagates). The CloudEvents extension `traceparent` is another matter: it names the trace in which the event was
made, and is an attribute like any other, never read nor rewritten here.
"""

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace

from embedded.dataplane.cloudevents import Record

_PARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.DOTALL)
# Printable ASCII: what else stands in a tracestate cannot be a header value, and may be an attempt to make two of one.
_STATE = re.compile(r"[ -~\t]*")
_MAX_STATE = 8192


@dataclass(frozen=True, slots=True)
class Trace:
    """A position in somebody's trace.

    Attributes:
        trace_id: 32 hex digits, the same on every hop.
        span_id: 16 hex digits, of the caller.
        flags: 2 hex digits, carried on.
        state: `tracestate`, carried on unread; empty when there is none.
    """

    trace_id: str
    span_id: str
    flags: str
    state: str = ""

    def child(self) -> "Trace":
        """Return the same trace as seen from the next hop: another span."""
        return replace(self, span_id=_span_id())

    def headers(self) -> list[tuple[str, str]]:
        """Return the header fields that carry it, for HTTP and Kafka alike."""
        fields = [("traceparent", f"00-{self.trace_id}-{self.span_id}-{self.flags}")]
        if self.state:
            fields.append(("tracestate", self.state))
        return fields


def extract(headers: Iterable[tuple[str, bytes | None]]) -> Trace | None:
    """Read the trace from header fields (any letter case). None when there is none, or an invalid one (3.2.2.5)."""
    parents, states = [], []
    for name, value in headers:
        lowered = name.lower()
        if lowered == "traceparent":
            parents.append((value or b"").decode("latin-1").strip())
        elif lowered == "tracestate" and value is not None:
            states.append(value.decode("latin-1").strip())
    if len(parents) != 1:
        return None
    match = _PARENT.fullmatch(parents[0])
    if match is None:
        return None
    version, trace_id, span_id, flags, more = match.groups()
    if version == "ff" or (version == "00" and more) or not trace_id.strip("0") or not span_id.strip("0"):
        return None
    state = ",".join(states)
    if len(state) > _MAX_STATE or not _STATE.fullmatch(state):
        state = ""
    return Trace(trace_id, span_id, flags, state)


def carry(trace: Trace | None) -> Trace | None:
    """Return what the next hop is told: a child span, or nothing where nothing came in."""
    return None if trace is None else trace.child()


def _span_id() -> str:
    return f"{secrets.randbits(64) or 1:016x}"


def stamped(record: Record, trace: Trace | None) -> Record:
    """Return the record with the trace in its headers (`traceparent`, not `ce_traceparent`)."""
    if trace is None:
        return record
    fields = [(name, value.encode("latin-1")) for name, value in trace.headers()]
    return replace(record, headers=[*record.headers, *fields])
