"""What can be seen of delays and of pauses that are asked for."""

import asyncio
from typing import Any

import pytest

from embedded.dataplane import delivery
from embedded.dataplane.backoff import DeliveryPlan
from embedded.dataplane.cloudevents import CloudEvent
from embedded.mutants import latency, rare
from selftest.embedded_dataplane.observing import EVENT, FAST, Observe, settled
from selftest.embedded_dataplane.world import Reply, World, binary, pauses, until


async def ten_new_triggers(world: World, mutant: str | None) -> int:
    place, sink = await world.broker(mutant, partitions=1), world.sink()
    await place.send(id="before")
    triggers = [await place.trigger(sink) for _ in range(10)]
    await place.send(id="after")
    for trigger in triggers:
        await settled(world, place, trigger.group, 2)
    return sink.ids.count("before")


async def one_late_of_hundred(world: World, mutant: str | None) -> list[float]:
    place, sink = await world.broker(mutant, partitions=1), world.sink()
    trigger = await place.trigger(sink, ordered=True)
    with pauses(rare) as late:
        for _ in range(101):
            await place.send()
        await settled(world, place, trigger.group, 101)
    assert len(sink.received) == 101
    return late


async def late_trigger(world: World, mutant: str | None) -> int:
    place, sink = await world.broker(mutant), world.sink()
    await place.send(id="before")
    trigger = await place.trigger(sink)
    for name in ("first", "second"):
        await place.send(id=name)
    await settled(world, place, trigger.group, 3)
    return len(sink.received)


def waits(answer: int | Reply, **policy: Any) -> Observe:
    """Observe the pauses before retries, in seconds."""

    async def observe(world: World, mutant: str | None) -> list[float]:
        reply = answer if isinstance(answer, Reply) else Reply(answer)
        place, sink = await world.broker(mutant), world.sink(reply)
        trigger = await place.trigger(sink, delivery=policy)
        with pauses(delivery) as asked:
            await place.send()
            await settled(world, place, trigger.group, 1)
        assert len(sink.received) == len(asked) + 1
        return asked

    return observe


def time_for_an_answer(asked: float) -> Observe:
    """Observe the seconds that an attempt may take where so many are asked for; nobody waits for them."""

    async def observe(world: World, mutant: str | None) -> float:
        place = await world.broker(mutant)
        return place.spec.policies.compose().timeout(DeliveryPlan(timeout=asked))

    return observe


def pauses_at(subscriber: str = "", letters: str = "") -> Observe:
    """Observe the pauses before retries, where the subscriber, or the sink of dead letters, is away."""

    async def observe(world: World, mutant: str | None) -> list[float]:
        place = await world.broker(mutant)
        terms = {"delivery": {"retry": 2, **FAST}, "dead_letter": letters or world.sink().url}
        trigger = await place.trigger(subscriber or world.sink(Reply(400)), **terms)
        with pauses(delivery) as asked:
            await place.send()
            await settled(world, place, trigger.group, 1)
        return asked

    return observe


async def older_events(world: World, mutant: str | None) -> tuple[int, list[str], list[str]]:
    place, sink, dead = await world.broker(mutant), world.sink(Reply(400)), world.sink()
    trigger = await place.trigger(sink, dead_letter=dead.url)
    posted = await place.post(binary(**{**EVENT, "specversion": "0.3"}), b"1")
    fence = await place.send()
    await settled(world, place, trigger.group, 2 if posted.status == 202 else 1)
    return posted.status, *(
        [request.headers["ce-specversion"] for request in received if request.headers["ce-id"] != fence]
        for received in (sink.received, dead.received)
    )  # type: ignore[return-value]  # two lists


def late_ones(count: int, more_than: float = 1.0) -> Observe:
    """Observe which of so many deliveries in a burst, and which acknowledgement, wait for longer than some seconds."""

    async def observe(world: World, mutant: str | None) -> tuple[list[int], bool]:
        policies = (await world.broker(mutant)).spec.policies.compose()
        naps: list[float] = []

        async def nap(seconds: float) -> None:
            naps[-1] += seconds

        async def send() -> None:
            """Store it at once."""

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("asyncio.sleep", nap)
            for _ in range(count):
                naps.append(0.0)
                await policies.pace()
            late = [number for number, seconds in enumerate(naps) if seconds > more_than]
            naps.append(0.0)
            await policies.store(send, CloudEvent(EVENT, b""))
        return late, naps[-1] > more_than

    return observe


async def stored_when_acknowledged(world: World, mutant: str | None) -> bool:
    place = await world.broker(mutant)
    await place.send()
    return await place.count() == 1


async def retries(world: World, mutant: str | None, delay: str) -> tuple[int, list[str]]:
    place, sink, dead = await world.broker(mutant), world.sink(Reply(503)), world.sink()
    terms = {"retry": 2, "backoffPolicy": "exponential", "backoffDelay": delay}
    trigger = await place.trigger(sink, delivery=terms, dead_letter=dead.url)
    await place.send()
    await settled(world, place, trigger.group, 1)
    return len(sink.received), sorted(name for name in dead.received[0].headers if "knativeerror" in name)


def asking_to_wait(told: str, longest: str | None = None) -> Observe:
    """Observe the pause before a retry, in seconds, where the answer has a Retry-After."""
    more: dict[str, Any] = {"retryAfterMax": longest} if longest else {}
    return waits(Reply(503, {"Retry-After": told}), retry=1, **FAST, **more)


async def early_events(world: World, mutant: str | None) -> list[str]:
    place, sink = await world.broker(mutant, partitions=1), world.sink()
    await place.send(id="before")
    trigger = await place.trigger(sink)
    await place.send(id="after")
    await settled(world, place, trigger.group, 2)
    return sorted(sink.ids)


async def back_again(world: World, mutant: str | None) -> list[str]:
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


async def one_late(world: World, mutant: str | None) -> list[float]:
    place, sink = await world.broker(mutant), world.sink()
    await place.trigger(sink)
    with pauses(latency) as late:
        await asyncio.gather(*(place.send() for _ in range(50)))
        await until(lambda: len(sink.received) == 50)
    return late
