"""What must have reached a dead letter sink."""

from __future__ import annotations

from evidence.arguments import Event, Expectation, Sink, Trigger, event_of, expectation, ref_of
from evidence.refs import SinkRef, TriggerRef


def dead_lettered(
    event: Event,
    to: Sink,
    *,
    by: Trigger,
    code: int | None = None,
    dest: str | None = None,
    data: bytes | None = None,
    control: Event | None = None,
) -> Expectation:
    """Expect that the dead letter sink got the event with its id, source, type and data.

    Args:
        event: The event.
        to: The dead letter sink.
        by: The Trigger that gives up on the event; its committed offset proves an absence.
        code: Extension `knativeerrorcode`.
        dest: Extension `knativeerrordest`.
        data: The failed answer's body: base64 of its first 1024 bytes stands in extension `knativeerrordata`.
        control: An earlier event that the sink has got: silence until the deadline is a failure then.
    """
    sink, trigger = ref_of(to, SinkRef), ref_of(by, TriggerRef)
    more = {} if control is None else {"control": event_of(control)}
    return expectation(
        "dead_lettered", event=event_of(event), to=sink, by=trigger, code=code, dest=dest, data=data, **more
    )


def failed_or_unchanged(reply: Event, to: Trigger, *, replied_by: Trigger, cause: Event, letters: Sink) -> Expectation:
    """Expect that each delivery of a reply is what was given, or that none came and what caused it is a dead letter.

    Args:
        reply: The event in the answer.
        to: The Trigger that takes it.
        replied_by: The Trigger whose subscriber gave it.
        cause: The event that was answered.
        letters: The dead letter sink of that Trigger.
    """
    receiver, replier = ref_of(to, TriggerRef), ref_of(replied_by, TriggerRef)
    return expectation(
        "failed_or_unchanged",
        event=event_of(reply),
        to=[receiver],
        replied_by=replier,
        cause=event_of(cause),
        letters=ref_of(letters, SinkRef),
    )


def dead_letter_explained(event: Event, to: Sink, *, by: Trigger, member: str) -> Expectation:
    """Expect that the dead letter's `knativeerrordata` is the start of a JSON object with a text under this name."""
    sink, trigger = ref_of(to, SinkRef), ref_of(by, TriggerRef)
    return expectation("dead_letter_explained", event=event_of(event), to=sink, by=trigger, member=member)


def not_dead_lettered(event: Event, to: Sink, *, by: Trigger) -> Expectation:
    """Expect that the Trigger is done with the event, and the dead letter sink never saw it."""
    return expectation("not_dead_lettered", event=event_of(event), to=ref_of(to, SinkRef), by=ref_of(by, TriggerRef))


def dead_letter_attempts(event: Event, to: Sink, count: int, *, by: Trigger) -> Expectation:
    """Expect that the dead letter sink got the event in exactly `count` requests, once the Trigger is done with it."""
    sink, trigger = ref_of(to, SinkRef), ref_of(by, TriggerRef)
    return expectation("dead_letter_attempts", event=event_of(event), to=sink, by=trigger, count=count)


def held_back(event: Event, to: Sink, *, by: Trigger, seconds: float, behind: Event | None = None) -> Expectation:
    """Expect that the sink got the event, and not before so many seconds had passed since `behind` left its sender.

    Args:
        event: The event.
        to: The sink.
        by: The Trigger that waits.
        seconds: The least time.
        behind: The event whose retries are waited for; itself by default.
    """
    sink, trigger = ref_of(to, SinkRef), ref_of(by, TriggerRef)
    first = event_of(event if behind is None else behind)
    return expectation("held_back", event=event_of(event), to=sink, by=trigger, seconds=seconds, behind=first)


def not_received(event: Event, at: Sink, *, by: Trigger) -> Expectation:
    """Expect that the sink never saw the event, once the Trigger `by`, which delivers elsewhere, is done with it."""
    return expectation("not_received", event=event_of(event), to=ref_of(at, SinkRef), by=ref_of(by, TriggerRef))
