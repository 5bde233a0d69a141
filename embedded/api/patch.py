"""Patches of objects: merge patch (RFC 7386), JSON patch (RFC 6902), and strategic merge for core kinds.

All functions return a new object and do not change their arguments. Server-side apply is in `fields`, because it
depends on owners. `$retainKeys` is supported for maps of one level only.
"""

from typing import Any

import jsonpatch
import jsonpointer
import orjson

from embedded.api.errors import ApiError
from embedded.types import Object

_KEYS = {
    "conditions": ("type",),
    "containers": ("name",),
    "env": ("name",),
    "ephemeralContainers": ("name",),
    "hostAliases": ("ip",),
    "imagePullSecrets": ("name",),
    "initContainers": ("name",),
    "ownerReferences": ("uid",),
    "ports": ("containerPort", "port"),
    "secrets": ("name",),
    "volumeDevices": ("devicePath",),
    "volumeMounts": ("mountPath",),
    "volumes": ("name",),
}
MOST_COPIED = 3 * 1024 * 1024
"""The most bytes that all copies of a JSON patch may have, as in the real API: each could double the object."""
# Exceptions of the library for invalid operations, and for those that do not fit the object.
_UNFIT = (
    *(jsonpatch.JsonPatchException, jsonpointer.JsonPointerException),
    *(AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError),
)
_SETS = frozenset({"finalizers"})


def merge(target: Any, patch: Any) -> Any:
    """Apply a merge patch (RFC 7386): null removes, objects merge, everything else replaces."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge(merged.get(name), value)
    return merged


def json_patch(target: Object, operations: Any) -> Object:
    """Apply a JSON patch (RFC 6902).

    Raises:
        ApiError: The operations are not a JSON patch (400), are too many or too large (413), or do not fit (422).
    """
    if not isinstance(operations, list):
        raise ApiError(400, "BadRequest", "error decoding patch: a JSON patch is a list of operations")
    if len(operations) > 10_000:
        raise ApiError(413, "RequestEntityTooLarge", "the allowed maximum operations in a JSON patch is 10000")
    patched: Any = orjson.loads(orjson.dumps(target))
    copied = 0
    try:
        for operation in operations:
            patched = jsonpatch.apply_patch(patched, [operation], in_place=True)
            if operation["op"] == "copy":
                copied += len(orjson.dumps(jsonpointer.resolve_pointer(patched, operation["from"])))
            if copied > MOST_COPIED:
                raise ApiError(413, "RequestEntityTooLarge", f"copies are limited to {MOST_COPIED} bytes together")
    except _UNFIT as error:
        causes = [{"reason": "UnexpectedServerResponse", "message": str(error)}]
        message = "the server rejected our request due to an error in our request"
        raise ApiError(422, "Invalid", message, {"causes": causes}) from error
    if not isinstance(patched, dict):
        raise ApiError(400, "BadRequest", "error decoding patch: the result is not an object")
    return patched


def strategic(target: Any, patch: Any) -> Any:
    """Apply a strategic merge patch: lists with a merge key are merged by it, and `$patch` directives are obeyed."""
    if not isinstance(patch, dict):
        return patch
    if patch.get("$patch") == "replace":
        return {name: value for name, value in patch.items() if name != "$patch"}
    merged = dict(target) if isinstance(target, dict) else {}
    if "$retainKeys" in patch:
        merged = {name: value for name, value in merged.items() if name in patch["$retainKeys"]}
    for name, value in patch.items():
        if name.startswith("$deleteFromPrimitiveList/"):
            field = name.partition("/")[2]
            merged[field] = [item for item in merged.get(field) or () if item not in value]
        elif name.startswith("$"):
            continue
        elif value is None or (isinstance(value, dict) and value.get("$patch") == "delete"):
            merged.pop(name, None)
        elif isinstance(value, list):
            order = patch.get(f"$setElementOrder/{name}")
            merged[name] = _merge_list(name, merged.get(name), value, order)
        else:
            merged[name] = strategic(merged.get(name), value)
    for name, order in patch.items():
        if name.startswith("$setElementOrder/") and name.partition("/")[2] not in patch:
            field = name.partition("/")[2]
            if isinstance(merged.get(field), list):
                merged[field] = _merge_list(field, merged[field], [], order)
    return merged


def _merge_list(name: str, target: Any, patch: list[Any], order: Any) -> list[Any]:
    old = target if isinstance(target, list) else []
    if name in _SETS:
        return old + [item for item in patch if item not in old]
    samples = [item for item in (*patch, *old) if isinstance(item, dict)]
    if len(samples) != len(patch) + len(old) and name in _KEYS:
        raise ApiError(400, "BadRequest", f"error decoding patch: the items of {name} are no objects")
    key = next((key for key in _KEYS.get(name, ()) if any(key in item for item in samples)), None)
    if key is None or any(item.get("$patch") == "replace" for item in samples):
        return [item for item in patch if not (isinstance(item, dict) and item.get("$patch") == "replace")]
    items: dict[str, Any] = {str(item.get(key)): item for item in old}
    for item in patch:
        identity = str(item.get(key))
        if item.get("$patch") == "delete":
            items.pop(identity, None)
        else:
            items[identity] = strategic(items.get(identity), item)
    if isinstance(order, list):
        positions = [str(entry.get(key) if isinstance(entry, dict) else entry) for entry in order]
        rank = {value: index for index, value in enumerate(positions)}
        return sorted(items.values(), key=lambda item: rank.get(str(item.get(key)), len(rank)))
    return list(items.values())
