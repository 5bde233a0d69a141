"""Mutants of the controllers that show when what a Broker stands on is away or gone: Kafka, or an object."""

from dataclasses import replace

from embedded.controllers.policies import ControlPlanePolicies
from embedded.mutants.hosts import CONTROL_PLANE
from embedded.mutants.registry import mutant


@mutant(CONTROL_PLANE, replaces="notices_outage")
def outage_unnoticed(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Leave a Broker Ready while its Kafka is away (eventing-kafka-broker issue 1152)."""
    return replace(honest, notices_outage=False)


@mutant(CONTROL_PLANE, replaces="retries_kafka")
def outage_never_retried(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Give up what Kafka did not do, until somebody changes the object."""
    return replace(honest, retries_kafka=False)


@mutant(CONTROL_PLANE, replaces="topic_before_finalizer")
def outage_orphans_topic(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Let a deleted Broker go although its topic could not be deleted."""
    return replace(honest, topic_before_finalizer=False)


@mutant(CONTROL_PLANE, replaces="deletes_topic")
def topic_outlives_broker(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Leave the topic of a deleted Broker in Kafka."""
    return replace(honest, deletes_topic=False)


@mutant(CONTROL_PLANE, replaces="deletes_without_config")
def finalizer_needs_config(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Never finish the deletion of a Broker whose ConfigMap went first."""
    return replace(honest, deletes_without_config=False)


@mutant(CONTROL_PLANE, replaces="deletes_without_broker")
def trigger_finalizer_needs_broker(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Never finish the deletion of a Trigger whose Broker went first."""
    return replace(honest, deletes_without_broker=False)
