"""Mutants that are correct but late, by more than any budget allows."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from itertools import count

from embedded.dataplane.cloudevents import CloudEvent
from embedded.dataplane.policies import DataPlanePolicies
from embedded.mutants.hosts import DATA_PLANE
from embedded.mutants.registry import mutant

_LATE_ACK = 3.5
_LATE_STORE = 4.0
_LATE_DELIVERY = 5.0
_SILENCE = 0.15


@mutant(DATA_PLANE, wraps="store")
def slow_ingress(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Acknowledge events late.

    `LoomKafkaProducer` sends from one thread, which a missing topic blocks (knative-v1.22.3).
    """

    async def store(send: Callable[[], Awaitable[None]], event: CloudEvent) -> None:
        await honest.store(send, event)
        await asyncio.sleep(_LATE_ACK)

    return replace(honest, store=store)


@mutant(DATA_PLANE, wraps="pace")
def slow_dispatch(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Deliver events late (eventing-kafka-broker issue 2597: waiting for partitions and slots in flight)."""

    async def pace() -> None:
        await honest.pace()
        await asyncio.sleep(_LATE_DELIVERY)

    return replace(honest, pace=pace)


@mutant(DATA_PLANE, wraps="store")
def late_store(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Acknowledge events at once, and store them late (modelled: `acks=0`, a long `linger.ms`)."""
    under_way: set[asyncio.Task[None]] = set()

    async def later(send: Callable[[], Awaitable[None]], event: CloudEvent) -> None:
        await asyncio.sleep(_LATE_STORE)
        await honest.store(send, event)

    def ended(task: asyncio.Task[None]) -> None:
        under_way.discard(task)
        if not task.cancelled():
            task.exception()  # the Broker may be gone by then; nobody is told

    async def store(send: Callable[[], Awaitable[None]], event: CloudEvent) -> None:
        task = asyncio.ensure_future(later(send, event))
        under_way.add(task)
        task.add_done_callback(ended)

    return replace(honest, store=store)


@mutant(DATA_PLANE, wraps="pace")
def slow_after_idle(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Deliver late what comes after a silence (modelled: pooled connections that the other side has closed)."""
    last = -_SILENCE

    async def pace() -> None:
        nonlocal last
        await honest.pace()
        now = asyncio.get_running_loop().time()
        silent, last = now - last, now
        if silent >= _SILENCE:
            await asyncio.sleep(_LATE_DELIVERY)

    return replace(honest, pace=pace)


@mutant(DATA_PLANE, wraps="pace")
def slow_first_event(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Deliver the first event of a Trigger late, without holding others up (modelled: made lazily)."""
    numbers = count(1)

    async def pace() -> None:
        await honest.pace()
        if next(numbers) == 1:
            await asyncio.sleep(_LATE_DELIVERY)

    return replace(honest, pace=pace)


@mutant(DATA_PLANE, wraps="pace")
def one_in_hundred_late(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Deliver every hundredth event of a Trigger, from the fiftieth on, three seconds late."""
    numbers = count(1)

    async def pace() -> None:
        await honest.pace()
        if next(numbers) % 100 == 50:
            await asyncio.sleep(3.0)

    return replace(honest, pace=pace)
