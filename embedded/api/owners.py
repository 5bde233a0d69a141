"""An index of ownerReferences by owner, so that the dependents of a deleted object are found at once."""

from collections import defaultdict

from embedded.api.resources import Resource
from embedded.types import Key, Object


class Owners:
    """The uids that exist, and the objects that name them in their ownerReferences."""

    def __init__(self) -> None:
        self._alive: set[str] = set()
        self._dependents: defaultdict[str, dict[tuple[Resource, Key], None]] = defaultdict(dict)

    def note(self, resource: Resource, key: Key, old: Object | None, new: Object | None) -> None:
        """Record that an object changed from `old` to `new`; None means that it does not exist."""
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

    def dependents(self, uid: str) -> list[tuple[Resource, Key]]:
        """Return the objects that name this uid as an owner."""
        return list(self._dependents.get(uid, ()))

    def all_gone(self, obj: Object) -> bool:
        """Return whether the object has owners and none of them exists."""
        owners = _uids(obj)
        return bool(owners) and not owners & self._alive


def _uids(obj: Object | None) -> set[str]:
    return {owner["uid"] for owner in (obj or {}).get("metadata", {}).get("ownerReferences") or ()}
