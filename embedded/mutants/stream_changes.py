"""Faulty SeldonDeployments: deaf to changes, and haunted by what was changed or taken out."""

import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from embedded.controllers.conditions import TRUE, ConditionState, condition_of
from embedded.controllers.policies import ControlPlanePolicies
from embedded.mutants.hosts import CONTROL_PLANE
from embedded.mutants.registry import mutant

_INPUT = "KAFKA_INPUT_TOPIC"


@mutant(CONTROL_PLANE, replaces="left_of_predictor")
def predictor_services_left(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Leave the Services of a predictor that is renamed or taken out (seldon-core issues 4253 and 4316)."""
    return replace(honest, left_of_predictor=("services",))


@mutant(CONTROL_PLANE, replaces="left_of_predictor")
def predictor_pods_left(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Leave the Deployments of a predictor that is renamed or taken out, with their pods (seldon-core issue 1325)."""
    return replace(honest, left_of_predictor=("deployments",))


@mutant(CONTROL_PLANE, replaces="left_of_predictor")
def predictor_goes_on(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Delete the Deployments of a predictor that is renamed or taken out, but neither its pods nor its stream."""
    return replace(honest, left_of_predictor=("pods", "streams"))


@mutant(CONTROL_PLANE, replaces="left_of_deployment")
def deleted_deployment_goes_on(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Leave the Deployments of a deleted SeldonDeployment, which nobody owns, and its streams."""
    return replace(honest, left_of_deployment=("deployments", "streams"))


@mutant(CONTROL_PLANE, replaces="left_of_deployment")
def deleted_stream_consumes(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Go on reading for a deleted SeldonDeployment, though no model is left to answer."""
    return replace(honest, left_of_deployment=("streams",))


def _keeping(honest: ControlPlanePolicies, variable: str) -> ControlPlanePolicies:
    """Return policies by which a changed stream keeps a variable as it was."""

    def changed_variables(before: Mapping[str, str], changed: Mapping[str, str]) -> Mapping[str, str]:
        return {**honest.changed_variables(before, changed), variable: before[variable]}

    return replace(honest, changed_variables=changed_variables)


@mutant(CONTROL_PLANE, wraps="changed_variables")
def input_topic_change_ignored(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Go on with the input topic that a stream was made with (kafka-trigger issue 20)."""
    return _keeping(honest, _INPUT)


@mutant(CONTROL_PLANE, wraps="changed_variables")
def output_topic_change_ignored(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Go on with the output topic that a stream was made with (seldon-core issue 2552)."""
    return _keeping(honest, "KAFKA_OUTPUT_TOPIC")


@mutant(CONTROL_PLANE, wraps="ends_replaced")
def old_input_topic_consumed_too(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Go on with the input topic that a stream had, beside the new one (kafka-trigger issue 20)."""
    return replace(
        honest,
        ends_replaced=lambda before, changed: (
            before[_INPUT] == changed[_INPUT] and honest.ends_replaced(before, changed)
        ),
    )


@mutant(CONTROL_PLANE, wraps="replicas")
def replicas_change_ignored(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Go on with the number of replicas that a predictor was made with (seldon-core issue 1598)."""
    return replace(
        honest, replicas=lambda before, wanted: honest.replicas(before, wanted) if before is None else before
    )


@mutant(CONTROL_PLANE, wraps="replicas")
def no_replica_is_one(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Take no replicas for the default, which is one (seldon-core PR 6834)."""
    return replace(honest, replicas=lambda before, wanted: max(1, honest.replicas(before, wanted)))


@mutant(CONTROL_PLANE, wraps="replicas")
def no_replica_is_for_good(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Leave a predictor that was given no replicas without, whatever it is given later."""
    return replace(honest, replicas=lambda before, wanted: 0 if before == 0 else honest.replicas(before, wanted))


@mutant(CONTROL_PLANE, replaces="ends_scaled")
def scaled_servers_go_on(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Leave the servers of a predictor at work beside those that another number of replicas brings."""
    return replace(honest, ends_scaled=False)


@mutant(CONTROL_PLANE, wraps="sharers")
def partitions_of_gone_replicas_unread(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Leave the partitions of replicas that are gone to them (librdkafka issue 2933, seldon-core issue 4097)."""
    return replace(honest, sharers=lambda before, count: max(before, honest.sharers(before, count)))


@mutant(CONTROL_PLANE, replaces="kafka_servers")
def stream_first_kafka_only(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Try the first of the servers that KAFKA_BROKER lists, and no other."""
    return replace(honest, kafka_servers=lambda listed: listed[:1])


@mutant(CONTROL_PLANE, replaces="shares")
def canary_starved(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Let the first predictor answer every record, and no other one any, whatever `traffic` says."""
    return replace(honest, shares=lambda weights: [(0, 100), *[(100, 100)] * (len(weights) - 1)])


@mutant(CONTROL_PLANE, replaces="shares")
def traffic_shared_evenly(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Give each predictor of a SeldonDeployment the same share of the traffic, whatever weights they have."""

    def shares(weights: Sequence[int]) -> Sequence[tuple[int, int]]:
        ends = [100 * number // len(weights) for number in range(len(weights) + 1)]
        return list(itertools.pairwise(ends))

    return replace(honest, shares=shares)


@mutant(CONTROL_PLANE, wraps="deployments_state")
def stream_crash_unnoticed(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Leave a SeldonDeployment Available that was so once, though its pods crash (seldon-core issues 4269 and 5150)."""

    def deployments_state(state: ConditionState, was_ready: bool) -> ConditionState:  # noqa: FBT001 - a policy's shape
        told = honest.deployments_state(state, was_ready)
        return TRUE if told.status is not True and was_ready else told

    return replace(honest, deployments_state=deployments_state)


@mutant(CONTROL_PLANE, wraps="deployments_state")
def stream_available_without_pods(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Take a SeldonDeployment for Available whose pods crash, from the start or later (seldon-core issue 429)."""

    def deployments_state(state: ConditionState, was_ready: bool) -> ConditionState:  # noqa: FBT001 - a policy's shape
        told = honest.deployments_state(state, was_ready)
        return TRUE if told.status is False else told

    return replace(honest, deployments_state=deployments_state)


@mutant(CONTROL_PLANE, wraps="waits_for")
def broken_deployment_blocks_others(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Make no SeldonDeployment while another one cannot be made (seldon-core issues 1104, 1385 and 1418)."""

    def waits_for(others: Collection[Mapping[str, Any]]) -> bool:
        broken = any(condition_of(dict(one), "DeploymentsReady").get("status") == "False" for one in others)
        return broken or honest.waits_for(others)

    return replace(honest, waits_for=waits_for)
