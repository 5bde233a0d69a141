"""The verbs get, list, create, update, patch, apply and delete: from a `Call` and a body to an `ApiAnswer`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from embedded.api import errors, fields, patch, requests, store, validation
from embedded.api.protobuf import MEDIA_TYPE as PROTOBUF
from embedded.api.requests import APPLY, JSON, JSON_PATCH, MERGE, STRATEGIC, YAML, Call
from embedded.api.resources import ACCESSREVIEW, RULESREVIEW, Resource
from embedded.api.rights import Rights
from embedded.api.selectors import selector
from embedded.api.table import render_table
from embedded.types import Object

_ALL = ["*"]
_REVIEWED: dict[Resource, Object] = {
    ACCESSREVIEW: {"allowed": True, "reason": "everything is allowed on the embedded platform"},
    RULESREVIEW: {
        "resourceRules": [{"verbs": _ALL, "apiGroups": _ALL, "resources": _ALL}],
        "nonResourceRules": [{"verbs": _ALL, "nonResourceURLs": _ALL}],
        "incomplete": False,
    },
}
_ANSWERED_WHOLE = frozenset({"Namespace", "Pod", "Service", "ServiceAccount"})


@dataclass(frozen=True, slots=True)
class ApiAnswer:
    """An HTTP answer in JSON.

    Attributes:
        warnings: The texts of Warning headers, which kubectl prints.
    """

    code: int
    body: bytes
    warnings: Sequence[str] = ()


def get(objects: store.Store, call: Call) -> ApiAnswer:
    """Return one object, or its row."""
    assert call.name is not None
    raw = objects.raw(call.resource, call.namespace, call.name)
    if call.table:
        obj = orjson.loads(raw)
        return _table(call, [obj], obj["metadata"]["resourceVersion"])
    return ApiAnswer(200, raw)


def list_(objects: store.Store, call: Call) -> ApiAnswer:
    """Return the objects that the selectors choose, or their rows."""
    chosen = selector(call.resource, call.query.get("labelSelector", ""), call.query.get("fieldSelector", ""))
    pairs = [(obj, raw) for obj, raw in objects.entries(call.resource, call.namespace) if chosen is None or chosen(obj)]
    version = str(objects.version)
    if call.table:
        return _table(call, [obj for obj, _ in pairs], version)
    head: Object = {"apiVersion": call.resource.api_version, "kind": f"{call.resource.kind}List"}
    if call.resource.custom:
        head["metadata"] = {"continue": "", "resourceVersion": version}
        items = [raw for _, raw in pairs]
    else:  # a built-in list's items carry no type of their own
        head["metadata"] = {"resourceVersion": version}
        items = [orjson.dumps({k: v for k, v in obj.items() if k not in ("apiVersion", "kind")}) for obj, _ in pairs]
    return ApiAnswer(200, orjson.dumps(head)[:-1] + b',"items":[' + b",".join(items) + b"]}")


def create(objects: store.Store, call: Call, body: bytes, media_type: str) -> ApiAnswer:
    """Create an object."""
    accepted = (JSON, YAML) if call.resource.custom else (JSON, YAML, PROTOBUF)
    obj = requests.read_object(call, requests.read_body(body, media_type, accepted))
    warnings = _unknown_fields(call, obj)
    if status := _REVIEWED.get(call.resource):
        return ApiAnswer(201, orjson.dumps(obj | {"status": status}), warnings)
    made = objects.create(call.resource, obj, manager=call.manager, dry_run=call.dry_run)
    return ApiAnswer(201, orjson.dumps(made), warnings)


def review(call: Call, body: bytes, media_type: str, rights: Rights) -> ApiAnswer:
    """Answer who asks for its own rights, of which it has not all."""
    obj = requests.read_object(call, requests.read_body(body, media_type, (JSON, YAML, PROTOBUF)))
    return ApiAnswer(201, orjson.dumps(obj | {"status": rights.review(obj.get("spec") or {})}))


def update(objects: store.Store, call: Call, body: bytes, media_type: str) -> ApiAnswer:
    """Replace an object, or its status."""
    obj = requests.read_object(call, requests.read_body(body, media_type, (JSON, YAML)))
    warnings = _unknown_fields(call, obj)
    if call.resource.custom and not obj["metadata"].get("resourceVersion"):
        objects.get(call.resource, call.namespace, call.name or "")
        cause = errors.Cause(
            "metadata.resourceVersion", "FieldValueInvalid", "Invalid value: 0: must be specified for an update"
        )
        raise errors.invalid(call.resource, call.name or "", [cause])
    return ApiAnswer(200, orjson.dumps(_write(objects, call, obj)), warnings)


def patch_(objects: store.Store, call: Call, body: bytes, media_type: str) -> ApiAnswer:
    """Change an object by a patch of any kind; server-side apply also creates."""
    accepted = (JSON_PATCH, MERGE, APPLY) if call.resource.custom else (JSON_PATCH, MERGE, STRATEGIC, APPLY)
    change = requests.read_body(body, media_type, accepted)
    if media_type == APPLY:
        return _apply(objects, call, change)
    live = objects.get(call.resource, call.namespace, call.name or "")
    if media_type != JSON_PATCH and not isinstance(change, dict):
        raise errors.bad_request("error decoding patch: the patch is not an object")
    if media_type == JSON_PATCH:
        new = patch.json_patch(live, change)
    else:
        new = (patch.merge if media_type == MERGE else patch.strategic)(live, change)
    obj = requests.read_object(call, new)
    warnings = _unknown_fields(call, obj, text=new)
    return ApiAnswer(200, orjson.dumps(_write(objects, call, obj)), warnings)


def delete(objects: store.Store, call: Call, body: bytes, media_type: str) -> ApiAnswer:
    """Delete one object; the answer is the object while it still exists, else a Status."""
    options = requests.read_delete_options(call, requests.read_body(body, media_type, (JSON, YAML)) if body else None)
    gone = objects.delete(call.resource, call.namespace, call.name or "", **options)
    if "deletionTimestamp" in gone["metadata"] or call.resource.kind in _ANSWERED_WHOLE:
        return ApiAnswer(200, orjson.dumps(gone))
    about = errors.details(call.resource, call.name or "", uid=gone["metadata"]["uid"])
    status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": about}
    return ApiAnswer(200, orjson.dumps(status))


def delete_collection(objects: store.Store, call: Call, body: bytes, media_type: str) -> ApiAnswer:
    """Delete all objects that the selectors choose; the answer lists their last states."""
    if "deletecollection" not in call.resource.verbs or (call.resource.namespaced and call.namespace is None):
        raise errors.method_not_allowed()
    options = requests.read_delete_options(call, requests.read_body(body, media_type, (JSON, YAML)) if body else None)
    listed = list_(objects, replace(call, accept=""))
    for item in orjson.loads(listed.body)["items"]:
        metadata = item["metadata"]
        if objects.find(call.resource, metadata.get("namespace"), metadata["name"]):  # a cascade may have taken it
            objects.delete(call.resource, metadata.get("namespace"), metadata["name"], **options)
    return listed


def _apply(objects: store.Store, call: Call, change: Any) -> ApiAnswer:
    if not call.query.get("fieldManager"):
        cause = errors.Cause("fieldManager", "FieldValueRequired", "Required value: is required for apply patch")
        raise errors.invalid_options([cause])
    desired = requests.read_object(call, change)
    if desired["metadata"].get("managedFields"):
        raise errors.bad_request("metadata.managedFields must be nil")
    if unknown := validation.unknown_fields(call.resource, desired):
        namespace, kind = desired["metadata"].get("namespace", ""), call.resource
        named = f"{namespace}/{call.name}; {kind.api_version}, Kind={kind.kind}"
        why = f".{unknown[0]}: field not declared in schema"
        raise errors.ApiError(500, "", f"failed to create typed patch object ({named}): {why}")
    if mistyped := [
        item for item in validation.typed(call.resource, desired) if item.reason == "FieldValueTypeInvalid"
    ]:
        raise errors.invalid(call.resource, call.name or "", mistyped)
    live = objects.find(call.resource, call.namespace, call.name or "")
    if live is None and call.subresource:
        raise errors.not_found(call.resource, call.name or "")
    force = call.query.get("force") == "true"
    merged = fields.apply(live, desired, call.manager, force=force, time=store.now())
    if live is None:
        return ApiAnswer(201, orjson.dumps(objects.create(call.resource, merged, dry_run=call.dry_run)))
    return ApiAnswer(200, orjson.dumps(_write(objects, call, merged, track=False)))


def _write(objects: store.Store, call: Call, obj: Object, *, track: bool = True) -> Object:
    write = objects.update_status if call.subresource == "status" else objects.update
    return write(call.resource, obj, manager=call.manager if track else None, dry_run=call.dry_run)


def _unknown_fields(call: Call, obj: Object, text: Object | None = None) -> list[str]:
    """Return the warnings about unknown fields.

    Raises:
        ApiError: The client is strict about unknown fields (400, or 422 for a patch).
    """
    if call.field_validation == "Ignore":
        return []
    unknown = [f'unknown field "{path}"' for path in validation.unknown_fields(call.resource, obj)]
    if unknown and call.field_validation == "Strict":
        why = f"strict decoding error: {', '.join(unknown)}"
        if text is not None:
            raise errors.invalid_patch(orjson.dumps(text).decode().replace('"', '\\"'), why)
        raise errors.undecodable(call.resource, why)
    return unknown


def _table(call: Call, objects: list[Object], version: str) -> ApiAnswer:
    include = call.query.get("includeObject", "Metadata")
    return ApiAnswer(200, orjson.dumps(render_table(call.resource, objects, version, include=include)))
