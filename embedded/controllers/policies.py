"""The decisions of controllers and of admission, each a policy; `ControlPlanePolicies` holds the honest ones.

Controllers ask for the policies of a namespace at every decision; a faulty platform returns other ones.
"""

import itertools
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from embedded.api.errors import Cause
from embedded.api.resources import BROKER, INFERENCESERVICE, SERVICE, Resource
from embedded.api.store import Operation, Store
from embedded.controllers.conditions import ConditionState, fails
from embedded.controllers.destinations import resolve_destination
from embedded.dataplane.cesql import Expression, ParseError
from embedded.dataplane.specs import BrokerSpec, TriggerSpec
from embedded.dataplane.trust import is_readable
from embedded.runtime.gateway import entry_component, explaining_component, external_host

CONTAINER, COLLOCATED = "kserve-container", "transformer-container"
"""KServe's names for the container of a component, and for a transformer in the pod of its predictor."""


class DataPlaneApi(Protocol):
    """The data plane as the controllers use it."""

    async def add_broker(self, spec: BrokerSpec) -> None:
        """Accept events for a Broker."""

    async def remove_broker(self, namespace: str, name: str) -> None:
        """Accept no more events for a Broker."""

    async def add_trigger(self, spec: TriggerSpec) -> None:
        """Deliver to a Trigger every event that is accepted from now on."""

    async def pause_trigger(self, namespace: str, name: str) -> None:
        """Deliver nothing to a Trigger until it is added again."""

    async def remove_trigger(self, namespace: str, name: str) -> None:
        """Deliver nothing more to a Trigger."""

    async def kill_dispatcher(self, namespace: str, broker: str) -> None:
        """Let a Broker's dispatchers forget all that they have not committed, and begin again."""

    async def end_dispatcher(self, namespace: str, broker: str, grace: float) -> None:
        """Let a Broker's dispatchers finish what they have in flight, in so many seconds, and begin again."""

    async def end_ingress(self, namespace: str, broker: str, grace: float) -> None:
        """Let a Broker's requests be answered, in so many seconds, before the ingress begins again."""

    async def rebalance(self, namespace: str, broker: str) -> None:
        """Let a Broker's consumers change hands twice, as when another replica joins and leaves."""

    async def kill_ingress(self, namespace: str, broker: str) -> None:
        """Break the connections of a Broker's requests off, and forget what is not stored."""


def address_of_broker(url: str) -> dict[str, Any]:
    """Return the parts of a Broker's status that hold its address (control plane specification, Broker Lifecycle)."""
    address = {"name": "http", "url": url}
    return {"address": address, "addresses": [address]}


def observed(_resource: Resource, generation: int) -> int:
    """Return what the status of a Broker or Trigger names as the generation that was looked at."""
    return generation


def told_status(_before: Mapping[str, Any], status: dict[str, Any]) -> dict[str, Any]:
    """Return the status of a Broker or Trigger, which had another one before: nothing is left of that."""
    return status


def told_config(kept: Mapping[str, str], _data: Mapping[str, str]) -> Mapping[str, str]:
    """Return what a Broker's status tells of its ConfigMap's data: the settings of the topic, which are kept."""
    return kept


def is_ordered(order: str) -> bool | None:
    """Return whether a Trigger with this order of delivery is ordered; None where there is no such order."""
    return {"ordered": True, "unordered": False}.get(order.lower())


def annotated_topic(topic: str) -> str:
    """Return the value of `status.annotations["default.topic"]`."""
    return topic


def without_broker(broker: str) -> ConditionState:
    """Return the BrokerReady state of a Trigger without its Broker (control plane specification, Trigger Lifecycle)."""
    return fails("BrokerDoesNotExist", f'Broker "{broker}" does not exist')


def told_dead_letter_sink(url: str) -> dict[str, Any]:
    """Return the part of a Broker's or Trigger's status that tells its dead letter sink ("Broker Lifecycle")."""
    return {"deadLetterSinkUri": url}


def told_authorities(field: str, authorities: str) -> dict[str, Any]:
    """Return the part of a Trigger's status that tells the `CACerts` of a destination, if it has any."""
    return {field: authorities} if authorities else {}


def is_ours(broker_class: str, ours: Collection[str]) -> bool:
    """Return whether Brokers of a class are this platform's business ("Broker Lifecycle", `broker.class`)."""
    return broker_class in ours


def effective_delivery(trigger: Mapping[str, Any] | None, broker: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Return the Trigger's delivery if any part is set, else the Broker's (control plane specification, Broker)."""
    return trigger or broker or {}


def changed_trigger(_before: TriggerSpec, changed: TriggerSpec) -> TriggerSpec:
    """Return what the data plane serves after a Trigger changed."""
    return changed


def begins_anew(
    before: Sequence[Mapping[str, str]],  # noqa: ARG001 - a policy's shape
    labels: Sequence[Mapping[str, str]],  # noqa: ARG001 - likewise
) -> bool:
    """Return whether a Trigger's consumer begins anew, of its labels and its Broker's, as they were and are: never."""
    return False


def topic_owner(others: Sequence[str]) -> str:
    """Return the Broker that a topic belongs to already, of the older Brokers with that topic; empty: it is free."""
    return others[0] if others else ""


def partitions(wanted: int) -> int:
    """Return the number of partitions of a Broker's new topic, of the number in its configuration: that one."""
    return wanted


def annotated_group(group: str, order: str) -> str:  # noqa: ARG001 - a policy's shape
    """Return the value of a Trigger's `status.annotations["group.id"]`: the group that reads for it, in any order.

    `order` is what its annotation says of the order of delivery; empty: nothing.
    """
    return group


def external_topic(named: str) -> str:
    """Return the topic that a Broker takes from its annotation, which somebody else makes; empty: one of its own.

    The Kafka Broker's annotation `kafka.eventing.knative.dev/external.topic`.
    """
    return named


def without_config() -> Mapping[str, str] | None:
    """Return the settings in place of a configuration that is missing or cannot be read: none, and that is told."""
    return None


async def serve_broker(plane: DataPlaneApi, spec: BrokerSpec) -> None:
    """Have the data plane serve a Broker."""
    await plane.add_broker(spec)


async def forget_broker(plane: DataPlaneApi, namespace: str, name: str) -> None:
    """Handle the deletion of a Broker: its address accepts nothing more."""
    await plane.remove_broker(namespace, name)


async def serve_trigger(plane: DataPlaneApi, spec: TriggerSpec) -> None:
    """Have the data plane serve a new Trigger."""
    await plane.add_trigger(spec)


async def change_trigger(plane: DataPlaneApi, changed: TriggerSpec) -> None:
    """Have the data plane serve a Trigger as it is now, from where it is."""
    await plane.add_trigger(changed)


async def forget_trigger(plane: DataPlaneApi, namespace: str, name: str) -> bool:
    """Handle the deletion of a Trigger; return whether the data plane no longer serves it."""
    await plane.remove_trigger(namespace, name)
    return True


def blocks_deletion(obstacle: str) -> bool:  # noqa: ARG001 - a policy's shape
    """Return whether a deleted Broker stays because of its configuration.

    Its obstacle is `missing`, `of another kind`, `unreadable`, `unreachable`, `without its Secret`, or empty; it is
    `in a namespace that goes` whatever else it is.
    """
    return False


def kept_fields(fields: list[str]) -> list[str]:
    """Return the changed immutable fields of a Broker or Trigger for which an update is refused."""
    return fields


def told_conditions(conditions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the conditions as they stand in a Broker's or Trigger's status: with their reasons and messages."""
    return conditions


def checks(operation: Operation, resource: Resource) -> bool:  # noqa: ARG001 - a policy's shape
    """Return whether a Broker or Trigger is checked when it is created or updated: always."""
    return True


def is_up(new: Mapping[str, Any]) -> bool:  # noqa: ARG001 - a policy's shape
    """Return whether admission answers to a request with this Broker or Trigger: always."""
    return True


def faults_of_names(faults: list[str]) -> list[str]:
    """Return the faults of attribute names in filters for which a Trigger is refused."""
    return faults


def too_many_dialects(dialects: list[str]) -> bool:
    """Return whether a filter object with these dialects is refused."""
    return len(dialects) > 1


def faults_of_delivery(faults: list[str]) -> list[str]:
    """Return the faults of a `delivery` for which an object is refused."""
    return faults


def faults_of_config(faults: list[str]) -> list[str]:
    """Return the faults of a `spec.config` for which a Broker is refused."""
    return faults


def faults_of_subscriber(faults: list[str]) -> list[str]:
    """Return the faults of a `subscriber` for which a Trigger is refused."""
    return faults


def refuses_authorities(authorities: str) -> bool:
    """Return whether a destination is refused because of its `CACerts`: where they are none."""
    return not is_readable(authorities)


def faults_of_deployment(faults: list[Cause]) -> list[Cause]:
    """Return the faults of a SeldonDeployment for which it is refused."""
    return faults


def fault_of_expression(text: str) -> str | None:
    """Return why a CESQL expression is refused; None when it is not (Subscriptions API, 3.2.4.1.2)."""
    try:
        Expression.of(text)
    except ParseError as error:
        return str(error)
    return None


def faults_of_service(faults: list[str]) -> list[str]:
    """Return the faults of an InferenceService for which it is refused."""
    return faults


def served_service(service: dict[str, Any]) -> dict[str, Any]:
    """Return the InferenceService that is made: the one that is asked for."""
    return service


def is_reached(service: Mapping[str, Any], others: Sequence[Mapping[str, Any]]) -> bool:  # noqa: ARG001 - a policy's shape
    """Return whether an InferenceService is looked at, given all of its namespace: always."""
    return True


def changed_template(_before: Mapping[str, Any], changed: dict[str, Any]) -> dict[str, Any]:
    """Return the template of a component's pods after a change."""
    return changed


def component_state(component: str, state: ConditionState, was_ready: bool) -> ConditionState:  # noqa: ARG001, FBT001
    """Return the state of a component that its condition tells, given that of its pods: the same."""
    return state


def deployments_state(state: ConditionState, was_ready: bool) -> ConditionState:  # noqa: ARG001, FBT001
    """Return the state of its Deployments that a SeldonDeployment tells, given the worst of theirs: that."""
    return state


def told_model(_before: Mapping[str, Any], told: dict[str, Any]) -> dict[str, Any]:
    """Return what the status tells of the model, given what it told before: what is so now."""
    return told


def told_components(components: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the components that the status of an InferenceService tells, given all of them: all."""
    return components


def changed_variables(_before: Mapping[str, str], changed: Mapping[str, str]) -> Mapping[str, str]:
    """Return the variables of a stream server after its predictor's have changed."""
    return changed


def waits_for(others: Collection[Mapping[str, Any]]) -> bool:  # noqa: ARG001 - a policy's shape
    """Return whether a new SeldonDeployment waits for others of its namespace: for none."""
    return False


def ends_replaced(before: Mapping[str, str], changed: Mapping[str, str]) -> bool:  # noqa: ARG001 - a policy's shape
    """Return whether a stream server with these variables ends when one with changed ones replaces it: always."""
    return True


def replicas(_before: int | None, wanted: int) -> int:
    """Return the number of replicas of a Deployment, which had another number before, or was not there: as wanted."""
    return wanted


def entry_container(names: Collection[str]) -> str:
    """Return the container of a pod that gets the calls: a transformer beside the model, where there is one.

    Args:
        names: The names of the pod's containers.
    """
    return COLLOCATED if COLLOCATED in names else CONTAINER


def component_port(named: int) -> int:
    """Return the port at which a component is called, given the one that its container names: that one."""
    return named


def sharers(_before: int, count: int) -> int:
    """Return among how many the stream servers share the partitions: among so many as there are, as it was before."""
    return count


def shares(weights: Sequence[int]) -> Sequence[tuple[int, int]]:
    """Return the hundredths of the traffic of each predictor, from and up to, by its weight; of the only one: all."""
    if len(weights) == 1:
        return [(0, 100)]
    return list(itertools.pairwise(itertools.accumulate(weights, initial=0)))


def kafka_servers(listed: Sequence[str]) -> Sequence[str]:
    """Return the servers of a list of Kafka's that a stream tries: all."""
    return listed


LEFT = ("streams", "pods", "deployments", "services")
"""What a SeldonDeployment has: each of it may be left behind where the object is deleted, or a predictor taken out."""


def readiness_probe(probe: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the readiness probe of a container before which an agent stands: its own."""
    return probe


@dataclass(frozen=True, slots=True)
class ControlPlanePolicies:
    """All policies of controllers and admission."""

    address_of_broker: Callable[[str], dict[str, Any]] = address_of_broker
    annotated_topic: Callable[[str], str] = annotated_topic
    told_dead_letter_sink: Callable[[str], dict[str, Any]] = told_dead_letter_sink
    told_authorities: Callable[[str, str], dict[str, Any]] = told_authorities
    is_ours: Callable[[str, Collection[str]], bool] = is_ours
    resolve: Callable[[Store, Mapping[str, Any], str], str] = resolve_destination
    without_broker: Callable[[str], ConditionState] = without_broker
    effective_delivery: Callable[[Mapping[str, Any] | None, Mapping[str, Any] | None], Mapping[str, Any]] = (
        effective_delivery
    )
    begins_anew: Callable[[Sequence[Mapping[str, str]], Sequence[Mapping[str, str]]], bool] = begins_anew
    topic_owner: Callable[[Sequence[str]], str] = topic_owner
    partitions: Callable[[int], int] = partitions
    annotated_group: Callable[[str, str], str] = annotated_group
    external_topic: Callable[[str], str] = external_topic
    without_config: Callable[[], Mapping[str, str] | None] = without_config
    changed_trigger: Callable[[TriggerSpec, TriggerSpec], TriggerSpec] = changed_trigger
    change_trigger: Callable[[DataPlaneApi, TriggerSpec], Awaitable[None]] = change_trigger
    serve_broker: Callable[[DataPlaneApi, BrokerSpec], Awaitable[None]] = serve_broker
    serve_trigger: Callable[[DataPlaneApi, TriggerSpec], Awaitable[None]] = serve_trigger
    forget_broker: Callable[[DataPlaneApi, str, str], Awaitable[None]] = forget_broker
    forget_trigger: Callable[[DataPlaneApi, str, str], Awaitable[bool]] = forget_trigger
    kept_fields: Callable[[list[str]], list[str]] = kept_fields
    kept_fields_of_trigger: Callable[[list[str]], list[str]] = kept_fields
    told_conditions: Callable[[list[dict[str, Any]]], list[dict[str, Any]]] = told_conditions
    observed: Callable[[Resource, int], int] = observed
    told_status: Callable[[Mapping[str, Any], dict[str, Any]], dict[str, Any]] = told_status
    told_config: Callable[[Mapping[str, str], Mapping[str, str]], Mapping[str, str]] = told_config
    is_ordered: Callable[[str], bool | None] = is_ordered
    blocks_deletion: Callable[[str], bool] = blocks_deletion
    is_up: Callable[[Mapping[str, Any]], bool] = is_up
    checks: Callable[[Operation, Resource], bool] = checks
    faults_of_names: Callable[[list[str]], list[str]] = faults_of_names
    too_many_dialects: Callable[[list[str]], bool] = too_many_dialects
    fault_of_expression: Callable[[str], str | None] = fault_of_expression
    faults_of_delivery: Callable[[list[str]], list[str]] = faults_of_delivery
    faults_of_config: Callable[[list[str]], list[str]] = faults_of_config
    faults_of_subscriber: Callable[[list[str]], list[str]] = faults_of_subscriber
    refuses_authorities: Callable[[str], bool] = refuses_authorities
    faults_of_deployment: Callable[[list[Cause]], list[Cause]] = faults_of_deployment
    entry_component: Callable[[Mapping[str, Any]], str] = entry_component
    explaining_component: Callable[[Mapping[str, Any]], str] = explaining_component
    faults_of_service: Callable[[list[str]], list[str]] = faults_of_service
    served_service: Callable[[dict[str, Any]], dict[str, Any]] = served_service
    is_reached: Callable[[Mapping[str, Any], Sequence[Mapping[str, Any]]], bool] = is_reached
    changed_template: Callable[[Mapping[str, Any], dict[str, Any]], dict[str, Any]] = changed_template
    component_state: Callable[[str, ConditionState, bool], ConditionState] = component_state
    told_host: Callable[[str, str], str] = external_host
    told_model: Callable[[Mapping[str, Any], dict[str, Any]], dict[str, Any]] = told_model
    told_components: Callable[[Mapping[str, Any]], Mapping[str, Any]] = told_components
    readiness_probe: Callable[[Mapping[str, Any]], Mapping[str, Any]] = readiness_probe
    keeps_old_pods: bool = True
    """Whether the pods of a changed component are at work until those that follow them are ready."""
    entry_container: Callable[[Collection[str]], str] = entry_container
    """The function from the names of the containers of a component's pod to that of the one that gets the calls."""
    service_port: Callable[[int], int] = component_port
    """The function from the port that a container names to the one to which its component's Service leads."""
    agent_port: Callable[[int], int] = component_port
    """The function from the port that a container names to the one that the agent before it asks."""
    before_service_goes: Callable[[Store, Mapping[str, Any]], bool] | None = None
    """What is done before a deleted InferenceService goes, and whether it goes then; None: nothing holds it."""
    route_awaits_components: bool = True
    """Whether the gateway's route to an InferenceService, and so its Ready, waits for all components."""
    removes_components: bool = True
    """Whether a component that is taken out of an InferenceService ends."""
    left_of_deployment: Collection[str] = ()
    """What stays of a SeldonDeployment that is deleted, of `LEFT`: nothing."""
    changed_variables: Callable[[Mapping[str, str], Mapping[str, str]], Mapping[str, str]] = changed_variables
    ends_replaced: Callable[[Mapping[str, str], Mapping[str, str]], bool] = ends_replaced
    replicas: Callable[[int | None, int], int] = replicas
    ends_scaled: bool = True
    """Whether the stream servers of a predictor end where another number of them replaces them."""
    sharers: Callable[[int, int], int] = sharers
    """The function from the number of stream servers among which partitions were shared, and that of those that there
    are, to the one among which they are shared now."""
    kafka_servers: Callable[[Sequence[str]], Sequence[str]] = kafka_servers
    """The function from the servers that a stream's KAFKA_BROKER lists to those that it tries."""
    shares: Callable[[Sequence[int]], Sequence[tuple[int, int]]] = shares
    deployments_state: Callable[[ConditionState, bool], ConditionState] = deployments_state
    waits_for: Callable[[Collection[Mapping[str, Any]]], bool] = waits_for
    left_of_predictor: Collection[str] = ()
    """What stays of a predictor that is taken out of a SeldonDeployment, of `LEFT`: nothing."""
    updates_agents: bool = True
    """Whether an agent follows the changes of its component's batcher and logger."""
    pauses_unresolved: bool = True
    """Whether a Trigger whose subscriber leads nowhere goes on where it was when that leads somewhere again."""
    follows: Collection[Resource] = (BROKER, SERVICE, INFERENCESERVICE)
    """The kinds whose changes make a Trigger that stands on them be looked at again."""
    default_class: str = "Kafka"
    """The class of a Broker that names none, which is told it when it is created; empty: it stays without."""
    tells_without_broker: bool = True
    """Whether a Trigger whose Broker does not exist, or goes, gets a status that says so."""
    notices_outage: bool = True
    """Whether a Broker whose Kafka is away is looked at while that lasts."""
    retries_kafka: bool = True
    """Whether what Kafka did not do is tried again."""
    topic_before_finalizer: bool = True
    """Whether a deleted Broker stays until its topic is gone."""
    deletes_topic: bool = True
    """Whether the topic of a deleted Broker is deleted."""
    takes_orphans_back: bool = True
    """Whether a Trigger that has lost its Broker is looked at again when there is one of that name."""
    makes_external_topic: bool = False
    """Whether a topic that somebody else is to make is made where it is missing."""
    deletes_external_topic: bool = False
    """Whether a topic that somebody else has made is deleted with its Broker."""
    reads_empty_name: bool = False
    """Whether an empty name of a Secret in a Broker's configuration is that of a Secret."""
    default_broker: str = ""
    """The Broker of a Trigger that names none; empty: such a Trigger is refused."""
    changes_when_ready_again: bool = True
    """Whether a Trigger that was changed while its Broker was not Ready is served so when that is Ready again."""
    needs_secret: bool = True
    """Whether a Broker whose configuration names a Secret waits for the Secret."""
    deletes_without_broker: bool = True
    """Whether a Trigger whose Broker is gone can be deleted."""


HONEST = ControlPlanePolicies()
