"""Mutants of trace propagation that concern a part of the trace alone, or a part of the events."""

import re
import time
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import replace

from embedded.dataplane.policies import DataPlanePolicies
from embedded.dataplane.specs import TriggerSpec
from embedded.dataplane.tracing import Trace
from embedded.mutants.hosts import DATA_PLANE
from embedded.mutants.registry import mutant

_MOST = 256
_CONCURRENT = 1.0
# Records whose trace a mutant remembers: more than are ever in flight.
_REMEMBERED = 10_000
_KNOWN_FLAGS = re.compile(rb".*-0[01](-.*)?")

Fields = Iterable[tuple[str, bytes | None]]


@mutant(DATA_PLANE, wraps="read_trace")
def tracestate_long_dropped(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Carry no tracestate of more than 256 characters (a bound below that of the specification)."""

    def read_trace(headers: Fields) -> Trace | None:
        trace = honest.read_trace(headers)
        return trace if trace is None or len(trace.state) <= _MOST else replace(trace, state="")

    return replace(honest, read_trace=read_trace)


@mutant(DATA_PLANE, wraps="trace_delivery")
def tracestate_of_first_attempt_only(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Carry tracestate in the first attempt; retries and the dead letter have traceparent alone."""
    begun: OrderedDict[str, None] = OrderedDict()

    def trace_delivery(trace: Trace | None, spec: TriggerSpec) -> Trace | None:
        if trace is None:
            return honest.trace_delivery(trace, spec)
        again = trace.span_id in begun
        begun[trace.span_id] = None
        if len(begun) > _REMEMBERED:
            begun.popitem(last=False)
        return honest.trace_delivery(replace(trace, state="") if again else trace, spec)

    return replace(honest, trace_delivery=trace_delivery)


@mutant(DATA_PLANE, wraps="trace_delivery")
def tracestate_cross_talk(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Carry the tracestate of another event at work in a delivery; traceparent is its own."""
    active = ""
    since = 0.0

    def trace_delivery(trace: Trace | None, spec: TriggerSpec) -> Trace | None:
        nonlocal active, since
        if trace is None or not trace.state:
            return honest.trace_delivery(trace, spec)
        now = time.monotonic()
        shared = active if active and now - since < _CONCURRENT else trace.state
        active, since = trace.state, now
        return honest.trace_delivery(replace(trace, state=shared), spec)

    return replace(honest, trace_delivery=trace_delivery)


@mutant(DATA_PLANE, wraps="read_trace")
def unknown_trace_flags_refused(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take a traceparent with any flag but the sampled one for none (level 2 of the specification has another)."""

    def read_trace(headers: Fields) -> Trace | None:
        return honest.read_trace(
            (name, value)
            for name, value in headers
            if name.lower() != "traceparent" or _KNOWN_FLAGS.fullmatch(value or b"")
        )

    return replace(honest, read_trace=read_trace)


@mutant(DATA_PLANE, wraps="read_trace")
def structured_trace_dropped(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Carry the trace of events in binary mode alone (headers that are read with the attributes)."""

    def read_trace(headers: Fields) -> Trace | None:
        fields = list(headers)
        kinds = [value or b"" for name, value in fields if name.lower() == "content-type"]
        return None if any(b"cloudevents" in kind for kind in kinds) else honest.read_trace(fields)

    return replace(honest, read_trace=read_trace)
