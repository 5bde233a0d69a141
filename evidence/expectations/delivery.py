"""What must have reached subscribers, how often, in which order and how late.

`to` may be several Triggers: those of one destination, say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from evidence.arguments import (
    Event,
    Expectation,
    Place,
    Sink,
    Topic,
    Trigger,
    event_of,
    expectation,
    places_of,
    ref_of,
    topic_of,
    trigger_of,
    triggers_of,
    witness_of,
)
from evidence.refs import BrokerRef, RefError, SinkRef, TopicRef, TriggerRef

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence


def delivered(event: Event, to: Place | Sequence[Place], *, replied_by: Trigger | None = None) -> Expectation:
    """Expect that the event reached the subscriber, at least once."""
    return expectation("delivered", event=event_of(event), to=places_of(to), replied_by=trigger_of(replied_by))


def delivered_once(event: Event, to: Trigger | Sequence[Trigger], *, replied_by: Trigger | None = None) -> Expectation:
    """Expect that the event reached the subscriber in exactly one request."""
    return expectation(
        "delivered_once", event=event_of(event), to=triggers_of(to), count=1, replied_by=trigger_of(replied_by)
    )


def attempts(
    event: Event,
    to: Trigger | Sequence[Trigger],
    count: int,
    *,
    replied_by: Trigger | None = None,
    control: Event | None = None,
) -> Expectation:
    """Expect that the event reached the subscriber in exactly `count` requests, when its handling was over.

    `control`: an earlier event of the Trigger. Once that was handled, fewer requests by the deadline are a failure,
    also where the handling of the event goes on.
    """
    what = {"event": event_of(event), "to": triggers_of(to), "count": count, "replied_by": trigger_of(replied_by)}
    return expectation("attempts", **what, **({} if control is None else {"control": event_of(control)}))


def not_delivered(event: Event, to: Trigger | Sequence[Trigger], *, replied_by: Trigger | None = None) -> Expectation:
    """Expect that the event was stored, the Trigger passed it, and the subscriber never saw it.

    With `replied_by` an event that was never stored counts as well, once that Trigger is done with what caused it.
    """
    return expectation("not_delivered", event=event_of(event), to=triggers_of(to), replied_by=trigger_of(replied_by))


def unchanged(event: Event, to: Place | Sequence[Place], ignore: Collection[str] = ()) -> Expectation:
    """Each delivery is a POST, valid by the HTTP binding, with the attributes and the data that were sent.

    `ignore`: attributes that may differ, be absent or be added; `data` for the data.
    """
    return expectation("unchanged", event=event_of(event), to=places_of(to), ignore=sorted(ignore))


def data_kept(event: Event, to: Place | Sequence[Place]) -> Expectation:
    """Each delivery carries the data that was sent, byte for byte (JSON of structured mode: value for value)."""
    return expectation("data_kept", event=event_of(event), to=places_of(to))


def attribute_kept(event: Event, to: Place | Topic, name: str) -> Expectation:
    """Expect that the attribute has at the subscriber, or in the topic's record, the value that was sent."""
    ref = ref_of(to, TriggerRef, SinkRef, TopicRef, BrokerRef)
    if isinstance(ref, BrokerRef):
        ref = witness_of(ref) or topic_of(ref)
    return expectation("attribute_kept", event=event_of(event), to=ref, name=name)


def request_header(event: Event, to: Place | Sequence[Place], name: str, value: str | None) -> Expectation:
    """Each delivery has this HTTP header with this value (also as a member of a comma list); None: none has it."""
    return expectation("request_header", event=event_of(event), to=places_of(to), name=name, value=value)


def request_target(event: Event, to: Place | Sequence[Place], target: str) -> Expectation:
    """Each delivery asks for exactly this target: the path with its query, as they stand in the request's line."""
    return expectation("request_target", event=event_of(event), to=places_of(to), target=target)


def binary_mode(event: Event, to: Place | Sequence[Place]) -> Expectation:
    """Each delivery is a POST in the HTTP binding's binary mode."""
    return expectation("binary_mode", event=event_of(event), to=places_of(to))


def in_order(events: Sequence[Event], to: Trigger) -> Expectation:
    """All the events were delivered, per partition in the topic's order; an earlier one never after a later one."""
    return expectation("in_order", events=[event_of(event) for event in events], to=triggers_of(to))


def spaced(event: Event, to: Trigger, at_least: Sequence[float]) -> Expectation:
    """Expect that the gap before the n-th retry is at least the n-th of `at_least`, in seconds."""
    return expectation("spaced", event=event_of(event), to=triggers_of(to), at_least=list(at_least))


def each_once(events: Sequence[Event], to: Trigger | Sequence[Trigger]) -> Expectation:
    """Expect that each of the events reached the subscriber in exactly one request; of several Triggers: one in all."""
    return expectation("each_once", events=[event_of(event) for event in events], to=triggers_of(to))


def none_late(events: Sequence[Event], to: Trigger, *, by: float, overtaken: int) -> Expectation:
    """Expect that no event came more than `by` seconds after `overtaken` others that were accepted after it.

    A busy machine delays all events alike, and so fails nobody here.
    """
    refs = [event_of(event) for event in events]
    return expectation("none_late", events=refs, to=triggers_of(to), by=by, overtaken=overtaken)


def none_received(events: Sequence[Event], at: Sink, *, by: Trigger) -> Expectation:
    """Expect that none of the events came to the sink, once the Trigger `by`, which delivers elsewhere, is done."""
    refs = [event_of(event) for event in events]
    return expectation("none_received", events=refs, to=triggers_of(by), at=ref_of(at, SinkRef))


def in_flight(
    events: Sequence[Event], to: Trigger, *, at_most: int | None = None, at_least: int | None = None
) -> Expectation:
    """Expect that at most, or at some moment at least, so many of the events were with the subscriber at once."""
    if (at_most is None) == (at_least is None):
        raise RefError("in_flight takes one of at_most and at_least")
    refs = [event_of(event) for event in events]
    return expectation("in_flight", events=refs, to=triggers_of(to), at_most=at_most, at_least=at_least)


def not_held_up(event: Event, to: Trigger, *, by: Trigger, during: Event) -> Expectation:
    """Expect that the event reached the subscriber before that of another Trigger, `by`, had answered `during`."""
    (slow,) = triggers_of(by)
    return expectation("not_held_up", event=event_of(event), to=triggers_of(to), by=slow, during=event_of(during))


def selection(
    events: Sequence[Event],
    to: Trigger,
    *,
    all_of: Sequence[Trigger] | None = None,
    any_of: Sequence[Trigger] | None = None,
    none_of: Sequence[Trigger] | None = None,
    twins: Sequence[Event] | None = None,
) -> Expectation:
    """Expect that the Trigger gets exactly those events that all, any or none of others get.

    Args:
        events: The events.
        to: The Trigger.
        all_of: The others, of which all get an event that it gets, and no other.
        any_of: Likewise any of them.
        none_of: Likewise none of them.
        twins: The event that the others are asked about, for each event; None: the same ones.
    """
    given = {"all": all_of, "any": any_of, "none": none_of}
    named = [(op, others) for op, others in given.items() if others is not None]
    if len(named) != 1:
        raise RefError("selection takes one of all_of, any_of and none_of")
    ((op, others),) = named
    refs = [event_of(event) for event in events]
    pairs = refs if twins is None else [event_of(event) for event in twins]
    if len(pairs) != len(refs):
        raise RefError(f"selection takes a twin for each of {len(refs)} events, got {len(pairs)}")
    return expectation("selection", events=refs, twins=pairs, to=triggers_of(to), op=op, of=triggers_of(list(others)))
