"""Mutants of statuses: what they tell that is no more so, and what is none of theirs."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from embedded.api.resources import BROKER
from embedded.controllers.policies import ControlPlanePolicies
from embedded.mutants.hosts import CONTROL_PLANE
from embedded.mutants.registry import mutant


def _keeping(honest: ControlPlanePolicies, field: str) -> ControlPlanePolicies:
    """Return policies by which a status keeps a field that the one before it had."""

    def told_status(before: Mapping[str, Any], status: dict[str, Any]) -> dict[str, Any]:
        kept = {field: before[field]} if field in before else {}
        return {**kept, **honest.told_status(before, status)}

    return replace(honest, told_status=told_status)


@mutant(CONTROL_PLANE, wraps="told_status")
def subscriber_uri_stays(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Leave `subscriberUri` in the status of a Trigger whose subscriber leads nowhere (Kafka Broker 1.22.3, read)."""
    return _keeping(honest, "subscriberUri")


@mutant(CONTROL_PLANE, wraps="told_status")
def dead_letter_uri_stays(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Leave `deadLetterSinkUri` in a status when there is no such sink any more (Kafka Broker 1.22.3, read)."""
    return _keeping(honest, "deadLetterSinkUri")


@mutant(CONTROL_PLANE, wraps="observed")
def first_generation_stays(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Name a Broker's first generation as the one that was looked at, whatever changed since."""
    return replace(
        honest, observed=lambda resource, generation: 1 if resource is BROKER else honest.observed(resource, generation)
    )


@mutant(CONTROL_PLANE, wraps="told_config")
def status_copies_config(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Copy every key of a Broker's ConfigMap to its status (eventing-kafka-broker issue 2914)."""
    return replace(honest, told_config=lambda kept, data: {**data, **honest.told_config(kept, data)})


def _dated(honest: ControlPlanePolicies, now: Callable[[], str]) -> ControlPlanePolicies:
    """Return policies by which all conditions have the time at which they are told."""

    def told_conditions(conditions: list[dict[str, Any]]) -> list[dict[str, Any]]:
        time = now()
        return [{**condition, "lastTransitionTime": time} for condition in honest.told_conditions(conditions)]

    return replace(honest, told_conditions=told_conditions)


@mutant(CONTROL_PLANE, wraps="told_conditions")
def status_rewritten(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Give conditions the time of now whenever their object is looked at (knative/eventing issues 1353 and 4813)."""
    return _dated(honest, lambda: datetime.now(UTC).isoformat())


@mutant(CONTROL_PLANE, wraps="told_conditions")
def transitions_dated_anew(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Give conditions the second in which their object was looked at last, so that two looks in one write nothing."""
    return _dated(honest, lambda: f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")
