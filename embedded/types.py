"""The nouns that pass between the rooms of the embedded platform. Data, and nothing that does work."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

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


P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class Composition(Generic[P]):
    """What the policies of one Broker, Trigger or stream server are made of; each of them makes its own.

    Two compositions of the same parts are equal, so a controller sees whether anything changed.

    Attributes:
        honest: The policies as they are meant to be.
        changes: The changes to them, innermost first; each takes policies and returns others.
    """

    honest: P
    changes: tuple[Callable[[P], P], ...] = ()

    def compose(self) -> P:
        """Make policies that nobody else has, so that what they remember is about one object only."""
        policies = self.honest
        for change in self.changes:
            policies = change(policies)
        return policies
