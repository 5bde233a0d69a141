"""What must lie in a Kafka topic, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evidence.arguments import (
    Event,
    Exchange,
    Expectation,
    Topic,
    Trigger,
    event_of,
    expectation,
    ref_of,
    topic_of,
    trigger_of,
    triggers_of,
    witness_of,
)
from evidence.expectations.delivery import delivered, not_delivered
from evidence.refs import EventRef, ExchangeRef

if TYPE_CHECKING:
    from collections.abc import Sequence


def recorded(event: Event, on: Topic, *, replied_by: Trigger | None = None) -> Expectation:
    """Expect that the event is in the topic, once for each time it was accepted, in whatever content mode.

    Of a Broker that shows no topic: that its witness, a Trigger without a filter, gets the event.
    """
    if (witness := witness_of(on)) is not None:
        return delivered(event, to=witness, replied_by=replied_by)
    return expectation("recorded", event=event_of(event), on=topic_of(on), replied_by=trigger_of(replied_by))


def not_recorded(event: Event | Exchange, on: Topic, *, replied_by: Trigger | None = None) -> Expectation:
    """Expect that nothing of the event, or of the request's bytes, is in the topic once its end has been read.

    Of a Broker that shows no topic: that nothing of it comes to its witness, which a later event proves.
    """
    ref = ref_of(event, EventRef, ExchangeRef)
    if (witness := witness_of(on)) is not None:
        if ref.send is None:
            return not_delivered(ref, to=witness, replied_by=replied_by)
        return expectation("not_passed_on", event=ref, by=witness)
    return expectation("not_recorded", event=ref, on=topic_of(on), replied_by=trigger_of(replied_by))


def partitions(on: Topic, count: int) -> Expectation:
    """Expect that a topic has so many partitions."""
    return expectation("partitions", on=topic_of(on), count=count)


def group_commits(event: Event, by: Trigger, *, control: Event) -> Expectation:
    """Expect that the consumer group that a Trigger's status names commits past an event that the Trigger delivers.

    `control`: a later event that the Trigger delivers too. Where both came and the group stands still, it is another
    group that reads.
    """
    named = {"event": event_of(event), "by": trigger_of(by), "control": event_of(control)}
    return expectation("group_commits", **named)


def record_shape(event: Event, on: Topic) -> Expectation:
    """Expect that the event's record is in the Kafka binding's binary mode, with the attributes and data as sent."""
    return expectation("record_shape", event=event_of(event), on=topic_of(on))


def record_key(event: Event, on: Topic, key: str | None) -> Expectation:
    """Expect that the event's record has this key."""
    return expectation("record_key", event=event_of(event), on=topic_of(on), key=key)


def refused_or_unchanged(event: Event, to: Trigger | Sequence[Trigger], *, on: Topic) -> Expectation:
    """Expect that the event is refused with a 4xx and not stored, or that each delivery is what was sent.

    A body may come in its content coding or without; an event of version 0.3 may come as one of that version or of 1.0.
    """
    witness = witness_of(on)
    place = {"on": topic_of(on)} if witness is None else {"by": witness}
    return expectation("refused_or_unchanged", event=event_of(event), to=triggers_of(to), **place)
