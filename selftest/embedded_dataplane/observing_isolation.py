"""What events, Triggers and subscribers do to one another."""

import asyncio
from collections.abc import Callable

from embedded.dataplane.cloudevents import Record
from selftest.embedded_dataplane.observing import EVENT, REPLY, Observe, settled
from selftest.embedded_dataplane.world import HANG, Received, Reply, World, until


async def fan_out(world: World, mutant: str | None) -> tuple[int, int]:
    place, first, second = await world.broker(mutant), world.sink(), world.sink()
    triggers = [await place.trigger(sink) for sink in (first, second)]
    await place.send()
    for trigger in triggers:
        await settled(world, place, trigger.group, 1)
    return len(first.received), len(second.received)


async def crowd_of_triggers(world: World, mutant: str | None) -> int:
    place = await world.broker(mutant)
    sinks = [world.sink() for _ in range(17)]
    triggers = [await place.trigger(sink) for sink in sinks]
    await place.send()
    for trigger in triggers:
        await settled(world, place, trigger.group, 1)
    return sum(len(sink.received) for sink in sinks)


async def same_destination(world: World, mutant: str | None) -> int:
    place, sink = await world.broker(mutant), world.sink()
    triggers = [await place.trigger(sink) for _ in range(2)]
    await place.send()
    for trigger in triggers:
        await settled(world, place, trigger.group, 1)
    return len(sink.received)


def slowly(mutant: str | None, over: asyncio.Event) -> Reply:
    """Return an answer that waits for an event; a mutant, under which the event may have to wait for it, in vain."""
    return Reply(delay=0.5 if mutant else HANG, until=over)


async def side_by_side(world: World, mutant: str | None) -> bool:
    """Observe whether the second request comes before the first is answered."""
    over = asyncio.Event()
    place, sink = await world.broker(mutant, partitions=1), world.sink(slowly(mutant, over))
    await place.trigger(sink)
    for _ in range(2):
        await place.send()
    await until(lambda: len(sink.received) == 2)
    over.set()
    return sink.received[1].answered == 0


async def beside_a_slow_one(world: World, mutant: str | None) -> bool:
    """Observe whether a Trigger gets its event before the slow subscriber of another has answered."""
    over = asyncio.Event()
    place, slow, fast = await world.broker(mutant), world.sink(slowly(mutant, over)), world.sink()
    await place.trigger(slow, filter={"attributes": {"type": "slow"}})
    await place.trigger(fast, filter={"attributes": {"type": "fast"}})
    await place.send(type="slow")
    await until(lambda: bool(slow.received))
    await place.send(type="fast")
    await until(lambda: bool(fast.received))
    was_first = slow.answered == 0
    over.set()
    return was_first


async def behind_a_slow_one(world: World, mutant: str | None) -> int:
    """Observe how many of 61 events have come while the first of them is not answered."""
    place, slow, other = await world.broker(mutant), world.sink(Reply(delay=30.0), Reply()), world.sink()
    await place.trigger(slow)
    await place.trigger(other)
    await place.send()
    await until(lambda: bool(slow.received))
    await asyncio.gather(*(place.send() for _ in range(60)))
    await until(lambda: len(slow.received) >= (50 if mutant else 61))
    return len(slow.received)


def behind_a_failed_one(status: int) -> Observe:
    """Observe how many of two events have come while the first, answered so, waits for a retry or is a letter."""

    async def observe(world: World, mutant: str | None) -> int:
        over = asyncio.Event()
        place, dead = await world.broker(mutant), world.sink(Reply(delay=30.0, until=over))
        sink, other = world.sink(Reply(status), Reply()), world.sink()
        delivery = {"retry": 1, "backoffPolicy": "linear", "backoffDelay": "PT30S"}
        await place.trigger(sink, delivery=delivery, dead_letter=dead.url)
        await place.trigger(other)
        await place.send()
        await until(lambda: bool(sink.received) and (status >= 500 or bool(dead.received)))
        await asyncio.sleep(0.1)  # the answer has come back by then
        await place.send()
        await until(lambda: len(other.received) == 2)
        if mutant is None:
            await until(lambda: len(sink.received) == 2)
        over.set()
        return len(sink.received)

    return observe


async def beside_another_partition(world: World, mutant: str | None) -> bool:
    """Observe whether an ordered Trigger gets an event while that of another partition is not answered."""
    over = asyncio.Event()
    place, sink = await world.broker(mutant, partitions=2), world.sink(slowly(mutant, over), Reply())
    await place.trigger(sink, ordered=True)
    headers = [(f"ce_{name}", value.encode()) for name, value in EVENT.items()]
    for partition in range(2):
        await world.producer.send(place.spec.topic, Record(None, headers, b"1", partition=partition))
        await until(lambda: bool(sink.received))
    await until(lambda: len(sink.received) == 2)
    over.set()
    return sink.received[1].answered == 0


async def behind_fifty(world: World, mutant: str | None) -> int:
    """Observe how many of sixty events come when fifty of them are with the subscriber at once."""
    over = asyncio.Event()
    place = await world.broker(mutant, partitions=1)
    sink = world.sink(*[Reply(delay=HANG, until=over)] * 50, Reply())
    trigger = await place.trigger(sink)
    await asyncio.gather(*(place.send() for _ in range(60)))
    await until(lambda: len(sink.received) == 50)
    over.set()
    await settled(world, place, trigger.group, 60)
    return len(sink.received)


def in_a_crowd(look: Callable[[Received], str]) -> Observe:
    """Observe whether each of thirty events that are with a subscriber at once comes with what is its own."""

    async def observe(world: World, mutant: str | None) -> bool:
        over = asyncio.Event()
        place, sink = await world.broker(mutant), world.sink(Reply(delay=HANG, until=over))
        await place.trigger(sink)
        await asyncio.gather(*(place.send(f"{n:02}".encode(), id=f"{n:02}", ext=f"{n:02}") for n in range(30)))
        await until(lambda: len(sink.received) == 30)
        over.set()
        return all(look(request) == request.headers["ce-id"] for request in sink.received)

    return observe


async def ids_alike(world: World, mutant: str | None) -> list[tuple[str, str]]:
    place, sink = await world.broker(mutant, partitions=1), world.sink()
    trigger = await place.trigger(sink)
    long = "x" * 64
    sent = [("a", "/s"), ("A", "/s"), ("a", "/t"), (f"{long}1", "/s"), (f"{long}2", "/s"), ("a", "/s")]
    for name, source in sent:
        await place.send(id=name, source=source)
    await settled(world, place, trigger.group, len(sent))
    return sorted(
        (request.headers["ce-id"].replace(long, "x"), request.headers["ce-source"]) for request in sink.received
    )


async def beside_a_failing_one(world: World, mutant: str | None) -> list[str]:
    """Observe the extensions of an event at a Trigger, whose subscriber takes it when another one has given it up."""
    place, dead, patient = await world.broker(mutant), world.sink(), world.sink(Reply(503), Reply())
    failing = await place.trigger(world.sink(Reply(400)), dead_letter=dead.url)
    await place.trigger(patient, delivery={"retry": 1, "backoffPolicy": "linear", "backoffDelay": "PT1S"})
    await place.send()
    await settled(world, place, failing.group, 1)
    await until(lambda: len(patient.received) == 2)
    return sorted(name for name in patient.received[1].headers if "knative" in name)


async def long_names(world: World, mutant: str | None) -> tuple[int, int]:
    place, sinks = await world.broker(mutant), [world.sink() for _ in range(2)]
    triggers = [await place.trigger(sink, name=f"{'x' * 62}{end}") for sink, end in zip(sinks, "ab", strict=True)]
    await place.send()
    for trigger in triggers:
        await settled(world, place, trigger.group, 1)
    return len(sinks[0].received), len(sinks[1].received)


async def letter_comes_back(world: World, mutant: str | None) -> list[str]:
    place, watching = await world.broker(mutant), world.sink()
    own = f"{world.ingress}/{place.spec.namespace}/{place.spec.name}"
    watched = await place.trigger(watching, filter={"attributes": {"knativeerrorcode": "400"}})
    failing = await place.trigger(world.sink(Reply(400), Reply()), dead_letter=own)
    name = await place.send()
    for trigger in (failing, watched):
        await settled(world, place, trigger.group, 2)
    assert name
    return ["came" for got in watching.ids if got == name]


async def own_letters(world: World, mutant: str | None) -> tuple[int, int]:
    """Observe how often a letter that its own Broker gets comes to who waits for it, and to who waits for another."""
    place, sinks = await world.broker(mutant), [world.sink() for _ in range(2)]
    own = f"{world.ingress}/{place.spec.namespace}/{place.spec.name}"
    codes = zip(sinks, ("400", "500"), strict=True)
    waiting = [await place.trigger(sink, filter={"attributes": {"knativeerrorcode": code}}) for sink, code in codes]
    failing = await place.trigger(world.sink(Reply(400), Reply()), dead_letter=own)
    await place.send()
    await settled(world, place, failing.group, 1)
    stored = await place.count()
    for trigger in waiting:
        await settled(world, place, trigger.group, stored)
    return len(sinks[0].received), len(sinks[1].received)


async def two_replies(world: World, mutant: str | None) -> int:
    """Observe how many replies are stored when two subscribers reply to one event."""
    place, only = await world.broker(mutant, partitions=1), {"filter": {"attributes": {"type": "t"}}}
    triggers = [await place.trigger(world.sink(Reply(200, REPLY, b"1")), **only) for _ in range(2)]
    await place.send(id=world.unique("asked"))
    for trigger in triggers:
        await settled(world, place, trigger.group, 1)
    return await place.count() - 1
