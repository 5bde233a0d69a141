"""W3C Trace Context, Level 1: a sender's trace continues from ingress to record, to delivery, to reply.

No trace begins here: without a valid incoming `traceparent` none goes out, as in the Knative Kafka Broker. The
CloudEvents extension `traceparent` is different: it names the trace in which the event was made, and is an ordinary
attribute that is neither read nor rewritten here.
"""

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace

from embedded.dataplane.cloudevents import Record

_PARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.DOTALL)
# Printable ASCII: other characters cannot stand in a header value, and may be an attempt at header injection.
_STATE = re.compile(r"[ -~\t]*")
_MAX_STATE = 8192


@dataclass(frozen=True, slots=True)
class Trace:
    """A position in a trace.

    Attributes:
        trace_id: The 32 hex digits that are the same on every hop.
        span_id: The 16 hex digits of the caller's span.
        flags: The 2 hex digits of the flags, passed on unchanged.
        state: The `tracestate`, passed on unread; empty when there is none.
    """

    trace_id: str
    span_id: str
    flags: str
    state: str = ""

    def child(self) -> "Trace":
        """Return the same trace as the next hop sees it: with another span."""
        return replace(self, span_id=_span_id())

    def headers(self) -> list[tuple[str, str]]:
        """Return the header fields that carry the trace, for HTTP and Kafka alike."""
        fields = [("traceparent", f"00-{self.trace_id}-{self.span_id}-{self.flags}")]
        if self.state:
            fields.append(("tracestate", self.state))
        return fields


def extract(headers: Iterable[tuple[str, bytes | None]]) -> Trace | None:
    """Return the trace in header fields (any letter case); None for no trace or an invalid one (3.2.2.5)."""
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
    """Return the trace for the next hop: a child span, or None where there was none."""
    return None if trace is None else trace.child()


def _span_id() -> str:
    return f"{secrets.randbits(64) or 1:016x}"


def stamped(record: Record, trace: Trace | None) -> Record:
    """Return the record with the trace in its headers (`traceparent`, not `ce_traceparent`)."""
    if trace is None:
        return record
    fields = [(name, value.encode("latin-1")) for name, value in trace.headers()]
    return replace(record, headers=[*record.headers, *fields])
