"""The types that the rooms of the embedded platform share. They hold data and do no work."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

Object = dict[str, Any]
"""A Kubernetes object, or a part of one, as JSON has it."""

Key = tuple[str, str]
"""The namespace (empty for kinds without one) and the name of an object."""

NODE_NAME = "touchstone"
"""The name of the only node."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The endpoint of a cluster name.

    Attributes:
        host: The address on loopback.
        port: The port at this address.
        authority: The Host header of a request to it.
    """

    host: str
    port: int
    authority: str


Resolve = Callable[[str, int], Endpoint | None]
"""Cluster DNS: a function from (host, port) to an endpoint, or to None when nobody answers to that name."""


@dataclass(frozen=True, slots=True)
class KafkaSettings:
    """The settings to reach Kafka.

    Attributes:
        bootstrap: The list of `host:port` for `bootstrap.servers`.
        kind: The kind: `mock`, `apache` or `external`.
        create_topic: The function that creates a topic of so many partitions.
        delete_topic: The function that deletes a topic.
        client: The configuration for every client.
    """

    bootstrap: str
    kind: str
    create_topic: Callable[[str, int], Awaitable[object]]
    delete_topic: Callable[[str], Awaitable[object]]
    client: Mapping[str, str | int] = field(default_factory=dict)


P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class Composition(Generic[P]):
    """The parts of the policies of one Broker, Trigger or stream server; each of them composes its own.

    Two compositions of the same parts are equal, so a controller sees whether anything changed.

    Attributes:
        honest: The policies as they are meant to be.
        changes: The changes to them, innermost first; each takes policies and returns others.
    """

    honest: P
    changes: tuple[Callable[[P], P], ...] = ()

    def compose(self) -> P:
        """Return new policies, so that what they remember is about one object only."""
        policies = self.honest
        for change in self.changes:
            policies = change(policies)
        return policies
