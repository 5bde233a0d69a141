"""Brokers and Triggers as the data plane sees them: what the controllers hand over."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from embedded.types import Composition

if TYPE_CHECKING:
    # For the types only: policies decide about a spec, and a spec carries the policies that decide about it.
    from embedded.dataplane.policies import DataPlanePolicies


@dataclass(frozen=True, slots=True)
class BrokerSpec:
    """A Broker as the data plane sees it."""

    namespace: str
    name: str
    topic: str
    partitions: int
    policies: Composition["DataPlanePolicies"] = field(kw_only=True, repr=False)


@dataclass(frozen=True, slots=True)
class TriggerSpec:
    """A Trigger as the data plane sees it. `delivery` and `dead_letter` are resolved from Trigger and Broker.

    Authorities are the `CACerts` of a destination: certificates in PEM.
    """

    namespace: str
    name: str
    broker: str
    topic: str
    group: str
    subscriber: str
    filter: Mapping[str, Any] | None = None
    filters: tuple[Mapping[str, Any], ...] | None = None
    delivery: Mapping[str, Any] = field(default_factory=dict)
    dead_letter: str | None = None
    subscriber_authorities: str = ""
    dead_letter_authorities: str = ""
    ordered: bool = False
    policies: Composition["DataPlanePolicies"] = field(kw_only=True, repr=False)
