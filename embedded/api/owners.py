"""Who owns whom: ownerReferences turned round, so that a deleted object's dependents are found at once."""

from collections import defaultdict
from typing import Any

from embedded.api.resources import Resource

Object = dict[str, Any]
Key = tuple[str, str]
"""Namespace (empty for kinds without one) and name."""


class Owners:
    """Which uids exist, and which objects name them in their ownerReferences."""

    def __init__(self) -> None:
        self._alive: set[str] = set()
        self._dependents: defaultdict[str, dict[tuple[Resource, Key], None]] = defaultdict(dict)

    def note(self, resource: Resource, key: Key, old: Object | None, new: Object | None) -> None:
        """An object changed from `old` to `new`; None is "not there"."""
        if new is not None:
            self._alive.add(new["metadata"]["uid"])
        elif old is not None:
            self._alive.discard(old["metadata"]["uid"])
        before, after = _uids(old), _uids(new)
        for uid in before - after:
            self._dependents[uid].pop((resource, key), None)
            if not self._dependents[uid]:
                del self._dependents[uid]
        for uid in after - before:
            self._dependents[uid][resource, key] = None

    def bereaved(self, uid: str) -> list[tuple[Resource, Key]]:
        """The objects that name this uid as an owner."""
        return list(self._dependents.get(uid, ()))

    def all_gone(self, obj: Object) -> bool:
        """True when the object has owners and none of them exists."""
        owners = _uids(obj)
        return bool(owners) and not owners & self._alive


def _uids(obj: Object | None) -> set[str]:
    return {owner["uid"] for owner in (obj or {}).get("metadata", {}).get("ownerReferences") or ()}
