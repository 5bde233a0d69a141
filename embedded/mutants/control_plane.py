"""Mutants of the controllers and of admission."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from embedded.controllers.conditions import TRUE
from embedded.controllers.policies import ControlPlanePolicies, DataPlaneApi
from embedded.dataplane.specs import TriggerSpec
from embedded.mutants.hosts import CONTROL_PLANE
from embedded.mutants.registry import mutant


@mutant(CONTROL_PLANE, replaces="address_of_broker")
def address_missing(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Leave a Ready Broker without an address (kserve issue 2829: address.url wrong)."""
    return replace(honest, address_of_broker=lambda _: {})


@mutant(CONTROL_PLANE, replaces="kept_fields")
def broker_mutable(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Allow changes of a Broker's class and config (broker_validation.go `CheckImmutableFields` forbids them)."""
    return replace(honest, kept_fields=lambda _: [])


@mutant(CONTROL_PLANE, replaces="kept_fields_of_trigger")
def trigger_broker_mutable(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Allow changes of a Trigger's Broker (trigger_validation.go `CheckImmutableFields` forbids them)."""
    return replace(honest, kept_fields_of_trigger=lambda _: [])


@mutant(CONTROL_PLANE, replaces="annotated_topic")
def topic_annotation_wrong(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Name another topic than the Broker's in the status (config-kafka-features: names follow a template)."""
    return replace(honest, annotated_topic=lambda topic: f"{topic}-other")


@mutant(CONTROL_PLANE, replaces="without_broker")
def trigger_ready_without_broker(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Make a Trigger Ready though its Broker does not exist (eventing-kafka-broker `filterTriggers`)."""
    return replace(honest, without_broker=lambda _: TRUE)


@mutant(CONTROL_PLANE, replaces="too_many_dialects")
def two_dialects_accepted(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Admit a filter object with two dialects (knative/eventing `ValidateOneOf` forbids it)."""
    return replace(honest, too_many_dialects=lambda _: False)


@mutant(CONTROL_PLANE, replaces="fault_of_expression")
def invalid_cesql_accepted(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Admit Triggers whose CESQL expression cannot be read."""
    return replace(honest, fault_of_expression=lambda _: None)


@mutant(CONTROL_PLANE, wraps="changed_trigger")
def filter_update_ignored(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Admit a changed filter, but go on with the old one (`ConsumerDeployerVerticle.onUpdateEgress`)."""

    def changed_trigger(before: TriggerSpec, changed: TriggerSpec) -> TriggerSpec:
        return replace(honest.changed_trigger(before, changed), filter=before.filter, filters=before.filters)

    return replace(honest, changed_trigger=changed_trigger)


@mutant(CONTROL_PLANE, replaces="effective_delivery")
def delivery_merged(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Complete a Trigger's delivery from its Broker's, field by field (eventing-kafka-broker issue 1011)."""

    def effective_delivery(trigger: Mapping[str, Any] | None, broker: Mapping[str, Any] | None) -> Mapping[str, Any]:
        return {**(broker or {}), **(trigger or {})}

    return replace(honest, effective_delivery=effective_delivery)


@mutant(CONTROL_PLANE, replaces="forget_trigger")
def trigger_outlives_deletion(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Deliver to a Trigger after its deletion (eventing-kafka-broker PR 4717)."""

    async def forget_trigger(_plane: DataPlaneApi, _namespace: str, _name: str) -> bool:
        return False

    return replace(honest, forget_trigger=forget_trigger)


@mutant(CONTROL_PLANE, replaces="tells_without_broker")
def trigger_without_broker_ignored(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Say nothing in the status of a Trigger whose Broker does not exist (Kafka Broker 1.22.3, seen)."""
    return replace(honest, tells_without_broker=False)
