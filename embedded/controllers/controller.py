"""The machinery of every reconciler: watch, ask once for each object that changed, ask again after a failure."""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar

from embedded.api.errors import ApiError
from embedded.api.resources import Resource
from embedded.api.store import Store

Key = tuple[str, str]
"""(namespace, name)."""

FIRST_RETRY, LAST_RETRY = 0.1, 30.0

_log = logging.getLogger(__name__)


class RetryError(Exception):
    """Something outside the cluster is not as it must be; the status says so. Worth another attempt, with back-off."""


class Controller(ABC):
    """Reconciles one kind. Different objects at the same time, each object once at a time."""

    resource: ClassVar[Resource]
    also: ClassVar[tuple[Resource, ...]] = ()
    """Other kinds whose changes concern objects of ours; `concerned` says which."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._at_work: dict[Key, asyncio.Task[None]] = {}
        self._again: dict[Key, asyncio.Event] = {}

    @abstractmethod
    async def reconcile(self, namespace: str, name: str) -> None:
        """Make what is match what is wanted, for one object, which may be gone. Safe to repeat and to cancel."""

    def concerned(self, resource: Resource, obj: dict[str, Any]) -> Iterable[Key]:  # noqa: ARG002 -- for those who override
        """Objects of ours that a change of `obj`, of a kind in `also`, concerns. By default its owner of our kind."""
        for owner in obj["metadata"].get("ownerReferences") or ():
            if owner["kind"] == self.resource.kind:
                yield obj["metadata"]["namespace"], owner["name"]

    async def run(self) -> None:
        """Work until cancelled."""
        try:
            async with self.store.watch([self.resource, *self.also]) as changes:
                async for _, resource, obj in changes:
                    if resource is self.resource:
                        self._ask((obj["metadata"]["namespace"], obj["metadata"]["name"]))
                    else:
                        for key in self.concerned(resource, obj):
                            self._ask(key)
        finally:
            tasks = list(self._at_work.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def ask_all(self) -> None:
        """Reconcile every object again: something changed that is no object."""
        for obj in self.store.list(self.resource):
            self._ask((obj["metadata"]["namespace"], obj["metadata"]["name"]))

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
                again.clear()
                try:
                    await self.reconcile(*key)
                except ApiError as error:
                    # A namespace that goes away under our hands, a stale version: the next change brings us back.
                    if error.code not in {403, 404, 409}:
                        raise
                    _log.debug("%s %s/%s: %s", self.resource.kind, *key, error)
                    if error.code == 409:
                        again.set()
                except Exception as error:  # noqa: BLE001 -- nothing that one object does may stop the others
                    failures += 1
                    delay = min(LAST_RETRY, FIRST_RETRY * 2**failures)
                    expected = isinstance(error, RetryError)
                    _log.warning(
                        "%s %s/%s: %s; again in %gs",
                        *(self.resource.kind, *key, error or type(error).__name__, delay),
                        exc_info=None if expected else error,
                    )
                    await _within(again, delay)
                    continue
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
    """The ownerReference to a controlling object."""
    return {
        "apiVersion": obj["apiVersion"],
        "kind": obj["kind"],
        "name": obj["metadata"]["name"],
        "uid": obj["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def ensure(
    store: Store, resource: Resource, wanted: dict[str, Any], owner: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Create or change an object so that its labels, annotations and spec are as wanted; return it as stored."""
    metadata = wanted["metadata"]
    if owner is not None:
        metadata = metadata | {"ownerReferences": [owned_by(owner)]}
    current = store.find(resource, metadata["namespace"], metadata["name"])
    if current is None:
        return store.create(resource, wanted | {"metadata": metadata})
    changed = current | {name: value for name, value in wanted.items() if name != "metadata"}
    changed["metadata"] = current["metadata"] | metadata
    return store.update(resource, changed)


def set_finalizer(store: Store, resource: Resource, obj: dict[str, Any], name: str) -> dict[str, Any]:
    """Put our finalizer on an object, so that it cannot vanish before we cleaned up after it."""
    finalizers = obj["metadata"].get("finalizers") or []
    if name in finalizers:
        return obj
    obj["metadata"]["finalizers"] = [*finalizers, name]
    return store.update(resource, obj)


def drop_finalizer(store: Store, resource: Resource, obj: dict[str, Any], name: str) -> None:
    """Take our finalizer off: the object may go."""
    current = store.find(resource, obj["metadata"]["namespace"], obj["metadata"]["name"])
    if current is None or current["metadata"]["uid"] != obj["metadata"]["uid"]:
        return
    finalizers = current["metadata"].get("finalizers") or []
    if name in finalizers:
        current["metadata"]["finalizers"] = [other for other in finalizers if other != name]
        store.update(resource, current)
