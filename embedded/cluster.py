"""The objects of a fresh cluster: the namespaces and Services that the documented flows expect, a node, definitions."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from embedded.api.discovery import VERSION
from embedded.api.kinds import definitions
from embedded.api.resources import CONFIGMAP, NAMESPACE, SERVICE
from embedded.api.resources_stored import CUSTOMRESOURCEDEFINITION, NODE
from embedded.api.store import Store, now
from embedded.types import NODE_NAME

APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
NAMESPACES = ("knative-eventing", "database", "istio-system")
WORKLOAD_NAMESPACE = "kserve-test"
"""The namespace that the documented flow uses without creating it."""

DESCRIPTION = ("kube-public", "touchstone-platform")
KAFKA = ("database", "kafka")
KAFKA_INSIDE = "kafka.database.svc.cluster.local:9092"
BROKER_INGRESS = ("knative-eventing", "kafka-broker-ingress")
INFERENCE_INGRESS = ("istio-system", "istio-ingressgateway")
LOCAL_GATEWAY = ("istio-system", "knative-local-gateway")
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
"""Kubernetes names an architecture as Go does, not as the kernel."""


def furnish(store: Store, broker_ingress: int, inference_ingress: int, kafka: int) -> None:
    """Create the objects of a fresh cluster; a Service's nodePort is the port of its part on loopback."""
    for name in NAMESPACES:
        store.create(NAMESPACE, {"metadata": {"name": name}})
    # Annotated as if it had been applied, so that kubectl applies it again without a warning.
    applied = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"annotations": {}, "name": WORKLOAD_NAMESPACE}}
    annotations = {APPLIED: orjson.dumps(applied).decode() + "\n"}
    store.create(NAMESPACE, {"metadata": {"name": WORKLOAD_NAMESPACE, "annotations": annotations}})
    _service(store, KAFKA, [_port("tcp-clients", 9092, kafka)])
    _service(store, BROKER_INGRESS, [_port("http-container", 80, broker_ingress, 8080)])
    _service(store, INFERENCE_INGRESS, [_port("http2", 80, inference_ingress, 8080)])
    _service(store, LOCAL_GATEWAY, [_port("http2", 80, inference_ingress, 8081)])
    store.create(NODE, _node())
    for definition in definitions():
        store.create(CUSTOMRESOURCEDEFINITION, definition)


def describe(store: Store, description: Mapping[str, Any]) -> None:
    """Store the description of the platform in the cluster, for clients that have only a kubeconfig."""
    data = {"platform.json": orjson.dumps(description, option=orjson.OPT_INDENT_2).decode()}
    store.create(CONFIGMAP, {"metadata": {"namespace": DESCRIPTION[0], "name": DESCRIPTION[1]}, "data": data})


def _node() -> dict[str, Any]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 1024
    disk = shutil.disk_usage(Path(__file__).parent).total // 1024
    cpus = str(os.cpu_count() or 1)
    amounts = {"cpu": cpus, "memory": f"{memory}Ki", "ephemeral-storage": f"{disk}Ki", "pods": "110"}
    ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "pods are processes here"}
    system = os.uname()
    return {
        "metadata": {"name": NODE_NAME, "labels": {"kubernetes.io/hostname": NODE_NAME, "kubernetes.io/os": "linux"}},
        "spec": {},
        "status": {
            "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}, {"type": "Hostname", "address": NODE_NAME}],
            "allocatable": amounts,
            "capacity": amounts,
            "conditions": [ready | {"lastHeartbeatTime": now(), "lastTransitionTime": now()}],
            "nodeInfo": {
                "architecture": ARCHITECTURES.get(system.machine, system.machine),
                "kernelVersion": system.release,
                "kubeletVersion": VERSION["gitVersion"],
                "operatingSystem": "linux",
            },
        },
    }


def _port(name: str, port: int, node_port: int, target: int | None = None) -> dict[str, Any]:
    return {"name": name, "port": port, "targetPort": target or port, "nodePort": node_port, "protocol": "TCP"}


def _service(store: Store, key: tuple[str, str], ports: list[dict[str, Any]]) -> None:
    metadata = {"namespace": key[0], "name": key[1]}
    store.create(SERVICE, {"metadata": metadata, "spec": {"type": "NodePort", "ports": ports}})
