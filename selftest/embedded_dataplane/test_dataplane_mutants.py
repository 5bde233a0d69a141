"""Every mutant of the data plane does what it says, seen from outside; the honest platform does the right thing.

One row a mutant: an observation, what it is on the honest platform, and what on the faulty one.
"""

import asyncio
import itertools
import json
import math
import time
import tomllib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from embedded.dataplane.cloudevents import Record
from embedded.mutants.hosts import DATA_PLANE
from embedded.mutants.registry import names
from selftest.embedded_dataplane.world import Place, Reply, Sink, World, binary, row_of, until, until_true

pytestmark = pytest.mark.anyio

EVENT = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t"}
JSON = {"Content-Type": "application/cloudevents+json"}
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
FAST = {"backoffPolicy": "linear", "backoffDelay": "PT0.05S"}

Observe = Callable[[World, str | None], Awaitable[Any]]


def status(headers: Mapping[str, str], body: bytes = b"", **request: str) -> Observe:
    """Observe the ingress' answer."""

    async def observe(world: World, mutant: str | None) -> int:
        place = await world.broker(mutant)
        return (await place.post(headers, body, **request)).status

    return observe


def stored(*requests: tuple[Mapping[str, str] | Sequence[tuple[str, str]], bytes]) -> Observe:
    """Observe the answers, and how many records they made."""

    async def observe(world: World, mutant: str | None) -> tuple[list[int], int]:
        place = await world.broker(mutant, partitions=1)
        answers = [(await place.post(headers, body)).status for headers, body in requests]
        await place.send(id="fence")
        return answers, await place.count() - 1

    return observe


def arrives(
    look: Callable[[Any], Any], data: bytes = b"1", headers: Mapping[str, str] | None = None, **attributes: str
) -> Observe:
    """Observe something of the request that a subscriber gets."""

    async def observe(world: World, mutant: str | None) -> Any:
        place, sink = await world.broker(mutant), world.sink()
        await place.trigger(sink)
        await place.post({**binary(**{**EVENT, **attributes}), **(headers or {})}, data)
        await until(lambda: bool(sink.received))
        return look(sink.received[0])

    return observe


def record(look: Callable[[Record], Any], **attributes: Any) -> Observe:
    """Observe something of the record in Kafka."""

    async def observe(world: World, mutant: str | None) -> Any:
        place = await world.broker(mutant)
        await place.send(**attributes)
        return look((await place.records(1))[0])

    return observe


def kept(header: str, **attributes: str) -> Observe:
    """Observe a header of the record of an event in binary mode."""
    return record(lambda made: dict(made.headers).get(header), **attributes)


def told(header: str, **members: Any) -> Observe:
    """Observe a header of the record of an event in structured mode."""

    async def observe(world: World, mutant: str | None) -> bytes | None:
        place = await world.broker(mutant, partitions=1)
        assert (await place.post(JSON, structured(**members))).status == 202
        return dict((await place.records(1))[0].headers).get(header)

    return observe


def data_of(*events: Mapping[str, Any]) -> Observe:
    """Observe the values of the records of events in structured mode, given by their further members."""

    async def observe(world: World, mutant: str | None) -> list[bytes | None]:
        place = await world.broker(mutant, partitions=1)
        for members in events:
            assert (await place.post(JSON, structured(**members))).status == 202
        return [made.value for made in await place.records(len(events))]

    return observe


def allowing(method: str) -> Observe:
    """Observe the answer to a method, and its header Allow."""

    async def observe(world: World, mutant: str | None) -> tuple[int, str | None]:
        place = await world.broker(mutant)
        answer = await place.post(binary(**EVENT), method=method)
        return answer.status, answer.headers.get("Allow")

    return observe


def at_paths(*tails: str) -> Observe:
    """Observe the answers to events for a Broker's path with something behind it."""

    async def observe(world: World, mutant: str | None) -> list[int]:
        place = await world.broker(mutant)
        own = f"/{place.spec.namespace}/{place.spec.name}"
        return [(await place.post(binary(**EVENT), path=own + tail)).status for tail in tails]

    return observe


async def settled(world: World, place: Place, group: str, count: int) -> None:
    """Return once the group is past so many records."""

    async def is_past() -> bool:
        return await world.committed(place.spec.topic, group) >= count

    await until_true(is_past)


def matches(*events: Mapping[str, Any], **terms: Any) -> Observe:
    """Observe which of the events a Trigger gets."""

    async def observe(world: World, mutant: str | None) -> list[int]:
        place, sink = await world.broker(mutant), world.sink()
        trigger = await place.trigger(sink, **terms)
        for number, event in enumerate(events):
            await place.send(id=str(number), **event)
        await settled(world, place, trigger.group, len(events))
        return sorted(int(name) for name in sink.ids)

    return observe


def attempts(*script: int, retry: int = 3, dead_letter: bool = True, look: Callable[[Any], Any] = len) -> Observe:
    """Observe the number of attempts, and something of the dead letters."""

    async def observe(world: World, mutant: str | None) -> tuple[int, Any]:
        place, sink, dead = await world.broker(mutant), world.sink(*map(Reply, script)), world.sink()
        where = dead.url if dead_letter else None
        trigger = await place.trigger(sink, delivery={"retry": retry, **FAST}, dead_letter=where)
        await place.send()
        await settled(world, place, trigger.group, 1)
        return len(sink.received), look(dead.received)

    return observe


def replying(answer: Reply, wanted: Mapping[str, str] | None = None) -> Observe:
    """Observe how many replies and how many dead letters an answer makes."""

    async def observe(world: World, mutant: str | None) -> tuple[int, int]:
        place, replied, dead = await world.broker(mutant), world.sink(), world.sink()
        caught = await place.trigger(replied, filter={"attributes": {"source": "/reply"}})
        trigger = await place.trigger(world.sink(answer), filter={"attributes": {"type": "t"}}, dead_letter=dead.url)
        await place.send()
        await settled(world, place, trigger.group, 1)
        fence = await place.send(source="/reply", type="fence")
        await until(lambda: fence in replied.ids)
        await settled(world, place, caught.group, 2)
        return len(replied.received) - 1, len(dead.received)

    return observe


async def _concurrent(world: World, mutant: str | None) -> bool:
    place = await world.broker(mutant, partitions=1)
    answers = await asyncio.gather(*(place.post(binary(**{**EVENT, "id": str(number)})) for number in range(40)))
    assert {answer.status for answer in answers} == {202}
    return await place.count() == 40


async def _large_load(world: World, mutant: str | None) -> bool:
    place = await world.broker(mutant, partitions=1)
    events = [binary(**{**EVENT, "id": str(number)}) for number in range(20)]
    answers = await asyncio.gather(*(place.post(event, bytes(60_000)) for event in events))
    assert {answer.status for answer in answers} == {202}
    return await place.count() == 20


async def _in_pieces(place: Place, *pieces: bytes) -> int:
    async def body() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    url = f"{place.world.ingress}/{place.spec.namespace}/{place.spec.name}"
    async with place.world.http.post(url, headers=binary(**EVENT), data=body()) as answer:
        return answer.status


async def _chunked(world: World, mutant: str | None) -> tuple[int, bytes | None]:
    place = await world.broker(mutant, partitions=1)
    answered = await _in_pieces(place, b"1", b"2")
    await place.send(b"fence")
    first = (await place.records(1))[0].value
    return answered, first if answered == 202 else None


async def _both_modes(world: World, mutant: str | None) -> tuple[bytes | None, bytes | None]:
    place = await world.broker(mutant, partitions=1)
    headers = {**binary(**{**EVENT, "id": "outer"}), **JSON}
    assert (await place.post(headers, structured(id="inner", data=1))).status == 202
    made = (await place.records(1))[0]
    return dict(made.headers)["ce_id"], made.value


async def _unknown_broker(world: World, mutant: str | None) -> int:
    place = await world.broker(mutant)
    return (await place.post(binary(**EVENT), path=f"/{place.spec.namespace}/nobody")).status


async def _fan_out(world: World, mutant: str | None) -> tuple[int, int]:
    place, first, second = await world.broker(mutant), world.sink(), world.sink()
    triggers = [await place.trigger(sink) for sink in (first, second)]
    await place.send()
    for trigger in triggers:
        await settled(world, place, trigger.group, 1)
    return len(first.received), len(second.received)


async def upload(place: Place, *parts: bytes, pause: float = 0.0, length: int = 8, whole: bool = True) -> int:
    """Post an event whose body comes in parts, with a pause before each; return the status, 0 without an answer."""
    host, _, port = place.world.ingress.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    lines = [f"POST /{place.spec.namespace}/{place.spec.name} HTTP/1.1", "Host: ingress", f"Content-Length: {length}"]
    lines += [f"{name}: {value}" for name, value in binary(**EVENT).items()]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    for part in parts:
        await asyncio.sleep(pause)
        writer.write(part)
    await writer.drain()
    if not whole:
        await asyncio.sleep(0.1)
        writer.write_eof()
    answer = await reader.readline()
    writer.close()
    return int(answer.split()[1]) if answer else 0


async def _half_body(world: World, mutant: str | None) -> int:
    place = await world.broker(mutant, partitions=1)
    await upload(place, b"half", whole=False)
    await place.send(b"fence")
    await place.records(1)
    return await place.count()


async def _slow_body(world: World, mutant: str | None) -> int:
    return await upload(await world.broker(mutant), b"half", b"half", pause=0.4)


async def _beside_a_stalled_one(world: World, mutant: str | None) -> bool:
    place = await world.broker(mutant)
    stalled = asyncio.create_task(upload(place, b"half", b"half", pause=2.0))
    await asyncio.sleep(0.3)
    began = time.monotonic()
    await place.send()
    waited = time.monotonic() - began
    assert await stalled == 202
    return waited < 2.5  # the stalled one lasts four seconds


async def _after_broken_ones(world: World, mutant: str | None) -> int:
    place = await world.broker(mutant)
    for _ in range(8):
        await upload(place, b"half", whole=False)
    return (await place.post(binary(**EVENT))).status


def letters_of(count: int) -> Observe:
    """Observe the dead letters of so many events that are delivered at their second attempt."""

    async def observe(world: World, mutant: str | None) -> int:
        place, dead = await world.broker(mutant, partitions=1), world.sink()
        sink = world.sink(*[Reply(503), Reply()] * count)
        delivery = {"retry": 3, "backoffPolicy": "linear", "backoffDelay": "PT0.01S"}
        trigger = await place.trigger(sink, delivery=delivery, dead_letter=dead.url, ordered=True)
        for _ in range(count):
            await place.send()
        await settled(world, place, trigger.group, count)
        return len(dead.received)

    return observe


def followed(count: int) -> Observe:
    """Observe how many of so many redirects are followed."""

    async def observe(world: World, mutant: str | None) -> int:
        place, elsewhere = await world.broker(mutant), world.sink()
        trigger = await place.trigger(world.sink(Reply(307, {"Location": elsewhere.url})))
        await asyncio.gather(*(place.send() for _ in range(count)))
        await settled(world, place, trigger.group, count)
        return len(elsewhere.received)

    return observe


async def _ten_new_triggers(world: World, mutant: str | None) -> int:
    place, sink = await world.broker(mutant, partitions=1), world.sink()
    await place.send(id="before")
    triggers = [await place.trigger(sink) for _ in range(10)]
    await place.send(id="after")
    for trigger in triggers:
        await settled(world, place, trigger.group, 2)
    return sink.ids.count("before")


async def _one_late_of_hundred(world: World, mutant: str | None) -> bool:
    place, sink = await world.broker(mutant, partitions=1), world.sink()
    trigger = await place.trigger(sink, ordered=True)
    for _ in range(101):
        await place.send()
    await settled(world, place, trigger.group, 101)
    gaps_ = [after.at - before.at for before, after in itertools.pairwise(sink.received)]
    return max(gaps_) < 1.0


def restarted(*answers: Reply, sent: int = 6) -> Observe:
    """Observe which events come in all, when the dispatcher is killed once all have come, whatever was answered."""

    async def observe(world: World, mutant: str | None) -> list[int]:
        place, sink = await world.broker(mutant, partitions=1), world.sink(*answers)
        trigger = await place.trigger(sink)
        for number in range(sent):
            await place.send(id=str(number))
        await until(lambda: len(sink.received) >= sent)
        if not answers:
            await settled(world, place, trigger.group, sent)
        await world.plane.kill_dispatcher(place.spec.namespace, place.spec.name)
        await place.send(id=str(sent))
        await until(lambda: str(sent) in sink.ids)
        await settled(world, place, trigger.group, sent + 1)
        return sorted(int(name) for name in sink.ids)

    return observe


async def _ingress_killed(world: World, mutant: str | None) -> bool:
    place = await world.broker(mutant, partitions=1)
    for number in range(20):
        await place.send(id=str(number))
    await world.plane.kill_ingress(place.spec.namespace, place.spec.name)
    await place.send(id="fence")
    return len(await place.records(21)) == 21


async def _crowd(world: World, mutant: str | None) -> int:
    place = await world.broker(mutant)
    sinks = [world.sink() for _ in range(17)]
    triggers = [await place.trigger(sink) for sink in sinks]
    await place.send()
    for trigger in triggers:
        await settled(world, place, trigger.group, 1)
    return sum(len(sink.received) for sink in sinks)


async def _same_destination(world: World, mutant: str | None) -> int:
    place, sink = await world.broker(mutant), world.sink()
    triggers = [await place.trigger(sink) for _ in range(2)]
    await place.send()
    for trigger in triggers:
        await settled(world, place, trigger.group, 1)
    return len(sink.received)


async def _duplicates(world: World, mutant: str | None) -> int:
    place, sink = await world.broker(mutant), world.sink()
    await place.trigger(sink)
    for name in ("same", "same", "fence"):
        await place.send(id=name)
    await until(lambda: "fence" in sink.ids)
    await asyncio.sleep(0.1)
    return sink.ids.count("same")


async def _late_trigger(world: World, mutant: str | None) -> int:
    place, sink = await world.broker(mutant), world.sink()
    await place.send(id="before")
    trigger = await place.trigger(sink)
    for name in ("first", "second"):
        await place.send(id=name)
    await settled(world, place, trigger.group, 3)
    return len(sink.received)


async def _order(world: World, mutant: str | None) -> bool:
    place, sink = await world.broker(mutant), world.sink(Reply(503), Reply())
    await place.trigger(sink, ordered=True, delivery={"retry": 2, **FAST})
    for number in range(5):
        await place.send(id=str(number), partitionkey="k")
    await until(lambda: len(sink.received) == 6)
    return sink.ids[1:] == [str(number) for number in range(5)]


async def _foreign(world: World, mutant: str | None) -> list[str]:
    place, sink = await world.broker(mutant, partitions=1), world.sink()
    trigger = await place.trigger(sink)
    await world.producer.send(place.spec.topic, Record(None, [], b"no event"))
    for name in ("first", "second"):
        await place.send(id=name)
    await settled(world, place, trigger.group, 3)
    return sorted(sink.ids)


async def _structured_record(world: World, mutant: str | None) -> list[str]:
    place, sink = await world.broker(mutant, partitions=1), world.sink()
    trigger = await place.trigger(sink)
    headers = [("content-type", b"application/cloudevents+json")]
    await world.producer.send(place.spec.topic, Record(None, headers, json.dumps(EVENT).encode()))
    await settled(world, place, trigger.group, 1)
    return sink.ids


async def _refused_connection(world: World, mutant: str | None) -> int:
    place, dead = await world.broker(mutant), world.sink()
    trigger = await place.trigger("http://127.0.0.1:9/", delivery={"retry": 1, **FAST}, dead_letter=dead.url)
    await place.send()
    await settled(world, place, trigger.group, 1)
    return len(dead.received)


async def _gaps(world: World, mutant: str | None) -> bool:
    place, sink = await world.broker(mutant), world.sink(Reply(500), Reply())
    await place.trigger(sink, delivery={"retry": 1, **FAST})
    await place.send()
    await until(lambda: len(sink.received) == 2)
    return sink.received[1].at - sink.received[0].at >= 0.05


async def _traces(world: World, mutant: str | None, *, ordered: bool = False) -> bool:
    place, sink = await world.broker(mutant), world.sink()
    await place.trigger(sink, ordered=ordered)
    ids = [f"{number:032x}" for number in range(1, 21)]
    posts = [
        place.post({**binary(**{**EVENT, "id": name}), "traceparent": f"00-{name}-b7ad6b7169203331-01"}) for name in ids
    ]
    await asyncio.gather(*posts)
    await until(lambda: len(sink.received) == 20)
    return all(request.headers["ce-id"] == request.headers["traceparent"].split("-")[1] for request in sink.received)


async def _older(world: World, mutant: str | None) -> tuple[int, list[str], list[str]]:
    place, sink, dead = await world.broker(mutant), world.sink(Reply(400)), world.sink()
    trigger = await place.trigger(sink, dead_letter=dead.url)
    posted = await place.post(binary(**{**EVENT, "specversion": "0.3"}), b"1")
    fence = await place.send()
    await settled(world, place, trigger.group, 2 if posted.status == 202 else 1)
    return posted.status, *(
        [request.headers["ce-specversion"] for request in received if request.headers["ce-id"] != fence]
        for received in (sink.received, dead.received)
    )  # type: ignore[return-value]  # two lists


async def _filter_changed(world: World, mutant: str | None) -> list[str]:
    place, sink, every = await world.broker("absent-attribute-raises", mutant), world.sink(), world.sink()
    await place.trigger(every)
    terms = {"name": "changing", "filters": ({"not": {"exact": {"subject": "x"}}},)}
    trigger = await place.trigger(sink, **terms)
    await place.send(id="fails")
    await place.send(id="before", subject="y")
    await settled(world, place, trigger.group, 2)
    await place.trigger(sink, **terms | {"filters": ({"exact": {"type": "new"}},)})
    await place.send(id="after", type="new")
    await until(lambda: "after" in every.ids)
    await asyncio.sleep(0.3)
    return sink.ids


async def _reply_traced(world: World, mutant: str | None) -> tuple[bool, bool]:
    place, replied = await world.broker(mutant), world.sink()
    sink = world.sink(Reply(200, binary(**{**EVENT, "type": "r"}), b"1"))
    await place.trigger(sink, filter={"attributes": {"type": "t"}})
    await place.trigger(replied, filter={"attributes": {"type": "r"}})
    await place.post({**binary(**EVENT), "traceparent": PARENT}, b"1")
    await until(lambda: bool(replied.received))
    return "traceparent" in sink.received[0].headers, "traceparent" in replied.received[0].headers


async def _ack(world: World, mutant: str | None) -> bool:
    place = await world.broker(mutant)
    began = asyncio.get_running_loop().time()
    await place.send()
    return asyncio.get_running_loop().time() - began < 0.9


async def _dispatch(world: World, mutant: str | None) -> bool:
    place, sink = await world.broker(mutant), world.sink()
    await place.trigger(sink)
    began = asyncio.get_running_loop().time()
    await asyncio.gather(*(place.send() for _ in range(20)))
    await until(lambda: len(sink.received) == 20)
    assert asyncio.get_running_loop().time() - began < 5, "they hold each other up"
    return asyncio.get_running_loop().time() - began < 1.2


def without(name: str) -> dict[str, str]:
    return binary(**{key: value for key, value in EVENT.items() if key != name})


def structured(**members: Any) -> bytes:
    return json.dumps({**EVENT, **members}).encode()


REPLY = binary(**{**EVENT, "source": "/reply", "type": "r"})
TOO_LARGE = Reply(200, REPLY, bytes(1_500_000))
STRUCTURED_REPLY = Reply(200, JSON, structured(source="/reply", type="r"))
LEGACY = {"filter": {"attributes": {"type": "a", "subject": "x"}}}
K = {"partitionkey": "k"}
A, B, AX, BX = {"type": "a"}, {"type": "b"}, {"type": "a", "subject": "x"}, {"type": "b", "subject": "x"}


def dialect(**expression: Any) -> dict[str, Any]:
    return {"filters": (expression,)}


def sql(expression: str, *events: Mapping[str, Any]) -> Observe:
    """Observe which of the events a Trigger with a CESQL expression gets."""
    return matches(*events, **dialect(cesql=expression))


@dataclass(frozen=True)
class Row:
    """An observation, and what it is under the honest platform and under the mutant."""

    observe: Observe
    honest: Any
    faulty: Any


# The rows of what was observed restate the measurements on the Kafka Broker 1.22.3.
def too_short(world: World, mutant: str | None) -> Awaitable[Any]:
    return _retried(world, mutant, "PT0.02S")


async def _retried(world: World, mutant: str | None, delay: str) -> tuple[int, list[str]]:
    place, sink, dead = await world.broker(mutant), world.sink(Reply(503)), world.sink()
    terms = {"retry": 2, "backoffPolicy": "exponential", "backoffDelay": delay}
    trigger = await place.trigger(sink, delivery=terms, dead_letter=dead.url)
    await place.send()
    await settled(world, place, trigger.group, 1)
    return len(sink.received), sorted(name for name in dead.received[0].headers if "knativeerror" in name)


async def _linear_gaps(world: World, mutant: str | None) -> list[float]:
    place, sink = await world.broker(mutant), world.sink(Reply(503))
    delivery = {"retry": 3, "backoffPolicy": "linear", "backoffDelay": "PT0.4S"}
    trigger = await place.trigger(sink, delivery=delivery)
    await place.send()
    await settled(world, place, trigger.group, 1)
    times = [request.at for request in sink.received]
    # Measured: 0.52, 0.85 and 1.25 s at 400 ms, on a loaded machine.
    return [math.floor((after - before) / 0.4 + 0.01) for before, after in itertools.pairwise(times)]


def redirected(status: int) -> Observe:
    """Observe what comes to the place that a redirect names, and how many dead letters there are."""

    async def observe(world: World, mutant: str | None) -> tuple[list[str], int]:
        place, elsewhere, dead = await world.broker(mutant), world.sink(), world.sink()
        sink = world.sink(Reply(status, {"Location": elsewhere.url}))
        trigger = await place.trigger(sink, dead_letter=dead.url)
        await place.send()
        await settled(world, place, trigger.group, 1)
        return [request.method for request in elsewhere.received], len(dead.received)

    return observe


def stalling(headers: Mapping[str, str]) -> Observe:
    """Observe the dead letters, and how far the group is, when the second of four events is answered with headers."""

    async def observe(world: World, mutant: str | None) -> tuple[int, int]:
        place, dead = await world.broker(mutant, partitions=1), world.sink()
        sink = world.sink(Reply(), Reply(500, headers), Reply())
        trigger = await place.trigger(sink, dead_letter=dead.url)
        for _ in range(4):
            await place.send()
        await until(lambda: len(sink.received) == 4)
        await settled(world, place, trigger.group, 1 if mutant else 4)
        return len(dead.received), await world.committed(place.spec.topic, trigger.group)

    return observe


def one_event(
    *script: Reply, letters: tuple[Reply, ...] = (), look: Callable[[Sink, Sink], Any] | None = None, **delivery: Any
) -> Observe:
    """Observe how often one event comes to the subscriber, and how often to the dead letter sink."""

    async def observe(world: World, mutant: str | None) -> Any:
        place, sink, dead = await world.broker(mutant), world.sink(*script), world.sink(*letters)
        terms = {"filter": {"attributes": {"type": "t"}}, "delivery": delivery, "dead_letter": dead.url}
        trigger = await place.trigger(sink, **terms)
        await place.send(ext="x")
        await settled(world, place, trigger.group, 1)
        return look(sink, dead) if look is not None else (len(sink.received), len(dead.received))

    return observe


def gaps(grain: float) -> Callable[[Sink, Sink], list[int]]:
    """Return the waits before retries, in multiples of a time."""

    def look(sink: Sink, _dead: Sink) -> list[int]:
        times = [request.at for request in sink.received]
        return [math.floor((after - before) / grain + 0.01) for before, after in itertools.pairwise(times)]

    return look


def reply_records(look: Callable[[list[Record]], Any], reply: Mapping[str, str]) -> Observe:
    """Observe the records of a topic once a reply is stored."""

    async def observe(world: World, mutant: str | None) -> Any:
        place = await world.broker(mutant, partitions=1)
        trigger = await place.trigger(world.sink(Reply(200, reply, b"1")), filter={"attributes": {"type": "t"}})
        await place.send()
        await settled(world, place, trigger.group, 1)
        return look(await place.records(await place.count()))

    return observe


def burst(count: int) -> Observe:
    """Observe the number of requests that so many events make."""

    async def observe(world: World, mutant: str | None) -> int:
        place, sink = await world.broker(mutant), world.sink()
        trigger = await place.trigger(sink)
        await asyncio.gather(*(place.send() for _ in range(count)))
        await settled(world, place, trigger.group, count)
        return len(sink.received)

    return observe


async def _half_answer(world: World, mutant: str | None) -> int:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = "".join(f"{name}: {value}\r\n" for name, value in REPLY.items())
        writer.write(f"HTTP/1.1 200 OK\r\n{head}Content-Length: 10\r\n\r\n12345".encode())
        writer.close()

    place, dead = await world.broker(mutant), world.sink()
    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        trigger = await place.trigger(f"http://{host}:{port}/", dead_letter=dead.url)
        await place.send()
        await settled(world, place, trigger.group, 1)
    return len(dead.received)


async def _side_by_side(world: World, mutant: str | None) -> bool:
    place, sink = await world.broker(mutant, partitions=1), world.sink(Reply(delay=0.5))
    await place.trigger(sink)
    for _ in range(2):
        await place.send()
    await until(lambda: len(sink.received) == 2)
    return sink.received[1].at - sink.received[0].at < 0.45


async def _beside_a_slow_one(world: World, mutant: str | None) -> bool:
    place, slow, fast = await world.broker(mutant), world.sink(Reply(delay=1.0)), world.sink()
    await place.trigger(slow, filter={"attributes": {"type": "slow"}})
    await place.trigger(fast, filter={"attributes": {"type": "fast"}})
    await place.send(type="slow")
    await until(lambda: bool(slow.received))
    await place.send(type="fast")
    await until(lambda: bool(fast.received))
    return fast.received[0].at - slow.received[0].at < 0.9


async def _early_events(world: World, mutant: str | None) -> list[str]:
    place, sink = await world.broker(mutant, partitions=1), world.sink()
    await place.send(id="before")
    trigger = await place.trigger(sink)
    await place.send(id="after")
    await settled(world, place, trigger.group, 2)
    return sorted(sink.ids)


async def _back_again(world: World, mutant: str | None) -> list[str]:
    place, sink = await world.broker(mutant, partitions=1), world.sink()
    trigger = await place.trigger(sink, name="back")
    await place.send(id="1")
    await settled(world, place, trigger.group, 1)
    await world.plane.remove_trigger(trigger.namespace, trigger.name)
    await place.send(id="2")
    await place.trigger(sink, name="back")
    await place.send(id="3")
    await settled(world, place, trigger.group, 3)
    return sorted(sink.ids)


async def _one_late(world: World, mutant: str | None) -> bool:
    place, sink = await world.broker(mutant), world.sink()
    await place.trigger(sink)
    await asyncio.gather(*(place.send() for _ in range(50)))
    await until(lambda: len(sink.received) == 50)
    times = sorted(request.at for request in sink.received)
    return times[-1] - times[-2] < 0.5


NO_TEXT = [json.dumps({**EVENT, "partitionkey": key}).encode() for key in (7, True, -1, "seven")]

NUMBERS = b'{"b": 1.0, "a": 1e2, "big": 9007199254740993}'

ROWS: dict[str, Row] = {
    "json-printed-again": Row(
        arrives(
            lambda got: got.body, b'{"specversion":"1.0","id":"st","source":"/s","type":"t","data":%b}' % NUMBERS, JSON
        ),
        NUMBERS,
        b'{"b":1.0,"a":100.0,"big":9007199254740993}',
    ),
    "older-specversion-accepted": Row(_older, (400, [], []), (202, ["0.3"], ["1.0"])),
    "consumer-never-closes": Row(_filter_changed, ["before", "after"], ["before"]),
    "short-delay-no-retry": Row(
        too_short, (3, ["ce-knativeerrorcode", "ce-knativeerrordest"]), (1, ["ce-knativeerrordest"])
    ),
    "linear-waits-grow": Row(_linear_gaps, [1, 1, 1], [1, 2, 3]),
    "see-other-followed": Row(redirected(303), ([], 1), (["GET"], 0)),
    "redirects-followed": Row(redirected(307), ([], 1), (["GET"], 0)),
    "kne-header-stalls": Row(stalling({"Kne-Foo-Bar": "x"}), (1, 4), (0, 1)),
    "hostile-header-stalls": Row(stalling({"X-Reason": "x" * 2000}), (1, 4), (0, 1)),
    "not-modified-is-success": Row(attempts(304), (1, 1), (1, 0)),
    "only-200-and-202-succeed": Row(attempts(204), (1, 0), (4, 1)),
    "half-answer-is-success": Row(_half_answer, 1, 0),
    "timeout-ignored": Row(one_event(Reply(delay=0.5), timeout="PT0.2S"), (1, 1), (1, 0)),
    "timeout-cut-short": Row(one_event(Reply(delay=1.3), timeout="PT10S"), (1, 0), (1, 1)),
    "retries-unasked": Row(one_event(Reply(500)), (1, 1), (4, 1)),
    "backoff-always-linear": Row(one_event(Reply(500), look=gaps(0.2), retry=2, backoffDelay="PT0.2S"), [2, 4], [1, 1]),
    "dead-letter-stripped": Row(
        one_event(Reply(400), look=lambda _, dead: dead.received[0].headers.get("ce-ext")), "x", None
    ),
    "dead-letter-tried-once": Row(
        one_event(Reply(400), letters=(Reply(503), Reply()), retry=1, backoffDelay="PT0.05S"), (1, 2), (1, 1)
    ),
    "dead-letter-after-success": Row(attempts(500, 200), (2, 0), (2, 1)),
    "reply-loss-not-retried": Row(one_event(TOO_LARGE, Reply(), retry=2, backoffDelay="PT0.05S"), (2, 0), (1, 1)),
    "reply-loss-is-success": Row(one_event(TOO_LARGE, Reply(), retry=2, backoffDelay="PT0.05S"), (2, 0), (1, 0)),
    "reply-doubled": Row(reply_records(len, REPLY), 2, 3),
    "reply-answers-back": Row(one_event(Reply(200, REPLY, b"1")), (1, 0), (2, 0)),
    "reply-stripped": Row(
        reply_records(lambda kept: dict(kept[-1].headers).get("ce_ext"), {**REPLY, "ce-ext": "x"}), b"x", None
    ),
    "failing-answer-replies": Row(replying(Reply(400, REPLY, b"1")), (0, 1), (1, 0)),
    "one-in-fifty-doubled": Row(burst(100), 100, 102),
    "one-in-hundred-lost": Row(burst(100), 100, 99),
    "one-in-hundred-late": Row(_one_late, honest=True, faulty=False),
    "unordered-one-at-a-time": Row(_side_by_side, honest=True, faulty=False),
    "slow-blocks-others": Row(_beside_a_slow_one, honest=True, faulty=False),
    "begins-at-earliest": Row(_early_events, ["after"], ["after", "before"]),
    "recreated-trigger-resumes": Row(_back_again, ["1", "3"], ["1", "2", "3"]),
    "partitionkey-breaks-ingress": Row(
        stored(*[(JSON, body) for body in NO_TEXT]), ([400, 400, 400, 202], 1), ([503, 503, 503, 202], 1)
    ),
    "too-large-is-503": Row(status(binary(**EVENT), bytes(1_100_000)), 413, 503),
    "too-large-acknowledged": Row(stored((binary(**EVENT), bytes(1_100_000))), ([413], 0), ([202], 0)),
    "large-load-dropped": Row(_large_load, honest=True, faulty=False),
    "allow-not-told": Row(allowing("OPTIONS"), (405, "POST"), (405, None)),
    "path-by-prefix": Row(at_paths("/more", "x", ""), [404, 404, 202], [202, 404, 202]),
    "path-to-the-letter": Row(at_paths("/", "?a=/", ""), [202, 202, 202], [404, 404, 202]),
    "chunked-refused": Row(_chunked, (202, b"12"), (411, None)),
    "bad-time-invented": Row(
        stored((binary(**EVENT, time="soon"), b"1"), (binary(**EVENT, time="2025-07-02T08:20:12Z"), b"1")),
        ([400, 202], 1),
        ([202, 202], 2),
    ),
    "time-in-milliseconds": Row(
        kept("ce_time", time="2025-07-02T08:20:12.1234567Z"),
        b"2025-07-02T08:20:12.1234567Z",
        b"2025-07-02T08:20:12.123Z",
    ),
    "uri-syntax-unchecked": Row(
        stored(
            (binary(**{**EVENT, "source": "/a<b>"}), b""),
            (binary(**EVENT, dataschema="no/scheme"), b""),
            (binary(**{**EVENT, "source": ""}), b""),
            (binary(**EVENT, dataschema=""), b""),
        ),
        ([400] * 4, 0),
        ([202, 202, 400, 400], 2),
    ),
    "media-type-unchecked": Row(
        stored((JSON, structured(datacontenttype="json")), (JSON, structured(datacontenttype=""))),
        ([400, 400], 0),
        ([202, 400], 1),
    ),
    "datacontenttype-cut": Row(
        kept("content-type", datacontenttype="text/plain; charset=utf-8"), b"text/plain; charset=utf-8", b"text/plain"
    ),
    "empty-optional-attributes-accepted": Row(
        stored(*[(JSON, structured(**{name: ""})) for name in ("subject", "dataschema", "datacontenttype", "time")]),
        ([400] * 4, 0),
        ([202, 202, 202, 400], 3),
    ),
    "control-characters-accepted": Row(
        stored(*[(JSON, structured(subject=text)) for text in ("a\nb", "\x7f", "\ufffe", "\ud800", "")]),
        ([400] * 5, 0),
        ([202, 202, 202, 400, 400], 3),
    ),
    "last-header-wins": Row(stored(([*binary(**EVENT).items(), ("ce-type", "other")], b"")), ([400], 0), ([202], 1)),
    "datacontenttype-header-ignored": Row(
        stored(({**binary(**EVENT), "ce-datacontenttype": "a/b"}, b"")), ([400], 0), ([202], 1)
    ),
    "header-names-case-sensitive": Row(
        status({name.upper(): value for name, value in binary(**EVENT).items()}), 202, 400
    ),
    "headers-beat-envelope": Row(_both_modes, (b"inner", b"1"), (b"outer", structured(id="inner", data=1))),
    "many-attributes-dropped": Row(record(lambda kept: len(kept.headers), **{f"x{n}": "1" for n in range(60)}), 65, 40),
    "long-attributes-cut": Row(
        record(lambda kept: len(dict(kept.headers)["ce_subject"] or b""), subject="x" * 6000), 6000, 4096
    ),
    "last-member-wins": Row(
        stored((JSON, structured()[:-1] + b', "id": "2"}'), (JSON, b"{")), ([400, 400], 0), ([202, 400], 1)
    ),
    "json-text-unquoted": Row(data_of({"data": "x"}, {"data": 5}), [b'"x"', b"5"], [b"x", b"5"]),
    "null-data-dropped": Row(data_of({"data": None}, {}), [b"null", None], [None, None]),
    "base64-left-encoded": Row(data_of({"data_base64": "AAE="}), [b"\x00\x01"], [b"AAE="]),
    "base64-forgiven": Row(
        stored(
            (JSON, structured(data_base64="?")),
            (JSON, structured(data_base64=5)),
            (JSON, structured(data=1, data_base64="AAE=")),
        ),
        ([400] * 3, 0),
        ([202] * 3, 3),
    ),
    "text-data-quoted": Row(
        data_of({"data": "x", "datacontenttype": "text/plain"}, {"data": "x"}), [b"x", b'"x"'], [b'"x"', b'"x"']
    ),
    "implied-type-omitted": Row(told("content-type", data=1), b"application/json", None),
    "extensions-in-python": Row(told("ce_ext", ext=True), b"true", b"True"),
    "any-value-as-text": Row(
        stored(*[(JSON, structured(**members)) for members in ({"ext": 1.5}, {"ext": [1]}, {"id": 5}, {"time": 5})]),
        ([400] * 4, 0),
        ([202, 202, 202, 400], 3),
    ),
    "record-headers-percent-encoded": Row(told("ce_subject", subject="a €"), "a €".encode(), b"a%20%E2%82%AC"),
    "content-type-invented": Row(told("content-type", data_base64="AAE="), None, b"application/octet-stream"),
    "no-data-as-empty-value": Row(data_of({}), [None], [b""]),
    "id-as-key": Row(record(lambda kept: kept.key, id="7"), None, b"7"),
    "attributes-leave-as-latin-1": Row(
        arrives(lambda got: got.headers["content-type"], datacontenttype='text/plain; a="€ 😀 %"'),
        'text/plain; a="€ 😀 %"',
        'text/plain; a="? ?? %"',
    ),
    "offset-attributes-added": Row(
        arrives(lambda got: sorted(name for name in got.headers if name.startswith("ce-knativekafka"))),
        [],
        ["ce-knativekafkaoffset", "ce-knativekafkapartition"],
    ),
    "ingress-acks-without-storing": Row(_concurrent, honest=True, faulty=False),
    "dataless-event-dropped": Row(
        stored((binary(**EVENT), b""), (binary(**EVENT), b"1")), ([202] * 2, 2), ([202] * 2, 1)
    ),
    "structured-refused": Row(status(JSON, structured()), 202, 400),
    "missing-id-invented": Row(stored((without("id"), b""), (without("type"), b"")), ([400] * 2, 0), ([202, 400], 1)),
    "empty-attributes-accepted": Row(
        stored((binary(**{**EVENT, "id": ""}), b""), (without("id"), b"")), ([400] * 2, 0), ([202, 400], 1)
    ),
    "any-specversion-accepted": Row(
        stored((binary(**{**EVENT, "specversion": "9"}), b""), (without("specversion"), b"")),
        ([400] * 2, 0),
        ([202, 400], 1),
    ),
    "malformed-structured-accepted": Row(
        stored(
            (JSON, b"{"),
            (JSON, b""),
            ({"Content-Type": "application/cloudevents+avro"}, b"x"),
            (JSON, b'{"id": "1"}'),
            ({"Content-Type": "application/cloudevents-batch+json"}, b"[]"),
        ),
        ([400] * 5, 0),
        ([202, 202, 202, 400, 400], 0),
    ),
    "batch-as-one-event": Row(
        stored(({"Content-Type": "application/cloudevents-batch+json"}, b"[%b, %b]" % (structured(), structured()))),
        ([400], 0),
        ([202], 1),
    ),
    "attribute-names-mangled": Row(
        stored((binary(**EVENT, bad_name="x"), b""), (JSON, structured(**{"Bad-Name": "x"}))),
        ([400] * 2, 0),
        ([202] * 2, 2),
    ),
    "media-type-case-sensitive": Row(status({"Content-Type": "Application/CloudEvents+JSON"}, structured()), 202, 400),
    "any-method-accepted": Row(status(binary(**EVENT), method="PUT"), 405, 202),
    "unknown-broker-accepted": Row(_unknown_broker, 404, 202),
    "truncates-large-data": Row(arrives(lambda got: len(got.body), b"x" * 65_536), 65_536, 32_768),
    "percent-encoding-ignored": Row(
        record(lambda kept: dict(kept.headers)["ce_subject"], subject="a%20b"), b"a b", b"a%20b"
    ),
    "first-trigger-only": Row(_fan_out, (1, 1), (1, 0)),
    "half-body-stored": Row(_half_body, 1, 2),
    "slow-body-refused": Row(_slow_body, 202, 408),
    "stalled-upload-blocks": Row(_beside_a_stalled_one, honest=True, faulty=False),
    "broken-uploads-leak": Row(_after_broken_ones, 202, 500),
    "one-in-hundred-doubled": Row(burst(100), 100, 101),
    "one-in-two-hundred-late": Row(_one_late_of_hundred, honest=True, faulty=False),
    "one-in-fifty-lettered-after-retry": Row(letters_of(50), 0, 1),
    "one-in-fifty-redirects-followed": Row(followed(50), 0, 1),
    "one-in-ten-begins-at-earliest": Row(_ten_new_triggers, 0, 1),
    "answers-before-stored": Row(_ingress_killed, honest=True, faulty=False),
    "restart-skips-in-flight": Row(restarted(Reply(delay=30.0), Reply(), sent=1), [0, 0, 1], [0, 1]),
    "restart-begins-at-end": Row(restarted(Reply(delay=30.0), Reply(), sent=1), [0, 0, 1], [0, 1]),
    "restart-begins-at-earliest": Row(restarted(sent=2), [0, 1, 2], [0, 0, 1, 1, 2]),
    "restart-goes-back": Row(restarted(sent=4), [0, 1, 2, 3, 4], [0, 1, 1, 2, 2, 3, 3, 4]),
    "sixteen-triggers-at-most": Row(_crowd, 17, 16),
    "same-destination-once": Row(_same_destination, 2, 1),
    "delivers-twice": Row(attempts(200), (1, 0), (2, 0)),
    "deduplicates-by-id": Row(_duplicates, 2, 1),
    "ready-before-consuming": Row(_late_trigger, 2, 1),
    "no-prefer-reply": Row(arrives(lambda got: got.headers.get("prefer")), "reply", None),
    "data-through-text": Row(arrives(lambda got: got.body, b"a\xff"), b"a\xff", b"a\xef\xbf\xbd"),
    "extensions-dropped": Row(arrives(lambda got: got.headers.get("ce-ext"), ext="x"), "x", None),
    "record-headers-hyphenated": Row(
        record(lambda kept: sorted(name for name, _ in kept.headers if "ext" in name or "_id" in name), ext="x"),
        ["ce_ext", "ce_id"],
        ["ce-ext", "ce_id"],
    ),
    "partitionkey-ignored": Row(record(lambda kept: kept.key, partitionkey="k"), b"k", None),
    "order-ignored": Row(_order, honest=True, faulty=False),
    "structured-record-skipped": Row(_structured_record, ["1"], []),
    "foreign-record-eats-next": Row(_foreign, ["first", "second"], ["second"]),
    "empty-filter-matches-none": Row(matches(A, filter={"attributes": {}}), [0], []),
    "attributes-ored": Row(matches(A, AX, BX, B, **LEGACY), [1], [0, 1, 2]),
    "filter-ignores-case": Row(matches(A, {"type": "A"}, filter={"attributes": A}), [0], [0, 1]),
    "empty-value-matches-absent": Row(matches(A, AX, filter={"attributes": {"subject": ""}}), [1], [0, 1]),
    "absent-attribute-matches": Row(matches(A, AX, B, **LEGACY), [1], [0, 1]),
    "extensions-invisible-to-filters": Row(matches({"ext": "x"}, filter={"attributes": {"ext": "x"}}), [0], []),
    "exact-as-prefix": Row(matches({"type": "ab"}, A, **dialect(exact=A)), [1], [0, 1]),
    "prefix-as-contains": Row(matches({"type": "ba"}, A, **dialect(prefix=A)), [1], [0, 1]),
    "suffix-as-contains": Row(matches({"type": "ab"}, A, **dialect(suffix=A)), [1], [0, 1]),
    "all-as-any": Row(matches(A, AX, **dialect(all=[{"exact": A}, {"exact": {"subject": "x"}}])), [1], [0, 1]),
    "any-as-all": Row(matches(A, AX, **dialect(any=[{"exact": A}, {"exact": {"subject": "x"}}])), [0, 1], [1]),
    "absent-attribute-raises": Row(matches(A, AX, **dialect(**{"not": {"exact": {"subject": "y"}}})), [0, 1], [1]),
    "not-ignored": Row(matches(A, B, **dialect(**{"not": {"exact": A}})), [1], [0]),
    "double-negation-lost": Row(matches(A, B, **dialect(**{"not": {"not": {"exact": A}}})), [0], [1]),
    "all-looks-at-two": Row(matches(A, B, **dialect(all=[{"exact": A}, {"exact": A}, {"exact": B}])), [], [0]),
    "any-looks-at-two": Row(matches(A, B, **dialect(any=[{"exact": A}, {"exact": A}, {"exact": B}])), [0, 1], [0]),
    "filters-see-eight-attributes": Row(
        matches({**A, **{f"x{number}": "1" for number in range(5)}}, **dialect(exact={"x4": "1"})), [0], []
    ),
    "filters-ored": Row(matches(A, AX, filters=({"exact": A}, {"exact": {"subject": "x"}})), [1], [0, 1]),
    "filter-beats-filters": Row(matches(A, B, filter={"attributes": A}, filters=({"exact": B},)), [1], [0]),
    "cesql-keywords-case-sensitive": Row(sql("type = 'a' and true", A, B), [0], []),
    "cesql-not-takes-first-operand": Row(sql("NOT (type = 'b' OR type = 'a')", A, {"type": "c"}), [1], [0, 1]),
    "cesql-and-before-or": Row(sql("TRUE OR FALSE AND type = 'b'", A, B), [1], [0, 1]),
    "cesql-text-ignores-case": Row(sql("type = 'A'", A, {"type": "A"}), [1], [0, 1]),
    "cesql-compares-as-text": Row(sql("n = 5", {"n": "05"}, {"n": "5"}), [0, 1], [1]),
    "cesql-integers-as-text": Row(sql("n > 9", {"n": "10"}, {"n": "8"}), [0], []),
    "cesql-like-as-contains": Row(sql("type LIKE 'a'", A, {"type": "ab"}), [0], [0, 1]),
    "cesql-like-escapes-ignored": Row(sql(r"type LIKE 'a\_'", {"type": "a_"}, {"type": "ab"}), [0], [0, 1]),
    "cesql-exists-ignores-extensions": Row(sql("EXISTS n", {"n": "1"}, A), [0], []),
    "cesql-in-casts-left": Row(sql("type IN (TRUE)", {"type": "TRUE"}, {"type": "true"}), [1], [0, 1]),
    "cesql-both-operands-evaluated": Row(sql("type = 'a' OR subject = 'x'", A, AX, BX), [0, 1, 2], [1, 2]),
    "cesql-division-floors": Row(sql("n / 2 = -3", {"n": "-7"}, {"n": "-6"}), [0, 1], [1]),
    "cesql-substring-from-zero": Row(sql("SUBSTRING(type, 1) = 'ab'", {"type": "ab"}, {"type": "xab"}), [0], [1]),
    "cesql-errors-ignored": Row(sql("1 / n = 0", {"n": "0"}, {"n": "2"}), [1], [0, 1]),
    "cesql-as-sdk-java": Row(sql("TRUE OR 1 / n = 0 AND type = 'a'", {"n": "0"}, {"n": "0", **A}), [1], [0, 1]),
    "cesql-truthy": Row(sql("type", {"type": "true"}, A), [], [0]),
    "cesql-missing-is-empty": Row(sql("subject != 'x'", A, AX, {"subject": "y"}), [2], [0, 2]),
    "cesql-error-stops-trigger": Row(sql("subject = 'x'", {**A, **K}, {**AX, **K}), [1], []),
    "retries-one-short": Row(attempts(500, 500, 500, 200), (4, 0), (3, 1)),
    "retries-everything": Row(attempts(400), (1, 1), (4, 1)),
    "retries-only-5xx": Row(attempts(429, 200), (2, 0), (1, 1)),
    "no-backoff": Row(_gaps, honest=True, faulty=False),
    "connection-error-dropped": Row(_refused_connection, 1, 0),
    "dead-letter-skipped": Row(attempts(500, retry=1), (2, 1), (2, 0)),
    "dead-letter-bare": Row(
        attempts(400, look=lambda got: sorted(name for name in got[0].headers if "knative" in name)),
        (1, ["ce-knativeerrorcode", "ce-knativeerrordest"]),
        (1, []),
    ),
    "reply-dropped": Row(replying(Reply(200, REPLY, b"1")), (1, 0), (0, 0)),
    "structured-reply-dropped": Row(replying(STRUCTURED_REPLY), (1, 0), (0, 0)),
    "reply-on-202": Row(replying(Reply(202, REPLY, b"1")), (0, 0), (1, 0)),
    "empty-reply-is-failure": Row(replying(Reply(200)), (0, 0), (0, 1)),
    "malformed-reply-ignored": Row(replying(Reply(200, {}, b"text")), (0, 1), (0, 0)),
    "trace-dropped": Row(
        arrives(lambda got: "traceparent" in got.headers, headers={"traceparent": PARENT}),
        honest=True,
        faulty=False,
    ),
    "trace-cross-talk": Row(_traces, honest=True, faulty=False),
    "reply-trace-dropped": Row(_reply_traced, (True, True), (True, False)),
    "ce-traceparent-rewritten": Row(
        arrives(lambda got: got.headers["ce-traceparent"] == PARENT, traceparent=PARENT),
        honest=True,
        faulty=False,
    ),
    "slow-ingress": Row(_ack, honest=True, faulty=False),
    "slow-dispatch": Row(_dispatch, honest=True, faulty=False),
}


def test_the_table_has_no_row_for_what_is_no_mutant() -> None:
    assert set(ROWS) <= set(names(DATA_PLANE))


@pytest.mark.parametrize("name", names(DATA_PLANE))
async def test_a_mutant_does_what_it_says(world: World, name: str) -> None:
    row = row_of(name, ROWS, __file__)
    assert await row.observe(world, None) == row.honest
    assert await row.observe(world, name) == row.faulty


async def test_three_mutants_apply_at_once(world: World) -> None:
    # Two wrap one policy, the third replaces another; honestly there are four attempts, 2 s apart.
    place = await world.broker("retries-one-short", "no-backoff", "dead-letter-bare")
    sink, dead = world.sink(Reply(500)), world.sink()
    slow = {"retry": 3, "backoffPolicy": "linear", "backoffDelay": "PT2S"}
    trigger = await place.trigger(sink, delivery=slow, dead_letter=dead.url)
    await place.send()
    await settled(world, place, trigger.group, 1)
    assert len(sink.received) == 3
    assert sink.received[-1].at - sink.received[0].at < 2
    assert [name for name in dead.received[0].headers if "knative" in name] == []


async def test_an_ordered_trigger_keeps_its_traces_under_cross_talk(world: World) -> None:
    assert await _traces(world, "trace-cross-talk", ordered=True)


async def test_one_event_alone_keeps_its_trace_under_cross_talk(world: World) -> None:
    observe = arrives(lambda got: PARENT.split("-")[1] in got.headers["traceparent"], headers={"traceparent": PARENT})
    assert await observe(world, "trace-cross-talk")


def test_the_catalogue_has_every_mutant_of_the_platform_with_its_source() -> None:
    listed = tomllib.loads((Path(__file__).parents[2] / "suites" / "catalogue" / "mutants.toml").read_text())["mutant"]
    sources = {mutant["name"]: mutant["source"] for mutant in listed if mutant["host"] == "platform"}
    assert sorted(set(sources) - set(names(divergences=False))) == [], (
        "write a function of each under @mutant in embedded/mutants/"
    )
    assert sorted(set(names(divergences=False)) - set(sources)) == [], (
        "write an entry of each in suites/catalogue/mutants.toml"
    )
    assert all(sources.values())
