"""Structural schemas. First cut: every kind keeps what it is given."""

from typing import Any

OPAQUE: dict[str, Any] = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
BROKER = TRIGGER = INFERENCESERVICE = SELDONDEPLOYMENT = OPAQUE
NAMESPACE = CONFIGMAP = SECRET = SERVICEACCOUNT = SERVICE = POD = EVENT = DEPLOYMENT = OPAQUE
