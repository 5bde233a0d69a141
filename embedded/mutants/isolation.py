"""Mutants of isolation: events taken for one, and what one event, Trigger or sender has that another one gets."""

import asyncio
import time
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from embedded.dataplane.backoff import DeliveryPlan
from embedded.dataplane.cloudevents import CloudEvent
from embedded.dataplane.cloudevents.event import CORE
from embedded.dataplane.cloudevents.http import RawHeaders
from embedded.dataplane.policies import Attempt, Candidate, DataPlanePolicies
from embedded.dataplane.specs import TriggerSpec
from embedded.mutants.hosts import DATA_PLANE
from embedded.mutants.registry import mutant

_Takes: TypeAlias = Callable[[Candidate, CloudEvent, Iterable[Candidate]], bool]
_Crowd: TypeAlias = tuple[
    Callable[[TriggerSpec], AbstractAsyncContextManager[None]],
    Callable[[CloudEvent, TriggerSpec], tuple[list[tuple[str, str]], bytes]],
]
_BATCH = 50
_CROWD = 20
_LONGEST = 64
_SIGNIFICANT = 60
_REMEMBERED = 1000
_FAILED = "knativeerrordest"


@dataclass(slots=True)
class _Batch:
    """Fifty events of a Trigger, of which so many deliveries have begun and ended."""

    begun: int = 0
    ended: int = 0
    over: asyncio.Event = field(default_factory=asyncio.Event)


@mutant(DATA_PLANE, wraps="room")
def batch_waits_for_slowest(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Begin the deliveries of the next fifty events of a Trigger when all of the fifty before have ended."""
    current = _Batch()

    @asynccontextmanager
    async def place(spec: TriggerSpec) -> AsyncIterator[None]:
        nonlocal current
        while (batch := current).begun == _BATCH:
            await batch.over.wait()
        batch.begun += 1
        try:
            async with honest.room(spec):
                yield
        finally:
            batch.ended += 1
            if batch.ended == _BATCH:
                current = _Batch()
                batch.over.set()

    def room(spec: TriggerSpec) -> AbstractAsyncContextManager[None]:
        return place(spec)

    return replace(honest, room=room)


@mutant(DATA_PLANE, wraps=("pause", "pace"))
def retry_wait_holds_trigger_up(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Begin no other delivery of a Trigger while one waits for its next attempt (eventing-kafka-broker issue 1732)."""
    until = 0.0

    def pause(plan: DeliveryPlan, attempt: Attempt, wait: float) -> float:
        nonlocal until
        wait = honest.pause(plan, attempt, wait)
        until = max(until, time.monotonic() + wait)
        return wait

    async def pace() -> None:
        await honest.pace()
        await asyncio.sleep(until - time.monotonic())

    return replace(honest, pause=pause, pace=pace)


@mutant(DATA_PLANE, wraps=("letter", "pace"))
def letter_holds_trigger_up(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Begin no other delivery of a Trigger while one is a letter under way (eventing-kafka-broker issue 1732)."""
    turn = asyncio.Lock()

    async def letter(send: Callable[[], Awaitable[None]]) -> None:
        async with turn:
            await honest.letter(send)

    async def pace() -> None:
        await honest.pace()
        async with turn:
            return

    return replace(honest, letter=letter, pace=pace)


def _passing_over(takes: _Takes, alike: Callable[[str], str], *, any_source: bool) -> _Takes:
    """Return the choice that passes over an event alike one before it, though its source or its id is another."""
    seen: dict[tuple[str, str], tuple[str, str]] = {}

    def chosen(candidate: Candidate, event: CloudEvent, earlier: Iterable[Candidate]) -> bool:
        itself = (event.attributes["source"], event.attributes["id"])
        key = ("" if any_source else itself[0], alike(itself[1]))
        return seen.setdefault(key, itself) == itself and takes(candidate, event, earlier)

    return chosen


@mutant(DATA_PLANE, wraps="takes")
def id_of_another_source_dropped(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take an event for a known one when its id is, whatever its source."""
    return replace(honest, takes=_passing_over(honest.takes, lambda name: name, any_source=True))


@mutant(DATA_PLANE, wraps="takes")
def ids_compared_loosely(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take an event for a known one when the first 64 characters of its id are, in any case."""
    takes = _passing_over(honest.takes, lambda name: name[:_LONGEST].casefold(), any_source=False)
    return replace(honest, takes=takes)


class Remembered(OrderedDict[tuple[str, str], dict[str, str]]):
    """What is known of the last thousand events, by source and id; for all Brokers and Triggers of the process."""

    def note(self, event: tuple[str, str], fields: Mapping[str, str]) -> None:
        """Note fields of an event, besides those that are known."""
        self[event] = {**self.get(event, {}), **fields}
        while len(self) > _REMEMBERED:
            self.popitem(last=False)


_MARKS = Remembered()
_GIVEN = Remembered()


@mutant(DATA_PLANE, wraps=("dead_letter", "write_request"))
def dead_letter_marks_shared(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Put what a dead letter says of its failure on the same event for other Triggers too, as a shared object would."""

    def dead_letter(event: CloudEvent, subscriber: str, attempt: Attempt) -> CloudEvent | None:
        letter = honest.dead_letter(event, subscriber, attempt)
        if letter is not None:
            added = letter.attributes.keys() - event.attributes.keys()
            _MARKS.note(_identity(event), {name: letter.attributes[name] for name in added})
        return letter

    def write_request(event: CloudEvent, spec: TriggerSpec) -> tuple[list[tuple[str, str]], bytes]:
        return honest.write_request(event.having(**{**_MARKS.get(_identity(event), {}), **event.attributes}), spec)

    return replace(honest, dead_letter=dead_letter, write_request=write_request)


@mutant(DATA_PLANE, wraps="takes")
def long_names_taken_for_one(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take a Trigger for an older one whose name begins with the same 60 characters: it gets nothing of its own."""

    def takes(candidate: Candidate, event: CloudEvent, earlier: Iterable[Candidate]) -> bool:
        older = list(earlier)
        known = {other.spec.name[:_SIGNIFICANT] for other in older if len(other.spec.name) > _SIGNIFICANT}
        return candidate.spec.name[:_SIGNIFICANT] not in known and honest.takes(candidate, event, older)

    return replace(honest, takes=takes)


@mutant(DATA_PLANE, wraps="takes")
def dead_letters_not_routed(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Route no event that says what failed, lest a dead letter goes round: whoever watches failures sees none."""

    def takes(candidate: Candidate, event: CloudEvent, earlier: Iterable[Candidate]) -> bool:
        return _FAILED not in event.attributes and honest.takes(candidate, event, earlier)

    return replace(honest, takes=takes)


_DELIVERED = Remembered()


@mutant(DATA_PLANE, wraps="store")
def own_dead_letters_dropped(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Acknowledge a dead letter of an event that this Broker has stored, and drop it, lest it goes round."""
    stored = Remembered()

    async def store(send: Callable[[], Awaitable[None]], event: CloudEvent) -> None:
        identity = _identity(event)
        if _FAILED in event.attributes and identity in stored:
            return
        stored.note(identity, {})
        await honest.store(send, event)

    return replace(honest, store=store)


@mutant(DATA_PLANE, wraps="matcher.settled")
def dead_letters_to_all(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Deliver what says that it has failed to every Trigger, whatever its filter says."""

    def settled(matches: Callable[[CloudEvent], bool]) -> Callable[[CloudEvent], bool]:
        honestly = honest.matcher.settled(matches)
        return lambda event: _FAILED in event.attributes or honestly(event)

    return replace(honest, matcher=replace(honest.matcher, settled=settled))


@mutant(DATA_PLANE, wraps=("reply", "write_request"))
def echoed_id_dropped(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Route no reply that has the id of an event which was delivered, as a guard against loops."""

    def write_request(event: CloudEvent, spec: TriggerSpec) -> tuple[list[tuple[str, str]], bytes]:
        _DELIVERED.note(("", event.attributes["id"]), {})
        return honest.write_request(event, spec)

    def reply(attempt: Attempt) -> CloudEvent | None:
        answer = honest.reply(attempt)
        return None if answer is not None and ("", answer.attributes["id"]) in _DELIVERED else answer

    return replace(honest, reply=reply, write_request=write_request)


_ANSWERED = Remembered()


@mutant(DATA_PLANE, wraps=("reply", "write_request"))
def one_reply_an_event(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Route the first reply to an event, and none of those that other Triggers' subscribers give."""
    under_way: ContextVar[tuple[CloudEvent, str] | None] = ContextVar("under_way", default=None)

    def write_request(event: CloudEvent, spec: TriggerSpec) -> tuple[list[tuple[str, str]], bytes]:
        under_way.set((event, spec.name))
        return honest.write_request(event, spec)

    def reply(attempt: Attempt) -> CloudEvent | None:
        answer, current = honest.reply(attempt), under_way.get()
        if answer is None or current is None:
            return answer
        event, trigger = current
        first = _ANSWERED.setdefault(_identity(event), {"trigger": trigger})
        return answer if first["trigger"] == trigger else None

    return replace(honest, reply=reply, write_request=write_request)


_PRIVATE = frozenset({"authorization", "cookie", "proxy-authorization", "x-api-key"})
_ANSWERS_OWN = frozenset({"server", "set-cookie", "cache-control", "x-reply-token"})


@mutant(DATA_PLANE, wraps=("accept.fields", "write_request"))
def sender_headers_forwarded(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Send the credentials of an event's sender on to its subscribers, as a proxy does that copies all headers."""

    def fields(headers: RawHeaders) -> list[tuple[str, bytes]]:
        read = honest.accept.fields(headers)
        texts = {name: value.decode("latin-1") for name, value in read}
        private = {name: value for name, value in texts.items() if name in _PRIVATE}
        if private and "ce-source" in texts and "ce-id" in texts:
            _GIVEN.note((texts["ce-source"], texts["ce-id"]), private)
        return read

    def write_request(event: CloudEvent, spec: TriggerSpec) -> tuple[list[tuple[str, str]], bytes]:
        headers, body = honest.write_request(event, spec)
        return [*headers, *_GIVEN.get(_identity(event), {}).items()], body

    return replace(honest, accept=replace(honest.accept, fields=fields), write_request=write_request)


@mutant(DATA_PLANE, wraps=("reply", "write_request"))
def reply_headers_forwarded(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Send headers of the answer that a reply came in on to who gets the reply (knative/eventing issue 6276)."""

    def reply(attempt: Attempt) -> CloudEvent | None:
        event = honest.reply(attempt)
        if event is not None:
            texts = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in attempt.headers}
            _GIVEN.note(_identity(event), {name: value for name, value in texts.items() if name in _ANSWERS_OWN})
        return event

    def write_request(event: CloudEvent, spec: TriggerSpec) -> tuple[list[tuple[str, str]], bytes]:
        headers, body = honest.write_request(event, spec)
        return [*headers, *_GIVEN.get(_identity(event), {}).items()], body

    return replace(honest, reply=reply, write_request=write_request)


def _identity(event: CloudEvent) -> tuple[str, str]:
    return event.attributes["source"], event.attributes["id"]


@mutant(DATA_PLANE, replaces="cuts_off")
def removal_waits_for_answers(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Change or remove a Trigger once all that it has in flight is answered (eventing-kafka-broker PRs 2277, 2373)."""
    return replace(honest, cuts_off=False)


@mutant(DATA_PLANE, replaces="drops_backlog")
def backlog_outlives_deletion(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Deliver for a removed Trigger what it had taken up (eventing-kafka-broker issues 4784 and 4798)."""
    return replace(honest, drops_backlog=False)


def _when_crowded(honest: DataPlanePolicies, mix: Callable[[CloudEvent, CloudEvent], CloudEvent]) -> _Crowd:
    """Return how many events of a Trigger are counted, and how one is mixed with the one before when they are many."""
    under_way: Counter[tuple[str, str]] = Counter()
    last: dict[tuple[str, str], CloudEvent] = {}

    @asynccontextmanager
    async def room(spec: TriggerSpec) -> AsyncIterator[None]:
        under_way[spec.namespace, spec.name] += 1
        try:
            async with honest.room(spec):
                yield
        finally:
            under_way[spec.namespace, spec.name] -= 1

    def write_request(event: CloudEvent, spec: TriggerSpec) -> tuple[list[tuple[str, str]], bytes]:
        trigger = (spec.namespace, spec.name)
        before = last.get(trigger, event)
        last[trigger] = event
        return honest.write_request(mix(event, before) if under_way[trigger] > _CROWD else event, spec)

    return room, write_request


@mutant(DATA_PLANE, wraps=("room", "write_request"))
def crowded_data_exchanged(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Deliver an event, while many of its Trigger are under way, with the data of the one before, if as long."""

    def mix(event: CloudEvent, before: CloudEvent) -> CloudEvent:
        return replace(event, data=before.data) if len(before.data or b"") == len(event.data or b"") else event

    room, write_request = _when_crowded(honest, mix)
    return replace(honest, room=room, write_request=write_request)


@mutant(DATA_PLANE, wraps=("room", "write_request"))
def crowded_attributes_exchanged(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Deliver an event, while many of its Trigger are under way, with the extensions of the one before."""

    def mix(event: CloudEvent, before: CloudEvent) -> CloudEvent:
        return event.having(**{name: value for name, value in before.attributes.items() if name not in CORE})

    room, write_request = _when_crowded(honest, mix)
    return replace(honest, room=room, write_request=write_request)
