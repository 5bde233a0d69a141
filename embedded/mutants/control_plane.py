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
    """A Ready Broker has no address (kserve issue 2829: address.url wrong)."""
    return replace(honest, address_of_broker=lambda _: {})


@mutant(CONTROL_PLANE, replaces="kept_fields")
def broker_mutable(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """A Broker's class and config can be changed (broker_validation.go `CheckImmutableFields` forbids)."""
    return replace(honest, kept_fields=lambda _: [])


@mutant(CONTROL_PLANE, replaces="kept_fields_of_trigger")
def trigger_broker_mutable(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """A Trigger's Broker can be changed (trigger_validation.go `CheckImmutableFields` forbids)."""
    return replace(honest, kept_fields_of_trigger=lambda _: [])


@mutant(CONTROL_PLANE, replaces="annotated_topic")
def topic_annotation_wrong(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """The status names another topic than the Broker's (config-kafka-features: names follow a template)."""
    return replace(honest, annotated_topic=lambda topic: f"{topic}-other")


@mutant(CONTROL_PLANE, replaces="without_broker")
def trigger_ready_without_broker(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """A Trigger whose Broker does not exist is Ready (eventing-kafka-broker `filterTriggers`)."""
    return replace(honest, without_broker=lambda _: TRUE)


@mutant(CONTROL_PLANE, replaces="too_many_dialects")
def two_dialects_accepted(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """A filter object with two dialects is admitted (knative/eventing `ValidateOneOf` forbids)."""
    return replace(honest, too_many_dialects=lambda _: False)


@mutant(CONTROL_PLANE, wraps="changed_trigger")
def filter_update_ignored(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """A changed filter is admitted, and the old one goes on (`ConsumerDeployerVerticle.onUpdateEgress`)."""

    def changed_trigger(before: TriggerSpec, wanted: TriggerSpec) -> TriggerSpec:
        return replace(honest.changed_trigger(before, wanted), filter=before.filter, filters=before.filters)

    return replace(honest, changed_trigger=changed_trigger)


@mutant(CONTROL_PLANE, replaces="effective_delivery")
def delivery_merged(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """A Trigger's delivery is completed from its Broker's, field by field (eventing-kafka-broker issue 1011)."""

    def effective_delivery(trigger: Mapping[str, Any] | None, broker: Mapping[str, Any] | None) -> Mapping[str, Any]:
        return {**(broker or {}), **(trigger or {})}

    return replace(honest, effective_delivery=effective_delivery)


@mutant(CONTROL_PLANE, replaces="forget_trigger")
def trigger_outlives_deletion(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """A deleted Trigger goes on delivering (eventing-kafka-broker PR 4717)."""

    async def forget_trigger(_plane: DataPlaneApi, _namespace: str, _name: str) -> bool:
        return False

    return replace(honest, forget_trigger=forget_trigger)
