"""The decisions of controllers and of admission, each a policy; `ControlPlanePolicies` holds the honest ones.

Controllers ask for the policies of a namespace whenever they decide; a faulty platform answers with others.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from embedded.controllers.conditions import ConditionState, fails
from embedded.dataplane.specs import BrokerSpec, TriggerSpec


class DataPlaneApi(Protocol):
    """What the controllers ask of the data plane."""

    async def add_broker(self, spec: BrokerSpec) -> None:
        """Accept events for a Broker."""

    async def remove_broker(self, namespace: str, name: str) -> None:
        """Accept none any more."""

    async def add_trigger(self, spec: TriggerSpec) -> None:
        """Deliver to a Trigger every event that is accepted from now on."""

    async def remove_trigger(self, namespace: str, name: str) -> None:
        """Deliver nothing more to a Trigger."""


def address_of_broker(url: str) -> dict[str, Any]:
    """The parts of a Broker's status that tell where to post (control plane specification, Broker Lifecycle)."""
    address = {"name": "http", "url": url}
    return {"address": address, "addresses": [address]}


def annotated_topic(topic: str) -> str:
    """What `status.annotations["default.topic"]` says."""
    return topic


def without_broker(broker: str) -> ConditionState:
    """BrokerReady of a Trigger whose Broker does not exist (control plane specification, Trigger Lifecycle)."""
    return fails("BrokerDoesNotExist", f'Broker "{broker}" does not exist')


def effective_delivery(trigger: Mapping[str, Any] | None, broker: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """A Trigger's delivery, any part of it, overrides the Broker's whole (control plane specification, Broker spec)."""
    return trigger or broker or {}


def changed_trigger(_before: TriggerSpec, wanted: TriggerSpec) -> TriggerSpec:
    """What the data plane is told when a Trigger that it serves changed."""
    return wanted


async def forget_trigger(plane: DataPlaneApi, namespace: str, name: str) -> bool:
    """What happens when a Trigger is deleted; whether the data plane serves it no more."""
    await plane.remove_trigger(namespace, name)
    return True


def kept_fields(fields: list[str]) -> list[str]:
    """Of the immutable fields of a Broker or Trigger that an update changes, those for which it is refused."""
    return fields


def too_many_dialects(dialects: list[str]) -> bool:
    """Whether a filter object with these dialects is refused."""
    return len(dialects) > 1


@dataclass(frozen=True, slots=True)
class ControlPlanePolicies:
    """All of them."""

    address_of_broker: Callable[[str], dict[str, Any]] = address_of_broker
    annotated_topic: Callable[[str], str] = annotated_topic
    without_broker: Callable[[str], ConditionState] = without_broker
    effective_delivery: Callable[[Mapping[str, Any] | None, Mapping[str, Any] | None], Mapping[str, Any]] = (
        effective_delivery
    )
    changed_trigger: Callable[[TriggerSpec, TriggerSpec], TriggerSpec] = changed_trigger
    forget_trigger: Callable[[DataPlaneApi, str, str], Awaitable[bool]] = forget_trigger
    kept_fields: Callable[[list[str]], list[str]] = kept_fields
    kept_fields_of_trigger: Callable[[list[str]], list[str]] = kept_fields
    too_many_dialects: Callable[[list[str]], bool] = too_many_dialects


HONEST = ControlPlanePolicies()
