"""What restarts and outages do to events."""

import asyncio
from dataclasses import replace

from embedded.dataplane import DataPlane
from selftest.embedded_dataplane.observing import FAST, Observe, settled
from selftest.embedded_dataplane.observing_ingress import upload
from selftest.embedded_dataplane.world import Reply, World, binary, until


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


async def kept_through_restart(world: World, mutant: str | None) -> list[str]:
    """Observe what comes, the first time in vain, to a Trigger with a filter and a retry after a restart."""
    place, sink = await world.broker(mutant, partitions=1), world.sink(Reply(503), Reply())
    terms = {"filter": {"attributes": {"type": "t"}}, "delivery": {"retry": 1, **FAST}, "ordered": True}
    trigger = await place.trigger(sink, **terms)
    await world.plane.kill_dispatcher(place.spec.namespace, place.spec.name)
    await place.send(id="miss", type="other")
    await place.send(id="hit")
    await settled(world, place, trigger.group, 2)
    return sorted(sink.ids)


async def ingress_killed(world: World, mutant: str | None) -> bool:
    place = await world.broker(mutant, partitions=1)
    for number in range(20):
        await place.send(id=str(number))
    await world.plane.kill_ingress(place.spec.namespace, place.spec.name)
    await place.send(id="fence")
    return await place.count() == 21


def deaths(*bodies: bytes) -> Observe:
    """Observe which parts end by themselves when events with these bodies are sent, and how many are delivered."""

    async def observe(world: World, mutant: str | None) -> tuple[list[str], int]:
        place, sink = await world.broker(mutant, partitions=1), world.sink()
        trigger, died = await place.trigger(sink), list[str]()
        world.plane.on_death = lambda namespace, part: died.append(part) if namespace == place.spec.namespace else None
        for body in bodies:
            await place.send(body)
        await settled(world, place, trigger.group, len(bodies))
        if mutant:
            await until(lambda: bool(died))
        return died, len(sink.received)

    return observe


async def dispatcher_ended(world: World, mutant: str | None) -> int:
    """Observe how often an event comes whose delivery is under way when the dispatcher is asked to end."""
    place, sink = await world.broker(mutant, partitions=1), world.sink(Reply(delay=0.3), Reply())
    trigger = await place.trigger(sink)
    await place.send()
    await until(lambda: bool(sink.received))
    await world.plane.end_dispatcher(place.spec.namespace, place.spec.name, 20.0)
    await settled(world, place, trigger.group, 1)
    return len(sink.received)


async def letter_under_way(world: World, mutant: str | None) -> int:
    """Observe how often a dead letter comes whose sink has not answered when the dispatcher is killed."""
    place, letters = await world.broker(mutant, partitions=1), world.sink(Reply(delay=0.5), Reply())
    trigger = await place.trigger(world.sink(Reply(400)), dead_letter=letters.url)
    await place.send()
    await until(lambda: bool(letters.received))
    await world.plane.kill_dispatcher(place.spec.namespace, place.spec.name)
    await settled(world, place, trigger.group, 1)
    return len(letters.received)


async def retried_and_given_up(world: World, mutant: str | None) -> tuple[int, int]:
    """Observe attempts and dead letters of an event that waits for its second attempt when its consumer ends."""
    place, sink, letters = await world.broker(mutant, partitions=1), world.sink(Reply(500)), world.sink()
    delivery = {"retry": 1, "backoffPolicy": "linear", "backoffDelay": "PT1S"}
    trigger = await place.trigger(sink, delivery=delivery, dead_letter=letters.url)
    await place.send()
    await until(lambda: bool(sink.received))
    await world.plane.end_dispatcher(place.spec.namespace, place.spec.name, 0.05)
    await settled(world, place, trigger.group, 1)
    return len(sink.received), len(letters.received)


async def ingress_ended(world: World, mutant: str | None) -> tuple[int, int]:
    """Observe the answer to a request whose body comes while the ingress is asked to end, and the records."""
    place = await world.broker(mutant, partitions=1)
    key = (place.spec.namespace, place.spec.name)
    posting = asyncio.create_task(upload(place, b"half", b"half", pause=0.5))
    ingress = world.plane._ingress
    await until(lambda: bool(ingress._open.get(key)))
    await world.plane.end_ingress(*key, 20.0)
    answer = await posting
    await place.send(id="fence")
    return answer, await place.count() - 1


async def changed_hands(world: World, mutant: str | None) -> tuple[list[str], list[str]]:
    """Observe which events come, and which come again, when consumers change hands while the first is delivered."""
    place, sink = await world.broker(mutant, partitions=1), world.sink(Reply(delay=0.3), Reply())
    trigger = await place.trigger(sink, ordered=True)
    for number in range(3):
        await place.send(id=str(number))
    await until(lambda: bool(sink.received))
    await world.plane.rebalance(place.spec.namespace, place.spec.name)
    await settled(world, place, trigger.group, 3)
    came = sorted(set(sink.ids))
    return came, [name for name in came if sink.ids.count(name) > 1]


async def kafka_away(world: World, mutant: str | None) -> list[int]:
    """Observe the answers while the topic of the Broker has no leaders, and afterwards; another Broker's stay."""
    client = {**world.settings.client, "message.timeout.ms": 400}
    plane = DataPlane(replace(world.settings, client=client), lambda _host, _port: None)
    impatient = replace(world, plane=plane, ingress=await plane.start())
    event = binary(specversion="1.0", id="1", source="/s", type="t")
    try:
        place, other = [await impatient.broker(mutant, partitions=1) for _ in range(2)]
        await place.send()
        await world.kafka.set_away(place.spec.topic, away=True)
        meanwhile = await place.post(event)
        beside = await other.post(event)
        await world.kafka.set_away(place.spec.topic, away=False)
        return [meanwhile.status, beside.status, (await place.post(event)).status]
    finally:
        await plane.stop()
