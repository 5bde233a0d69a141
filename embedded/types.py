"""The nouns that pass between the rooms of the embedded platform. Data only."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

NODE_NAME = "touchstone"
"""Of the one node that there is."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a cluster name leads on loopback, and the Host header that a request to it carries."""

    host: str
    port: int
    authority: str


Resolve = Callable[[str, int], Endpoint | None]
"""Cluster DNS: (host, port) to an endpoint, or None when nobody answers to that name."""


@dataclass(frozen=True, slots=True)
class KafkaSettings:
    """How to reach Kafka. `client` goes into every client's configuration."""

    bootstrap: str
    kind: str
    create_topic: Callable[[str, int], Awaitable[object]]
    delete_topic: Callable[[str], Awaitable[object]]
    client: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BrokerSpec:
    """A Broker as the data plane sees it."""

    namespace: str
    name: str
    topic: str
    partitions: int
    mutant: str | None = None


@dataclass(frozen=True, slots=True)
class TriggerSpec:
    """A Trigger as the data plane sees it; `delivery` and `dead_letter` are resolved: whole, from Trigger or Broker."""

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
    ordered: bool = False
    mutant: str | None = None


@dataclass(frozen=True, slots=True)
class StreamSpec:
    """One predictor of a SeldonDeployment with `serverType: kafka`."""

    namespace: str
    deployment: str
    predictor: str
    input_topic: str
    output_topic: str
    protocol: str
    transport: str
    model: str
    endpoint: Endpoint
    workers: int = 4
    mutant: str | None = None
