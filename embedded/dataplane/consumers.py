"""Consumers of Kafka: how they are made, what they are asked before they read, and what they have read."""

import time
from typing import cast

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from embedded.dataplane.cloudevents import Headers, Record
from embedded.types import KafkaSettings

_TIMEOUT = 10.0
_COORDINATOR_AGAIN = 0.1
_NO_COORDINATOR = {
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.NOT_COORDINATOR,
}


class NoTopicError(Exception):
    """A topic that does not exist (yet)."""


def consumer_of(kafka: KafkaSettings, group: str) -> Consumer:
    """Return a new client that reads what it is assigned, and commits nothing by itself."""
    return Consumer(
        {
            **kafka.client,
            "bootstrap.servers": kafka.bootstrap,
            "group.id": group,
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            # For offsets that Kafka no longer has: begin at the oldest record that is left.
            "auto.offset.reset": "earliest",
            "queued.max.messages.kbytes": 16_384,
        }
    )


def ends_of(client: Consumer, topic: str, partition: int) -> tuple[int, int]:
    """Return a partition's first offset and the one after its last. Blocks."""
    offsets = client.get_watermark_offsets(TopicPartition(topic, partition), timeout=_TIMEOUT)
    if offsets is None:
        timed_out = KafkaError._TIMED_OUT  # noqa: SLF001 - librdkafka's own codes have such names
        raise KafkaException(KafkaError(timed_out, f"no offsets of {topic}[{partition}]"))
    return offsets


def committed_by(client: Consumer, topic: str, partitions: list[int]) -> dict[int, int]:
    """Return what the client's group has committed by partition, below zero where it has nothing. Blocks.

    In a Kafka that has just begun the group has no coordinator yet: it is asked again until there is one. The admin
    client's `list_consumer_group_offsets` would crash meanwhile (librdkafka issue 5315, open).
    """
    places = [TopicPartition(topic, partition) for partition in partitions]
    deadline = time.monotonic() + _TIMEOUT
    while True:
        try:
            return {place.partition: place.offset for place in client.committed(places, timeout=_TIMEOUT)}
        except KafkaException as error:
            if error.args[0].code() not in _NO_COORDINATOR or time.monotonic() >= deadline:
                raise
        time.sleep(_COORDINATOR_AGAIN)


def partitions_of(client: Consumer, topic: str) -> list[int]:
    """Return the numbers of a topic's partitions; the client knows their leaders then. Blocks.

    Raises:
        NoTopicError: The topic does not exist.
        KafkaException: Kafka does not answer.
    """
    metadata = client.list_topics(topic, timeout=_TIMEOUT).topics[topic]
    if metadata.error is not None or not metadata.partitions:
        raise NoTopicError(f"topic {topic!r}: {metadata.error.str() if metadata.error else 'has no partitions'}")
    return sorted(metadata.partitions)


def record_of(message: Message) -> Record:
    """Return a message as the data plane has records."""
    return Record(
        key=message.key(),
        headers=cast("Headers", message.headers() or ()),
        value=message.value(),
        partition=message.partition(),
        offset=cast("int", message.offset()),
        time=message.timestamp()[1] / 1000,
    )
