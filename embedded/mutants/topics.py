"""Mutants of the controllers that show in Kafka: whose the topics are, how they are made, and who reads them."""

from dataclasses import replace

from embedded.controllers.policies import ControlPlanePolicies
from embedded.mutants.hosts import CONTROL_PLANE
from embedded.mutants.registry import mutant


@mutant(CONTROL_PLANE, replaces="external_topic")
def external_topic_ignored(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Give a Broker a topic of its own although it names one (eventing-kafka-broker PR 1023)."""
    return replace(honest, external_topic=lambda _: "")


@mutant(CONTROL_PLANE, replaces="makes_external_topic")
def external_topic_made(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Make the topic that a Broker names where it is missing."""
    return replace(honest, makes_external_topic=True)


@mutant(CONTROL_PLANE, replaces="deletes_external_topic")
def external_topic_deleted(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Delete the topic that a Broker names with the Broker (eventing-kafka-broker PR 1023)."""
    return replace(honest, deletes_external_topic=True)


@mutant(CONTROL_PLANE, replaces="partitions")
def partitions_of_the_default(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Make each topic with the ten partitions of the platform's own configuration (eventing-kafka-broker PR 1591)."""
    return replace(honest, partitions=lambda _: 10)


@mutant(CONTROL_PLANE, replaces="annotated_group")
def group_of_another_name(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Name another group than the one that reads, where a Trigger asks for no order (eventing-kafka-broker PR 3779)."""
    return replace(honest, annotated_group=lambda group, order: f"{group}-0" if order == "unordered" else group)
