"""The workers of a stream: so many records at once, and those of one lane one after the other."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from functools import partial

from embedded.dataplane.cloudevents import Record

_log = logging.getLogger(__name__)


class Workers:
    """Runs `handle` for each record, at most `width` at once; of one lane at most one, in order."""

    def __init__(self, width: int, handle: Callable[[Record], Awaitable[None]]) -> None:
        self._width, self._handle = width, handle
        self._waiting: dict[Hashable, deque[Record]] = {}
        """The records of each lane that has any, at work or waiting."""
        self._ready: deque[Hashable] = deque()
        """The lanes that have a record waiting and none at work, in the order in which they are served."""
        self._tasks: set[asyncio.Task[None]] = set()

    def put(self, lane: Hashable | None, record: Record) -> None:
        """Queue a record in a lane; None: it need not wait for any other."""
        key = object() if lane is None else lane
        if key not in self._waiting:
            self._waiting[key] = deque()
            self._ready.append(key)
        self._waiting[key].append(record)
        self._fill()

    async def drain(self, seconds: float) -> None:
        """Return when no record runs or waits, or after so many seconds."""
        deadline = asyncio.get_running_loop().time() + seconds
        while self._tasks and (left := deadline - asyncio.get_running_loop().time()) > 0:
            await asyncio.wait(self._tasks, timeout=left, return_when=asyncio.FIRST_COMPLETED)

    async def stop(self) -> None:
        """Cancel the running records and drop the waiting ones."""
        self._waiting.clear()
        self._ready.clear()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _fill(self) -> None:
        while self._ready and len(self._tasks) < self._width:
            lane = self._ready.popleft()
            task = asyncio.create_task(self._run(self._waiting[lane].popleft()))
            self._tasks.add(task)
            task.add_done_callback(partial(self._ended, lane))

    def _ended(self, lane: Hashable, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if lane in self._waiting:
            if self._waiting[lane]:
                self._ready.append(lane)
            else:
                del self._waiting[lane]
        self._fill()

    async def _run(self, record: Record) -> None:
        try:
            await self._handle(record)
        except Exception:  # noqa: BLE001 - a fault of ours must show, and must not take the other records with it
            _log.exception("partition %s offset %d could not be handled", record.partition, record.offset)
