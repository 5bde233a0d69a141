"""Objects that no fixture makes: Triggers that are not waited for, and what means nothing in Triggers and streams."""

import copy
from collections.abc import Mapping
from typing import Any

from fixtures import Broker
from suites.wire import fresh

ORDER = "kafka.eventing.knative.dev/delivery.order"
"""The annotation of a Trigger that names its order of delivery: `ordered` or `unordered`."""
ORDERED = {ORDER: "ordered"}
CREDENTIALS = "auth.secret.ref.name"
"""The setting of a Broker's configuration that names the Secret with Kafka's credentials."""
NO_CERTIFICATES = [
    "no PEM",
    "",
    "-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----",
    "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----",
]
"""Texts that are no CACerts of a destination: nothing in PEM, nothing, something else, and what only says it is one."""
NONSENSE: list[dict[str, Any]] = [
    {"retry": -1},
    {"retry": 1, "backoffPolicy": "cubic"},
    {"retry": 1, "backoffPolicy": "Linear"},
    {"retry": 1, "backoffDelay": "soon"},
    {"retry": 1, "backoffDelay": "1s"},
    {"retry": 1, "backoffDelay": "PT"},
    {"retry": 1, "timeout": "0.5"},
    {"retry": 1, "timeout": "PT0S"},
    {"deadLetterSink": {}},
    {"deadLetterSink": {"uri": "/relative"}},
    {"deadLetterSink": {"ref": {"apiVersion": "v1", "kind": "Service"}}},
    *({"deadLetterSink": {"uri": "https://127.0.0.1:1/", "CACerts": pem}} for pem in NO_CERTIFICATES),
]
"""Each breaks one rule, and the rest of it is right."""


def trigger_manifest(namespace: str, broker: str, **spec: Any) -> dict[str, Any]:
    """Return a Trigger that no fixture waits for."""
    spec = {"subscriber": {"uri": "http://127.0.0.1:1/"}, **spec}
    return {
        "apiVersion": "eventing.knative.dev/v1",
        "kind": "Trigger",
        "metadata": {"name": fresh("trigger"), "namespace": namespace},
        "spec": {"broker": broker, **spec},
    }


def broker_manifest(broker: Broker, **spec: Any) -> dict[str, Any]:
    """Return a Broker like another one that no fixture waits for."""
    config = {"apiVersion": "v1", "kind": "ConfigMap", "name": broker.config.name, "namespace": broker.namespace}
    annotations = {"eventing.knative.dev/broker.class": broker.broker_class.name}
    return {
        "apiVersion": "eventing.knative.dev/v1",
        "kind": "Broker",
        "metadata": {"name": fresh("broker"), "namespace": broker.namespace, "annotations": annotations},
        "spec": {**({"config": config} if broker.config.name else {}), **spec},
    }


def config_map(namespace: str, name: str, data: Mapping[str, str]) -> dict[str, Any]:
    """Return a ConfigMap."""
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": dict(data)}


def open_secret(namespace: str, name: str) -> dict[str, Any]:
    """Return a Secret for a Kafka that asks for no credentials, in the form that the Kafka Broker reads."""
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"protocol": "PLAINTEXT"}}


def without_class(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return a Broker that does not name its class."""
    metadata = {name: value for name, value in manifest["metadata"].items() if name != "annotations"}
    return {**manifest, "metadata": metadata}


def to_broker(broker: Broker) -> dict[str, Any]:
    """Return a reference to a Broker."""
    return {"apiVersion": "eventing.knative.dev/v1", "kind": "Broker", "name": broker.name}


def to_service(name: str, **more: str) -> dict[str, Any]:
    """Return a reference to a Service."""
    return {"apiVersion": "v1", "kind": "Service", "name": name, **more}


def service(namespace: str, name: str) -> dict[str, Any]:
    """Return a Service that leads to no pod."""
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"ports": [{"port": 80}]}}


def to_config(namespace: str, name: str) -> dict[str, str]:
    """Return a reference to a ConfigMap."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "name": name, "namespace": namespace}


def with_another(manifest: dict[str, Any], missing: str, another: str) -> dict[str, Any]:
    """Return a SeldonDeployment that lacks a variable, and has another one a second time in its place."""
    whole = copy.deepcopy(manifest)
    variables = [each for predictor in whole["spec"]["predictors"] for each in predictor["svcOrchSpec"]["env"]]
    for variable in variables:
        variable["name"] = another if variable["name"] == missing else variable["name"]
    return whole


def variable_of(manifest: dict[str, Any], name: str) -> str:
    """Return a variable of a SeldonDeployment's first predictor."""
    variables = manifest["spec"]["predictors"][0]["svcOrchSpec"]["env"]
    return str(next(variable["value"] for variable in variables if variable["name"] == name))


def with_spec(manifest: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Return an object with other fields in its spec."""
    return {**manifest, "spec": {**manifest["spec"], **fields}}


def with_predictors(manifest: dict[str, Any], *predictors: Mapping[str, Any]) -> dict[str, Any]:
    """Return a SeldonDeployment whose predictors are its first one, each with some fields that are otherwise."""
    first = manifest["spec"]["predictors"][0]
    return with_spec(manifest, predictors=[{**copy.deepcopy(first), **predictor} for predictor in predictors])
