"""Validation of pod specs beyond types, so that the kubelet can rely on them."""

import re
from collections.abc import Iterator
from typing import Any

import orjson

from embedded.api.errors import Cause
from embedded.api.names import LABEL, name_rule
from embedded.types import Object

RESTART_POLICIES = ("Always", "Never", "OnFailure")


def wrong_pods(kind: str, new: Object) -> list[Cause]:
    """Return the faults of the pod that an object is, or of its pod template."""
    spec = new.get("spec") or {}
    if kind == "Pod":
        return list(_pod(spec, "spec"))
    if kind != "Deployment":
        return []
    template = spec.get("template") or {}
    selector = (spec.get("selector") or {}).get("matchLabels") or {}
    labels = (template.get("metadata") or {}).get("labels") or {}
    wrong = list(_pod(template.get("spec") or {}, "spec.template.spec"))
    if not selector.items() <= labels.items():
        why = "`selector` does not match template `labels`"
        wrong.append(
            Cause(
                "spec.template.metadata.labels",
                "FieldValueInvalid",
                f"Invalid value: {orjson.dumps(labels).decode()}: {why}",
            )
        )
    return wrong


def _pod(spec: Object, path: str) -> Iterator[Cause]:
    volumes = spec.get("volumes") or ()
    yield from _names(volumes, f"{path}.volumes")
    for index, volume in enumerate(volumes):
        if len(volume) < 2:
            yield _required(f"{path}.volumes[{index}]", "must specify a volume type")
    if not spec.get("containers"):
        yield _required(f"{path}.containers")
    for part in ("containers", "initContainers"):
        yield from _names(spec.get(part) or (), f"{path}.{part}")
        for index, container in enumerate(spec.get(part) or ()):
            yield from _container(container, {volume.get("name") for volume in volumes}, f"{path}.{part}[{index}]")
    policy = spec.get("restartPolicy") or "Always"
    if policy not in RESTART_POLICIES:
        listed = ", ".join(f'"{known}"' for known in RESTART_POLICIES)
        why = f'Unsupported value: "{policy}": supported values: {listed}'
        yield Cause(f"{path}.restartPolicy", "FieldValueNotSupported", why)


def _container(container: Object, volumes: set[str], path: str) -> Iterator[Cause]:
    if not container.get("image"):
        yield _required(f"{path}.image")
    mounted: set[str] = set()
    for index, mount in enumerate(container.get("volumeMounts") or ()):
        where = f"{path}.volumeMounts[{index}]"
        if mount["name"] not in volumes:
            yield Cause(f"{where}.name", "FieldValueNotFound", f'Not found: "{mount["name"]}"')
        if not mount["mountPath"]:
            yield _required(f"{where}.mountPath")
        elif mount["mountPath"] in mounted:
            yield Cause(
                f"{where}.mountPath", "FieldValueInvalid", f'Invalid value: "{mount["mountPath"]}": must be unique'
            )
        mounted.add(mount["mountPath"])
    for index, variable in enumerate(container.get("env") or ()):
        if variable.get("value") and variable.get("valueFrom"):
            why = 'Invalid value: "": may not be specified when `value` is not empty'
            yield Cause(f"{path}.env[{index}].valueFrom", "FieldValueInvalid", why)


def _names(items: Any, path: str) -> Iterator[Cause]:
    seen: set[str] = set()
    for index, item in enumerate(items):
        where, name = f"{path}[{index}].name", item.get("name") or ""
        if not name:
            yield _required(where)
        elif name in seen:
            yield Cause(where, "FieldValueDuplicate", f'Duplicate value: "{name}"')
        elif not re.fullmatch(LABEL, name) or len(name) > 63:
            yield Cause(where, "FieldValueInvalid", f'Invalid value: "{name}": {name_rule(label=True)}')
        seen.add(name)


def _required(path: str, why: str = "") -> Cause:
    return Cause(path, "FieldValueRequired", "Required value" + (f": {why}" if why else ""))
