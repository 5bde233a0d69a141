"""The objects, in memory, and every rule about how they change. One asyncio loop; all methods are synchronous.

Controllers use the store in-process; the HTTP server is a thin layer on it. Returned objects are copies: change them
freely, then hand them to `update` or `update_status`. A write does, in order: namespace exists, defaults, pruning and
validation (`validation`), admission, field ownership (`fields`, only when a `manager` is given), resourceVersion,
watchers. A write that changes nothing makes no new resourceVersion and wakes nobody.

Not here: HTTP, patches (`patch`), and the meaning of the objects (controllers).

Deliberate differences from the real API server: deleting a namespace or an owner deletes what belongs to it at once,
not some time later; a pod is gone at once unless it has finalizers (there is no grace period of a kubelet).
"""

import uuid
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import orjson

from embedded.api import errors, fields, validation
from embedded.api.kinds import Kinds, is_built_in
from embedded.api.owners import Owners
from embedded.api.resources import NAMESPACE, Resource
from embedded.api.resources_stored import CUSTOMRESOURCEDEFINITION
from embedded.api.watching import Change, Log, Subscription
from embedded.types import Key, Object

Operation = Literal["CREATE", "UPDATE", "DELETE"]
Admission = Callable[[Operation, Resource, Object | None, Object | None], None]

KEPT = ("uid", "creationTimestamp", "generation", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink")
IMMORTAL = frozenset({"default", "kube-system", "kube-public"})


class _Entry:
    """One stored object with its JSON text."""

    __slots__ = ("obj", "raw", "version")

    def __init__(self, obj: Object, version: int) -> None:
        self.obj = obj
        self.version = version
        self.raw = orjson.dumps(obj)

    def copy(self) -> Object:
        copied: Object = orjson.loads(self.raw)
        return copied


class Store:
    """All objects of the platform.

    Attributes:
        admission: The admission hooks, to which others may be added. A hook gets (operation, resource, new, old), with
            `new` None on DELETE and `old` None on CREATE. It raises `ApiError` to refuse; on CREATE and UPDATE it may
            fill in defaults in `new`.
        version: The latest resourceVersion.
        kinds: The kinds that are served now.
    """

    def __init__(self, admission: Sequence[Admission] = ()) -> None:
        self.admission: list[Admission] = list(admission)
        self.version = 0
        self.kinds = Kinds()
        self._objects: defaultdict[Resource, dict[Key, _Entry]] = defaultdict(dict)
        self._owners = Owners()
        self._population: defaultdict[str, int] = defaultdict(int)
        self._log = Log()
        for name in sorted(IMMORTAL):
            self.create(NAMESPACE, {"metadata": {"name": name}})

    # Reading.

    def find(self, resource: Resource, namespace: str | None, name: str) -> Object | None:
        """Return the object, or None."""
        entry = self._objects[resource].get((namespace or "", name))
        return None if entry is None else entry.copy()

    def get(self, resource: Resource, namespace: str | None, name: str) -> Object:
        """Return the object.

        Raises:
            ApiError: The object does not exist (404 NotFound).
        """
        return self._entry(resource, namespace, name).copy()

    def raw(self, resource: Resource, namespace: str | None, name: str) -> bytes:
        """Return the object as JSON text.

        Raises:
            ApiError: The object does not exist (404 NotFound).
        """
        return self._entry(resource, namespace, name).raw

    def list(
        self, resource: Resource, namespace: str | None = None, labels: Mapping[str, str] | None = None
    ) -> "list[Object]":
        """Return the objects of a kind (in one namespace) that carry all `labels`, ordered by namespace and name."""
        return [
            orjson.loads(raw)
            for obj, raw in self.entries(resource, namespace)
            if not labels or labels.items() <= (obj["metadata"].get("labels") or {}).items()
        ]

    def entries(self, resource: Resource, namespace: str | None = None) -> Iterator[tuple[Object, bytes]]:
        """Yield objects with their JSON text, uncopied: the caller must not change them."""
        for (key_namespace, _), entry in sorted(self._objects[resource].items()):
            if namespace is None or key_namespace == namespace:
                yield entry.obj, entry.raw

    def watch(
        self, resources: Collection[Resource], since: int | None = None, limit: int | None = None
    ) -> Subscription:
        """Return all changes of these kinds as an async iterator of (type, resource, object).

        Without `since` it begins with an ADDED for each object that exists; with `since`, with the changes after that
        resourceVersion. With a `limit` it ends when that many changes wait to be read.

        Raises:
            ApiError: Changes after `since` are no longer remembered (410 Expired).
        """
        if since is not None:
            return self._log.subscribe(resources, self._log.replay(resources, since), limit)
        existing = (
            Change("ADDED", resource, entry.version, entry.obj, entry.raw, None)
            for resource in resources
            for _, entry in sorted(self._objects[resource].items())
        )
        return self._log.subscribe(resources, existing, limit)

    # Writing.

    def create(
        self, resource: Resource, obj: Object, *, manager: fields.Manager | None = None, dry_run: bool = False
    ) -> Object:
        """Store a new object and return it as stored. `metadata.generateName` works as usual.

        Raises:
            ApiError: The namespace does not exist (404) or is being deleted (403), the object exists (409) or is
                invalid (422), or an admission hook refuses.
        """
        new: Object = orjson.loads(orjson.dumps(obj))
        new["apiVersion"], new["kind"] = resource.api_version, resource.kind
        metadata = new["metadata"] = dict(new.get("metadata") or {})
        if not metadata.get("name") and isinstance(metadata.get("generateName"), str):
            metadata["name"] = validation.generated_name(metadata["generateName"])
        namespace = self._namespace_of(resource, metadata)
        for name in (*KEPT, "resourceVersion"):
            metadata.pop(name, None)
        if resource.status and resource.custom:
            new.pop("status", None)
        metadata |= {"uid": str(uuid.uuid4()), "creationTimestamp": now()}
        if resource.generations:
            metadata["generation"] = 1
        validation.settle(resource, new)
        self._admit("CREATE", resource, new, None)
        key = (namespace, metadata["name"])
        if key in self._objects[resource]:
            raise errors.already_exists(resource, metadata["name"])
        if manager:
            fields.track(None, new, manager, now())
        if dry_run:
            return new
        self._put("ADDED", resource, key, new)
        self._collect_orphan(resource, key)
        return new

    def update(
        self, resource: Resource, obj: Object, *, manager: fields.Manager | None = None, dry_run: bool = False
    ) -> Object:
        """Replace all but the status (where that is a subresource of its own) and return the object as stored.

        Taking the last finalizer off an object that is being deleted removes it.

        Raises:
            ApiError: A `resourceVersion` or `uid` in `obj` is not the stored one (409), or the object is invalid (422).
        """
        entry, new = self._prepare(resource, obj)
        old = entry.obj
        if resource.status:
            new.pop("status", None)
            if "status" in old:
                new["status"] = old["status"]
        return self._replace(resource, entry, new, manager, dry_run=dry_run)

    def update_status(
        self, resource: Resource, obj: Object, *, manager: fields.Manager | None = None, dry_run: bool = False
    ) -> Object:
        """Replace only `status`; everything else in `obj` but its resourceVersion and uid is ignored."""
        entry, new = self._prepare(resource, obj)
        owners = new["metadata"].get("managedFields")
        merged = entry.copy()
        merged.pop("status", None)
        if "status" in new:
            merged["status"] = new["status"]
        if owners is not None:
            merged["metadata"]["managedFields"] = owners
        return self._replace(resource, entry, merged, manager, dry_run=dry_run)

    def patch_status(
        self, resource: Resource, namespace: str | None, name: str, status: Mapping[str, Any]
    ) -> Object | None:
        """Make `status` the object's status, for controllers, if it differs; return None when the object is gone."""
        entry = self._objects[resource].get((namespace or "", name))
        if entry is None:
            return None
        if entry.obj.get("status") == status:
            return entry.copy()
        new = entry.copy()
        new["status"] = status
        new["metadata"].pop("resourceVersion")
        return self.update_status(resource, new)

    def delete(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        *,
        orphan: bool = False,
        uid: str | None = None,
        version: str | None = None,
        grace: int = 0,
        dry_run: bool = False,
    ) -> Object:
        """Delete an object and, unless `orphan`, everything that only it owns; return its last state.

        With finalizers, it only gets a `deletionTimestamp`: the returned object has one exactly if it still exists.
        A namespace is `Terminating` until its content is gone.

        Raises:
            ApiError: The object does not exist (404), or `uid` or `version` is not the stored one (409).
        """
        entry = self._entry(resource, namespace, name)
        _check_preconditions(resource, entry.obj, uid, version)
        self._admit("DELETE", resource, None, entry.obj)
        key = (namespace or "", name)
        obj = entry.copy()
        if resource is NAMESPACE and name in IMMORTAL:
            raise errors.forbidden(resource, name, "this namespace may not be deleted")
        if resource is CUSTOMRESOURCEDEFINITION and is_built_in(obj):
            raise errors.forbidden(resource, name, "the platform itself serves this kind")
        if dry_run:
            return obj
        if resource is NAMESPACE or obj["metadata"].get("finalizers"):
            self._mark(resource, key, obj, grace)
            if resource is NAMESPACE:
                self._empty(name)
            return obj
        self._remove(resource, key, orphan=orphan)
        return obj

    # The steps of a write.

    def _prepare(self, resource: Resource, obj: Object) -> tuple[_Entry, Object]:
        new: Object = orjson.loads(orjson.dumps(obj))
        new["apiVersion"], new["kind"] = resource.api_version, resource.kind
        metadata = new.setdefault("metadata", {})
        namespace = metadata.get("namespace") if resource.namespaced else None
        entry = self._entry(resource, namespace, metadata.get("name", ""))
        _check_preconditions(resource, entry.obj, metadata.get("uid"), metadata.get("resourceVersion"))
        for name in KEPT:
            metadata.pop(name, None)
            if name in entry.obj["metadata"]:
                metadata[name] = entry.obj["metadata"][name]
        return entry, new

    def _replace(
        self, resource: Resource, entry: _Entry, new: Object, manager: fields.Manager | None, *, dry_run: bool
    ) -> Object:
        old, metadata = entry.obj, new["metadata"]
        validation.settle(resource, new, old)
        added = set(metadata.get("finalizers") or ()) - set(old["metadata"].get("finalizers") or ())
        if added and "deletionTimestamp" in old["metadata"]:
            raise validation.no_new_finalizers(resource, metadata["name"], sorted(added))
        self._admit("UPDATE", resource, new, old)
        if resource.generations and _desired(new) != _desired(old):
            metadata["generation"] = old["metadata"].get("generation", 0) + 1
        if manager:
            fields.track(old, new, manager, now())
        elif "managedFields" not in metadata and "managedFields" in old["metadata"]:
            metadata["managedFields"] = old["metadata"]["managedFields"]
        metadata["resourceVersion"] = str(entry.version)
        if dry_run or fields.same(old, new):
            return new if dry_run else entry.copy()
        key = (metadata.get("namespace", "") if resource.namespaced else "", metadata["name"])
        if "deletionTimestamp" in metadata and not metadata.get("finalizers") and resource is not NAMESPACE:
            self._remove(resource, key)
            return new
        self._put("MODIFIED", resource, key, new)
        return new

    def _put(self, change: Literal["ADDED", "MODIFIED"], resource: Resource, key: Key, obj: Object) -> None:
        self.version += 1
        obj["metadata"]["resourceVersion"] = str(self.version)
        stored: Object = orjson.loads(orjson.dumps(obj))
        entry = _Entry(stored, self.version)
        old = self._objects[resource].get(key)
        self._objects[resource][key] = entry
        self._owners.note(resource, key, None if old is None else old.obj, stored)
        self._population[key[0]] += old is None
        if resource is CUSTOMRESOURCEDEFINITION:
            self.kinds = self.kinds.defined(stored)
        self._log.publish(Change(change, resource, self.version, stored, entry.raw, None if old is None else old.obj))

    def _mark(self, resource: Resource, key: Key, obj: Object, grace: int = 0) -> None:
        metadata = obj["metadata"]
        if "deletionTimestamp" in metadata:
            return
        metadata["deletionTimestamp"] = now()
        if resource is NAMESPACE:
            obj["status"] = {**obj.get("status", {}), "phase": "Terminating"}
        else:
            metadata["deletionGracePeriodSeconds"] = grace
            if resource.generations:
                metadata["generation"] += 1
        self._put("MODIFIED", resource, key, obj)

    def _remove(self, resource: Resource, key: Key, *, orphan: bool = False) -> None:
        old = self._objects[resource].pop(key)
        self.version += 1
        obj = old.copy()
        obj["metadata"]["resourceVersion"] = str(self.version)
        uid = obj["metadata"]["uid"]
        self._population[key[0]] -= 1
        self._owners.note(resource, key, old.obj, None)
        self._log.publish(Change("DELETED", resource, self.version, obj, orjson.dumps(obj), old.obj))
        for dependent, other_key in self._owners.dependents(uid):
            if orphan:
                self._disown(dependent, other_key, uid)
            else:
                self._collect_orphan(dependent, other_key)
        if resource is CUSTOMRESOURCEDEFINITION and (kind := self.kinds.of(obj)) is not None:
            for other_key in list(self._objects[kind]):
                self._remove(kind, other_key)
            self.kinds = self.kinds.without(kind)
        self._finish_namespace(key[0])

    # Ownership.

    def _collect_orphan(self, resource: Resource, key: Key) -> None:
        """Delete an object if its owners are all gone."""
        entry = self._objects[resource].get(key)
        if entry and self._owners.all_gone(entry.obj):
            self.delete(resource, key[0], key[1])

    def _disown(self, resource: Resource, key: Key, uid: str) -> None:
        entry = self._objects[resource].get(key)
        if entry is None:
            return
        new = entry.copy()
        left = [owner for owner in new["metadata"].pop("ownerReferences") if owner["uid"] != uid]
        if left:
            new["metadata"]["ownerReferences"] = left
        self._put("MODIFIED", resource, key, new)

    def _empty(self, namespace: str) -> None:
        for resource, objects in list(self._objects.items()):
            for key in [key for key in objects if resource.namespaced and key[0] == namespace]:
                if key in objects:
                    self.delete(resource, *key)
        self._finish_namespace(namespace)

    def _finish_namespace(self, name: str) -> None:
        entry = self._objects[NAMESPACE].get(("", name))
        if entry and not self._population[name] and "deletionTimestamp" in entry.obj["metadata"]:
            self._remove(NAMESPACE, ("", name))
            del self._population[name]

    # Helpers.

    def _entry(self, resource: Resource, namespace: str | None, name: str) -> _Entry:
        entry = self._objects[resource].get((namespace or "", name))
        if entry is None:
            raise errors.not_found(resource, name)
        return entry

    def _namespace_of(self, resource: Resource, metadata: Object) -> str:
        if not resource.namespaced:
            metadata.pop("namespace", None)
            return ""
        name: str = metadata.setdefault("namespace", "default")
        namespace = self._entry(NAMESPACE, None, name).obj
        if "deletionTimestamp" in namespace["metadata"]:
            why = f"unable to create new content in namespace {name} because it is being terminated"
            raise errors.forbidden(resource, metadata.get("name", ""), why)
        return name

    def _admit(self, operation: Operation, resource: Resource, new: Object | None, old: Object | None) -> None:
        for hook in self.admission:
            hook(operation, resource, new, old)


def now() -> str:
    """Return the wall-clock time as Kubernetes writes it, to the second, in UTC."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _desired(obj: Object) -> Object:
    return {name: value for name, value in obj.items() if name not in ("metadata", "status")}


def _check_preconditions(resource: Resource, stored: Object, uid: str | None, version: str | None) -> None:
    metadata = stored["metadata"]
    if uid and uid != metadata["uid"]:
        why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {metadata['uid']}"
        raise errors.conflict(resource, metadata["name"], why)
    if version and version != metadata["resourceVersion"]:
        raise errors.conflict(resource, metadata["name"])
