"""Manifests against what a real API server would say: the OpenAPI schemas of CRDs, and the types of the core API.

A CRD's structural schema becomes a JSON Schema where an unknown field is an error, as for `kubectl --validate=strict`;
an API server alone would drop such a field in silence. CEL rules (`x-kubernetes-validations`) are left out.
"""

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from kubernetes import client

CRDS = os.environ.get("TOUCHSTONE_DEFINITIONS")
"""The folder of real CustomResourceDefinitions to compare with, one below it for each product; None: there is none."""
NO_CRDS = "TOUCHSTONE_DEFINITIONS names no folder of the CRDs of Knative Eventing, KServe and Seldon"
KEEP = "x-kubernetes-preserve-unknown-fields"
EITHER = "x-kubernetes-int-or-string"
SCALARS: dict[str, tuple[type, ...]] = {"str": (str,), "int": (int,), "bool": (bool,), "float": (int, float)}


def json_schema(schema: dict[str, Any], *, root: bool = False) -> dict[str, Any]:
    """Return a structural schema as JSON Schema."""
    found = {name: value for name, value in schema.items() if not name.startswith("x-") and name not in _PROSE}
    if schema.get(EITHER):
        found.pop("type", None)
        found.pop("anyOf", None)
        found["type"] = ["integer", "string"]
    if "properties" in schema:
        found["properties"] = {name: json_schema(value) for name, value in schema["properties"].items()}
        if root:
            for name in ("apiVersion", "kind", "metadata"):
                found["properties"].setdefault(name, {})
        if not schema.get(KEEP) and "additionalProperties" not in schema:
            found["additionalProperties"] = False
    if isinstance(schema.get("additionalProperties"), dict):
        found["additionalProperties"] = json_schema(schema["additionalProperties"])
    if isinstance(schema.get("items"), dict):
        found["items"] = json_schema(schema["items"])
    if schema.get("nullable") and "type" in found:
        kinds = found["type"] if isinstance(found["type"], list) else [found["type"]]
        found["type"] = [*kinds, "null"]
    return found


_PROSE = {"description", "default", "example", "externalDocs", "nullable", "format", "title"}


@cache
def custom(api_version: str, kind: str) -> Draft202012Validator | None:
    """Return the validator of a custom kind, None for a kind of which there is no CRD."""
    group, _, version = api_version.rpartition("/")
    for file in sorted(Path(CRDS or "/nowhere").glob("*/*.yaml")):
        for crd in yaml.load_all(file.read_text(), Loader=yaml.CSafeLoader):
            spec = (crd or {}).get("spec") or {}
            if (spec.get("group"), (spec.get("names") or {}).get("kind")) != (group, kind):
                continue
            for served in spec["versions"]:
                if served["name"] == version:
                    return Draft202012Validator(json_schema(served["schema"]["openAPIV3Schema"], root=True))
    return None


def custom_faults(manifest: dict[str, Any]) -> list[str]:
    """Return what its CRD says against a manifest, a line each.

    Raises:
        LookupError: There is no CRD of that kind.
    """
    validator = custom(manifest["apiVersion"], manifest["kind"])
    if validator is None:
        raise LookupError(f"no CRD of {manifest['apiVersion']} {manifest['kind']} in {CRDS}")
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(manifest)]


def core_faults(value: Any, model: str, where: str = "$") -> Iterator[str]:
    """Yield what the core API's type `model` (as the Kubernetes client names it) says against a value."""
    if model.startswith("List["):
        if not isinstance(value, list):
            yield f"{where}: a list is expected, not {value!r}"
            return
        for index, item in enumerate(value):
            yield from core_faults(item, model[5:-1], f"{where}[{index}]")
    elif model.startswith("Dict["):
        kind = model[5:-1].partition(", ")[2]
        if not isinstance(value, dict):
            yield f"{where}: a mapping is expected, not {value!r}"
            return
        for name, item in value.items():
            yield from core_faults(item, kind, f"{where}.{name}")
    elif model in SCALARS:
        if not isinstance(value, SCALARS[model]) or (model == "int" and isinstance(value, bool)):
            yield f"{where}: {model} is expected, not {value!r}"
    elif hasattr(client, model):
        yield from _object_faults(value, getattr(client, model), where)


def _object_faults(value: Any, model: Any, where: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{where}: {model.__name__} is expected, not {value!r}"
        return
    fields = {model.attribute_map[attribute]: kind for attribute, kind in model.openapi_types.items()}
    for name, item in value.items():
        if name in fields:
            yield from core_faults(item, fields[name], f"{where}.{name}")
        else:
            yield f"{where}: {model.__name__} has no field {name!r}"


CORE = {
    "ClusterRole": "V1ClusterRole",
    "ClusterRoleBinding": "V1ClusterRoleBinding",
    "ConfigMap": "V1ConfigMap",
    "Deployment": "V1Deployment",
    "Job": "V1Job",
    "Namespace": "V1Namespace",
    "NetworkPolicy": "V1NetworkPolicy",
    "Role": "V1Role",
    "RoleBinding": "V1RoleBinding",
    "Secret": "V1Secret",
    "Service": "V1Service",
    "ServiceAccount": "V1ServiceAccount",
}


def faults(manifest: dict[str, Any]) -> list[str]:
    """Return all that is wrong with a manifest."""
    if manifest["kind"] in CORE:
        return list(core_faults(manifest, CORE[manifest["kind"]]))
    return custom_faults(manifest)
