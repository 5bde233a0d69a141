"""References of pod specs: the data of ConfigMaps and Secrets, and fields of the pod itself."""

import base64
import re
from collections.abc import Mapping
from typing import Any

from embedded.api.resources import CONFIGMAP, SECRET, Resource
from embedded.api.store import Store

LABELLED = re.compile(r"metadata\.(labels|annotations)\['([^']+)'\]")

REFERENCES = {"configMap": CONFIGMAP, "secret": SECRET}
"""The kinds by the first part of a reference's name (`configMapRef`, `secretKeyRef`, a volume's `secret`)."""


class MissingError(Exception):
    """A reference of a pod to something that does not exist (yet); the text is a kubelet's."""


def data_of(store: Store, resource: Resource, namespace: str, reference: Mapping[str, Any]) -> dict[str, bytes]:
    """Return all keys of the ConfigMap or Secret that a reference names; none when it is missing and optional.

    Raises:
        MissingError: The object does not exist.
    """
    obj = store.find(resource, namespace, reference["name"])
    if obj is None:
        if reference.get("optional"):
            return {}
        raise MissingError(f'{resource.kind.lower()} "{reference["name"]}" not found')
    plain = obj.get("data") or {}
    coded = plain if resource is SECRET else obj.get("binaryData") or {}
    decoded = {name: base64.b64decode(value) for name, value in coded.items()}
    return decoded if resource is SECRET else decoded | {name: value.encode() for name, value in plain.items()}


def key_of(store: Store, resource: Resource, namespace: str, reference: Mapping[str, Any]) -> bytes | None:
    """Return the value of the key that a reference names; None when it is missing and optional.

    Raises:
        MissingError: The object or the key does not exist.
    """
    data = data_of(store, resource, namespace, reference)
    if reference["key"] in data:
        return data[reference["key"]]
    if reference.get("optional"):
        return None
    raise MissingError(f"couldn't find key {reference['key']} in {resource.kind} {namespace}/{reference['name']}")


def field_of(pod: Mapping[str, Any], pod_ip: str, path: str) -> str:
    """Return a field of the pod, by the path that a fieldRef names.

    Raises:
        MissingError: The field is not supported.
    """
    metadata = pod["metadata"]
    if labelled := LABELLED.fullmatch(path):
        return str((metadata.get(labelled[1]) or {}).get(labelled[2], ""))
    fields = {
        **{f"metadata.{name}": metadata[name] for name in ("name", "namespace", "uid")},
        "spec.nodeName": pod["spec"].get("nodeName", ""),
        "spec.serviceAccountName": pod["spec"].get("serviceAccountName") or "default",
        **dict.fromkeys(("status.podIP", "status.podIPs"), pod_ip),
        **dict.fromkeys(("status.hostIP", "status.hostIPs"), "127.0.0.1"),
    }
    if path not in fields:
        raise MissingError(f"fieldRef to {path!r} is not supported")
    return str(fields[path])
