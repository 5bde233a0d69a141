"""Mutants of trace propagation."""

import re
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TypeAlias

from embedded.dataplane.cloudevents import CloudEvent, Record
from embedded.dataplane.policies import DataPlanePolicies
from embedded.dataplane.specs import TriggerSpec
from embedded.dataplane.tracing import Trace, extract
from embedded.mutants.hosts import DATA_PLANE
from embedded.mutants.registry import mutant

_CONCURRENT = 1.0
# Records whose trace a mutant remembers: more than are ever in flight.
_REMEMBERED = 10_000
_CARELESS = re.compile(
    r"[0-9a-f]{2}-([0-9a-f]{1,32})[0-9a-f]*-([0-9a-f]{1,16})[0-9a-f]*-([0-9a-f]{2}).*", re.IGNORECASE
)

Fields: TypeAlias = Iterable[tuple[str, bytes | None]]
TraceReader: TypeAlias = Callable[[Fields], Trace | None]


def _changing(read: TraceReader, change: Callable[[Trace], Trace]) -> TraceReader:
    def read_trace(headers: Fields) -> Trace | None:
        trace = read(headers)
        return None if trace is None else change(trace)

    return read_trace


def _remember(memory: OrderedDict[str, Trace | None], span: str, trace: Trace | None) -> None:
    memory[span] = trace
    if len(memory) > _REMEMBERED:
        memory.popitem(last=False)


@mutant(DATA_PLANE, replaces=("trace_delivery", "trace_reply"))
def trace_dropped(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Carry no trace in deliveries and replies (eventing-kafka-broker issue 1540, open; 1944, 4190)."""
    return replace(honest, trace_delivery=lambda _trace, _spec: None, trace_reply=lambda _: None)


@mutant(DATA_PLANE, wraps="trace_delivery")
def trace_cross_talk(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Carry the trace of another event at work in a delivery of an unordered Trigger.

    `ACTIVE_CONTEXT` on a shared context (Kafka Broker 1.22.3 ConsumerTracer, seen; ordered Triggers keep their traces).
    """
    active: Trace | None = None
    since = 0.0

    def trace_delivery(trace: Trace | None, spec: TriggerSpec) -> Trace | None:
        nonlocal active, since
        if spec.ordered:
            return honest.trace_delivery(trace, spec)
        now = time.monotonic()
        shared = active if active is not None and now - since < _CONCURRENT else trace
        active, since = trace, now
        return honest.trace_delivery(shared, spec)

    return replace(honest, trace_delivery=trace_delivery)


@mutant(DATA_PLANE, wraps="read_trace")
def trace_left_behind(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Go on in the trace of the request before, where one comes without (eventing-kafka-broker issue 3913)."""
    last: Trace | None = None

    def read_trace(headers: Fields) -> Trace | None:
        nonlocal last
        fields = list(headers)
        if any(name.lower() == "traceparent" for name, _ in fields):
            last = honest.read_trace(fields)
        return last

    return replace(honest, read_trace=read_trace)


@mutant(DATA_PLANE, wraps="trace_delivery")
def trace_left_by_failure(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Leave the trace of what is attempted again to the next event of the Trigger that comes without."""
    attempted: dict[tuple[str, str], Trace] = {}
    left: dict[tuple[str, str], Trace] = {}

    def trace_delivery(trace: Trace | None, spec: TriggerSpec) -> Trace | None:
        trigger = (spec.namespace, spec.name)
        if trace is None:
            return honest.trace_delivery(left.get(trigger), spec)
        if attempted.get(trigger) == trace:
            left[trigger] = trace
        attempted[trigger] = trace
        return honest.trace_delivery(trace, spec)

    return replace(honest, trace_delivery=trace_delivery)


@mutant(DATA_PLANE, replaces="trace_reply")
def reply_trace_dropped(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Carry no trace in the record of a reply (knative-v1.22.3 sendResponse removes the context, by reading)."""
    return replace(honest, trace_reply=lambda _: None)


@mutant(DATA_PLANE, wraps="to_record")
def ce_traceparent_rewritten(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Treat the extension `traceparent` as the hop's own.

    The Distributed Tracing extension forbids it.
    """

    def to_record(event: CloudEvent, partitions: int) -> Record:
        trace = extract([("traceparent", event.attributes.get("traceparent", "").encode())])
        if trace is not None:
            event = event.having(traceparent=trace.child().headers()[0][1])
        return honest.to_record(event, partitions)

    return replace(honest, to_record=to_record)


@mutant(DATA_PLANE, wraps="trace_delivery")
def trace_of_first_attempt_only(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Carry the trace in the first attempt; retries and the dead letter have none (their context has ended)."""
    begun: OrderedDict[str, Trace | None] = OrderedDict()

    def trace_delivery(trace: Trace | None, spec: TriggerSpec) -> Trace | None:
        if trace is None or trace.span_id in begun:
            return None
        _remember(begun, trace.span_id, None)
        return honest.trace_delivery(trace, spec)

    return replace(honest, trace_delivery=trace_delivery)


@mutant(DATA_PLANE, wraps="trace_delivery")
def attempts_share_span(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Make one span for all attempts at a delivery: headers are written once, and sent again."""
    written: OrderedDict[str, Trace | None] = OrderedDict()

    def trace_delivery(trace: Trace | None, spec: TriggerSpec) -> Trace | None:
        if trace is None:
            return honest.trace_delivery(trace, spec)
        if trace.span_id not in written:
            _remember(written, trace.span_id, honest.trace_delivery(trace, spec))
        return written[trace.span_id]

    return replace(honest, trace_delivery=trace_delivery)


@mutant(DATA_PLANE, wraps="read_trace")
def trace_always_sampled(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Set the sampled flag of every trace, whatever its sender decided."""
    return replace(honest, read_trace=_changing(honest.read_trace, lambda trace: replace(trace, flags="01")))


@mutant(DATA_PLANE, wraps="read_trace")
def tracestate_dropped(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Carry traceparent and no tracestate."""
    return replace(honest, read_trace=_changing(honest.read_trace, lambda trace: replace(trace, state="")))


@mutant(DATA_PLANE, wraps="read_trace")
def tracestate_reversed(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Carry the members of tracestate in the opposite order."""

    def reverse(trace: Trace) -> Trace:
        return replace(trace, state=",".join(reversed(trace.state.split(","))))

    return replace(honest, read_trace=_changing(honest.read_trace, reverse))


@mutant(DATA_PLANE, wraps="read_trace")
def tracestate_first_field_only(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Read the first of several tracestate fields only."""

    def read_trace(headers: Fields) -> Trace | None:
        fields = list(headers)
        first = next((field for field in fields if field[0].lower() == "tracestate"), None)
        return honest.read_trace(field for field in fields if field[0].lower() != "tracestate" or field is first)

    return replace(honest, read_trace=read_trace)


@mutant(DATA_PLANE, wraps="read_trace")
def tracestate_without_parent(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Carry tracestate into a new trace, where no valid traceparent came with it."""

    def read_trace(headers: Fields) -> Trace | None:
        fields = list(headers)
        states = [field for field in fields if field[0].lower() == "tracestate"]
        trace = honest.read_trace(fields)
        if trace is not None or not states:
            return trace
        return honest.read_trace([("traceparent", f"00-{time.time_ns():032x}-{1:016x}-01".encode()), *states])

    return replace(honest, read_trace=read_trace)


@mutant(DATA_PLANE, wraps="read_trace")
def malformed_trace_continued(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Go on in a trace whose traceparent is malformed: any version, letter case and length, and ids of zeros."""

    def read_trace(headers: Fields) -> Trace | None:
        fields = list(headers)
        trace = honest.read_trace(fields)
        parents = [value or b"" for name, value in fields if name.lower() == "traceparent"]
        match = _CARELESS.fullmatch(parents[0].decode("latin-1").strip()) if len(parents) == 1 else None
        if trace is not None or match is None:
            return trace
        return Trace(match[1].lower().rjust(32, "0"), match[2].lower().rjust(16, "0"), match[3].lower())

    return replace(honest, read_trace=read_trace)


@mutant(DATA_PLANE, wraps="read_trace")
def first_traceparent_taken(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Go on in the first of several traceparent fields."""

    def read_trace(headers: Fields) -> Trace | None:
        fields = list(headers)
        first = next((field for field in fields if field[0].lower() == "traceparent"), None)
        return honest.read_trace(field for field in fields if field[0].lower() != "traceparent" or field is first)

    return replace(honest, read_trace=read_trace)


@mutant(DATA_PLANE, wraps="read_trace")
def future_trace_version_refused(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take a traceparent of a version that is not 00 for none."""

    def read_trace(headers: Fields) -> Trace | None:
        return honest.read_trace(
            (name, value)
            for name, value in headers
            if name.lower() != "traceparent" or (value or b"").strip().startswith(b"00")
        )

    return replace(honest, read_trace=read_trace)


@mutant(DATA_PLANE, wraps="read_trace")
def traceparent_case_sensitive(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Know the header as `traceparent` only, in lower case."""
    return replace(
        honest, read_trace=lambda headers: honest.read_trace(field for field in headers if field[0].islower())
    )


@mutant(DATA_PLANE, wraps="to_record")
def ce_tracestate_dropped(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Drop the extension `tracestate`, as if it were the hop's own."""

    def to_record(event: CloudEvent, partitions: int) -> Record:
        attributes = {name: value for name, value in event.attributes.items() if name != "tracestate"}
        return honest.to_record(replace(event, attributes=attributes), partitions)

    return replace(honest, to_record=to_record)
