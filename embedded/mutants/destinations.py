"""Mutants of destinations: from references and URIs to URLs."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from embedded.api.resources import BROKER
from embedded.api.store import Store
from embedded.controllers.destinations import UnresolvedDestinationError
from embedded.controllers.policies import ControlPlanePolicies
from embedded.mutants.hosts import CONTROL_PLANE
from embedded.mutants.registry import mutant


@mutant(CONTROL_PLANE, wraps="resolve")
def reference_namespace_ignored(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Look for what a reference names in the Trigger's own namespace only (knative/eventing issue 4633)."""

    def resolve(store: Store, destination: Mapping[str, Any], namespace: str) -> str:
        if reference := destination.get("ref"):
            destination = {**destination, "ref": {**reference, "namespace": namespace}}
        return honest.resolve(store, destination, namespace)

    return replace(honest, resolve=resolve)


@mutant(CONTROL_PLANE, wraps="resolve")
def relative_uri_dropped(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Ignore the `uri` beside a reference (knative/docs PR 6204)."""

    def resolve(store: Store, destination: Mapping[str, Any], namespace: str) -> str:
        if destination.get("ref"):
            destination = {name: value for name, value in destination.items() if name != "uri"}
        return honest.resolve(store, destination, namespace)

    return replace(honest, resolve=resolve)


@mutant(CONTROL_PLANE, wraps="resolve")
def service_without_namespace(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Resolve a Service to its bare name, which another namespace cannot resolve."""

    def resolve(store: Store, destination: Mapping[str, Any], namespace: str) -> str:
        url = honest.resolve(store, destination, namespace)
        reference = destination.get("ref") or {}
        is_service = reference.get("kind") == "Service" and not (reference.get("apiVersion") or "").count("/")
        return url.replace(f".{reference.get('namespace') or namespace}.svc.cluster.local", "") if is_service else url

    return replace(honest, resolve=resolve)


@mutant(CONTROL_PLANE, wraps="resolve")
def address_of_reference_guessed(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Take a Broker that is referred to for a Service of its name, in place of reading its `status.address`."""

    def resolve(store: Store, destination: Mapping[str, Any], namespace: str) -> str:
        url = honest.resolve(store, destination, namespace)
        reference = destination.get("ref") or {}
        host = f"{reference.get('name')}.{reference.get('namespace') or namespace}.svc.cluster.local"
        return f"http://{host}" if reference.get("kind") == BROKER.kind else url

    return replace(honest, resolve=resolve)


@mutant(CONTROL_PLANE, wraps="resolve")
def unresolved_is_ready(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Take a reference to nothing for one to a Service of that name."""

    def resolve(store: Store, destination: Mapping[str, Any], namespace: str) -> str:
        try:
            return honest.resolve(store, destination, namespace)
        except UnresolvedDestinationError:
            return f"http://{destination['ref']['name']}.{namespace}.svc.cluster.local"

    return replace(honest, resolve=resolve)


@mutant(CONTROL_PLANE, wraps="effective_delivery")
def dead_letter_reference_cut(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Read kind and name of a dead letter sink's reference, and neither its namespace nor the `uri` beside it."""

    def effective_delivery(trigger: Mapping[str, Any] | None, broker: Mapping[str, Any] | None) -> Mapping[str, Any]:
        chosen = honest.effective_delivery(trigger, broker)
        sink = chosen.get("deadLetterSink") or {}
        if not sink.get("ref"):
            return chosen
        cut = {name: value for name, value in sink["ref"].items() if name != "namespace"}
        return {**chosen, "deadLetterSink": {**sink, "ref": cut, "uri": None}}

    return replace(honest, effective_delivery=effective_delivery)


@mutant(CONTROL_PLANE, wraps="resolve")
def missing_address_guessed(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Take an object without an address for a Service of its name (knative/eventing issue 1462)."""

    def resolve(store: Store, destination: Mapping[str, Any], namespace: str) -> str:
        try:
            return honest.resolve(store, destination, namespace)
        except UnresolvedDestinationError as error:
            if error.reason != "NoAddress":
                raise
            return f"http://{destination['ref']['name']}.{namespace}.svc.cluster.local"

    return replace(honest, resolve=resolve)
