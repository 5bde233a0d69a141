"""The decisions of controllers and of admission, each a policy; `ControlPlanePolicies` holds the honest ones.

Controllers ask for the policies of a namespace at every decision; a faulty platform returns other ones.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from embedded.controllers.conditions import ConditionState, fails
from embedded.dataplane.cesql import Expression, ParseError
from embedded.dataplane.specs import BrokerSpec, TriggerSpec


class DataPlaneApi(Protocol):
    """The data plane as the controllers use it."""

    async def add_broker(self, spec: BrokerSpec) -> None:
        """Accept events for a Broker."""

    async def remove_broker(self, namespace: str, name: str) -> None:
        """Accept no more events for a Broker."""

    async def add_trigger(self, spec: TriggerSpec) -> None:
        """Deliver to a Trigger every event that is accepted from now on."""

    async def remove_trigger(self, namespace: str, name: str) -> None:
        """Deliver nothing more to a Trigger."""


def address_of_broker(url: str) -> dict[str, Any]:
    """Return the parts of a Broker's status that hold its address (control plane specification, Broker Lifecycle)."""
    address = {"name": "http", "url": url}
    return {"address": address, "addresses": [address]}


def annotated_topic(topic: str) -> str:
    """Return the value of `status.annotations["default.topic"]`."""
    return topic


def without_broker(broker: str) -> ConditionState:
    """Return the BrokerReady state of a Trigger without its Broker (control plane specification, Trigger Lifecycle)."""
    return fails("BrokerDoesNotExist", f'Broker "{broker}" does not exist')


def effective_delivery(trigger: Mapping[str, Any] | None, broker: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Return the Trigger's delivery if any part is set, else the Broker's (control plane specification, Broker)."""
    return trigger or broker or {}


def changed_trigger(_before: TriggerSpec, changed: TriggerSpec) -> TriggerSpec:
    """Return what the data plane serves after a Trigger changed."""
    return changed


async def forget_trigger(plane: DataPlaneApi, namespace: str, name: str) -> bool:
    """Handle the deletion of a Trigger; return whether the data plane no longer serves it."""
    await plane.remove_trigger(namespace, name)
    return True


def kept_fields(fields: list[str]) -> list[str]:
    """Return the changed immutable fields of a Broker or Trigger for which an update is refused."""
    return fields


def too_many_dialects(dialects: list[str]) -> bool:
    """Return whether a filter object with these dialects is refused."""
    return len(dialects) > 1


def fault_of_expression(text: str) -> str | None:
    """Return why a CESQL expression is refused; None when it is not (Subscriptions API, 3.2.4.1.2)."""
    try:
        Expression.of(text)
    except ParseError as error:
        return str(error)
    return None


@dataclass(frozen=True, slots=True)
class ControlPlanePolicies:
    """All policies of controllers and admission."""

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
    fault_of_expression: Callable[[str], str | None] = fault_of_expression
    tells_without_broker: bool = True
    """Whether a Trigger whose Broker does not exist gets a status."""


HONEST = ControlPlanePolicies()
