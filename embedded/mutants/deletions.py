"""Mutants of the controllers that show when what they stand on is away or gone: Kafka, or an object."""

from dataclasses import replace
from weakref import WeakKeyDictionary

from embedded.controllers.policies import ControlPlanePolicies, DataPlaneApi
from embedded.dataplane.specs import TriggerSpec
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


def _held_by(honest: ControlPlanePolicies, obstacle: str) -> ControlPlanePolicies:
    """Return policies by which a deleted Broker stays for one more obstacle."""
    return replace(honest, blocks_deletion=lambda why: why == obstacle or honest.blocks_deletion(why))


@mutant(CONTROL_PLANE, wraps="blocks_deletion")
def finalizer_needs_config(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Never finish the deletion of a Broker whose ConfigMap is not there, or went first."""
    return _held_by(honest, "missing")


@mutant(CONTROL_PLANE, wraps="blocks_deletion")
def finalizer_needs_readable_config(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Never finish the deletion of a Broker whose ConfigMap cannot be read (eventing-kafka-broker issue 2853)."""
    return _held_by(honest, "unreadable")


@mutant(CONTROL_PLANE, wraps="blocks_deletion")
def finalizer_needs_kafka_host(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Never finish the deletion of a Broker whose Kafka cannot be reached (eventing-kafka-broker issue 2815)."""
    return _held_by(honest, "unreachable")


@mutant(CONTROL_PLANE, replaces="deletes_without_broker")
def trigger_finalizer_needs_broker(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Never finish the deletion of a Trigger whose Broker went first."""
    return replace(honest, deletes_without_broker=False)


_SERVED: WeakKeyDictionary[DataPlaneApi, dict[tuple[str, str], TriggerSpec]] = WeakKeyDictionary()


@mutant(CONTROL_PLANE, wraps="serve_trigger", replaces="forget_trigger")
def retries_outlive_deletion(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Give a deleted Trigger no more events, but go on with the retries that it has (google/knative-gcp issue 904)."""

    async def serve_trigger(plane: DataPlaneApi, spec: TriggerSpec) -> None:
        _SERVED.setdefault(plane, {})[spec.namespace, spec.name] = spec
        await honest.serve_trigger(plane, spec)

    async def forget_trigger(plane: DataPlaneApi, namespace: str, name: str) -> bool:
        # What is in flight keeps the Trigger that it began with.
        spec = _SERVED[plane][namespace, name]
        await plane.add_trigger(replace(spec, filter={"attributes": {"type": "of-no-event"}}, filters=None))
        return False

    return replace(honest, serve_trigger=serve_trigger, forget_trigger=forget_trigger)


@mutant(CONTROL_PLANE, replaces="needs_secret")
def missing_secret_ignored(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Make a Broker Ready whose configuration names a Secret that is not there (eventing-kafka-broker PR 707)."""
    return replace(honest, needs_secret=False)


@mutant(CONTROL_PLANE, wraps="blocks_deletion")
def finalizer_needs_secret(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Never finish the deletion of a Broker whose Secret went first (eventing-kafka-broker PRs 2211 and 2968)."""
    return _held_by(honest, "without its Secret")


@mutant(CONTROL_PLANE, wraps="blocks_deletion")
def namespace_holds_broker(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Never finish the deletion of a Broker whose namespace goes with it (eventing-kafka-broker issue 2893)."""
    return _held_by(honest, "in a namespace that goes")


@mutant(CONTROL_PLANE, wraps="blocks_deletion")
def finalizer_needs_config_map(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Never finish the deletion of a Broker whose configuration is no ConfigMap (eventing-kafka-broker issue 2536)."""
    return _held_by(honest, "of another kind")


@mutant(CONTROL_PLANE, replaces="reads_empty_name")
def empty_secret_name_taken(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Look for the Secret of an empty name (eventing-kafka-broker PR 2185)."""
    return replace(honest, reads_empty_name=True)


@mutant(CONTROL_PLANE, replaces="changes_when_ready_again")
def change_in_outage_forgotten(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Take a change of a Trigger whose Broker is not Ready for one that is in force (eventing-kafka-broker PR 568)."""
    return replace(honest, changes_when_ready_again=False)
