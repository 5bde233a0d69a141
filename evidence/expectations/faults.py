"""What must hold through a fault, and after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evidence.arguments import Event, Expectation, Object, Sink, Trigger, event_of, expectation, ref_of, triggers_of
from evidence.refs import BrokerRef, Has, ObjectRef, SinkRef

if TYPE_CHECKING:
    from collections.abc import Sequence


def survived(events: Sequence[Event], to: Trigger, *, of: BrokerRef | Has[BrokerRef]) -> Expectation:
    """Expect that faults made on purpose lost no accepted event, and repeated only what was uncommitted.

    A request that a fault left without an answer is no delivery. An event comes again at most once for each fault
    window of the Broker, and only where its offset was not seen committed when that window began. An event that the
    ingress did not accept is not asked about.

    Args:
        events: The events.
        to: The Trigger.
        of: The Broker whose fault windows count.
    """
    broker = ref_of(of, BrokerRef)
    refs = [event_of(event) for event in events]
    return expectation("survived", events=refs, to=triggers_of(to), namespace=broker.namespace, broker=broker.name)


def committed(events: Sequence[Event], to: Trigger, *, control: Event) -> Expectation:
    """Expect that the Trigger's group commits the offsets of the events, whether they match it or not.

    Args:
        events: The events.
        to: The Trigger.
        control: An earlier event of the Trigger. Once its offset was committed, and the subscriber has answered all
            that it got, offsets that are not committed at the deadline are a failure.
    """
    refs = [event_of(event) for event in events]
    return expectation("committed", events=refs, to=triggers_of(to), control=event_of(control))


def deliveries_ended(
    events: Sequence[Event],
    *,
    by: Trigger,
    obj: Object,
    at_most: int,
    beside: Trigger,
    controls: Sequence[Event],
    count: int,
    letters: Sink | None = None,
) -> Expectation:
    """Expect that a deleted Trigger hardly delivers events any more, while another one goes on with its own.

    Args:
        events: The events that it was not done with.
        by: The deleted Trigger.
        obj: Likewise, as the Kubernetes API knows it.
        at_most: The number of requests that the subscriber may get all the same once the Trigger is gone.
        beside: Another Trigger, which is as slow.
        controls: The events of the other Trigger.
        count: The number of requests of the other Trigger, once the first one is gone, after which it shows.
        letters: The dead letter sink of the deleted Trigger, which gets nothing: its retries were never used up.
    """
    return expectation(
        "deliveries_ended",
        events=[event_of(event) for event in events],
        by=triggers_of(by),
        obj=ref_of(obj, ObjectRef),
        at_most=at_most,
        beside=triggers_of(beside),
        controls=[event_of(event) for event in controls],
        count=count,
        letters=[] if letters is None else [ref_of(letters, SinkRef)],
    )


def commits_ended(event: Event, *, by: Trigger, obj: Object, beside: Trigger, control: Event) -> Expectation:
    """Expect that the consumer group of a Trigger that is gone commits no offset of a later event.

    Args:
        event: An event that was sent when the Trigger was gone.
        by: The deleted Trigger.
        obj: Likewise, as the Kubernetes API knows it.
        beside: Another Trigger of the same Broker, whose group goes on.
        control: An event that was sent after the other Trigger's group had committed the offset of the first.
    """
    return expectation(
        "commits_ended",
        event=event_of(event),
        by=triggers_of(by),
        obj=ref_of(obj, ObjectRef),
        beside=triggers_of(beside),
        control=event_of(control),
    )


def not_restarted(before: int, after: int) -> Expectation:
    """Expect that no part of the platform was restarted between two looks at its pods, but those that a test ended.

    Args:
        before: The number of the record of the first look.
        after: The number of the record of the last one.
    """
    return expectation("not_restarted", before=before, after=after)


def refused_meanwhile(event: Event, by: BrokerRef | Has[BrokerRef]) -> Expectation:
    """Expect that an event that was sent while a fault of the Broker lasted was answered 5xx before that was over."""
    broker = ref_of(by, BrokerRef)
    return expectation("refused_meanwhile", exchange=event_of(event), namespace=broker.namespace, broker=broker.name)


def accepted_again(event: Event, by: BrokerRef | Has[BrokerRef], *, control: Event) -> Expectation:
    """Expect that an event that was sent after a fault of the Broker was accepted, as `control` was before it."""
    broker = ref_of(by, BrokerRef)
    return expectation(
        "accepted_again",
        exchange=event_of(event),
        control=event_of(control),
        namespace=broker.namespace,
        broker=broker.name,
    )
