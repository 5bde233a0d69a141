"""What the controllers ask of Kafka: make a topic, delete one, how many partitions has one. Off the event loop."""

import asyncio
from functools import cached_property

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from embedded.controllers.controller import RetryError
from embedded.types import KafkaSettings

SECONDS = 10.0

KAFKA_HOST = "kafka.database.svc.cluster.local"
DOCUMENTED = frozenset({"10.12.10.16:9094"})
"""An address outside the cluster that Seldon's documentation names for its Kafka: here it is the platform's too."""


class Topics:
    """Topics of the platform's Kafka."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        self.lost: str | None = None
        """Why there is no Kafka any more, once there is none."""

    def is_ours(self, bootstrap: str) -> bool:
        """Whether a `bootstrap.servers` value (host[:port], comma-separated) means the platform's Kafka."""
        own = set(self._kafka.bootstrap.split(",")) | DOCUMENTED | {KAFKA_HOST, f"{KAFKA_HOST}:9092"}
        own |= {name.replace(".cluster.local", "") for name in own}
        return all(server.strip() in own for server in bootstrap.split(","))

    def unreachable(self, bootstrap: str) -> str:
        """Why another Kafka than the platform's cannot be used."""
        return f"cannot reach Kafka at {bootstrap!r}: this platform's Kafka is {KAFKA_HOST}:9092"

    async def create(self, name: str, partitions: int) -> None:
        """Make a topic; one that exists stays as it is. Raises RetryError."""
        self._check()
        try:
            await self._kafka.create_topic(name, partitions)
        except Exception as error:
            raise RetryError(f"cannot create topic {name}: {error}") from error

    async def delete(self, name: str) -> None:
        """Delete a topic; one that is gone is no error. Raises RetryError."""
        if self.lost:
            return
        try:
            await self._kafka.delete_topic(name)
        except Exception as error:
            raise RetryError(f"cannot delete topic {name}: {error}") from error

    async def partitions(self, name: str) -> int:
        """How many partitions a topic has, 0 when it does not exist. Raises RetryError."""
        self._check()
        try:
            # All topics: asking for one by its name would make it, where topics make themselves.
            metadata = await asyncio.to_thread(self._client.list_topics, timeout=SECONDS)
        except KafkaException as error:
            raise RetryError(f"Kafka does not answer: {error.args[0].str()}") from error
        topic = metadata.topics.get(name)
        return len(topic.partitions) if topic is not None else 0

    def _check(self) -> None:
        if self.lost:
            raise RetryError(self.lost)

    @cached_property
    def _client(self) -> AdminClient:
        return AdminClient({**self._kafka.client, "bootstrap.servers": self._kafka.bootstrap})
