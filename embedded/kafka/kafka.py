"""The interface of the platform to any Kafka: topics, an address, and notice of its death.

This is not a Kafka client: users make their own consumers and producers, with `Kafka.client` in their configuration.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path

_TOPIC = re.compile(r"[a-zA-Z0-9._-]{1,249}")
_LOG_TAIL = 12


class KafkaError(Exception):
    """A failure to start, reach or instruct Kafka; the text says why and what helps."""


class Kafka(ABC):
    """A running Kafka.

    Attributes:
        kind: The kind: `mock`, `apache` or `external`.
        bootstrap: The list of `host:port` for `bootstrap.servers`.
        version: The name and version for reports.
        client: The configuration for every client, producers and consumers alike.
        tools: The folder of Kafka's own console tools; None where `images/kafka` stands in for them.
    """

    kind: str
    bootstrap: str
    version: str
    client: Mapping[str, str | int]
    tools: Path | None = None

    @abstractmethod
    async def create_topic(self, name: str, partitions: int) -> bool:
        """Create a topic; return True when it is new, False when it existed (whatever its partition count).

        Raises:
            KafkaError: The name or the partition count is illegal, or Kafka refused.
        """

    @abstractmethod
    async def delete_topic(self, name: str) -> bool:
        """Delete a topic and its records; return False when there was none.

        Raises:
            KafkaError: Kafka refused.
        """

    async def set_away(self, topic: str, *, away: bool) -> None:
        """Take a topic away, with its records, or bring it back. Kafka as a whole goes where it has no other way.

        Raises:
            KafkaError: This Kafka cannot be taken away, or did not obey.
        """
        raise KafkaError(f"a Kafka of kind {self.kind} is not this platform's: topic {topic!r} stays (away: {away})")

    async def set_refusing(self, topic: str, *, refusing: bool) -> None:
        """Have a topic refuse records, or take them again; no other topic notices.

        Raises:
            KafkaError: This Kafka's topics stay as they are, or it did not obey.
        """
        raise KafkaError(
            f"a Kafka of kind {self.kind} is not this platform's: topic {topic!r} stays (refusing: {refusing})"
        )

    @abstractmethod
    async def died(self) -> str:
        """Wait until Kafka is gone without having been stopped, and return the reason."""

    @abstractmethod
    async def stop(self) -> None:
        """Stop everything that was started, so that no process is left. A second call is safe."""


def checked_topic(name: str, partitions: int = 1) -> str:
    """Return `name` if Kafka allows it and a topic may have so many partitions.

    Raises:
        KafkaError: The name or the partition count is not allowed.
    """
    if not _TOPIC.fullmatch(name) or name in {".", ".."}:
        raise KafkaError(f"{name!r} is no topic name: 1 to 249 of the characters a-z A-Z 0-9 . _ -")
    if partitions < 1:
        raise KafkaError(f"topic {name!r} needs at least one partition, not {partitions}")
    return name


def log_tail(path: Path, lines: int = _LOG_TAIL) -> str:
    """Return the end of a log file for an error message, or a note that there is none."""
    try:
        text = path.read_text(errors="replace").strip()
    except FileNotFoundError:
        text = ""
    return "\n".join(text.splitlines()[-lines:]) or "(it wrote no log)"
