"""Mutants of the controllers and of admission."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

from embedded.api.errors import Cause
from embedded.controllers.broker import BOOTSTRAP, PARTITIONS, REPLICATION
from embedded.controllers.conditions import TRUE
from embedded.controllers.policies import ControlPlanePolicies, DataPlaneApi
from embedded.controllers.topics import KAFKA_HOST
from embedded.dataplane.specs import BrokerSpec, TriggerSpec
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


@mutant(CONTROL_PLANE, wraps="serve_trigger")
def trigger_late_ready(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Serve a new Trigger, and so say Ready, six seconds late (modelled: a scheduler that works in turns)."""

    async def serve_trigger(plane: DataPlaneApi, spec: TriggerSpec) -> None:
        await asyncio.sleep(6.0)
        await honest.serve_trigger(plane, spec)

    return replace(honest, serve_trigger=serve_trigger)


@mutant(CONTROL_PLANE, replaces="effective_delivery")
def delivery_merged(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Complete a Trigger's delivery from its Broker's, field by field (eventing-kafka-broker issue 1011)."""

    def effective_delivery(trigger: Mapping[str, Any] | None, broker: Mapping[str, Any] | None) -> Mapping[str, Any]:
        return {**(broker or {}), **(trigger or {})}

    return replace(honest, effective_delivery=effective_delivery)


@mutant(CONTROL_PLANE, wraps="effective_delivery")
def broker_delivery_needs_sink(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Pass over a Broker's delivery that has no dead letter sink (google/knative-gcp issue 2053)."""

    def effective_delivery(trigger: Mapping[str, Any] | None, broker: Mapping[str, Any] | None) -> Mapping[str, Any]:
        return honest.effective_delivery(trigger, broker if (broker or {}).get("deadLetterSink") else None)

    return replace(honest, effective_delivery=effective_delivery)


@mutant(CONTROL_PLANE, wraps="effective_delivery")
def retries_inherited(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Take the Broker's retries where the Trigger asks for none, though it has delivery options of its own."""

    def effective_delivery(trigger: Mapping[str, Any] | None, broker: Mapping[str, Any] | None) -> Mapping[str, Any]:
        chosen = honest.effective_delivery(trigger, broker)
        if not chosen or "retry" in chosen:
            return chosen
        return {**{name: value for name, value in (broker or {}).items() if name != "deadLetterSink"}, **chosen}

    return replace(honest, effective_delivery=effective_delivery)


@mutant(CONTROL_PLANE, wraps="effective_delivery")
def no_retries_are_left_out(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Take options of a Trigger's delivery that are zero or empty for options that are left out (Go's `omitempty`)."""

    def effective_delivery(trigger: Mapping[str, Any] | None, broker: Mapping[str, Any] | None) -> Mapping[str, Any]:
        return honest.effective_delivery({name: value for name, value in (trigger or {}).items() if value}, broker)

    return replace(honest, effective_delivery=effective_delivery)


@mutant(CONTROL_PLANE, wraps="effective_delivery")
def brokers_dead_letter_sink_wins(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Send dead letters to the Broker's sink where it has one, also for a Trigger that names its own."""

    def effective_delivery(trigger: Mapping[str, Any] | None, broker: Mapping[str, Any] | None) -> Mapping[str, Any]:
        chosen = honest.effective_delivery(trigger, broker)
        sinks = {name: value for name, value in (broker or {}).items() if name == "deadLetterSink"}
        return {**chosen, **sinks} if "deadLetterSink" in chosen else chosen

    return replace(honest, effective_delivery=effective_delivery)


@mutant(CONTROL_PLANE, replaces="forget_trigger")
def trigger_outlives_deletion(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Deliver to a Trigger after its deletion (eventing-kafka-broker PR 4717)."""

    async def forget_trigger(_plane: DataPlaneApi, _namespace: str, _name: str) -> bool:
        return False

    return replace(honest, forget_trigger=forget_trigger)


@mutant(CONTROL_PLANE, replaces="forget_broker")
def broker_outlives_deletion(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Acknowledge events for a Broker after its deletion, which nobody will ever deliver."""

    async def forget_broker(_plane: DataPlaneApi, _namespace: str, _name: str) -> None:
        """Leave the address as it is."""

    return replace(honest, forget_broker=forget_broker)


@mutant(CONTROL_PLANE, replaces="tells_without_broker")
def trigger_without_broker_ignored(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Say nothing in the status of a Trigger whose Broker does not exist (Kafka Broker 1.22.3, seen) or goes (read)."""
    return replace(honest, tells_without_broker=False)


@mutant(CONTROL_PLANE, replaces="topic_owner")
def brokers_share_topic(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Give a Broker the topic of another one whose namespace and name join to the same (the default template)."""
    return replace(honest, topic_owner=lambda _: "")


@mutant(CONTROL_PLANE, replaces="without_config")
def defaults_without_config(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Make a Broker Ready with defaults where its configuration is missing or cannot be read."""
    default = {PARTITIONS: "10", REPLICATION: "1", BOOTSTRAP: f"{KAFKA_HOST}:9092"}
    return replace(honest, without_config=lambda: default)


@mutant(CONTROL_PLANE, replaces="faults_of_delivery")
def nonsense_delivery_admitted(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Admit any `delivery` that its schema admits (knative/eventing PR 4216: a negative retry)."""
    return replace(honest, faults_of_delivery=lambda _: [])


@mutant(CONTROL_PLANE, replaces="faults_of_subscriber")
def no_subscriber_admitted(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Admit Triggers whose subscriber is no destination."""
    return replace(honest, faults_of_subscriber=lambda _: [])


@mutant(CONTROL_PLANE, replaces="told_dead_letter_sink")
def dead_letter_sink_not_told(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Use the dead letter sink, but do not tell it in the status (knative/eventing issues 5363, 5639)."""
    return replace(honest, told_dead_letter_sink=lambda _: {})


@mutant(CONTROL_PLANE, replaces="is_ours")
def foreign_class_claimed(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Reconcile Brokers of any class, as if they were one's own."""
    return replace(honest, is_ours=lambda _class, _ours: True)


@mutant(CONTROL_PLANE, wraps=("changed_trigger", "change_trigger"))
def update_loses_events(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Change a Trigger by removing and adding it: what is accepted in between is lost (eventing-kafka-broker 3249).

    An order of delivery that changes alone is changed in place: it is an annotation, and no status tells when it is in
    force, so nobody can tell what was accepted before.
    """
    in_place: set[tuple[str, str]] = set()

    def changed_trigger(before: TriggerSpec, changed: TriggerSpec) -> TriggerSpec:
        changed = honest.changed_trigger(before, changed)
        note = in_place.add if replace(before, ordered=changed.ordered) == changed else in_place.discard
        note((changed.namespace, changed.name))
        return changed

    async def change_trigger(plane: DataPlaneApi, changed: TriggerSpec) -> None:
        key = (changed.namespace, changed.name)
        if key not in in_place:
            await plane.remove_trigger(*key)
            await asyncio.sleep(0.1)
        await honest.change_trigger(plane, changed)

    return replace(honest, changed_trigger=changed_trigger, change_trigger=change_trigger)


@mutant(CONTROL_PLANE, replaces="follows")
def early_trigger_forgotten(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Never look again at a Trigger when its Broker, or the object that it refers to, is made or changes."""
    return replace(honest, follows=())


_SERVED: WeakKeyDictionary[DataPlaneApi, set[tuple[str, str]]] = WeakKeyDictionary()


@mutant(CONTROL_PLANE, wraps="serve_broker")
def recreated_broker_unknown(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Make a Broker Ready that has the name of a deleted one, and do not serve it (eventing-kafka-broker issue 864)."""

    async def serve_broker(plane: DataPlaneApi, spec: BrokerSpec) -> None:
        served = _SERVED.setdefault(plane, set())
        if (spec.namespace, spec.name) not in served:
            await honest.serve_broker(plane, spec)
        served.add((spec.namespace, spec.name))

    return replace(honest, serve_broker=serve_broker)


def _accepting(honest: ControlPlanePolicies, *words: str) -> ControlPlanePolicies:
    """Accept SeldonDeployments in spite of faults whose message has one of these words."""

    def faults_of_deployment(faults: list[Cause]) -> list[Cause]:
        others = [fault for fault in faults if not any(word in fault.message for word in words)]
        return honest.faults_of_deployment(others)

    return replace(honest, faults_of_deployment=faults_of_deployment)


@mutant(CONTROL_PLANE, wraps="faults_of_deployment")
def stream_loop_accepted(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Accept an output topic that is the input topic (seldon-executor 1.17.1, seen: an endless loop)."""
    return _accepting(honest, "each answer would be a request")


@mutant(CONTROL_PLANE, wraps="faults_of_deployment")
def stream_variables_unchecked(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Accept any KAFKA_WORKERS and KAFKA_AUTO_COMMIT (seldon-executor 1.17.1: hangs, dies or ends of them, seen)."""
    return _accepting(honest, "KAFKA_WORKERS must", "KAFKA_AUTO_COMMIT must")


@mutant(CONTROL_PLANE, wraps="faults_of_deployment")
def stream_variables_counted(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Accept streams that lack a variable (seldon-core validateKafka counts entries: one three times will do)."""
    return _accepting(honest, "please supply env variables")


@mutant(CONTROL_PLANE, wraps="faults_of_deployment")
def traffic_unchecked(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Accept predictors whose shares of the traffic are not 100 together."""
    return _accepting(honest, "Traffic must")


@mutant(CONTROL_PLANE, wraps="faults_of_deployment")
def predictor_names_unchecked(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Accept two predictors of one name, which have one consumer group and one Deployment."""
    return _accepting(honest, "Duplicate predictor name")


@mutant(CONTROL_PLANE, wraps="faults_of_deployment")
def graph_name_unchecked(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Accept a graph whose node has no name."""
    return _accepting(honest, "the graph needs a name")


@mutant(CONTROL_PLANE, wraps="faults_of_deployment")
def no_predictors_accepted(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Accept a SeldonDeployment without a predictor (seldon-core issue 2020)."""
    return _accepting(honest, "Graph contains no predictors")


@mutant(CONTROL_PLANE, wraps="faults_of_deployment")
def lone_shadow_accepted(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Accept a SeldonDeployment whose only predictor is a shadow (seldon-core issue 2022)."""
    return _accepting(honest, "Shadow can not exist")


@mutant(CONTROL_PLANE, wraps="faults_of_deployment")
def graph_unchecked(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Accept a graph whose node has no container, and a protocol that nobody speaks."""
    return _accepting(honest, "Can't find component", "Unsupported value")
