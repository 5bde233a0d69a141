"""Mutants of trace propagation."""

import time
from dataclasses import replace

from embedded.dataplane.cloudevents import CloudEvent, Record
from embedded.dataplane.policies import DataPlanePolicies
from embedded.dataplane.specs import TriggerSpec
from embedded.dataplane.tracing import Trace, extract
from embedded.mutants.hosts import DATA_PLANE
from embedded.mutants.registry import mutant

_CONCURRENT = 1.0


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
