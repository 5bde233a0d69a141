"""What the platform asks of a Kafka, whichever it is: topics, an address, and word of its death.

This is no Kafka client: consumers and producers are made by those who need them, with `Kafka.client` in their
configuration.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path

_TOPIC = re.compile(r"[a-zA-Z0-9._-]{1,249}")
_LOG_TAIL = 12


class KafkaError(Exception):
    """Kafka cannot be started, reached or told what to do; the text says why and what helps."""


class Kafka(ABC):
    """A Kafka that is up.

    Attributes:
        kind: `mock`, `apache` or `external`.
        bootstrap: `host:port` list for `bootstrap.servers`.
        version: what it calls itself, for reports.
        client: configuration that every client of it should carry, producers and consumers alike.
    """

    kind: str
    bootstrap: str
    version: str
    client: Mapping[str, str | int]

    @abstractmethod
    async def create_topic(self, name: str, partitions: int) -> bool:
        """Make a topic. True when it is new, False when it was there already (whatever its partition count).

        Raises:
            KafkaError: illegal name or partition count, or Kafka refused.
        """

    @abstractmethod
    async def delete_topic(self, name: str) -> bool:
        """Remove a topic and its records. False when there was none.

        Raises:
            KafkaError: Kafka refused.
        """

    @abstractmethod
    async def died(self) -> str:
        """Return, with the reason, once Kafka is gone without having been stopped. Until then, wait."""

    @abstractmethod
    async def stop(self) -> None:
        """End what was started. Safe to call twice; nothing is left running afterwards."""


def checked_topic(name: str, partitions: int = 1) -> str:
    """Return `name` when Kafka allows it, and a topic may have so many partitions.

    Raises:
        KafkaError: it may not.
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
