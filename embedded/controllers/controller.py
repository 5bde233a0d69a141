"""The base class of reconcilers: it watches, reconciles each changed object, and tries again after a failure."""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar, TypeAlias

from embedded.api.errors import ApiError
from embedded.api.resources import Resource
from embedded.api.store import Store
from embedded.controllers.readiness import AT_ONCE, Readiness
from embedded.types import Key

FIRST_RETRY, LAST_RETRY = 0.1, 30.0
_Version: TypeAlias = tuple[str, int, bool]
"""The version of an object that takes time: its uid, its generation, and whether it is being deleted."""

_log = logging.getLogger(__name__)


class RetryError(Exception):
    """A fault outside the cluster that may pass; the status names it, and the reconciler tries again with back-off."""


class Controller(ABC):
    """A reconciler of one kind. It works on different objects at the same time, and on each object once at a time.

    Attributes:
        readiness: The times that it takes.
    """

    resource: ClassVar[Resource]
    also: ClassVar[tuple[Resource, ...]] = ()
    """The kinds whose changes concern our objects, or others of them; `concerned` maps a change to them."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.readiness: Readiness = AT_ONCE
        self._reached: dict[Key, _Version] = {}
        self._at_work: dict[Key, asyncio.Task[None]] = {}
        self._again: dict[Key, asyncio.Event] = {}

    @abstractmethod
    async def reconcile(self, namespace: str, name: str) -> None:
        """Bring one object, which may be gone, to its desired state. Repeating and cancelling are safe."""

    def concerned(self, resource: Resource, obj: dict[str, Any]) -> Iterable[Key]:  # noqa: ARG002 -- for those who override
        """Yield our objects that a change of `obj`, of a kind in `also`, concerns: by default its owner of our kind."""
        for owner in obj["metadata"].get("ownerReferences") or ():
            if owner["kind"] == self.resource.kind:
                yield obj["metadata"]["namespace"], owner["name"]

    async def run(self) -> None:
        """Watch and reconcile until cancelled."""
        try:
            async with self.store.watch(tuple(dict.fromkeys([self.resource, *self.also]))) as changes:
                async for _, resource, obj in changes:
                    if resource is self.resource:
                        self._ask((obj["metadata"]["namespace"], obj["metadata"]["name"]))
                    if resource in self.also:
                        for key in self.concerned(resource, obj):
                            self._ask(key)
        finally:
            tasks = list(self._at_work.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def ask_all(self) -> None:
        """Reconcile every object again, because something changed that is not an object."""
        for obj in self.store.list(self.resource):
            self._ask((obj["metadata"]["namespace"], obj["metadata"]["name"]))

    async def _take_time(self, key: Key, changed: asyncio.Event) -> None:
        """Wait as long as a real control plane takes for what is new about an object; a deletion ends the wait."""
        if self.resource not in self.readiness.made:
            return
        loop = asyncio.get_running_loop()
        began = loop.time()
        while (version := self._version(key)) is not None and version != self._reached.get(key):
            took = self.readiness.deleted.get(self.resource, 0.0) if version[2] else self._delay(key)
            left = began + took - loop.time()
            if left <= 0:
                self._reached[key] = version
                return
            changed.clear()
            await _within(changed, left)
        if version is None:
            self._reached.pop(key, None)

    def _delay(self, key: Key) -> float:
        return self.readiness.delay(self.resource, key[1])

    def _version(self, key: Key) -> _Version | None:
        obj = self.store.find(self.resource, *key)
        if obj is None:
            return None
        metadata = obj["metadata"]
        return metadata["uid"], metadata.get("generation", 0), "deletionTimestamp" in metadata

    def _ask(self, key: Key) -> None:
        if key in self._at_work:
            self._again[key].set()
        else:
            self._again[key] = asyncio.Event()
            self._at_work[key] = asyncio.create_task(self._work(key))

    async def _work(self, key: Key) -> None:
        again, failures = self._again[key], 0
        try:
            while True:
                try:
                    await self._take_time(key, again)
                    again.clear()
                    await self.reconcile(*key)
                except Exception as error:  # noqa: BLE001 -- a fault with one object must not stop the others
                    if not isinstance(error, ApiError) or error.code not in {403, 404, 409}:
                        failures += 1
                        delay = min(LAST_RETRY, FIRST_RETRY * 2**failures)
                        expected = isinstance(error, RetryError | ApiError)
                        _log.warning(
                            "%s %s/%s: %s; again in %gs",
                            *(self.resource.kind, *key, error or type(error).__name__, delay),
                            exc_info=None if expected else error,
                        )
                        await _within(again, delay)
                        continue
                    # The namespace is being deleted, or the version is stale: the next change leads to another attempt.
                    _log.debug("%s %s/%s: %s", self.resource.kind, *key, error)
                    if error.code == 409:
                        again.set()
                failures = 0
                if not again.is_set():
                    return
        finally:
            del self._at_work[key], self._again[key]


async def _within(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return


def owned_by(obj: dict[str, Any]) -> dict[str, Any]:
    """Return the ownerReference to a controlling object."""
    return {
        "apiVersion": obj["apiVersion"],
        "kind": obj["kind"],
        "name": obj["metadata"]["name"],
        "uid": obj["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def ensure(
    store: Store, resource: Resource, desired: dict[str, Any], owner: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Create or change an object to the desired labels, annotations and spec; return it as stored."""
    metadata = desired["metadata"]
    if owner is not None:
        metadata = metadata | {"ownerReferences": [owned_by(owner)]}
    current = store.find(resource, metadata["namespace"], metadata["name"])
    if current is None:
        return store.create(resource, desired | {"metadata": metadata})
    changed = current | {name: value for name, value in desired.items() if name != "metadata"}
    changed["metadata"] = current["metadata"] | metadata
    return store.update(resource, changed)


def set_finalizer(store: Store, resource: Resource, obj: dict[str, Any], name: str) -> dict[str, Any]:
    """Add our finalizer to an object, so that it is not removed before we cleaned up after it."""
    finalizers = obj["metadata"].get("finalizers") or []
    if name in finalizers:
        return obj
    obj["metadata"]["finalizers"] = [*finalizers, name]
    return store.update(resource, obj)


def drop_finalizer(store: Store, resource: Resource, obj: dict[str, Any], name: str) -> None:
    """Remove our finalizer from an object, so that the object can be removed."""
    current = store.find(resource, obj["metadata"]["namespace"], obj["metadata"]["name"])
    if current is None or current["metadata"]["uid"] != obj["metadata"]["uid"]:
        return
    finalizers = current["metadata"].get("finalizers") or []
    if name in finalizers:
        current["metadata"]["finalizers"] = [other for other in finalizers if other != name]
        store.update(resource, current)
