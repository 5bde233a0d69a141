"""The kinds that one API serves: the built-in ones, and those that CustomResourceDefinitions add while it runs.

A defined kind is served by its own schema in its storage version; versions are not converted. A definition of a
built-in kind is stored and changes nothing.
"""

from collections.abc import Sequence
from typing import Self

from embedded.api.errors import Cause
from embedded.api.resources import RESOURCES, Column, Resource
from embedded.api.resources_stored import STORED
from embedded.api.table import compile_path
from embedded.types import Object

BUILT_IN = (*RESOURCES, *STORED)


class Kinds:
    """The kinds at one time. Instances do not change: `defined` and `without` return new ones."""

    def __init__(self, all_: Sequence[Resource] = BUILT_IN) -> None:
        self.all = tuple(all_)
        self._by_path = {(r.group, r.version, r.plural): r for r in self.all}

    def at(self, group: str, version: str, plural: str) -> Resource | None:
        """Return the kind at this path, or None."""
        return self._by_path.get((group, version, plural))

    def of(self, definition: Object) -> Resource | None:
        """Return the kind that this definition adds; None when the kind is built in, or unknown."""
        group, plural = definition["spec"]["group"], definition["spec"]["names"]["plural"]
        return next((r for r in self.all[len(BUILT_IN) :] if (r.group, r.plural) == (group, plural)), None)

    def defined(self, definition: Object) -> Self:
        """Return these kinds with the defined one; a known kind keeps its instance, which objects and watchers use."""
        made = _resource(definition)
        if made is None or is_built_in(definition):
            return self
        known = self.of(definition)
        if known is None or known.version != made.version:
            return type(self)([*(r for r in self.all if r is not known), made])
        known.schema.clear()
        known.schema.update(made.schema)
        return type(self)(self.all)

    def without(self, resource: Resource) -> Self:
        """Return these kinds without one."""
        return type(self)([r for r in self.all if r is not resource])


def is_built_in(definition: Object) -> bool:
    """Return whether a definition is one of a built-in kind."""
    spec = definition["spec"]
    return any((r.group, r.plural) == (spec["group"], spec["names"]["plural"]) for r in BUILT_IN)


def definitions() -> list[Object]:
    """Return a CustomResourceDefinition for each built-in custom kind, as in a cluster that has them installed."""
    return [_definition(resource) for resource in BUILT_IN if resource.custom]


def settle_definition(definition: Object) -> list[Cause]:
    """Fill in what the real API fills in, status included, and return the faults."""
    spec = definition["spec"]
    names = spec["names"]
    names.setdefault("singular", names["kind"].lower())
    names.setdefault("listKind", f"{names['kind']}List")
    spec.setdefault("conversion", {"strategy": "None"})
    wrong = []
    if definition["metadata"].get("name") != f"{names['plural']}.{spec['group']}":
        why = 'must be spec.names.plural+"."+spec.group'
        given = definition["metadata"].get("name")
        wrong.append(Cause("metadata.name", "FieldValueInvalid", f'Invalid value: "{given}": {why}'))
    stored = [version["name"] for version in spec["versions"] if version["storage"]]
    if len(stored) != 1:
        why = "must have exactly one version marked as storage version"
        wrong.append(Cause("spec.versions", "FieldValueInvalid", f"Invalid value: {why}"))
    since = definition["metadata"].get("creationTimestamp", "")
    definition["status"] = {
        "acceptedNames": dict(names),
        "storedVersions": stored,
        "conditions": [
            _true("NamesAccepted", "NoConflicts", "no conflicts found", since),
            _true("Established", "InitialNamesAccepted", "the initial names have been accepted", since),
        ],
    }
    return wrong


def _true(kind: str, reason: str, message: str, since: str) -> Object:
    return {"type": kind, "status": "True", "lastTransitionTime": since, "reason": reason, "message": message}


def _resource(definition: Object) -> Resource | None:
    spec = definition["spec"]
    version = next((version for version in spec["versions"] if version["storage"] and version["served"]), None)
    if version is None:
        return None
    schema: Object = dict((version.get("schema") or {}).get("openAPIV3Schema") or {})
    head = ("apiVersion", "kind", "metadata")
    properties = schema.get("properties") or {}
    schema["properties"] = {name: below for name, below in properties.items() if name not in head}
    names = spec["names"]
    return Resource(
        spec["group"],
        version["name"],
        names["kind"],
        names["plural"],
        namespaced=spec["scope"] == "Namespaced",
        short_names=tuple(names.get("shortNames") or ()),
        categories=tuple(names.get("categories") or ()),
        columns=_columns(version.get("additionalPrinterColumns") or ()),
        schema=schema,
        custom=True,
        status="status" in (version.get("subresources") or {}),
    )


def _columns(given: Sequence[Object]) -> tuple[Column, ...]:
    columns = []
    for column in given or ({"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},):
        try:
            compile_path(column["jsonPath"])
        except ValueError:
            continue  # the JSONPath is not supported: this column is left out
        columns.append(Column(column["name"], column["type"], column["jsonPath"], column.get("priority", 0)))
    return tuple(columns)


def _definition(resource: Resource) -> Object:
    names = {"kind": resource.kind, "plural": resource.plural, "singular": resource.singular}
    columns = [
        {"name": column.name, "type": column.type, "jsonPath": column.path, "priority": column.priority}
        for column in resource.columns
    ]
    version = {
        "name": resource.version,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": resource.schema},
        "subresources": {"status": {}} if resource.status else {},
        "additionalPrinterColumns": columns,
    }
    return {
        "metadata": {"name": f"{resource.plural}.{resource.group}"},
        "spec": {
            "group": resource.group,
            "names": names | {"shortNames": list(resource.short_names), "categories": list(resource.categories)},
            "scope": "Namespaced" if resource.namespaced else "Cluster",
            "versions": [version],
        },
    }
