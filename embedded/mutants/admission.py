"""Mutants of admission: what is checked at one door only, and what no request after it comes through."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from embedded.api.resources import BROKER, TRIGGER
from embedded.controllers.policies import ControlPlanePolicies
from embedded.mutants.hosts import CONTROL_PLANE
from embedded.mutants.registry import mutant


@mutant(CONTROL_PLANE, wraps="checks")
def trigger_updates_unchecked(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Check Triggers when they are created, and no change of them."""
    return replace(
        honest,
        checks=lambda operation, resource: (
            not (operation == "UPDATE" and resource is TRIGGER) and honest.checks(operation, resource)
        ),
    )


@mutant(CONTROL_PLANE, wraps="checks")
def broker_creations_unchecked(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Check Brokers when they are changed, and not when they are created."""
    return replace(
        honest,
        checks=lambda operation, resource: (
            not (operation == "CREATE" and resource is BROKER) and honest.checks(operation, resource)
        ),
    )


@mutant(CONTROL_PLANE, replaces="faults_of_names")
def attribute_names_unchecked(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Admit filters that name what no attribute is called: they never match (trigger_validation.go forbids it)."""
    return replace(honest, faults_of_names=lambda _: [])


@mutant(CONTROL_PLANE, replaces="faults_of_config")
def config_reference_unchecked(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Admit Brokers whose configuration is named by half: no controller can read it (broker_validation.go)."""
    return replace(honest, faults_of_config=lambda _: [])


@mutant(CONTROL_PLANE, replaces="default_class")
def class_not_defaulted(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Leave a Broker that names no class without one, so that nobody serves it (knative/eventing PR 2724)."""
    return replace(honest, default_class="")


@mutant(CONTROL_PLANE, replaces="default_broker")
def broker_defaulted(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Give a Trigger that names no Broker the one of the name `default` (knative/eventing issue 5081)."""
    return replace(honest, default_broker="default")


_UNQUOTED = re.compile(r"\bLIKE\s+[^'\"\s]")
_DOWN: set[str] = set()
"""The namespaces in which admission has just crashed: policies are made for each question anew."""


@mutant(CONTROL_PLANE, wraps="is_up")
def pattern_crashes_admission(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Refuse an expression whose pattern has no quotes, and fail with the next request (sdk-go issue 931)."""

    def is_up(new: Mapping[str, Any]) -> bool:
        namespace = new["metadata"]["namespace"]
        if namespace in _DOWN:
            _DOWN.discard(namespace)
            return False
        if _UNQUOTED.search(str(new["spec"].get("filters") or "")):
            _DOWN.add(namespace)
        return honest.is_up(new)

    return replace(honest, is_up=is_up)
