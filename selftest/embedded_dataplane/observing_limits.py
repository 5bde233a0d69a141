"""What many, large and long-lasting things show: long headers, long chains, failures in a row, offsets, removals."""

import asyncio

from embedded.dataplane.cloudevents import Record
from selftest.embedded_dataplane.observing import EVENT, FAST, Observe, settled
from selftest.embedded_dataplane.observing_isolation import slowly
from selftest.embedded_dataplane.world import Reply, World, binary, until


async def long_attribute(world: World, mutant: str | None) -> tuple[int, int]:
    """Observe the deliveries and the dead letters of an event with a long attribute."""
    place, sink, dead = await world.broker(mutant), world.sink(Reply(400)), world.sink()
    trigger = await place.trigger(sink, dead_letter=dead.url)
    await place.send(ext="x" * 9000)
    await settled(world, place, trigger.group, 1)
    return len(sink.received), len(dead.received)


async def chain_of_replies(world: World, mutant: str | None) -> int:
    """Observe how many of twelve replies, each of which answers the one before, are stored."""
    place = await world.broker(mutant, partitions=1)
    replies = [binary(**{**EVENT, "id": world.unique("hop"), "source": "/reply"}) for _ in range(12)]
    trigger = await place.trigger(world.sink(*(Reply(200, reply, b"1") for reply in replies), Reply(202)))
    await place.send()
    await settled(world, place, trigger.group, 11 if mutant else 13)
    return await place.count() - 1


async def failures_in_a_row(world: World, mutant: str | None) -> int:
    """Observe how many of twelve events, one behind the other, are attempted at a subscriber that refuses all."""
    place, sink = await world.broker(mutant, partitions=1), world.sink(Reply(400))
    trigger = await place.trigger(sink, ordered=True)
    for _ in range(12):
        await place.send()
    await settled(world, place, trigger.group, 12)
    return len(sink.received)


def failing_answers(count: int) -> Observe:
    """Observe how many of so many events are attempted at a subscriber whose answers all fail and have a body."""

    async def observe(world: World, mutant: str | None) -> int:
        place, sink = await world.broker(mutant, partitions=1), world.sink(Reply(400, body=b"no"))
        trigger = await place.trigger(sink, ordered=True)
        for _ in range(count):
            await place.send()
        await settled(world, place, trigger.group, count)
        return len(sink.received)

    return observe


async def letters_without_answer(world: World, mutant: str | None) -> int:
    """Observe how often a dead letter is sent whose sink ends the connection without an answer."""
    place, came = await world.broker(mutant), list[bytes]()

    async def end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(await reader.readuntil(b"\r\n\r\n"))
        writer.close()

    async with await asyncio.start_server(end, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        terms = {"delivery": {"retry": 2, **FAST}, "dead_letter": f"http://{host}:{port}/"}
        trigger = await place.trigger(world.sink(Reply(400)), **terms)
        await place.send()
        await settled(world, place, trigger.group, 1)
    return len(came)


async def removed_at_once(world: World, mutant: str | None) -> bool:
    """Observe whether a Trigger is removed before its subscriber has answered."""
    over = asyncio.Event()
    place, slow = await world.broker(mutant), world.sink(slowly(mutant, over))
    trigger = await place.trigger(slow)
    await place.send()
    await until(lambda: bool(slow.received))
    await world.plane.remove_trigger(trigger.namespace, trigger.name)
    was_first = slow.answered == 0
    over.set()
    return was_first


async def backlog_left(world: World, mutant: str | None) -> bool:
    """Observe whether a Trigger that is removed leaves what it had taken up."""
    place, slow, witness = await world.broker(mutant, partitions=1), world.sink(Reply(delay=0.1)), world.sink()
    trigger = await place.trigger(slow, ordered=True)
    await place.trigger(witness)
    for _ in range(10):
        await place.send()
    await until(lambda: len(slow.received) == 3)
    await world.plane.remove_trigger(trigger.namespace, trigger.name)
    before = len(slow.received)
    await place.send()
    await until(lambda: len(slow.received) == 10 if mutant else len(witness.received) == 11)
    return len(slow.received) == before


async def partitions_after_rebalance(world: World, mutant: str | None) -> list[str]:
    """Observe the events of two partitions, written when the consumers have changed hands."""
    place, sink = await world.broker(mutant, partitions=2), world.sink()
    await place.trigger(sink)
    await world.plane.rebalance(place.spec.namespace, place.spec.name)
    for partition in range(2):
        headers = [(f"ce_{name}", value.encode()) for name, value in {**EVENT, "id": f"p{partition}"}.items()]
        await world.producer.send(place.spec.topic, Record(None, headers, b"1", partition=partition))
    await until(lambda: "p1" in sink.ids and (mutant is not None or len(sink.ids) == 2))
    return sorted(sink.ids)


def commits_of(count: int, answer: Reply, least: int) -> Observe:
    """Observe whether, of so many records that are answered so, the offsets of at least these many are committed."""

    async def observe(world: World, mutant: str | None) -> bool:
        place, sink = await world.broker(mutant, partitions=1), world.sink(answer)
        trigger = await place.trigger(sink)
        for _ in range(count):
            await place.send()
        await until(lambda: len(sink.received) == count)
        if mutant is None:
            await settled(world, place, trigger.group, count)
        return await world.committed(place.spec.topic, trigger.group) >= least

    return observe


async def commits_past_others(world: World, mutant: str | None) -> bool:
    """Observe whether the offsets of 110 records are committed, of which a Trigger matches the last one alone."""
    place, sink = await world.broker(mutant, partitions=1), world.sink()
    trigger = await place.trigger(sink, filter={"attributes": {"type": "last"}}, ordered=True)
    for _ in range(109):
        await place.send()
    await place.send(type="last")
    await until(lambda: bool(sink.received))
    if mutant is None:
        await settled(world, place, trigger.group, 110)
    return await world.committed(place.spec.topic, trigger.group) >= 100
