"""Structural schemas of the kinds: their fields, with types and with descriptions of our own.

They are OpenAPI v3 as in a CustomResourceDefinition. The names and types of fields are facts of the real kinds
(knative-eventing 1.22, kserve 0.20, seldon-core 1.17.1, Kubernetes 1.36). Fields that the platform uses are described
in full; parts that it only stores are opaque objects. `validation` prunes and checks by these schemas, and `openapi`
shows them to kubectl.
"""

from typing import Any

Schema = dict[str, Any]

KEEP = "x-kubernetes-preserve-unknown-fields"
INT_OR_STRING = "x-kubernetes-int-or-string"


def text(about: str = "", **more: Any) -> Schema:
    """Return the schema of a string."""
    return _described(about, {"type": "string", **more})


def number(about: str = "", form: str = "int32", **more: Any) -> Schema:
    """Return the schema of an integer of 32 or 64 bits."""
    return _described(about, {"type": "integer", "format": form, **more})


def record(about: str = "", /, **fields: Schema) -> Schema:
    """Return the schema of an object with named fields; others are pruned."""
    return _described(about, {"type": "object", "properties": fields})


def need(schema: Schema, names: str) -> Schema:
    """Return the schema with these fields required."""
    return schema | {"required": names.split()}


def keep(schema: Schema) -> Schema:
    """Return the schema with unknown fields kept."""
    return schema | {KEEP: True}


def many(items: Schema, about: str = "", **more: Any) -> Schema:
    """Return the schema of a list."""
    return _described(about, {"type": "array", "items": items, **more})


def mapping(values: Schema, about: str = "") -> Schema:
    """Return the schema of an object with arbitrary keys."""
    return _described(about, {"type": "object", "additionalProperties": values})


def opaque(about: str = "") -> Schema:
    """Return the schema of an object that is kept as it is."""
    return _described(about, {"type": "object", KEEP: True})


def _described(about: str, schema: Schema) -> Schema:
    return {"description": about, **schema} if about else schema


def each(schema: Schema, names: str) -> dict[str, Schema]:
    """Return one schema for several fields."""
    return dict.fromkeys(names.split(), schema)


FLAG: Schema = {"type": "boolean"}
PORT: Schema = {INT_OR_STRING: True}
STRINGS = mapping(text())
OPAQUES = many(opaque())

HEAD: dict[str, Schema] = {
    "apiVersion": text("The group and version of the kind."),
    "kind": text("The kind."),
    "metadata": record(
        "The metadata that every object has.",
        **each(STRINGS, "annotations labels"),
        **each(
            text(),
            "creationTimestamp deletionTimestamp generateName name namespace resourceVersion selfLink uid",
        ),
        **each(number(form="int64"), "deletionGracePeriodSeconds generation"),
        finalizers=many(text()),
        managedFields=many(
            record(**each(text(), "apiVersion fieldsType manager operation subresource time"), fieldsV1=opaque())
        ),
        ownerReferences=many(
            need(
                record(
                    **each(text(), "apiVersion kind name uid"),
                    **each(FLAG, "blockOwnerDeletion controller"),
                ),
                "apiVersion kind name uid",
            )
        ),
    ),
}
