"""The controllers' client of Kafka's topics: it counts partitions, and is exchanged when it knows many topics."""

from pathlib import Path

import pytest

from embedded.controllers import topics as controllers_topics
from embedded.controllers.topics import Topics
from embedded.kafka import Kafka
from embedded.types import KafkaSettings
from selftest.embedded_kafka.test_kafka_mock import with_mock


def topics_of(kafka: Kafka) -> Topics:
    async def create(name: str, partitions: int) -> None:
        await kafka.create_topic(name, partitions)

    async def delete(name: str) -> None:
        await kafka.delete_topic(name)

    return Topics(KafkaSettings(kafka.bootstrap, kafka.kind, create, delete, kafka.client))


def test_a_client_that_was_asked_for_many_topics_is_exchanged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(controllers_topics, "MOST_TOPICS", 2)

    async def use(kafka: Kafka) -> None:
        topics = topics_of(kafka)
        counts, clients = [], []
        for number in range(1, 6):
            await topics.create(f"topic-{number}", number)
            counts += [await topics.partitions(f"topic-{number}"), await topics.partitions(f"topic-{number}")]
            clients.append(topics._client)
        assert counts == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
        assert clients[0] is clients[1] is not clients[2]
        assert clients[2] is clients[3] is not clients[4]
        assert await topics.partitions("missing") == 0
        await topics.close()

    with_mock(tmp_path, use)
