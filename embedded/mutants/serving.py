"""Faulty InferenceServices: Ready without a model, deaf to changes, or nowhere for a Trigger."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from embedded.api.resources import INFERENCESERVICE
from embedded.api.store import Store
from embedded.controllers.components import HTTP_PORT, NO_RUNTIME
from embedded.controllers.conditions import TRUE, ConditionState, unknown
from embedded.controllers.policies import ControlPlanePolicies
from embedded.mutants.hosts import CONTROL_PLANE
from embedded.mutants.registry import mutant


@mutant(CONTROL_PLANE, replaces="readiness_probe")
def agent_ready_is_ready(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Take a pod behind an agent for ready as soon as it listens (KServe issues 1124 and 5345)."""
    return replace(honest, readiness_probe=lambda _probe: {"periodSeconds": 1, "tcpSocket": {"port": HTTP_PORT}})


@mutant(CONTROL_PLANE, wraps="component_state")
def ready_without_model(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Take a component whose model cannot be loaded for ready (KServe issues 1791 and 3262)."""

    def component_state(state: ConditionState, was_ready: bool) -> ConditionState:  # noqa: FBT001 - a policy's shape
        told = honest.component_state(state, was_ready)
        return TRUE if told.status is False else told

    return replace(honest, component_state=component_state)


@mutant(CONTROL_PLANE, wraps="component_state")
def unsupported_format_waited_for(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Wait for pods of a component that has none, since no runtime serves its model format."""

    def component_state(state: ConditionState, was_ready: bool) -> ConditionState:  # noqa: FBT001 - a policy's shape
        told = honest.component_state(state, was_ready)
        return unknown("Deploying", "waiting for pods") if told.reason == NO_RUNTIME else told

    return replace(honest, component_state=component_state)


@mutant(CONTROL_PLANE, wraps="told_components")
def transformer_untold(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Tell nothing of a transformer in the status: neither whether it is there, nor where."""

    def told_components(components: Mapping[str, Any]) -> Mapping[str, Any]:
        told = honest.told_components(components)
        return {name: component for name, component in told.items() if name != "transformer"}

    return replace(honest, told_components=told_components)


@mutant(CONTROL_PLANE, wraps="component_state")
def crash_unnoticed(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Take a component that was ready once for ready although its pods crash (KServe issues 1859 and 2037)."""

    def component_state(state: ConditionState, was_ready: bool) -> ConditionState:  # noqa: FBT001 - a policy's shape
        told = honest.component_state(state, was_ready)
        return TRUE if told.status is False and was_ready else told

    return replace(honest, component_state=component_state)


@mutant(CONTROL_PLANE, replaces="updates_agents")
def agent_never_updated(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Keep the batcher and the logger that a component began with (KServe issues 2116 and 2142)."""
    return replace(honest, updates_agents=False)


@mutant(CONTROL_PLANE, wraps="entry_component", replaces="removes_components")
def removed_component_serves(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Go on with a transformer that was taken out of an InferenceService (KServe issues 460 and 3359)."""

    def entry_component(service: Mapping[str, Any]) -> str:
        told = (service.get("status") or {}).get("components") or {}
        return "transformer" if "transformer" in told else honest.entry_component(service)

    return replace(honest, entry_component=entry_component, removes_components=False)


@mutant(CONTROL_PLANE, wraps="resolve")
def isvc_ref_unresolved(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Lose the path of a subscriber that refers to an InferenceService (KServe issue 2587, PR 1238)."""

    def resolve(store: Store, destination: Mapping[str, Any], namespace: str) -> str:
        kind = (destination.get("ref") or {}).get("kind")
        asked = destination if kind != INFERENCESERVICE.kind else {"ref": destination["ref"]}
        return honest.resolve(store, asked, namespace)

    return replace(honest, resolve=resolve)
