"""Objects that no fixture makes: Triggers that are not waited for, and delivery options that mean nothing."""

from typing import Any

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
