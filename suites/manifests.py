"""Objects that no fixture makes: Triggers that are not waited for, and what means nothing in Triggers and streams."""

import copy
from typing import Any

from fixtures import Broker
from suites.wire import fresh

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


def with_another(manifest: dict[str, Any], missing: str, another: str) -> dict[str, Any]:
    """Return a SeldonDeployment that lacks a variable, and has another one a second time in its place."""
    whole = copy.deepcopy(manifest)
    variables = [each for predictor in whole["spec"]["predictors"] for each in predictor["svcOrchSpec"]["env"]]
    for variable in variables:
        variable["name"] = another if variable["name"] == missing else variable["name"]
    return whole
