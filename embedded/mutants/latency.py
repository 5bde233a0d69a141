"""Mutants that are correct but late, by more than any budget allows."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from itertools import count

from embedded.dataplane.cloudevents import CloudEvent
from embedded.dataplane.policies import DataPlanePolicies
from embedded.mutants.hosts import DATA_PLANE
from embedded.mutants.registry import mutant

_LATE_ACK = 1.0
_LATE_DELIVERY = 1.5


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


@mutant(DATA_PLANE, wraps="pace")
def one_in_hundred_late(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Deliver every hundredth event of a Trigger, from the fiftieth on, three seconds late."""
    numbers = count(1)

    async def pace() -> None:
        await honest.pace()
        if next(numbers) % 100 == 50:
            await asyncio.sleep(3.0)

    return replace(honest, pace=pace)
