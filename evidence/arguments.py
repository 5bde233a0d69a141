"""What the words of a test are made of: an `Expectation`, and how handles and values become its arguments.

Tests do not use this module; `expectations` does.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from evidence.refs import (
    BrokerRef,
    CallRef,
    EventRef,
    ExchangeRef,
    Has,
    LoadRef,
    ObjectRef,
    ProducedRef,
    RefError,
    SinkRef,
    TopicRef,
    TriggerRef,
    to_json,
)

Event: TypeAlias = EventRef | Has[EventRef]
Exchange: TypeAlias = ExchangeRef | Has[ExchangeRef]
Call: TypeAlias = CallRef | Has[CallRef]
Sink: TypeAlias = SinkRef | Has[SinkRef]
Trigger: TypeAlias = TriggerRef | Has[TriggerRef]
Place: TypeAlias = TriggerRef | SinkRef | Has[TriggerRef] | Has[SinkRef]
Topic: TypeAlias = TopicRef | BrokerRef | Has[TopicRef] | Has[BrokerRef]
Produced: TypeAlias = ProducedRef | Has[ProducedRef]
Object: TypeAlias = ObjectRef | Has[ObjectRef]
Load: TypeAlias = LoadRef | Has[LoadRef]
Status: TypeAlias = int | range | Collection[int]
TRACE_KEY = "test-trace-id"


@dataclass(frozen=True, slots=True)
class Expectation:
    """An expectation: the name of the check that judges it, and its arguments as JSON (see `refs.to_json`)."""

    check: str
    args: Mapping[str, Any]


def expectation(check: str, **args: Any) -> Expectation:
    """Return the expectation that this check is to judge."""
    return Expectation(check, {name: to_json(value) for name, value in args.items()})


def ref_of(thing: Any, *kinds: type[Any]) -> Any:
    """Return the ref of a handle, or the ref itself; of one of these kinds."""
    ref = thing if isinstance(thing, kinds) else getattr(thing, "ref", thing)
    if not isinstance(ref, kinds):
        names = " or ".join(kind.__name__ for kind in kinds)
        raise RefError(f"expected {names}, got {type(thing).__name__}: {thing!r}")
    return ref


def event_of(thing: Any) -> EventRef:
    """Return the ref of an event."""
    ref: EventRef = ref_of(thing, EventRef)
    return ref


def places_of(to: Place | Sequence[Place]) -> list[Any]:
    """Triggers and sinks where deliveries can be seen."""
    things = to if isinstance(to, list | tuple) else [to]
    refs = [ref_of(thing, TriggerRef, SinkRef) for thing in things]
    for ref in refs:
        if isinstance(ref, TriggerRef) and ref.sink is None:
            raise RefError(f"the subscriber of Trigger {ref.namespace}/{ref.name} is not a sink of the probe")
    return refs


def triggers_of(to: Trigger | Sequence[Trigger]) -> list[Any]:
    """Triggers, whose consumer groups can prove absence."""
    things = to if isinstance(to, list | tuple) else [to]
    for thing in things:
        if isinstance(getattr(thing, "ref", thing), SinkRef):
            raise RefError("a sink alone cannot prove absence: name the Trigger that delivers to it")
    return places_of([ref_of(thing, TriggerRef) for thing in things])


def topic_of(on: Topic) -> TopicRef:
    """Return the topic, or the one that a Broker stores its events in.

    Raises:
        RefError: The Broker shows no topic.
    """
    ref = ref_of(on, TopicRef, BrokerRef)
    if isinstance(ref, BrokerRef) and not ref.topic:
        raise RefError(f"Broker {ref.namespace}/{ref.name} shows no topic: nothing can be said of its records")
    return TopicRef(ref.topic) if isinstance(ref, BrokerRef) else ref


def witness_of(on: Topic) -> TriggerRef | None:
    """Return the Trigger that stands for a Broker's storage, where the Broker shows none; None where it does."""
    ref = ref_of(on, TopicRef, BrokerRef)
    return ref.witness if isinstance(ref, BrokerRef) and not ref.topic else None


def trigger_of(by: Trigger | None) -> TriggerRef | None:
    """Return the Trigger, if there is one."""
    return None if by is None else ref_of(by, TriggerRef)


def status_of(status: Status) -> Any:
    """Status codes as JSON: a list, or a range."""
    if isinstance(status, int):
        return [status]
    return {"from": status.start, "below": status.stop} if isinstance(status, range) else sorted(status)


def cause_of(of: Event | Exchange) -> Any:
    """Return what caused a result: an event, or a direct request."""
    return ref_of(of, EventRef, ExchangeRef)
