"""Names of things in a history: what an expectation points at.

A ref is a frozen value without behaviour: a test gets it from a fixture, an expectation carries it, the history keeps
it as JSON. Refs hold no connection and no object of the system under test.

`to_json` and `from_json` are exact inverses for everything an expectation may carry: refs, bytes, JSON values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Protocol, TypeVar


@dataclass(frozen=True, slots=True)
class EventRef:
    """One CloudEvent by its identity, and how it came to be.

    `send` names the request that carried it (record kinds `sent`, `answered`), `produce` the Kafka record that we wrote
    (kind `produced`). An event with neither is one that a subscriber replied.
    """

    source: str
    id: str
    send: str | None = None
    produce: str | None = None


@dataclass(frozen=True, slots=True)
class ExchangeRef:
    """One HTTP request of the probe and its answer: whatever bytes were sent, event or not."""

    send: str


@dataclass(frozen=True, slots=True)
class CallRef:
    """One gRPC call of the probe and its end."""

    call: str


@dataclass(frozen=True, slots=True)
class SinkRef:
    """A recording subscriber of the probe. Its name is unique in the run."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class TriggerRef:
    """A Trigger, the sink it delivers to, and what proves that it is done with an event.

    Attributes:
        namespace: The namespace of the Trigger.
        name: The name of the Trigger.
        sink: The recording subscriber; None when the subscriber is not the probe's.
        topic: The topic that stores its Broker's events; empty when the Broker shows none.
        group: The consumer group whose committed offset proves what was handled; empty when the Broker shows none.
        ordered: Whether the Trigger asks for ordered delivery.
        settle: The seconds of silence, behind a later event that the Trigger delivered, that prove it done when no
            group can (a fence); 0 where a fence proves nothing.
    """

    namespace: str
    name: str
    sink: SinkRef | None
    topic: str
    group: str
    ordered: bool = False
    settle: float = 0.0

    @property
    def fenced(self) -> bool:
        """Whether a fence, not a group's offset, proves that the Trigger is done with an event."""
        return not self.group and self.settle > 0


@dataclass(frozen=True, slots=True)
class TopicRef:
    """A Kafka topic."""

    name: str


@dataclass(frozen=True, slots=True)
class BrokerRef:
    """A Broker, the URL that takes its events, and where what it has stored can be seen.

    Attributes:
        namespace: The namespace of the Broker.
        name: The name of the Broker.
        topic: The topic that stores its events; empty when the Broker shows none.
        url: The URL that takes its events.
        witness: A Trigger without a filter, whose deliveries show what was stored; None where the topic does.
    """

    namespace: str
    name: str
    topic: str
    url: str
    witness: TriggerRef | None = None


@dataclass(frozen=True, slots=True)
class ProducedRef:
    """A record that the probe wrote to a topic; `key` as latin-1 text, like every byte string of a history."""

    produce: str
    topic: str
    key: str | None


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """A Kubernetes object; `seq` is the `object` record of one call on it, where an expectation is about that call."""

    api_version: str
    kind: str
    namespace: str | None
    name: str
    seq: int | None = None


@dataclass(frozen=True, slots=True)
class LoadRef:
    """A load of the probe; `count` is how many sends were intended, so that a short history shows."""

    load: str
    count: int


_R_co = TypeVar("_R_co", covariant=True)


class Has(Protocol[_R_co]):
    """Anything that knows its ref, like the handles that fixtures give to tests."""

    @property
    def ref(self) -> _R_co:
        """What the history calls it."""
        ...


_TAGS: dict[str, type[Any]] = {
    "event": EventRef,
    "exchange": ExchangeRef,
    "call": CallRef,
    "sink": SinkRef,
    "trigger": TriggerRef,
    "topic": TopicRef,
    "broker": BrokerRef,
    "produced": ProducedRef,
    "object": ObjectRef,
    "load": LoadRef,
}
_TAG_OF: dict[type[Any], str] = {cls: tag for tag, cls in _TAGS.items()}


class RefError(ValueError):
    """A value cannot stand in an expectation, or a history's JSON names no ref."""


def to_json(value: Any) -> Any:
    """Return the JSON form of refs, bytes and JSON values, nested as deep as need be.

    Raises:
        RefError: A value has no JSON form, or a mapping uses a name that begins with `$`.
    """
    tag = _TAG_OF.get(type(value))
    if tag is not None:
        return {"$ref": tag} | {field.name: to_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, bytes):
        return {"$bytes": value.decode("latin-1")}
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, Mapping):
        if any(not isinstance(name, str) or name.startswith("$") for name in value):
            raise RefError(
                f"a mapping in an expectation has names that are no plain strings: {sorted(map(repr, value))}"
            )
        return {name: to_json(item) for name, item in value.items()}
    if isinstance(value, Sequence):
        return [to_json(item) for item in value]
    raise RefError(f"{type(value).__name__} cannot stand in an expectation: {value!r}")


def from_json(value: Any) -> Any:
    """Return what `to_json` was given (sequences come back as lists).

    Raises:
        RefError: An unknown or damaged ref.
    """
    if isinstance(value, list):
        return [from_json(item) if isinstance(item, dict | list) else item for item in value]
    if not isinstance(value, dict):
        return value
    if "$bytes" in value:
        return str(value["$bytes"]).encode("latin-1")
    items = {name: from_json(item) if isinstance(item, dict | list) else item for name, item in value.items()}
    if "$ref" not in items:
        return items
    tag = items.pop("$ref")
    cls = _TAGS.get(tag) if isinstance(tag, str) else None
    if cls is None:
        raise RefError(f"unknown ref {tag!r}; known: {', '.join(_TAGS)}")
    try:
        return cls(**items)
    except TypeError as error:
        raise RefError(f"damaged ref {value!r}: {error}") from error
