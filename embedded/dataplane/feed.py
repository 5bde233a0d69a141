"""A consumer group's records on one topic, from a thread that polls into the event loop, and its offsets back.

Each feed reads all partitions by assignment: a group has one member here, so a rebalance could only cost time. Offsets
are committed at once, one commit under way at a time, as far as `Progress` allows.
"""

import asyncio
import contextlib
import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, cast

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient

from embedded.dataplane.cloudevents import Headers, Record
from embedded.dataplane.progress import Progress
from embedded.types import KafkaSettings

_log = logging.getLogger(__name__)

_TIMEOUT = 10.0
_COMMIT_AGAIN = 1.0
# Seconds; a feed that is asked to end does so within the first, one that holds back looks as often as the second.
_POLL = 0.2
_POLL_PAUSED = 0.01
# So much may be given out and not be done.
_HELD_RECORDS = 128
_HELD_BYTES = 8 * 1024 * 1024
_ALL = -1


class NoTopicError(Exception):
    """The topic does not exist (yet)."""


class Cluster:
    """What the feeds of a platform ask Kafka about, through one client."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self.kafka = kafka
        self._admin = AdminClient({**kafka.client, "bootstrap.servers": kafka.bootstrap})

    async def committed(self, group: str, topic: str, partitions: list[int]) -> dict[int, int]:
        """Return the offsets that a group has; below zero where it has none.

        Raises:
            KafkaException: Kafka does not answer.
        """
        asked = ConsumerGroupTopicPartitions(group, [TopicPartition(topic, partition) for partition in partitions])
        (future,) = self._admin.list_consumer_group_offsets([asked], request_timeout=_TIMEOUT).values()
        return {place.partition: place.offset for place in (await asyncio.wrap_future(future)).topic_partitions}

    async def commit(self, group: str, topic: str, offsets: Mapping[int, int]) -> None:
        """Set the offsets of a group without members.

        Not by a consumer: its `commit` starves while another thread sits in its `poll` (confluent-kafka 2.16.1).

        Raises:
            KafkaException: they are not set.
        """
        places = [TopicPartition(topic, partition, offset) for partition, offset in offsets.items()]
        asked = ConsumerGroupTopicPartitions(group, places)
        (future,) = self._admin.alter_consumer_group_offsets([asked], request_timeout=_TIMEOUT).values()
        for place in (await asyncio.wrap_future(future)).topic_partitions:
            if place.error is not None:
                raise KafkaException(place.error)


@dataclass(slots=True)
class _Held:
    """What was given out and is not done: of one partition, or of all. Counted by the loop and the feed's thread."""

    records: int = 0
    bytes: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def change(self, record: Record, by: Literal[1, -1]) -> None:
        with self.lock:
            self.records += by
            self.bytes += by * len(record.value or b"")

    @property
    def is_full(self) -> bool:
        return self.records >= _HELD_RECORDS or self.bytes >= _HELD_BYTES

    @property
    def is_low(self) -> bool:
        return self.records <= _HELD_RECORDS // 4 and self.bytes <= _HELD_BYTES // 4


class Feed:
    """One group's feed. `take` is called on the loop for each record; `done` must follow for each, once."""

    def __init__(
        self,
        cluster: Cluster,
        topic: str,
        group: str,
        take: Callable[[Record], None],
        *,
        separately: bool = False,
    ) -> None:
        """Take the terms; `open` begins.

        Args:
            cluster: where.
            topic: what to read, all partitions of it.
            group: as whom.
            take: gets each record; never blocks.
            separately: whether a partition with too many records waiting is held back alone, or holds back all.
        """
        self._cluster = cluster
        self._topic = topic
        self._group = group
        self._take = take
        self._separately = separately
        self._loop = asyncio.get_running_loop()
        self._progress = Progress()
        self._committer: asyncio.Task[None] | None = None
        self._holding = False
        self._committed_all = asyncio.Event()
        self._committed_all.set()
        self._held: defaultdict[int, _Held] = defaultdict(_Held)
        self._paused: set[int] = set()
        self._stopping = threading.Event()
        self._client: Consumer | None = None
        self._thread = threading.Thread(target=self._serve, name=f"feed-{group}", daemon=True)

    async def open(
        self,
        reset: Literal["latest", "earliest"],
        *,
        resume: bool = True,
        begin: Callable[[Mapping[int, int]], Mapping[int, int]] = dict,
    ) -> None:
        """Begin at the group's committed offsets, else at `reset`; return once that is settled, and committed.

        Args:
            reset: where a group without offsets begins.
            resume: False ignores offsets that the group has.
            begin: makes of the offsets at `reset` those to begin at.

        Raises:
            NoTopicError: there is no such topic.
            KafkaException: Kafka does not answer.
        """
        cluster, topic = self._cluster, self._topic
        client, ends = await asyncio.to_thread(self._connect)
        try:
            first = {partition: low for partition, (low, _) in ends.items()}
            last = {partition: high for partition, (_, high) in ends.items()}
            start = dict(begin(first if reset == "earliest" else last))
            if resume:
                kept = await cluster.committed(self._group, topic, list(ends))
                # Offsets that the topic no longer (or not yet) has are those of another topic of this name.
                start |= {part: offset for part, offset in kept.items() if first[part] <= offset <= last[part]}
            await cluster.commit(self._group, topic, start)
            client.assign([TopicPartition(topic, partition, offset) for partition, offset in start.items()])
        except BaseException:
            await asyncio.to_thread(client.close)
            raise
        self._client = client
        self._thread.start()

    def done(self, record: Record) -> None:
        """Note that a record's outcome is known. On the loop."""
        partition = record.partition or 0
        self._progress.end(partition, record.offset)
        self._held[partition if self._separately else _ALL].change(record, -1)
        self._commit()

    def hold(self) -> None:
        """Give out no more records, but go on committing those that are out."""
        self._holding = True

    async def flush(self, seconds: float) -> None:
        """Return when no commit is under way any more, or after so long."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._committed_all.wait(), seconds)

    def close(self) -> None:
        """Take nothing more, commit nothing more; `closed` waits for the end."""
        self._stopping.set()

    async def closed(self) -> None:
        """Return once the consumer is closed."""
        if self._thread.ident is not None:
            await asyncio.to_thread(self._thread.join)

    def _connect(self) -> tuple[Consumer, dict[int, tuple[int, int]]]:
        """Return a consumer, and the topic's partitions with their first offset and the one after the last. Blocks."""
        kafka = self._cluster.kafka
        client = Consumer(
            {
                **kafka.client,
                "bootstrap.servers": kafka.bootstrap,
                "group.id": self._group,
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                # Only for offsets that Kafka no longer has: what it dropped is lost, what is left is not.
                "auto.offset.reset": "earliest",
                "queued.max.messages.kbytes": 16_384,
            }
        )
        try:
            # By this client, not the shared one: with the topic's leaders known to it, the first fetch leaves at once;
            # without, up to a second after `assign`.
            partitions = _partitions(client, self._topic)
            # Not by the admin client's `list_offsets`: librdkafka 2.16.0 can crash in it while a topic has no leaders.
            return client, {partition: _ends(client, self._topic, partition) for partition in partitions}
        except BaseException:
            client.close()
            raise

    def _serve(self) -> None:
        client = self._client
        assert client is not None
        while not self._stopping.is_set():
            if self._held[_ALL].is_full:
                # Nothing is lost by not asking; pausing all partitions would cost a second of fetching anew.
                self._stopping.wait(_POLL_PAUSED)
                continue
            message = client.poll(_POLL_PAUSED if self._paused else _POLL)
            self._resume(client)
            if message is None:
                continue
            if (error := message.error()) is not None:
                # librdkafka tries again by itself, for ever; it tells so that somebody may know.
                _log.warning("group %s on %s: %s", self._group, self._topic, error.str())
                continue
            record = _record(message)
            self._hold(client, record)
            if not self._stopping.is_set():
                self._loop.call_soon_threadsafe(self._took, record)
        client.close()

    def _took(self, record: Record) -> None:
        if not self._holding and not self._stopping.is_set():
            self._progress.begin(record.partition or 0, record.offset)
            self._take(record)

    def _hold(self, client: Consumer, record: Record) -> None:
        """Count a record in, and stop fetching for its partition when that has too many."""
        partition = record.partition or 0
        held = self._held[partition if self._separately else _ALL]
        held.change(record, 1)
        if self._separately and held.is_full and partition not in self._paused:
            self._paused.add(partition)
            client.pause([TopicPartition(self._topic, partition)])

    def _resume(self, client: Consumer) -> None:
        """Fetch again for partitions with few. On the feed's thread: no other may call the client while it polls."""
        for partition in [partition for partition in self._paused if self._held[partition].is_low]:
            self._paused.discard(partition)
            client.resume([TopicPartition(self._topic, partition)])

    def _commit(self) -> None:
        if self._committer is None and not self._stopping.is_set():
            self._committed_all.clear()
            self._committer = asyncio.create_task(self._commit_all())

    async def _commit_all(self) -> None:
        """Commit until nothing is left to commit."""
        while not self._stopping.is_set() and (moved := self._progress.take()):
            try:
                await self._cluster.commit(self._group, self._topic, moved)
            except KafkaException as error:
                _log.warning("group %s: offsets not committed, trying again: %s", self._group, error)
                for partition in moved:
                    self._progress.untake(partition)
                await asyncio.sleep(_COMMIT_AGAIN)
        self._committer = None
        self._committed_all.set()


def _ends(client: Consumer, topic: str, partition: int) -> tuple[int, int]:
    """Return a partition's first offset and the one after its last. Blocks."""
    found = client.get_watermark_offsets(TopicPartition(topic, partition), timeout=_TIMEOUT)
    if found is None:
        timed_out = KafkaError._TIMED_OUT  # noqa: SLF001 - librdkafka's own codes have such names
        raise KafkaException(KafkaError(timed_out, f"no offsets of {topic}[{partition}]"))
    return found


def _partitions(client: Consumer, topic: str) -> list[int]:
    found = client.list_topics(topic, timeout=_TIMEOUT).topics[topic]
    if found.error is not None or not found.partitions:
        raise NoTopicError(f"topic {topic!r}: {found.error.str() if found.error else 'has no partitions'}")
    return sorted(found.partitions)


def _record(message: Message) -> Record:
    return Record(
        key=message.key(),
        headers=cast("Headers", message.headers() or ()),
        value=message.value(),
        partition=message.partition(),
        offset=cast("int", message.offset()),
    )


__all__ = ["Cluster", "Feed", "KafkaException", "NoTopicError"]
