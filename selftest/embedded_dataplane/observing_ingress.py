"""What a client of the ingress can see of the data plane, and what stands in a topic then."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

from aiohttp import ClientSession, TCPConnector

from embedded.dataplane.cloudevents import Record
from selftest.embedded_dataplane.observing import EVENT, JSON, Observe, settled, structured
from selftest.embedded_dataplane.world import HANG, Place, Reply, World, binary, until


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


def values(headers: Mapping[str, str], body: bytes) -> Observe:
    """Observe the answer, and the values of the records that it made."""

    async def observe(world: World, mutant: str | None) -> tuple[int, list[bytes | None]]:
        place = await world.broker(mutant, partitions=1)
        answer = (await place.post(headers, body)).status
        await place.send(id="fence")
        return answer, [record.value for record in (await place.records(await place.count()))[:-1]]

    return observe


@asynccontextmanager
async def on_one_connection(world: World, mutant: str | None) -> AsyncIterator[Place]:
    """Have a Broker whose requests share a connection for as long as the ingress leaves it open."""
    place = await world.broker(mutant, partitions=1)
    async with ClientSession(connector=TCPConnector(limit=1)) as http:
        yield replace(place, world=replace(world, http=http))


async def next_on_connection(world: World, mutant: str | None) -> bytes | None:
    """Observe what an event has of an attribute that only the one before it on the connection had."""
    async with on_one_connection(world, mutant) as place:
        await place.send(ext="x")
        await place.send()
        return dict((await place.records(2))[1].headers).get("ce_ext")


async def behind_a_refusal(world: World, mutant: str | None) -> tuple[list[int], list[bytes]]:
    """Observe the answers to a refused request and to the next on its connection, and the data that are stored."""
    inside = "\r\n".join(f"{name}: {value}" for name, value in binary(**EVENT).items())
    async with on_one_connection(world, mutant) as place:
        answers = [(await place.post(JSON, f"POST / HTTP/1.1\r\n{inside}\r\n\r\ninside".encode())).status]
        answers.append((await place.post(binary(**EVENT), b"own")).status)
        await place.send(b"fence")
        return answers, [record.value or b"" for record in await place.records(await place.count())]


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


async def concurrent(world: World, mutant: str | None) -> bool:
    place = await world.broker(mutant, partitions=1)
    answers = await asyncio.gather(*(place.post(binary(**{**EVENT, "id": str(number)})) for number in range(40)))
    assert {answer.status for answer in answers} == {202}
    return await place.count() == 40


async def large_load(world: World, mutant: str | None) -> bool:
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


async def chunked(world: World, mutant: str | None) -> tuple[int, bytes | None]:
    place = await world.broker(mutant, partitions=1)
    answered = await _in_pieces(place, b"1", b"2")
    await place.send(b"fence")
    first = (await place.records(1))[0].value
    return answered, first if answered == 202 else None


async def absolute_target(world: World, mutant: str | None) -> int:
    """Observe the answer to an event whose request line names the whole URL of a Broker."""
    place = await world.broker(mutant)
    reader, writer = await asyncio.open_connection(*world.ingress.removeprefix("http://").split(":"))
    try:
        writer.write(head(place, size=1).replace(b"POST /", f"POST {world.ingress}/".encode(), 1) + b"1")
        return int((await reader.readline()).split()[1])
    finally:
        writer.close()


async def both_modes(world: World, mutant: str | None) -> tuple[bytes | None, bytes | None]:
    place = await world.broker(mutant, partitions=1)
    headers = {**binary(**{**EVENT, "id": "outer"}), **JSON}
    assert (await place.post(headers, structured(id="inner", data=1))).status == 202
    made = (await place.records(1))[0]
    return dict(made.headers)["ce_id"], made.value


async def unknown_broker(world: World, mutant: str | None) -> int:
    place = await world.broker(mutant)
    return (await place.post(binary(**EVENT), path=f"/{place.spec.namespace}/nobody")).status


def head(place: Place, *more: str, size: int = 8) -> bytes:
    """Return the head of a request with an event, and with further fields as they stand."""
    lines = [f"POST /{place.spec.namespace}/{place.spec.name} HTTP/1.1", "Host: ingress", f"Content-Length: {size}"]
    lines += [f"{name}: {value}" for name, value in binary(**EVENT).items()]
    return "\r\n".join([*lines, *more, "", ""]).encode()


async def upload(
    place: Place, *parts: bytes, pause: float = 0.0, over: asyncio.Event | None = None, whole: bool = True
) -> int:
    """Post an event whose body of eight bytes comes in parts; return the status, 0 without an answer.

    Args:
        place: The Broker.
        parts: The parts of the body.
        pause: The seconds before each part but the first.
        over: What ends a pause early.
        whole: Whether these parts are all of the body.
    """
    reader, writer = await asyncio.open_connection(*place.world.ingress.removeprefix("http://").split(":"))
    try:
        writer.write(head(place))
        for number, part in enumerate(parts):
            if number:
                with suppress(TimeoutError):
                    await asyncio.wait_for((over or asyncio.Event()).wait(), pause)
            writer.write(part)
            await writer.drain()
        if not whole:
            await asyncio.sleep(0.1)
            writer.write_eof()
        answer = await reader.readline()
    finally:
        writer.close()  # also where who waits for it has gone
    return int(answer.split()[1]) if answer else 0


def said_before_the_body(size: int) -> Observe:
    """Observe the first line that a client gets which waits until its body is asked for; nothing where none comes."""

    async def observe(world: World, mutant: str | None) -> bytes:
        place = await world.broker(mutant)
        reader, writer = await asyncio.open_connection(*world.ingress.removeprefix("http://").split(":"))
        try:
            writer.write(head(place, "Expect: 100-Continue", size=size))
            async with asyncio.timeout(0.5 if mutant else HANG):
                return (await reader.readline()).strip()
        except TimeoutError:
            return b""
        finally:
            writer.close()

    return observe


async def half_body(world: World, mutant: str | None) -> int:
    place = await world.broker(mutant, partitions=1)
    await upload(place, b"half", whole=False)
    await place.send(b"fence")
    await place.records(1)
    return await place.count()


async def slow_body(world: World, mutant: str | None) -> int:
    return await upload(await world.broker(mutant), b"half", b"half", pause=1.0)


def at_the_door(place: Place) -> list[str]:
    """Return a list that grows with each upload to a Broker that begins to be read ("in"), or has been ("out")."""
    brokers, key = place.world.plane._brokers, (place.spec.namespace, place.spec.name)
    mount, passed = brokers[key], list[str]()
    door = mount.policies.door

    @asynccontextmanager
    async def noted() -> AsyncIterator[None]:
        async with door():
            passed.append("in")
            yield
            passed.append("out")

    brokers[key] = replace(mount, policies=replace(mount.policies, door=noted))
    return passed


async def beside_a_stalled_one(world: World, mutant: str | None) -> bool:
    """Observe whether another event is read while an upload stalls."""
    place, over = await world.broker(mutant), asyncio.Event()
    passed = at_the_door(place)
    stalled = asyncio.create_task(upload(place, b"half", b"half", pause=0.5 if mutant else HANG, over=over))
    await until(lambda: passed == ["in"])
    await place.send()
    over.set()
    assert await stalled == 202
    return passed[1] == "in"


async def after_broken_ones(world: World, mutant: str | None) -> int:
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


async def duplicates(world: World, mutant: str | None) -> int:
    place, sink = await world.broker(mutant, partitions=1), world.sink()
    trigger = await place.trigger(sink)
    for name in ("same", "same", "fence"):
        await place.send(id=name)
    await settled(world, place, trigger.group, await place.count())
    return sink.ids.count("same")


def burst(count: int) -> Observe:
    """Observe the number of requests that so many events make."""

    async def observe(world: World, mutant: str | None) -> int:
        place, sink = await world.broker(mutant), world.sink()
        trigger = await place.trigger(sink)
        await asyncio.gather(*(place.send() for _ in range(count)))
        await settled(world, place, trigger.group, count)
        return len(sink.received)

    return observe
