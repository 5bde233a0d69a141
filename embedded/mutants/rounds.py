"""Mutants of controllers whose work on all objects ends at one of them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from embedded.api.resources import TRIGGER
from embedded.api.store import Store
from embedded.controllers.controller import RetryError
from embedded.controllers.policies import ControlPlanePolicies
from embedded.mutants.hosts import CONTROL_PLANE
from embedded.mutants.registry import mutant


@mutant(CONTROL_PLANE, wraps="resolve")
def one_failure_ends_the_round(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Look at no Trigger of a namespace while one of them cannot be served (eventing-kafka-broker PR 568)."""

    def resolve(store: Store, destination: Mapping[str, Any], namespace: str) -> str:
        hopeless = [obj["metadata"]["name"] for obj in store.list(TRIGGER, namespace) if _is_hopeless(obj["spec"])]
        if hopeless:
            raise RetryError(f"cannot serve Trigger {namespace}/{hopeless[0]}")
        return honest.resolve(store, destination, namespace)

    return replace(honest, resolve=resolve)


def _is_hopeless(spec: Mapping[str, Any]) -> bool:
    """Return whether nobody can send an event to the URI of a Trigger's subscriber."""
    subscriber = spec.get("subscriber") or {}
    if subscriber.get("ref"):
        return False
    try:
        parts = urlsplit(subscriber.get("uri") or "")
        _ = parts.port  # raises where it is no number of a port
    except ValueError:
        return True
    return parts.scheme not in {"http", "https"}
