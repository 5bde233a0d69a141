"""Ownership of fields: `metadata.managedFields` and server-side apply.

A field set is a set of paths; a path is a tuple of `f:name` steps (and `v:value` steps in the finalizers), as in the
FieldsV1 notation. Lists are owned whole, as in a schema without list types; finalizers are a set. Sources: the
Kubernetes documentation of server-side apply, and the recorded answers of a real API server.

List maps are not supported: two managers that apply different containers of one Pod conflict on the list.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import orjson

from embedded.api.errors import ApiError
from embedded.types import Object

Path = tuple[str, ...]
Leaves = dict[Path, Any]

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
FINALIZERS: Path = ("f:metadata", "f:finalizers")
_MAP = object()
_UNOWNED = (
    *("name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink"),
    *("generateName", "deletionTimestamp", "deletionGracePeriodSeconds"),
)


@dataclass(frozen=True, slots=True)
class Manager:
    """The writer of a change: a field manager's name and the subresource through which it writes."""

    name: str
    subresource: str = ""


@dataclass(frozen=True, slots=True)
class _Owned:
    """One entry of managedFields with its field set decoded."""

    name: str
    operation: str
    subresource: str
    api_version: str
    time: str | None
    paths: frozenset[Path]

    @property
    def key(self) -> tuple[str, str, str, str]:
        return (self.name, self.operation, self.subresource, self.api_version)

    def __str__(self) -> str:
        through = f' with subresource "{self.subresource}"' if self.subresource else ""
        if self.operation == "Apply":
            return f'"{self.name}"{through}'
        return f'"{self.name}"{through} using {self.api_version}' + (f" at {self.time}" if self.time else "")


def same(old: Object, new: Object) -> bool:
    """Return whether a write would change nothing but times in managedFields."""
    return _content(old) == _content(new) and _without_times(old) == _without_times(new)


def track(old: Object | None, new: Object, manager: Manager, time: str) -> None:
    """Record in `new` what `manager` owns after it turned `old` (None: nothing) into `new` without apply."""
    before, after = _leaves(old or {}, manager.subresource), _leaves(new, manager.subresource)
    changed = {path for path, value in after.items() if path in before and _differ(before[path], value)}
    removed = before.keys() - after.keys()
    touched = (after.keys() - before.keys()) | changed
    given = new["metadata"].get("managedFields") if old else None
    entries = _decode(given if isinstance(given, list) else ((old or {}).get("metadata", {}).get("managedFields")))
    me = _Owned(manager.name, "Update", manager.subresource, new["apiVersion"], None, frozenset())
    owned = {entry.key: entry for entry in entries}
    mine = owned.pop(me.key, me)
    if touched or removed:
        owned = {key: replace(entry, paths=entry.paths - changed - removed) for key, entry in owned.items()}
        mine = replace(mine, paths=(mine.paths | touched) - removed, time=time)
    _store(new, [*owned.values(), mine])


def apply(live: Object | None, patch: Object, manager: Manager, *, force: bool, time: str) -> Object:
    """Return the object that results when `manager` applies `patch` to `live` on the server side.

    kubectl may take over what its own client-side apply left (it is written in the last-applied annotation).

    Raises:
        ApiError: Another manager holds a field at another value (409), and `force` is false.
    """
    desired = {path: value for path, value in _leaves(patch, manager.subresource).items() if value is not _MAP}
    current = _leaves(live or {}, manager.subresource)
    entries = {entry.key: entry for entry in _decode((live or {}).get("metadata", {}).get("managedFields"))}
    me = _Owned(manager.name, "Apply", manager.subresource, patch["apiVersion"], None, frozenset())
    mine = entries.pop(me.key, me)
    conflicts = [
        (entry, path)
        for entry in entries.values()
        for path, value in sorted(desired.items())
        if path in entry.paths and path in current and not _holds(current[path], value)
    ]
    if conflicts and not force:
        allowed = _left_by_client_side_apply(live or {}, current) if manager.name == "kubectl" else frozenset()
        refused = [(entry, path) for entry, path in conflicts if path not in allowed]
        if refused:
            raise _conflict(refused)
    for entry, path in conflicts:
        entries[entry.key] = replace(entries[entry.key], paths=entries[entry.key].paths - {path})
    merged: Object = orjson.loads(orjson.dumps(live or {}))
    _merge(
        merged, {k: v for k, v in patch.items() if not manager.subresource or k in (manager.subresource, "metadata")}
    )
    others = frozenset[Path]().union(*(entry.paths for entry in entries.values()))
    for path in sorted(mine.paths - desired.keys(), key=len, reverse=True):
        if not any(other[: len(path)] == path for other in (*others, *desired)):
            _cut(merged, path, others | desired.keys())
    if manager.name == "kubectl" and LAST_APPLIED in (merged["metadata"].get("annotations") or {}):
        merged["metadata"]["annotations"][LAST_APPLIED] = _last_applied(patch)
    changed = live is None or _content(live) != _content(merged)
    mine = replace(mine, paths=frozenset(desired), time=time if changed else mine.time)
    _store(merged, [*entries.values(), mine])
    return merged


def _leaves(obj: Object, subresource: str) -> Leaves:
    """Return every owned field with its value; a map that is not empty is `_MAP`, and its fields follow."""
    if subresource:
        chosen: Object = {subresource: obj[subresource]} if subresource in obj else {}
        return dict(_walk((), chosen))
    custom = "." in str(obj.get("apiVersion", "")).partition("/")[0]
    leaves: Leaves = {}
    for name, value in obj.items():
        if name == "metadata":
            owned = {k: v for k, v in value.items() if k not in _UNOWNED}
            leaves.update(_walk(("f:metadata",), owned))
        elif name in ("apiVersion", "kind", "status") or (obj.get("kind") == "Namespace" and not custom):
            continue
        else:
            leaves.update(_walk((), {name: value}))
            if not custom and name == "spec":
                leaves.pop(("f:spec",), None)
    return leaves


def _walk(at: Path, fields: Object) -> Iterator[tuple[Path, Any]]:
    for name, value in fields.items():
        path = (*at, f"f:{name}")
        if isinstance(value, dict) and value:
            yield path, _MAP
            yield from _walk(path, value)
        elif path == FINALIZERS:
            yield path, _MAP
            yield from (((*path, f"v:{orjson.dumps(item).decode()}"), item) for item in value or ())
        else:
            yield path, value


def _differ(first: Any, second: Any) -> bool:
    if first is _MAP or second is _MAP:  # what a map holds is compared field by field
        return first is not second and {} not in (first, second)
    return bool(first != second)


def _holds(current: Any, desired: Any) -> bool:
    """Return whether `current` is `desired`, or a list of it whose items have more fields (the server's defaults)."""
    if isinstance(desired, list) and isinstance(current, list):
        return len(desired) == len(current) and all(map(_holds, current, desired))
    if isinstance(desired, dict) and isinstance(current, dict):
        return all(name in current and _holds(current[name], value) for name, value in desired.items())
    return not _differ(current, desired)


def _content(obj: Object) -> Object:
    metadata = {k: v for k, v in obj["metadata"].items() if k not in ("managedFields", "resourceVersion")}
    return obj | {"metadata": metadata}


def _without_times(obj: Object) -> list[Object]:
    return [{k: v for k, v in e.items() if k != "time"} for e in obj["metadata"].get("managedFields") or ()]


def _merge(target: Object, patch: Object) -> None:
    for name, value in patch.items():
        if isinstance(value, dict) and isinstance(target.get(name), dict):
            _merge(target[name], value)
        elif name == "finalizers" and isinstance(target.get(name), list) and isinstance(value, list):
            target[name] += [item for item in value if item not in target[name]]
        else:
            target[name] = value


def _cut(obj: Object, path: Path, kept: frozenset[Path] | set[Path]) -> None:
    """Remove a field that nobody owns any more, and the maps above it that become empty."""
    steps = [step[2:] for step in path]
    parents = [obj]
    for step in steps[:-1]:
        below = parents[-1].get(step)
        if isinstance(below, list):
            below[:] = [item for item in below if orjson.dumps(item).decode() != steps[-1]]
        if not isinstance(below, dict):
            return
        parents.append(below)
    for depth in range(len(steps) - 1, -1, -1):
        parents[depth].pop(steps[depth], None)
        if parents[depth] or depth == 0 or path[:depth] in kept or path[:depth] == ("f:metadata",):
            return


def _left_by_client_side_apply(live: Object, current: Leaves) -> frozenset[Path]:
    """Return the fields of the last-applied annotation whose values are still the live ones."""
    text = (live.get("metadata", {}).get("annotations") or {}).get(LAST_APPLIED)
    if not text:
        return frozenset()
    try:
        applied = _leaves(orjson.loads(text), "")
    except (orjson.JSONDecodeError, AttributeError):
        return frozenset()  # an annotation is free text; without a readable one nothing is handed over
    return frozenset(path for path, value in applied.items() if path in current and _holds(current[path], value))


def _last_applied(patch: Object) -> str:
    """Return the text for kubectl's annotation after server-side apply, so that both ways of applying can be mixed."""
    metadata = dict(patch["metadata"])
    if annotations := {k: v for k, v in (metadata.pop("annotations", None) or {}).items() if k != LAST_APPLIED}:
        metadata["annotations"] = annotations
    text = orjson.dumps(patch | {"metadata": metadata}, option=orjson.OPT_SORT_KEYS).decode()
    for sign in "<>&":  # as Go writes them
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text + "\n"


def _conflict(conflicts: list[tuple[_Owned, Path]]) -> ApiError:
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {entry}", "field": _dotted(path)}
        for entry, path in conflicts
    ]
    if len(conflicts) == 1:
        text = f"1 conflict: conflict with {conflicts[0][0]}: {_dotted(conflicts[0][1])}"
    else:
        lines = []
        for entry in dict.fromkeys(entry for entry, _ in conflicts):
            lines.append(f"conflicts with {entry}:")
            lines += [f"- {_dotted(path)}" for owner, path in conflicts if owner is entry]
        text = f"{len(conflicts)} conflicts: " + "\n".join(lines)
    return ApiError(409, "Conflict", f"Apply failed with {text}", {"causes": causes})


def _dotted(path: Path) -> str:
    return "".join(f".{step[2:]}" if step.startswith("f:") else f"[={step[2:]}]" for step in path)


def _decode(entries: Any) -> list[_Owned]:
    return [
        _Owned(
            entry.get("manager", ""),
            entry.get("operation", ""),
            entry.get("subresource", ""),
            entry.get("apiVersion", ""),
            entry.get("time"),
            frozenset(_paths((), entry.get("fieldsV1") or {})),
        )
        for entry in entries or ()
        if isinstance(entry, dict) and entry
    ]


def _paths(at: Path, tree: Any) -> Iterator[Path]:
    if not isinstance(tree, dict):
        return  # malformed: a client wrote managedFields itself
    if at and (not tree or "." in tree):
        yield at
    for step, below in tree.items():
        if step != ".":
            yield from _paths((*at, step), below)


def _store(obj: Object, entries: list[_Owned]) -> None:
    """Write the entries that own something, in the order that the real API uses."""
    entries = sorted((e for e in entries if e.paths), key=lambda e: (e.operation, e.time or "", e.name, e.subresource))
    obj["metadata"].pop("managedFields", None)
    if entries:
        obj["metadata"]["managedFields"] = [_encode(entry) for entry in entries]


def _encode(entry: _Owned) -> Object:
    tree: Object = {}
    nodes: dict[Path, Object] = {}
    for path in entry.paths:
        node = tree
        for step in path:
            node = node.setdefault(step, {})
        nodes[path] = node
    for node in nodes.values():
        if node:
            node["."] = {}
    encoded: Object = {"apiVersion": entry.api_version, "fieldsType": "FieldsV1", "fieldsV1": tree}
    encoded |= {"manager": entry.name, "operation": entry.operation}
    if entry.subresource:
        encoded["subresource"] = entry.subresource
    if entry.time:
        encoded["time"] = entry.time
    return encoded
