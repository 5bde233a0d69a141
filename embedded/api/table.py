"""Objects as the rows that `kubectl get` prints: `meta.k8s.io/v1` Tables.

Custom kinds print the columns of their CRD (JSONPath), core kinds what the real API's printers print.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from embedded.api.resources import (
    CONFIGMAP,
    DEPLOYMENT,
    EVENT,
    NAMESPACE,
    POD,
    SECRET,
    SERVICE,
    Column,
    Resource,
)
from embedded.types import Object

Cells = list[Any]

_STEP = re.compile(r"\.((?:[^.\[\\]|\\.)+)|\[\?\(@\.(\w+)==(?:\"([^\"]*)\"|'([^']*)'|(true|false))\)\]")


def render_table(
    resource: Resource, objects: Iterable[Object], version: str, *, include: str, columns: bool = True
) -> Object:
    """Return a Table of `objects`; `include` is the request's includeObject: Metadata, Object or None."""
    names, cells = printer(resource)
    rows: list[Object] = []
    for obj in objects:
        row: Object = {"cells": cells(obj)}
        if include == "Object":
            row["object"] = obj
        elif include != "None":
            meta = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}
            row["object"] = meta
        rows.append(row)
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": version},
        "columnDefinitions": names if columns else None,
        "rows": rows,
    }


@cache
def printer(resource: Resource) -> tuple[list[Object], Callable[[Object], Cells]]:
    """Return the column definitions of a kind, and the function that makes an object's cells."""
    first = _definition(Column("Name", "string", ""), "The object's name.", "name")
    if resource.custom:
        paths = [(compile_path(column.path), column.type) for column in resource.columns]
        about = "Custom resource definition column (in JSONPath format): "
        definitions = [first, *(_definition(column, about + column.path) for column in resource.columns)]
        return definitions, lambda obj: [obj["metadata"]["name"], *(_cell(path(obj), kind) for path, kind in paths)]
    columns, cells = _CORE.get(resource, _PLAIN)
    definitions = [
        first,
        *(_definition(Column(name.rstrip("*"), "string", "", int(name.endswith("*"))), "") for name in columns),
    ]
    return definitions, lambda obj: [obj["metadata"]["name"], *cells(obj)]


def compile_path(path: str) -> Callable[[Object], Any]:
    """Compile a printer column's JSONPath: names (dots escaped) and one-condition filters; first match or None.

    Raises:
        ValueError: The path uses more of JSONPath than this.
    """
    steps: list[tuple[str, str, Any]] = []
    at = 0
    for match in _STEP.finditer(path):
        if match.start() != at:
            break
        at = match.end()
        name, key, double, single, truth = match.groups()
        expected = truth == "true" if truth else (double if double is not None else single)
        steps.append((name.replace("\\.", ".") if name else "", key, expected))
    if at != len(path):
        raise ValueError(f"JSONPath {path!r}: cannot read {path[at:]!r}")

    def find(obj: Object) -> Any:
        value: Any = obj
        for name, key, expected in steps:
            if name:
                value = value.get(name) if isinstance(value, dict) else None
            else:
                items = value if isinstance(value, list) else ()
                value = next((item for item in items if isinstance(item, dict) and item.get(key) == expected), None)
        return value

    return find


def age(since: Any) -> str:
    """Return how long ago a Kubernetes time was, in kubectl's form: `5s`, `2m10s`, `3h`, `4d2h`."""
    if not isinstance(since, str):
        return "<unknown>"
    try:
        then = datetime.fromisoformat(since)
    except ValueError:
        return "<invalid>"
    if then.tzinfo is None:
        return "<invalid>"
    seconds = int((datetime.now(UTC) - then).total_seconds())
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if seconds < -1:
        return "<invalid>"
    if seconds < 120:
        return f"{max(seconds, 0)}s"
    if minutes < 10:
        return f"{minutes}m" + (f"{seconds % 60}s" if seconds % 60 else "")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return f"{hours}h" + (f"{minutes % 60}m" if minutes % 60 else "")
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return f"{days}d" + (f"{hours % 24}h" if hours % 24 else "")
    if days < 730:
        return f"{days}d"
    return f"{days // 365}y" + (f"{days % 365}d" if days % 365 and days < 2920 else "")


def _definition(column: Column, about: str, form: str = "") -> Object:
    return {
        "name": column.name,
        "type": column.type,
        "format": form,
        "description": about,
        "priority": column.priority,
    }


def _cell(value: Any, kind: str) -> Any:
    if value is None:
        return None
    if kind == "date":
        return age(value)
    return value if kind in ("integer", "number", "boolean") else str(value)


def _created(obj: Object) -> str:
    return age(obj["metadata"].get("creationTimestamp"))


def _namespace(obj: Object) -> Cells:
    return [(obj.get("status") or {}).get("phase", ""), _created(obj)]


def _configmap(obj: Object) -> Cells:
    return [str(len(obj.get("data") or {}) + len(obj.get("binaryData") or {})), _created(obj)]


def _secret(obj: Object) -> Cells:
    return [obj.get("type", ""), str(len(obj.get("data") or {})), _created(obj)]


def _service(obj: Object) -> Cells:
    spec = obj.get("spec") or {}
    ports = [
        f"{p.get('port')}{':' + str(p['nodePort']) if p.get('nodePort') else ''}/{p.get('protocol', 'TCP')}"
        for p in spec.get("ports") or ()
    ]
    external = (
        spec.get("externalName") if spec.get("type") == "ExternalName" else ",".join(spec.get("externalIPs") or ())
    )
    kind, address = spec.get("type", "ClusterIP"), spec.get("clusterIP") or "<none>"
    return [
        kind,
        address,
        external or "<none>",
        ",".join(ports) or "<none>",
        _created(obj),
        _pairs(spec.get("selector")),
    ]


def _deployment(obj: Object) -> Cells:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    containers = ((spec.get("template") or {}).get("spec") or {}).get("containers") or []
    return [
        f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 1)}",
        str(status.get("updatedReplicas", 0)),
        str(status.get("availableReplicas", 0)),
        _created(obj),
        ",".join(c.get("name", "") for c in containers),
        ",".join(c.get("image", "") for c in containers),
        _pairs((spec.get("selector") or {}).get("matchLabels")),
    ]


def _event(obj: Object) -> Cells:
    about, source = obj.get("involvedObject") or {}, obj.get("source") or {}
    first = obj.get("firstTimestamp") or obj.get("eventTime") or obj["metadata"].get("creationTimestamp")
    target = f"{str(about.get('kind', '')).lower()}/{about.get('name', '')}"
    return [
        age(obj.get("lastTimestamp") or first),
        obj.get("type", ""),
        obj.get("reason", ""),
        target,
        about.get("fieldPath", ""),
        ", ".join(filter(None, (source.get("component") or obj.get("reportingComponent"), source.get("host")))),
        str(obj.get("message", "")).strip(),
        age(first),
        str(obj.get("count", 1)),
        obj["metadata"]["name"],
    ]


def _pod(obj: Object) -> Cells:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    containers = status.get("containerStatuses") or []
    restarts = sum(c.get("restartCount", 0) for c in containers)
    finished = [((c.get("lastState") or {}).get("terminated") or {}).get("finishedAt") for c in containers]
    last = max(filter(None, finished), default=None)
    return [
        f"{sum(1 for c in containers if c.get('ready'))}/{len(spec.get('containers') or ())}",
        _pod_status(obj, status, containers),
        f"{restarts} ({age(last)} ago)" if restarts and last else str(restarts),
        _created(obj),
        status.get("podIP") or "<none>",
        spec.get("nodeName") or "<none>",
        status.get("nominatedNodeName") or "<none>",
        "<none>",
    ]


def _pod_status(obj: Object, status: Object, containers: Sequence[Object]) -> str:
    """Return the most specific word on a pod: a container's reason to wait or its end, else the phase."""
    word = str(status.get("reason") or status.get("phase") or "")
    running = False
    for container in reversed(containers):
        state = container.get("state") or {}
        waiting, ended = state.get("waiting") or {}, state.get("terminated")
        if waiting.get("reason"):
            word = waiting["reason"]
        elif ended is not None:
            signal = f"Signal:{ended['signal']}" if ended.get("signal") else f"ExitCode:{ended.get('exitCode', 0)}"
            word = ended.get("reason") or signal
        elif container.get("ready") and "running" in state:
            running = True
    if word == "Completed" and running:
        word = "Running"
    return "Terminating" if obj["metadata"].get("deletionTimestamp") else word


def _pairs(labels: Any) -> str:
    return ",".join(f"{name}={value}" for name, value in sorted((labels or {}).items())) or "<none>"


_PLAIN: tuple[tuple[str, ...], Callable[[Object], Cells]] = (("Age",), lambda obj: [_created(obj)])
_CORE: dict[Resource, tuple[tuple[str, ...], Callable[[Object], Cells]]] = {
    NAMESPACE: (("Status", "Age"), _namespace),
    CONFIGMAP: (("Data", "Age"), _configmap),
    SECRET: (("Type", "Data", "Age"), _secret),
    SERVICE: (("Type", "Cluster-IP", "External-IP", "Port(s)", "Age", "Selector*"), _service),
    POD: (("Ready", "Status", "Restarts", "Age", "IP*", "Node*", "Nominated Node*", "Readiness Gates*"), _pod),
    DEPLOYMENT: (("Ready", "Up-to-date", "Available", "Age", "Containers*", "Images*", "Selector*"), _deployment),
    EVENT: (
        ("Last Seen", "Type", "Reason", "Object", "Subobject*", "Source*", "Message", "First Seen*", "Count*", "Name*"),
        _event,
    ),
}
