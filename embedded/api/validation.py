"""Validation of objects: defaults, unknown fields, types, names.

`settle` prunes, fills in defaults and refuses faults; `unknown_fields` lists what pruning would drop, for the client's
`fieldValidation`. Texts are the real API server's. The rules of a controller's webhook are admission hooks, not here.
"""

import base64
import re
import secrets
from collections.abc import Iterator, Sequence
from typing import Any

from embedded.api import errors
from embedded.api.errors import Cause
from embedded.api.kinds import settle_definition
from embedded.api.names import LABEL, SUBDOMAIN, name_rule
from embedded.api.resources import Resource
from embedded.api.schemas import HEAD, INT_OR_STRING, KEEP, Schema
from embedded.api.validation_pods import wrong_pods
from embedded.types import Object

_QUALIFIED = re.compile(rf"({SUBDOMAIN}/)?[A-Za-z0-9]([-A-Za-z0-9_.]{{0,61}}[A-Za-z0-9])?")
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "object": dict,
    "array": list,
}


def generated_name(prefix: str) -> str:
    """Return `generateName` with five random characters of the alphabet that Kubernetes uses."""
    return prefix[:58] + "".join(secrets.choice("bcdfghjklmnpqrstvwxz2456789") for _ in range(5))


def settle(resource: Resource, new: Object, old: Object | None = None) -> None:
    """Prepare `new` for storing in place of `old` (None: nothing): prune it, fill in defaults, and validate it.

    Raises:
        ApiError: A field of a core kind has the wrong type (400), or a field is wrong otherwise (422).
    """
    root = _root(resource)
    touched = _touched(new, old)
    for name in touched:
        part = {name: new.pop(name)}
        _shape(root, part)
        new |= part
    wrong = typed(resource, {name: new[name] for name in touched if name in new})
    wrong = [cause for cause in wrong if cause.reason != "FieldValueRequired" or cause.field not in new]
    metadata = new["metadata"]
    if not wrong:
        _default(resource, new, old)
        if resource.kind == "CustomResourceDefinition":
            wrong += settle_definition(new)
        if "spec" in touched:
            wrong += wrong_pods(resource.kind, new)
    if not any(cause.field.startswith("metadata.") for cause in wrong):
        for name in ("annotations", "finalizers", "labels", "ownerReferences"):
            if not metadata.get(name):
                metadata.pop(name, None)
        wrong += _metadata(metadata, label=resource.name_is_label)
    if (
        old
        and old.get("immutable")
        and any(old.get(part) != new.get(part) for part in ("data", "binaryData", "immutable"))
    ):
        wrong.append(Cause("data", "FieldValueForbidden", "Forbidden: field is immutable when `immutable` is set"))
    for name in {"Secret": ("data",), "ConfigMap": ("binaryData",)}.get(resource.kind, ()):
        for value in (new.get(name) or {}).values():
            _check_base64(resource, value)
    if wrong:
        raise errors.invalid(resource, str(metadata.get("name", "")), wrong)


def typed(resource: Resource, obj: Object) -> list[Cause]:
    """Return the fields whose types, or whose absence, do not fit the kind.

    Raises:
        ApiError: A field of a core kind has the wrong type (400).
    """
    wrong = list(_typed(_root(resource), obj, ""))
    mistyped = [cause for cause in wrong if cause.reason == "FieldValueTypeInvalid"]
    if mistyped and not resource.custom:
        raise errors.undecodable(resource, _go_message(resource, mistyped[0]))
    return wrong


def unknown_fields(resource: Resource, obj: Object) -> list[str]:
    """Return the dotted paths of fields that the kind does not know, in their order."""
    return list(_unknown(_root(resource), obj, ""))


def no_new_finalizers(resource: Resource, name: str, added: Sequence[str]) -> errors.ApiError:
    """Return the refusal of new finalizers on an object that is being deleted."""
    why = "no new finalizers can be added if the object is being deleted, found new finalizers"
    listed = ", ".join(f'"{item}"' for item in added)
    cause = Cause("metadata.finalizers", "FieldValueForbidden", f"Forbidden: {why} []string{{{listed}}}")
    return errors.invalid(resource, name, [cause])


def _default(resource: Resource, new: Object, old: Object | None) -> None:
    """Fill in the defaults of kinds whose real server does more than the schema says."""
    if resource.kind == "Namespace":
        new["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = new["metadata"].get("name", "")
        new["spec"] = {"finalizers": ["kubernetes"]}
        new.setdefault("status", {"phase": "Active"})
    elif resource.kind == "Pod":
        new.setdefault("spec", {}).setdefault("restartPolicy", "Always")
        if old is None:
            new["status"] = {"phase": "Pending"}
    elif resource.kind == "Service":
        new.setdefault("spec", {}).setdefault("type", "ClusterIP")
        new.setdefault("status", {"loadBalancer": {}})
    elif resource.kind == "Deployment":
        new.setdefault("spec", {}).setdefault("replicas", 1)
        new.setdefault("status", {})
    elif resource.kind == "Secret":
        for name, value in (new.pop("stringData", None) or {}).items():
            new.setdefault("data", {})[name] = base64.b64encode(value.encode()).decode()
        new.setdefault("type", "Opaque")


def _check_base64(resource: Resource, value: str) -> None:
    try:
        base64.b64decode(value.replace("\n", ""), validate=True)
    except ValueError as error:
        raise errors.undecodable(resource, "illegal base64 data") from error


def _touched(new: Object, old: Object | None) -> list[str]:
    """Return the top-level fields that a write changes; the others are neither pruned nor validated again."""
    return [name for name in new if old is None or name not in old or old[name] != new[name]]


def _root(resource: Resource) -> Schema:
    return resource.schema | {"properties": HEAD | resource.schema.get("properties", {})}


def _shape(schema: Schema, value: Any) -> None:
    """Prune unknown fields and set defaults, in place, wherever the types fit."""
    if isinstance(value, dict):
        known = schema.get("properties", {})
        values = schema.get("additionalProperties")
        for name in list(value):
            below = known.get(name, values)
            if below is not None and value[name] is None and below.get("type"):
                del value[name]  # as the real API does: null is "not given" where the field may not be null
            elif below is not None:
                _shape(below, value[name])
            elif not schema.get(KEEP) and schema.get("type") == "object":
                del value[name]
        for name, below in known.items():
            if "default" in below:
                value.setdefault(name, below["default"])
    elif isinstance(value, list) and "items" in schema:
        for item in value:
            _shape(schema["items"], item)


def _typed(schema: Schema, value: Any, path: str) -> Iterator[Cause]:
    if schema.get(INT_OR_STRING):
        if isinstance(value, bool) or not isinstance(value, int | str):
            yield _mistyped(path, "integer or string", value)
        return
    expected = schema.get("type")
    if expected and not _is(expected, value):
        yield _mistyped(path, expected, value)
        return
    if "enum" in schema and value not in schema["enum"]:
        known = ", ".join(f'"{item}"' for item in schema["enum"])
        yield Cause(path, "FieldValueNotSupported", f'Unsupported value: "{value}": supported values: {known}')
    if isinstance(value, dict):
        for name in schema.get("required", ()):
            if name not in value:
                yield Cause(_join(path, name), "FieldValueRequired", "Required value")
        known_fields, values = schema.get("properties", {}), schema.get("additionalProperties")
        for name, item in value.items():
            below = known_fields.get(name, values)
            if below is not None:
                yield from _typed(below, item, _join(path, name))
    elif isinstance(value, list) and "items" in schema:
        for index, item in enumerate(value):
            yield from _typed(schema["items"], item, f"{path}[{index}]")


def _unknown(schema: Schema, value: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        known, values = schema.get("properties", {}), schema.get("additionalProperties")
        for name, item in value.items():
            if name in known:
                yield from _unknown(known[name], item, _join(path, name))
            elif values is None and not schema.get(KEEP) and schema.get("type") == "object":
                yield _join(path, name)
    elif isinstance(value, list) and "items" in schema:
        for index, item in enumerate(value):
            yield from _unknown(schema["items"], item, f"{path}[{index}]")


def _is(expected: str, value: Any) -> bool:
    if isinstance(value, bool):
        return expected == "boolean"
    return isinstance(value, _TYPES[expected])


def _mistyped(path: str, expected: str, value: Any) -> Cause:
    given = next(
        (name for name in ("boolean", "string", "integer", "number", "object", "array") if _is(name, value)), "null"
    )
    message = f'Invalid value: "{given}": {path} in body must be of type {expected}: "{given}"'
    return Cause(path, "FieldValueTypeInvalid", message)


def _go_message(resource: Resource, cause: Cause) -> str:
    """Return the message of the real API's JSON decoder, which refuses core kinds of the wrong shape."""
    expected, given = re.findall(r'of type (.+): "(\w+)"$', cause.message)[0]
    given = {"integer": "number", "boolean": "bool"}.get(given, given)
    expected = {"integer": "int32", "boolean": "bool", "object": "map", "array": "slice"}.get(expected, expected)
    path = re.sub(r"\[\d+\]", "", cause.field)
    return f"json: cannot unmarshal {given} into Go struct field {resource.kind}.{path} of type {expected}"


def _metadata(metadata: Object, *, label: bool) -> Iterator[Cause]:
    name = metadata.get("name")
    if not name:
        yield Cause("metadata.name", "FieldValueRequired", "Required value: name or generateName is required")
    elif not re.fullmatch(LABEL if label else SUBDOMAIN, name) or len(name) > 253:
        yield Cause("metadata.name", "FieldValueInvalid", f'Invalid value: "{name}": {name_rule(label=label)}')
    elif label and len(name) > 63:
        yield Cause(
            "metadata.name", "FieldValueInvalid", f'Invalid value: "{name}": must be no more than 63 characters'
        )
    for part in ("labels", "annotations"):
        for key, value in (metadata.get(part) or {}).items():
            prefix, _, tail = key.rpartition("/")
            if not _QUALIFIED.fullmatch(f"{prefix.lower()}/{tail}" if prefix else tail):
                why = "a qualified name must consist of alphanumeric characters, '-', '_' or '.'"
                yield Cause(f"metadata.{part}", "FieldValueInvalid", f'Invalid value: "{key}": {why}')
            if part == "labels" and not _LABEL_VALUE.fullmatch(value):
                why = (
                    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and "
                    "must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', "
                    "regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
                )
                yield Cause("metadata.labels", "FieldValueInvalid", f'Invalid value: "{value}": {why}')
    for finalizer in metadata.get("finalizers") or ():
        if not _QUALIFIED.fullmatch(finalizer):
            why = "name part must consist of alphanumeric characters, '-', '_' or '.'"
            yield Cause("metadata.finalizers", "FieldValueInvalid", f'Invalid value: "{finalizer}": {why}')


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
