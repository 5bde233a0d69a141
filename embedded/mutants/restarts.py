"""Mutants that show when a part of the data plane is killed: what was acknowledged too early, and where it goes on."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace

from embedded.dataplane.cloudevents import CloudEvent
from embedded.dataplane.policies import DataPlanePolicies
from embedded.dataplane.producer import NotStoredError
from embedded.mutants.hosts import DATA_PLANE
from embedded.mutants.registry import mutant

Offsets = Mapping[int, int]

_ONE_RECORD = 0.02  # seconds that the one who stores takes for each event


@mutant(DATA_PLANE, wraps="store")
def answers_before_stored(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Acknowledge events at once, and store them one after the other behind that."""
    turn = asyncio.Lock()
    under_way: set[asyncio.Task[None]] = set()

    async def later(send: Callable[[], Awaitable[None]], event: CloudEvent) -> None:
        async with turn:
            await asyncio.sleep(_ONE_RECORD)
            with suppress(NotStoredError):
                await honest.store(send, event)

    async def store(send: Callable[[], Awaitable[None]], event: CloudEvent) -> None:
        task = asyncio.create_task(later(send, event))
        under_way.add(task)
        task.add_done_callback(under_way.discard)

    return replace(honest, store=store)


@mutant(DATA_PLANE, replaces="resumed")
def restart_skips_in_flight(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Go on behind all that was taken up before the restart, delivered or not."""

    def resumed(committed: Offsets, taken: Offsets, _ends: Offsets) -> Offsets:
        return {**committed, **taken}

    return replace(honest, resumed=resumed)


@mutant(DATA_PLANE, replaces="resumed")
def restart_begins_at_end(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take offset 0 for none: a partition of which nothing was done yet goes on at its end."""

    def resumed(committed: Offsets, _taken: Offsets, ends: Offsets) -> Offsets:
        return {part: committed.get(part, 0) or end for part, end in ends.items()}

    return replace(honest, resumed=resumed)


@mutant(DATA_PLANE, replaces="resumed")
def restart_begins_at_earliest(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Begin again at the topic's first record after a restart."""
    return replace(honest, resumed=lambda _committed, _taken, ends: dict.fromkeys(ends, 0))


@mutant(DATA_PLANE, replaces="resumed")
def restart_goes_back(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Go on three records before what was committed."""

    def resumed(committed: Offsets, _taken: Offsets, _ends: Offsets) -> Offsets:
        return {part: max(0, offset - 3) for part, offset in committed.items()}

    return replace(honest, resumed=resumed)
