"""The distribution of changes to watchers, and the memory of past changes for those who ask later.

`Log` keeps the last changes of each kind and hands every new one to the subscriptions of that kind. That costs an
append to a deque for each and no copy, so many watchers cost little. A `Subscription` is read by exactly one task.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Literal, Self

import orjson

from embedded.api import errors
from embedded.api.resources import Resource

REMEMBERED = 4096
"""The number of changes kept for each kind; a watch from before the oldest of them is answered 410."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change.

    Attributes:
        obj: The object after the change, uncopied: readers must not change it.
        raw: The JSON text of the object.
        old: The object before the change, or None.
    """

    type: Literal["ADDED", "MODIFIED", "DELETED"]
    resource: Resource
    version: int
    obj: dict[str, Any]
    raw: bytes
    old: dict[str, Any] | None


class Subscription:
    """A queue of changes. `async for` gives (type, resource, copy of the object), `next()` the `Change`.

    It ends after `close()`, once the queued changes have been read. With a `limit` it closes itself when that many
    changes wait, for readers that may stall.
    """

    def __init__(
        self, log: "Log", resources: Collection[Resource], first: Iterable[Change], limit: int | None = None
    ) -> None:
        self._log = log
        self._resources = tuple(resources)
        self._changes = deque(first)
        self._wake = asyncio.Event()
        self._closed = False
        self._limit = limit

    def put(self, change: Change) -> None:
        """Queue one change; the log calls this."""
        self._changes.append(change)
        self._wake.set()
        if self._limit is not None and len(self._changes) > self._limit:
            self.close()

    def close(self) -> None:
        """Take no more changes; the reader stops when it has read those that are queued."""
        self._closed = True
        self._log.unsubscribe(self, self._resources)
        self._wake.set()

    async def next(self) -> Change | None:
        """Return the next change, or None after `close()`."""
        while not self._changes:
            if self._closed:
                return None
            self._wake.clear()
            await self._wake.wait()
        return self._changes.popleft()

    def drain(self) -> list[Change]:
        """Return all changes that are queued now, without waiting."""
        taken = list(self._changes)
        self._changes.clear()
        return taken

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> tuple[str, Resource, dict[str, Any]]:
        change = await self.next()
        if change is None:
            raise StopAsyncIteration
        return change.type, change.resource, orjson.loads(change.raw)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()


class Log:
    """The last changes of each kind, and the subscriptions to the next ones."""

    def __init__(self) -> None:
        self._changes: defaultdict[Resource, deque[Change]] = defaultdict(lambda: deque(maxlen=REMEMBERED))
        self._forgotten: defaultdict[Resource, int] = defaultdict(int)
        self._readers: defaultdict[Resource, dict[Subscription, None]] = defaultdict(dict)

    def publish(self, change: Change) -> None:
        """Remember a change and hand it to every subscription of its kind."""
        changes = self._changes[change.resource]
        if len(changes) == REMEMBERED:
            self._forgotten[change.resource] = changes[0].version
        changes.append(change)
        for reader in list(self._readers[change.resource]):
            reader.put(change)

    def replay(self, resources: Collection[Resource], since: int) -> list[Change]:
        """Return the changes after `since`, in order.

        Raises:
            ApiError: Part of them is forgotten (410 Expired).
        """
        oldest = max(self._forgotten[resource] for resource in resources)
        if since < oldest:
            raise errors.expired(since, oldest)
        changes: list[Change] = []
        for resource in resources:
            # From the newest backwards: what a reader missed is a few changes of thousands.
            changes += takewhile(lambda change: change.version > since, reversed(self._changes[resource]))
        return sorted(changes, key=lambda change: change.version)

    def subscribe(
        self, resources: Collection[Resource], first: Iterable[Change], limit: int | None = None
    ) -> Subscription:
        """Return a new subscription that reads `first` before anything new."""
        reader = Subscription(self, resources, first, limit)
        for resource in resources:
            self._readers[resource][reader] = None
        return reader

    def unsubscribe(self, reader: Subscription, resources: Collection[Resource]) -> None:
        """Stop handing changes to this subscription."""
        for resource in resources:
            self._readers[resource].pop(reader, None)
