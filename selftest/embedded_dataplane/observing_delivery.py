"""What subscribers can see of the data plane."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from embedded.dataplane.cloudevents import Record
from selftest.embedded_dataplane.observing import EVENT, FAST, JSON, REPLY, Observe, settled, structured
from selftest.embedded_dataplane.world import Reply, Sink, World, binary, until


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


def matched(exact: Mapping[str, str], **members: Any) -> Observe:
    """Observe whether a Trigger gets an event in structured mode, by an attribute of its own."""

    async def observe(world: World, mutant: str | None) -> list[bool]:
        place, sink = await world.broker(mutant), world.sink()
        trigger = await place.trigger(sink, filters=({"exact": exact},))
        assert (await place.post(JSON, structured(**members))).status == 202
        await settled(world, place, trigger.group, 1)
        return [bool(sink.received)]

    return observe


def attempts(
    *script: int,
    retry: int = 3,
    dead_letter: bool = True,
    look: Callable[[Any], Any] = len,
    headers: Mapping[str, str] = {},
) -> Observe:
    """Observe the number of attempts, and something of the dead letters."""

    async def observe(world: World, mutant: str | None) -> tuple[int, Any]:
        place, sink, dead = (
            await world.broker(mutant),
            world.sink(*(Reply(status, headers) for status in script)),
            world.sink(),
        )
        where = dead.url if dead_letter else None
        trigger = await place.trigger(sink, delivery={"retry": retry, **FAST}, dead_letter=where)
        await place.send()
        await settled(world, place, trigger.group, 1)
        return len(sink.received), look(dead.received)

    return observe


def request_headers(name: str, ext: str = "1") -> Observe:
    """Observe a header of the two attempts at an event with an extension."""

    async def observe(world: World, mutant: str | None) -> list[str | None]:
        place, sink = await world.broker(mutant), world.sink(Reply(503), Reply())
        await place.trigger(sink, delivery={"retry": 1, **FAST})
        await place.send(ext=ext)
        await until(lambda: len(sink.received) == 2)
        return [request.headers.get(name) for request in sink.received]

    return observe


def replying(answer: Reply, **question: Any) -> Observe:
    """Observe how many replies and how many dead letters an answer makes."""

    async def observe(world: World, mutant: str | None) -> tuple[int, int]:
        place, replied, dead = await world.broker(mutant), world.sink(), world.sink()
        caught = await place.trigger(replied, filter={"attributes": {"source": "/reply"}})
        trigger = await place.trigger(world.sink(answer), filter={"attributes": {"type": "t"}}, dead_letter=dead.url)
        await place.send(**question)
        await settled(world, place, trigger.group, 1)
        fence = await place.send(source="/reply", type="fence")
        await until(lambda: fence in replied.ids)
        await settled(world, place, caught.group, 2)
        return len(replied.received) - 1, len(dead.received)

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


async def kept_order(world: World, mutant: str | None) -> bool:
    place, sink = await world.broker(mutant), world.sink(Reply(503), Reply())
    await place.trigger(sink, ordered=True, delivery={"retry": 2, **FAST})
    for number in range(5):
        await place.send(id=str(number), partitionkey="k")
    await until(lambda: len(sink.received) == 6)
    return sink.ids[1:] == [str(number) for number in range(5)]


def behind_foreign(*headers: tuple[str, bytes | None]) -> Observe:
    """Observe which of two events are delivered behind a record that is none."""

    async def observe(world: World, mutant: str | None) -> list[str]:
        place, sink = await world.broker(mutant, partitions=1), world.sink()
        trigger = await place.trigger(sink)
        await world.producer.send(place.spec.topic, Record(None, list(headers), b"no event"))
        for name in ("first", "second"):
            await place.send(id=name)
        await settled(world, place, trigger.group, 3)
        return sorted(sink.ids)

    return observe


async def refused_connection(world: World, mutant: str | None) -> int:
    place, dead = await world.broker(mutant), world.sink()
    trigger = await place.trigger("http://127.0.0.1:9/", delivery={"retry": 1, **FAST}, dead_letter=dead.url)
    await place.send()
    await settled(world, place, trigger.group, 1)
    return len(dead.received)


def bodies(data: bytes) -> Observe:
    """Observe how long the data of each attempt is, where the first one fails."""

    async def observe(world: World, mutant: str | None) -> list[int]:
        place, sink = await world.broker(mutant), world.sink(Reply(503), Reply())
        trigger = await place.trigger(sink, delivery={"retry": 2, **FAST})
        await place.send(data)
        await settled(world, place, trigger.group, 1)
        return [len(request.body) for request in sink.received]

    return observe


def letter_of(data: bytes, look: Callable[[Any], Any] = lambda got: len(got.body), **attributes: str) -> Observe:
    """Observe something of a dead letter: how long its data is, or what is looked at."""

    async def observe(world: World, mutant: str | None) -> Any:
        place, dead = await world.broker(mutant), world.sink()
        await place.trigger(world.sink(Reply(400)), dead_letter=dead.url)
        await place.send(data, **attributes)
        await until(lambda: bool(dead.received))
        return look(dead.received[0])

    return observe


async def letters_of_one_id(world: World, mutant: str | None) -> int:
    """Observe how many dead letters two events of one source and id make."""
    place, dead = await world.broker(mutant), world.sink()
    trigger = await place.trigger(world.sink(Reply(400)), dead_letter=dead.url)
    for _ in range(2):
        await place.send(id="one")
    await settled(world, place, trigger.group, 2)
    return len(dead.received)


async def again_lettered(world: World, mutant: str | None) -> list[str]:
    """Observe the subscriber and the code in the dead letter of an event that has been one before."""
    place, dead = await world.broker(mutant), world.sink()
    await place.trigger(world.sink(Reply(400)), dead_letter=dead.url)
    await place.send(knativeerrordest="http://elsewhere.example.com/", knativeerrorcode="500")
    await until(lambda: bool(dead.received))
    told = dead.received[0].headers
    return [told["ce-knativeerrordest"].partition(f":{world.subscribers.port}")[0], told["ce-knativeerrorcode"]]


def letters_told(subscriber: str) -> Observe:
    """Observe the extensions of the dead letter of an event that goes to this URL."""

    async def observe(world: World, mutant: str | None) -> list[str]:
        place, dead = await world.broker(mutant), world.sink()
        await place.trigger(subscriber, dead_letter=dead.url)
        await place.send()
        await until(lambda: bool(dead.received))
        return sorted(name for name in dead.received[0].headers if "knativeerror" in name)

    return observe


async def refused_letters(world: World, mutant: str | None) -> tuple[int, int]:
    """Observe the dead letters of two events of one key that are refused, and how far the group is."""
    place, dead = await world.broker(mutant, partitions=1), world.sink(Reply(400))
    trigger = await place.trigger(world.sink(Reply(400)), ordered=True, dead_letter=dead.url)
    for _ in range(2):
        await place.send(partitionkey="k")
    await until(lambda: bool(dead.received))
    await settled(world, place, trigger.group, 0 if mutant else 2)
    return len(dead.received), await world.committed(place.spec.topic, trigger.group)


async def unresolved_host(world: World, mutant: str | None) -> int:
    place, dead = await world.broker(mutant), world.sink()
    trigger = await place.trigger("http://nobody.nowhere.svc.cluster.local/", dead_letter=dead.url)
    await place.send()
    await settled(world, place, trigger.group, 1)
    return len(dead.received)


async def dotted_path(world: World, mutant: str | None) -> int:
    place = await world.broker(mutant)
    event = binary(specversion="1.0", id="1", source="/s", type="t")
    return (await place.post(event, path=f"/{place.spec.namespace}/{place.spec.name}.two")).status


async def filter_changed(world: World, mutant: str | None) -> list[str]:
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
    if mutant is None:
        await until(lambda: "after" in sink.ids)
    else:
        await asyncio.sleep(0.3)
    return sink.ids


async def retried_while_changed(world: World, mutant: str | None) -> int:
    """Observe how many dead letters an event makes whose Trigger changes before its second attempt."""
    place, sink, dead = await world.broker(mutant), world.sink(Reply(503)), world.sink()
    terms = {"name": "changing", "dead_letter": dead.url}
    delivery = {"retry": 1, "backoffPolicy": "linear", "backoffDelay": "PT0.5S"}
    trigger = await place.trigger(sink, **terms, delivery=delivery)
    await place.send()
    await until(lambda: bool(sink.received))
    await place.trigger(sink, **terms, delivery=delivery | {"timeout": "PT9S"})
    await settled(world, place, trigger.group, 1)
    return len(dead.received)


A, B, AX, BX = {"type": "a"}, {"type": "b"}, {"type": "a", "subject": "x"}, {"type": "b", "subject": "x"}


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


@asynccontextmanager
async def _subscriber(
    answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[str]:
    """Yield the URL of a subscriber that writes its answer byte by byte."""
    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        yield f"http://{host}:{port}/"


def asked(tail: str) -> Observe:
    """Observe what stands behind the path of a subscriber in the target that it is asked for."""

    async def observe(world: World, mutant: str | None) -> str:
        place = await world.broker(mutant)
        targets: list[str] = []

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = await reader.readuntil(b"\r\n\r\n")
            targets.append(head.split(b" ")[1].decode())
            writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
            writer.close()

        async with _subscriber(answer) as url:
            await place.trigger(f"{url}sink{tail}")
            await place.send()
            await until(lambda: bool(targets))
        return targets[0].removeprefix("/sink")

    return observe


def reply_records(look: Callable[[list[Record]], Any], reply: Mapping[str, str], body: bytes = b"1") -> Observe:
    """Observe the records of a topic once a reply is stored."""

    async def observe(world: World, mutant: str | None) -> Any:
        place = await world.broker(mutant, partitions=1)
        trigger = await place.trigger(world.sink(Reply(200, reply, body)), filter={"attributes": {"type": "t"}})
        await place.send()
        await settled(world, place, trigger.group, 1)
        return look(await place.records(await place.count()))

    return observe


def reply_seen(look: Callable[[Any], Any], reply: Mapping[str, str], body: bytes = b"1") -> Observe:
    """Observe something of the request that brings a reply to who gets it."""

    async def observe(world: World, mutant: str | None) -> Any:
        place, sink = await world.broker(mutant), world.sink()
        await place.trigger(sink, filter={"attributes": {"source": "/reply"}})
        await place.trigger(world.sink(Reply(200, reply, body)), filter={"attributes": {"type": "t"}})
        await place.send()
        await until(lambda: bool(sink.received))
        return look(sink.received[0])

    return observe


def reply_after(*script: int) -> Observe:
    """Observe how many replies are stored when the answer behind these failing ones carries one."""

    async def observe(world: World, mutant: str | None) -> int:
        place = await world.broker(mutant, partitions=1)
        sink = world.sink(*map(Reply, script), Reply(200, REPLY, b"1"))
        terms = {"filter": {"attributes": {"type": "t"}}, "delivery": {"retry": len(script), **FAST}}
        trigger = await place.trigger(sink, **terms)
        await place.send()
        await settled(world, place, trigger.group, 1)
        return await place.count() - 1

    return observe


async def endless_answer(world: World, mutant: str | None) -> bool:
    """Observe whether an event goes to the dead letter sink whose subscriber's answer begins in time and never ends."""
    ended = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        await ended.wait()
        writer.close()

    place, dead = await world.broker(mutant), world.sink()
    async with _subscriber(answer) as url:
        await place.trigger(url, dead_letter=dead.url, delivery={"timeout": "PT0.2S"})
        await place.send()
        with suppress(TimeoutError):
            async with asyncio.timeout(1.5):
                await until(lambda: bool(dead.received))
        ended.set()
    return bool(dead.received)


def unmeasured_answers(count: int) -> Observe:
    """Observe how many replies, and how many dead letters, so many answers make that end with their connections."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = "".join(f"{name}: {value}\r\n" for name, value in JSON.items())
        body = structured(source="/reply", type="r")
        writer.write(f"HTTP/1.1 200 OK\r\nConnection: close\r\n{head}\r\n".encode() + body)
        writer.close()

    async def observe(world: World, mutant: str | None) -> tuple[int, int]:
        place, dead = await world.broker(mutant, partitions=1), world.sink()
        terms = {"filter": {"attributes": {"type": "t"}}, "ordered": True, "dead_letter": dead.url}
        async with _subscriber(answer) as url:
            trigger = await place.trigger(url, **terms)
            for _ in range(count):
                await place.send()
            await settled(world, place, trigger.group, count)
        return await place.count() - count, len(dead.received)

    return observe


async def half_answer(world: World, mutant: str | None) -> int:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = "".join(f"{name}: {value}\r\n" for name, value in REPLY.items())
        writer.write(f"HTTP/1.1 200 OK\r\n{head}Content-Length: 10\r\n\r\n12345".encode())
        writer.close()

    place, dead = await world.broker(mutant), world.sink()
    async with _subscriber(answer) as url:
        trigger = await place.trigger(url, dead_letter=dead.url)
        await place.send()
        await settled(world, place, trigger.group, 1)
    return len(dead.received)
