"""The controllers' operations on Kafka topics: create, delete, count partitions. No call blocks the event loop."""

import asyncio

from confluent_kafka import Consumer, KafkaException

from embedded.controllers.controller import RetryError
from embedded.types import MOST_TOPICS, KafkaSettings

SECONDS = 10.0

KAFKA_HOST = "kafka.database.svc.cluster.local"
DOCUMENTED = frozenset({"10.12.10.16:9094"})
"""An address that Seldon's documentation gives for its Kafka; here it means the platform's Kafka."""


class Topics:
    """Topics of the platform's Kafka."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        self.lost: str | None = None
        """The reason why Kafka is gone; None while it runs."""
        self._client = _client_of(kafka)
        self._asked: set[str] = set()
        """The topics that the present client has been asked for."""
        # The client takes one question at a time: threads that wait for their turn try again each millisecond.
        self._turn = asyncio.Lock()

    def is_ours(self, bootstrap: str) -> bool:
        """Return whether a `bootstrap.servers` value (host[:port], comma-separated) means the platform's Kafka."""
        own = set(self._kafka.bootstrap.split(",")) | DOCUMENTED | {KAFKA_HOST, f"{KAFKA_HOST}:9092"}
        own |= {name.replace(".cluster.local", "") for name in own}
        return all(server.strip() in own for server in bootstrap.split(","))

    def unreachable(self, bootstrap: str) -> str:
        """Return why another Kafka than the platform's cannot be used."""
        return f"cannot reach Kafka at {bootstrap!r}: this platform's Kafka is {KAFKA_HOST}:9092"

    async def create(self, name: str, partitions: int) -> None:
        """Create a topic; an existing one stays as it is.

        Raises:
            RetryError: Kafka cannot create the topic now.
        """
        self._check()
        try:
            await self._kafka.create_topic(name, partitions)
        except Exception as error:
            raise RetryError(f"cannot create topic {name}: {error}") from error

    async def delete(self, name: str) -> None:
        """Delete a topic; a missing one is not an error.

        Raises:
            RetryError: Kafka cannot delete the topic now.
        """
        if self.lost:
            return
        try:
            await self._kafka.delete_topic(name)
        except Exception as error:
            raise RetryError(f"cannot delete topic {name}: {error}") from error

    async def set_away(self, name: str, *, away: bool) -> None:
        """Take a topic away, or bring it back.

        Raises:
            RetryError: Kafka does not do that.
        """
        if self._kafka.set_away is None:
            raise RetryError(f"topic {name} (away: {away}): there is no way to do that")
        try:
            await self._kafka.set_away(name, away=away)
        except Exception as error:
            raise RetryError(f"topic {name} (away: {away}): {error}") from error

    async def set_refusing(self, name: str, *, refusing: bool) -> None:
        """Have a topic refuse records, or take them again.

        Raises:
            RetryError: Kafka does not do that.
        """
        if self._kafka.set_refusing is None:
            raise RetryError(f"topic {name} (refusing: {refusing}): there is no way to do that")
        try:
            await self._kafka.set_refusing(name, refusing=refusing)
        except Exception as error:
            raise RetryError(f"topic {name} (refusing: {refusing}): {error}") from error

    async def partitions(self, name: str) -> int:
        """Return the number of partitions of a topic, 0 when it does not exist.

        Raises:
            RetryError: Kafka does not answer.
        """
        self._check()
        try:
            async with self._turn:
                client = await self._client_for(name)
                metadata = await asyncio.to_thread(client.list_topics, name, timeout=SECONDS)
        except KafkaException as error:
            raise RetryError(f"Kafka does not answer: {error.args[0].str()}") from error
        topic = metadata.topics.get(name)
        return len(topic.partitions) if topic is not None else 0

    async def _client_for(self, name: str) -> Consumer:
        """Return the client, or another in its place when it has been asked for many topics."""
        if name not in self._asked and len(self._asked) >= MOST_TOPICS:
            before, self._client = self._client, _client_of(self._kafka)
            self._asked.clear()
            await asyncio.to_thread(before.close)
        self._asked.add(name)
        return self._client

    def _check(self) -> None:
        if self.lost:
            raise RetryError(self.lost)

    async def close(self) -> None:
        """End the client."""
        await asyncio.to_thread(self._client.close)


def _client_of(kafka: KafkaSettings) -> Consumer:
    """Return a consumer that reads nothing.

    It alone can ask for one topic without creating it where topics are created automatically. To list all topics
    instead costs more with each topic that there is.
    """
    return Consumer(
        {
            **kafka.client,
            "bootstrap.servers": kafka.bootstrap,
            "group.id": "touchstone-looks-at-topics",
            "allow.auto.create.topics": False,
        }
    )
