"""Bounded concurrency by lane: each lane begins its records in order and has a limited number in flight."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field

from embedded.dataplane.cloudevents import Record

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Lane:
    waiting: deque[Record] = field(default_factory=deque)
    running: int = 0


class Lanes:
    """Lanes that run `handle` for each record, at most `width` at once in each; with width 1 a lane keeps its order."""

    def __init__(self, width: int, handle: Callable[[Record], Awaitable[None]]) -> None:
        self._width = width
        self._handle = handle
        self._lanes: dict[Hashable, _Lane] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def put(self, key: Hashable, record: Record) -> None:
        """Queue a record in the lane `key`."""
        lane = self._lanes.setdefault(key, _Lane())
        lane.waiting.append(record)
        self._fill(lane)

    async def drain(self, seconds: float) -> None:
        """Return when no record runs or waits, or after so many seconds."""
        deadline = asyncio.get_running_loop().time() + seconds
        while self._tasks and (left := deadline - asyncio.get_running_loop().time()) > 0:
            await asyncio.wait(self._tasks, timeout=left, return_when=asyncio.FIRST_COMPLETED)

    async def finish(self, seconds: float) -> None:
        """Drop the waiting records, and return when no record runs, or after so many seconds."""
        self._drop_waiting()
        await self.drain(seconds)

    async def stop(self) -> None:
        """Cancel the running records and drop the waiting ones."""
        self._drop_waiting()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _drop_waiting(self) -> None:
        for lane in self._lanes.values():
            lane.waiting.clear()

    def _fill(self, lane: _Lane) -> None:
        while lane.waiting and lane.running < self._width:
            lane.running += 1
            task = asyncio.create_task(self._run(lane, lane.waiting.popleft()))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _run(self, lane: _Lane, record: Record) -> None:
        try:
            await self._handle(record)
        except Exception:  # noqa: BLE001 - a fault of ours must show, and must not take the lane's other records with it
            _log.exception("partition %s offset %d could not be handled", record.partition, record.offset)
        finally:
            lane.running -= 1
            self._fill(lane)
