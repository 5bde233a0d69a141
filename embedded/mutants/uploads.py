"""Mutants of uploads: bodies that come slowly, or not to their end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace

from embedded.dataplane.policies import DataPlanePolicies
from embedded.mutants.hosts import DATA_PLANE
from embedded.mutants.registry import mutant

_HASTE = 0.5  # seconds that a body may take
_SLOTS = 8


class OutOfSlotsError(Exception):
    """No slot is left for a further upload."""


@mutant(DATA_PLANE, replaces="part")
def half_body_stored(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take what came of a body that broke off for the whole."""
    return replace(honest, part=lambda body: body)


@mutant(DATA_PLANE, replaces="body_seconds")
def slow_body_refused(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Wait half a second for a body."""
    return replace(honest, body_seconds=_HASTE)


@mutant(DATA_PLANE, replaces="says_continue")
def continue_never_said(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Wait for the body of a client that waits for 100 (Vert.x 4.5.27 as the Kafka Broker 1.22.3 uses it, seen)."""
    return replace(honest, says_continue=False)


@mutant(DATA_PLANE, replaces="door")
def stalled_upload_blocks(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Read one body at a time: whoever stalls holds up all other requests of the Broker."""
    turn = asyncio.Lock()

    @asynccontextmanager
    async def door() -> AsyncIterator[None]:
        async with turn:
            yield

    return replace(honest, door=door)


@mutant(DATA_PLANE, replaces="door")
def broken_uploads_leak(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Never give back what an upload that broke off has taken, and fail when it is used up."""
    left = _SLOTS

    @asynccontextmanager
    async def slot() -> AsyncIterator[None]:
        nonlocal left
        if not left:
            raise OutOfSlotsError("no slot is left for a further upload")
        left -= 1
        yield
        left += 1  # not in a `finally`: that is the fault

    def door() -> AbstractAsyncContextManager[None]:
        return slot()

    return replace(honest, door=door)
