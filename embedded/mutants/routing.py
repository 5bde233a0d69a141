"""Mutants of routing: which Triggers get an event, how often, in what order, and what of it arrives."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from itertools import count
from weakref import WeakValueDictionary

from embedded.dataplane.cloudevents import CloudEvent, Record
from embedded.dataplane.cloudevents.event import CORE
from embedded.dataplane.policies import Attempt, Candidate, DataPlanePolicies
from embedded.dataplane.specs import TriggerSpec
from embedded.mutants.hosts import DATA_PLANE
from embedded.mutants.registry import divergence, mutant


@mutant(DATA_PLANE, replaces="takes")
def first_trigger_only(honest: DataPlanePolicies) -> DataPlanePolicies:
    """End the routing at the first destination that matches (every associated Trigger must be evaluated)."""

    def takes(candidate: Candidate, event: CloudEvent, earlier: Iterable[Candidate]) -> bool:
        return not any(other.matches(event) and other.spec.subscriber != candidate.spec.subscriber for other in earlier)

    return replace(honest, takes=takes)


@mutant(DATA_PLANE, replaces="takes")
def same_destination_once(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Deliver once for two Triggers with one destination (the specification asks for two deliveries)."""

    def takes(candidate: Candidate, event: CloudEvent, earlier: Iterable[Candidate]) -> bool:
        return not any(other.matches(event) and other.spec.subscriber == candidate.spec.subscriber for other in earlier)

    return replace(honest, takes=takes)


@mutant(DATA_PLANE, wraps="takes")
def sixteen_triggers_at_most(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Give an event to the first sixteen of the Triggers that match it."""

    def takes(candidate: Candidate, event: CloudEvent, earlier: Iterable[Candidate]) -> bool:
        older = list(earlier)
        return sum(other.matches(event) for other in older) < 16 and honest.takes(candidate, event, older)

    return replace(honest, takes=takes)


@mutant(DATA_PLANE, replaces="is_again")
def delivers_twice(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Repeat a delivery that succeeded at once (eventing-kafka-broker issue 2202: 8081 duplicates of 20000)."""
    return replace(honest, is_again=lambda attempts: attempts == 1)


@mutant(DATA_PLANE, replaces="is_ordered")
def order_ignored(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Deliver for an ordered Trigger as for an unordered one (the default of knative-v1.22.3)."""
    return replace(honest, is_ordered=lambda _: False)


@mutant(DATA_PLANE, wraps="write_request")
def data_through_text(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Pass data through a text string, which damages what is not UTF-8 (as brokers do that re-serialise JSON)."""

    def write_request(event: CloudEvent, spec: TriggerSpec) -> tuple[list[tuple[str, str]], bytes]:
        headers, body = honest.write_request(event, spec)
        return headers, body.decode("utf-8", "replace").encode()

    return replace(honest, write_request=write_request)


@mutant(DATA_PLANE, wraps="write_request")
def extensions_dropped(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Drop extensions, except for the dead letter sink (all attributes must arrive, extensions too)."""

    def write_request(event: CloudEvent, spec: TriggerSpec) -> tuple[list[tuple[str, str]], bytes]:
        if "knativeerrordest" in event.attributes:
            return honest.write_request(event, spec)
        kept = {name: value for name, value in event.attributes.items() if name in CORE}
        return honest.write_request(replace(event, attributes=kept), spec)

    return replace(honest, write_request=write_request)


@mutant(DATA_PLANE, wraps="write_request")
def no_prefer_reply(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Omit `Prefer: reply` from deliveries (data-plane, "Derived (Reply) Events")."""

    def write_request(event: CloudEvent, spec: TriggerSpec) -> tuple[list[tuple[str, str]], bytes]:
        headers, body = honest.write_request(event, spec)
        return [field for field in headers if field[0] != "Prefer"], body

    return replace(honest, write_request=write_request)


@divergence(DATA_PLANE, wraps="write_request")
def attributes_leave_as_latin_1(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Write `?` for each UTF-16 unit that is not latin-1 in header values (Kafka Broker 1.22.3, seen)."""

    def write_request(event: CloudEvent, spec: TriggerSpec) -> tuple[list[tuple[str, str]], bytes]:
        headers, body = honest.write_request(event, spec)
        return [(name, "".join(map(_latin_1, value))) for name, value in headers], body

    return replace(honest, write_request=write_request)


def _latin_1(character: str) -> str:
    return character if character <= "\xff" else "?" * (len(character.encode("utf-16-le")) // 2)


@mutant(DATA_PLANE, wraps="is_again")
def one_in_fifty_doubled(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Deliver every fiftieth event of a Trigger twice (eventing-kafka-broker issue 2202, at a low rate)."""
    numbers = count(1)
    return replace(honest, is_again=lambda attempts: honest.is_again(attempts) or next(numbers) % 50 == 0)


@mutant(DATA_PLANE, wraps="takes")
def one_in_hundred_lost(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Pass over every hundredth event that a Trigger matches."""
    numbers = count(1)

    def takes(candidate: Candidate, event: CloudEvent, earlier: Iterable[Candidate]) -> bool:
        return honest.takes(candidate, event, earlier) and next(numbers) % 100 != 0

    return replace(honest, takes=takes)


@mutant(DATA_PLANE, replaces="is_ordered")
def unordered_one_at_a_time(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Deliver for every Trigger one event of a partition at a time (eventing-kafka-broker issue 2597)."""
    return replace(honest, is_ordered=lambda _: True)


_LOCKS: WeakValueDictionary[tuple[int, str, str], asyncio.Lock] = WeakValueDictionary()


@mutant(DATA_PLANE, replaces="room")
def slow_blocks_others(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Deliver one event of a Broker at a time: whoever is slow holds up all its Triggers."""

    def room(spec: TriggerSpec) -> AbstractAsyncContextManager[None]:
        key = (id(asyncio.get_running_loop()), spec.namespace, spec.broker)
        lock = _LOCKS.get(key) or asyncio.Lock()
        _LOCKS[key] = lock
        return _held(lock)

    return replace(honest, room=room)


@mutant(DATA_PLANE, wraps="room")
def ordered_one_at_a_time(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Deliver for an ordered Trigger one event at a time, of all partitions together."""
    lock = asyncio.Lock()
    return replace(honest, room=lambda spec: _held(lock) if spec.ordered else honest.room(spec))


_FULL = 50


@mutant(DATA_PLANE, wraps=("room", "takes"))
def full_trigger_loses_one(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Lose the next event of a Trigger that has had as many with its subscriber as it may."""
    with_subscriber, is_full = 0, False

    @asynccontextmanager
    async def place(spec: TriggerSpec) -> AsyncIterator[None]:
        nonlocal with_subscriber, is_full
        with_subscriber += 1
        is_full = is_full or with_subscriber == _FULL
        try:
            async with honest.room(spec):
                yield
        finally:
            with_subscriber -= 1

    def takes(candidate: Candidate, event: CloudEvent, earlier: Iterable[Candidate]) -> bool:
        nonlocal is_full
        lost, is_full = is_full, False
        return not lost and honest.takes(candidate, event, earlier)

    def room(spec: TriggerSpec) -> AbstractAsyncContextManager[None]:
        return place(spec)

    return replace(honest, room=room, takes=takes)


@asynccontextmanager
async def _held(lock: asyncio.Lock) -> AsyncIterator[None]:
    async with lock:
        yield


@mutant(DATA_PLANE, replaces="begin")
def begins_at_earliest(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Begin a new Trigger at the topic's first record (eventing-kafka-broker issue 2553: old events)."""
    return replace(honest, begin=lambda ends: dict.fromkeys(ends, 0))


@mutant(DATA_PLANE, replaces="resumes")
def recreated_trigger_resumes(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Go on, for a Trigger that is made again under its old name, where the deleted one ended."""
    return replace(honest, resumes=True)


@mutant(DATA_PLANE, wraps=("store", "reply"))
def ttl_zero_dropped(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Acknowledge and drop an event, and drop a reply, that brings a knativebrokerttl of 0 (EV issues 1011, 1392)."""

    async def store(send: Callable[[], Awaitable[None]], event: CloudEvent) -> None:
        if event.attributes.get("knativebrokerttl") != "0":
            await honest.store(send, event)

    def reply(attempt: Attempt) -> CloudEvent | None:
        event = honest.reply(attempt)
        return None if event is not None and event.attributes.get("knativebrokerttl") == "0" else event

    return replace(honest, store=store, reply=reply)


@mutant(DATA_PLANE, wraps="from_record")
def arrival_time_stripped(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Strip the knativearrivaltime and knativebrokerttl that an event brought (knative/eventing issue 2246)."""

    def from_record(record: Record) -> CloudEvent:
        event = honest.from_record(record)
        own = {"knativearrivaltime", "knativebrokerttl"}
        return replace(event, attributes={name: value for name, value in event.attributes.items() if name not in own})

    return replace(honest, from_record=from_record)
