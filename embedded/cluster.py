"""What a fresh cluster holds: the namespaces and Services that the documented flows presume."""

from typing import Any

import orjson

from embedded.api.resources import NAMESPACE, SERVICE
from embedded.api.store import Store

APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
NAMESPACES = ("knative-eventing", "database", "istio-system")
WORKLOAD_NAMESPACE = "kserve-test"
"""The documentation of the flow uses it without making it."""

KAFKA = ("database", "kafka")
BROKER_INGRESS = ("knative-eventing", "kafka-broker-ingress")
INFERENCE_INGRESS = ("istio-system", "istio-ingressgateway")
LOCAL_GATEWAY = ("istio-system", "knative-local-gateway")


def furnish(store: Store, broker_ingress: int, inference_ingress: int, kafka: int) -> None:
    """Create them. The numbers are the real ports on loopback: a Service's nodePort is where the thing listens."""
    for name in NAMESPACES:
        store.create(NAMESPACE, {"metadata": {"name": name}})
    # As if it had been applied, so that applying it again is no surprise to kubectl.
    applied = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"annotations": {}, "name": WORKLOAD_NAMESPACE}}
    annotations = {APPLIED: orjson.dumps(applied).decode() + "\n"}
    store.create(NAMESPACE, {"metadata": {"name": WORKLOAD_NAMESPACE, "annotations": annotations}})
    _service(store, KAFKA, [_port("tcp-clients", 9092, kafka)])
    _service(store, BROKER_INGRESS, [_port("http-container", 80, broker_ingress, 8080)])
    _service(store, INFERENCE_INGRESS, [_port("http2", 80, inference_ingress, 8080)])
    _service(store, LOCAL_GATEWAY, [_port("http2", 80, inference_ingress, 8081)])


def _port(name: str, port: int, node_port: int, target: int | None = None) -> dict[str, Any]:
    return {"name": name, "port": port, "targetPort": target or port, "nodePort": node_port, "protocol": "TCP"}


def _service(store: Store, place: tuple[str, str], ports: list[dict[str, Any]]) -> None:
    metadata = {"namespace": place[0], "name": place[1]}
    store.create(SERVICE, {"metadata": metadata, "spec": {"type": "NodePort", "ports": ports}})
