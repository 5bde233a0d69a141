"""Structural schemas of the kinds, in our own words: which fields exist and of what type they are.

OpenAPI v3 as in a CustomResourceDefinition. The names and types of fields are facts of the real kinds (knative-eventing
1.22, kserve 0.20, seldon-core 1.17.1, Kubernetes 1.36); fields that the platform honours are spelt out, deeper parts
that it only carries along are opaque objects. `validation` prunes and checks by these, `openapi` shows them to kubectl.
"""

from typing import Any

Schema = dict[str, Any]

KEEP = "x-kubernetes-preserve-unknown-fields"
INT_OR_STRING = "x-kubernetes-int-or-string"


def text(about: str = "", **more: Any) -> Schema:
    """A string."""
    return _described(about, {"type": "string", **more})


def number(about: str = "", form: str = "int32", **more: Any) -> Schema:
    """An integer of 32 or 64 bits."""
    return _described(about, {"type": "integer", "format": form, **more})


def record(about: str = "", /, **fields: Schema) -> Schema:
    """An object with named fields; others are pruned."""
    return _described(about, {"type": "object", "properties": fields})


def need(schema: Schema, names: str) -> Schema:
    """The record, with these fields required."""
    return schema | {"required": names.split()}


def keep(schema: Schema) -> Schema:
    """The record, with unknown fields let through."""
    return schema | {KEEP: True}


def many(items: Schema, about: str = "", **more: Any) -> Schema:
    """A list."""
    return _described(about, {"type": "array", "items": items, **more})


def mapping(values: Schema, about: str = "") -> Schema:
    """An object whose keys are free."""
    return _described(about, {"type": "object", "additionalProperties": values})


def opaque(about: str = "") -> Schema:
    """An object that is kept as it is."""
    return _described(about, {"type": "object", KEEP: True})


def _described(about: str, schema: Schema) -> Schema:
    return {"description": about, **schema} if about else schema


def each(schema: Schema, names: str) -> dict[str, Schema]:
    """The same schema for several fields."""
    return dict.fromkeys(names.split(), schema)


FLAG: Schema = {"type": "boolean"}
PORT: Schema = {INT_OR_STRING: True}
STRINGS = mapping(text())
OPAQUES = many(opaque())

HEAD: dict[str, Schema] = {
    "apiVersion": text("The group and version of the kind."),
    "kind": text("The kind."),
    "metadata": record(
        "What every object has.",
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
