"""The types that the rooms of the embedded platform share. They hold data and do no work."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

Object = dict[str, Any]
"""A Kubernetes object, or a part of one, as JSON has it."""

Key = tuple[str, str]
"""The namespace (empty for kinds without one) and the name of an object."""

NODE_NAME = "touchstone"
"""The name of the only node."""

STAND_IN = "touchstone.dev/stand-in"
"""The label of a pod that stands for a part of the platform: no process is behind it."""

MOST_TOPICS = 200
"""A client of Kafka keeps each topic that it ever knew, and looks at all of them all the time, though topics go with
their Brokers: who lives as long as the platform exchanges its client for a new one after so many."""


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


class SetAway(Protocol):
    """A function that takes a topic away, or brings it back."""

    async def __call__(self, topic: str, *, away: bool) -> None:
        """Do so; raise an error where it cannot be done."""


class SetRefusing(Protocol):
    """A function that has a topic refuse records, or take them again."""

    async def __call__(self, topic: str, *, refusing: bool) -> None:
        """Do so; raise an error where it cannot be done."""


@dataclass(frozen=True, slots=True)
class KafkaSettings:
    """The settings to reach Kafka.

    Attributes:
        bootstrap: The list of `host:port` for `bootstrap.servers`.
        kind: The kind: `mock`, `apache` or `external`.
        create_topic: The function that creates a topic of so many partitions.
        delete_topic: The function that deletes a topic.
        client: The configuration for every client.
        set_away: The function that takes a topic away, or brings it back; None: there is none.
        set_refusing: The function that has a topic refuse records, or take them again; None: there is none.
    """

    bootstrap: str
    kind: str
    create_topic: Callable[[str, int], Awaitable[object]]
    delete_topic: Callable[[str], Awaitable[object]]
    client: Mapping[str, str | int] = field(default_factory=dict)
    set_away: SetAway | None = None
    set_refusing: SetRefusing | None = None


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
