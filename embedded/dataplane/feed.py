"""The feed of one topic's records to a consumer group: a thread polls, the event loop handles, offsets are committed.

Each feed reads its partitions by assignment: who has which is known here, so a rebalance could only cost time. It
follows the platform's reader, where there is one. It has a client of its own from the moment on at which more of its
records are in flight than it may hold, or from the beginning where that is before what the reader has read. Offsets are
committed at once, one commit under way at a time, as far as `Progress` allows.
"""

import asyncio
import contextlib
import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from embedded.dataplane.cloudevents import Record
from embedded.dataplane.consumers import NoTopicError, committed_by, consumer_of, ends_of, partitions_of, record_of
from embedded.dataplane.progress import Progress
from embedded.dataplane.reader import Follower, Reader
from embedded.types import KafkaSettings

_log = logging.getLogger(__name__)

_TIMEOUT = 10.0
_COMMIT_AGAIN = 1.0
# Seconds of a poll, which bounds the time to stop; shorter while partitions are paused, so that they resume soon.
_POLL = 0.2
_POLL_PAUSED = 0.01
# Back-pressure: the most records and bytes in flight.
_HELD_RECORDS = 128
_HELD_BYTES = 8 * 1024 * 1024
_ALL = -1


class Cluster:
    """What the feeds of a platform share: the client that commits for all groups, and the reader, if there is one.

    Attributes:
        kafka: The settings to reach Kafka.
        reader: The reader that feeds follow; None: each has a client of its own.
    """

    def __init__(self, kafka: KafkaSettings) -> None:
        self.kafka = kafka
        # Only the mock has to be spared: it answers each fetch by a look at all connections.
        self.reader = Reader(kafka) if kafka.kind == "mock" else None
        self._admin = AdminClient({**kafka.client, "bootstrap.servers": kafka.bootstrap})

    async def commit(self, group: str, topic: str, offsets: Mapping[int, int]) -> None:
        """Set the offsets of a group without members.

        A consumer cannot do this: its `commit` starves while another thread is in its `poll` (confluent-kafka 2.16.1).

        Raises:
            KafkaException: The offsets are not set.
        """
        entries = [TopicPartition(topic, partition, offset) for partition, offset in offsets.items()]
        query = ConsumerGroupTopicPartitions(group, entries)
        (future,) = self._admin.alter_consumer_group_offsets([query], request_timeout=_TIMEOUT).values()
        for entry in (await asyncio.wrap_future(future)).topic_partitions:
            if entry.error is not None:
                raise KafkaException(entry.error)

    async def watch(self) -> None:
        """Return when the reader has been closed; at once where there is none.

        Raises:
            ReaderError: It has ended by itself.
        """
        if self.reader is None:
            return
        await asyncio.shield(asyncio.wrap_future(self.reader.ended))

    async def close(self) -> None:
        """End the reader; the feeds have ended before."""
        if self.reader is not None:
            await asyncio.to_thread(self.reader.close)


@dataclass(slots=True)
class _Held:
    """The records in flight of one partition, or of all, counted by the loop and by the feed's thread."""

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
    """The feed of one group. `take` is called on the loop for each record; `done` must follow once for each."""

    def __init__(
        self,
        cluster: Cluster,
        topic: str,
        group: str,
        take: Callable[[Record], None],
        *,
        separately: bool = False,
        partitions: Callable[[int], bool] = lambda _: True,
        progress: Progress | None = None,
    ) -> None:
        """Prepare the feed; `open` begins.

        Args:
            cluster: The Kafka that holds the topic.
            topic: The name of the topic.
            group: The consumer group.
            take: The receiver of each record; it never blocks.
            separately: True if back-pressure pauses single partitions, False if it pauses all.
            partitions: The function that tells of each partition whether it is read; by default all are.
            progress: What says which offsets may be committed.
        """
        self._cluster = cluster
        self._topic = topic
        self._group = group
        self._take = take
        self._separately = separately
        self._is_read = partitions
        self._loop = asyncio.get_running_loop()
        self._progress = progress or Progress()
        self._committer: asyncio.Task[None] | None = None
        self._holding = False
        self._committed_all = asyncio.Event()
        self._committed_all.set()
        self._held: defaultdict[int, _Held] = defaultdict(_Held)
        self._paused: set[int] = set()
        self._stopping = threading.Event()
        # The offset of the next record of each partition: where a client of the feed's own goes on.
        self._next: dict[int, int] = {}
        self._follower: Follower | None = None
        self._client: Consumer | None = None
        self._thread = threading.Thread(target=self._serve, name=f"feed-{group}", daemon=True)

    async def open(
        self,
        reset: Literal["latest", "earliest"],
        *,
        resume: bool = True,
        begin: Callable[[Mapping[int, int]], Mapping[int, int]] = dict,
        resumed: Callable[[Mapping[int, int], Mapping[int, int]], Mapping[int, int]] = lambda kept, _: kept,
    ) -> None:
        """Begin at the group's committed offsets, else at `reset`; return once the offsets are committed.

        Args:
            reset: The position of a group without offsets.
            resume: False to ignore the offsets that the group has.
            begin: The function from the offsets at `reset` to those to begin at.
            resumed: The function from what the group has committed, and the ends, to where it goes on.

        Raises:
            NoTopicError: The topic does not exist.
            KafkaException: Kafka does not answer.
            ReaderError: The platform's reader has ended by itself.
        """
        cluster, topic = self._cluster, self._topic
        client, ends, kept = await asyncio.to_thread(self._connect)
        try:
            first = {partition: low for partition, (low, _) in ends.items()}
            last = {partition: high for partition, (_, high) in ends.items()}
            start = dict(begin(first if reset == "earliest" else last))
            if resume:
                # Offsets outside of the topic's range belong to another topic of the same name.
                going_on = resumed(kept, last)
                start |= {part: offset for part, offset in going_on.items() if first[part] <= offset <= last[part]}
            await cluster.commit(self._group, topic, start)
            self._next = start
            if await asyncio.to_thread(self._follow, start):
                await asyncio.to_thread(client.close)
                return
        except BaseException:
            self.close()
            await asyncio.to_thread(client.close)
            raise
        self._read_alone(client)

    @property
    def taken(self) -> Mapping[int, int]:
        """The offsets behind the last record that was given out, by partition."""
        return self._progress.following

    def done(self, record: Record) -> None:
        """Note, on the loop, that a record's outcome is known."""
        self._progress.end(record.partition or 0, record.offset)
        self._held_with(record).change(record, -1)
        self._commit()

    def hold(self) -> None:
        """Give out no more records, but go on committing those that are out."""
        self._holding = True

    async def flush(self, seconds: float) -> None:
        """Return when no commit is under way, or after so many seconds."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._committed_all.wait(), seconds)

    def close(self) -> None:
        """Take and commit nothing more; `closed` waits for the end."""
        self._stopping.set()
        self._unfollow()

    async def closed(self) -> None:
        """Return once the consumer is closed."""
        if self._thread.ident is not None:
            await asyncio.to_thread(self._thread.join)

    def _connect(self) -> tuple[Consumer, dict[int, tuple[int, int]], dict[int, int]]:
        """Return a consumer, and the offsets of each partition: the first and the next one, and what is committed.

        It blocks. What is committed is below zero where the group has nothing.
        """
        client = consumer_of(self._cluster.kafka, self._group)
        try:
            # Asked by this client, not the shared one: it then knows the topic's leaders, and its first fetch leaves at
            # once instead of up to a second after `assign`.
            partitions = [number for number in partitions_of(client, self._topic) if self._is_read(number)]
            # The admin client's `list_offsets` can crash while a topic has no leaders (librdkafka 2.16.0).
            ends = {partition: ends_of(client, self._topic, partition) for partition in partitions}
            return client, ends, committed_by(client, self._topic, partitions)
        except BaseException:
            client.close()
            raise

    def _follow(self, start: Mapping[int, int]) -> bool:
        """Follow the platform's reader; False where there is none, or it is past the start. Blocks."""
        reader = self._cluster.reader
        follower = Follower(self._topic, dict(start), self._offer)
        if reader is None or not reader.join(follower):
            return False
        self._follower = follower
        if self._stopping.is_set():
            reader.leave(follower)
        return True

    def _unfollow(self) -> None:
        if self._follower is not None and self._cluster.reader is not None:
            self._cluster.reader.leave(self._follower)

    def _offer(self, record: Record) -> bool:
        """Take a record from the reader, on its thread; one that is too much is left to a client of the feed's own."""
        if self._stopping.is_set():
            return False
        if self._held_with(record).is_full:
            self._read_alone(consumer_of(self._cluster.kafka, self._group))
            return False
        self._held_with(record).change(record, 1)
        self._give(record)
        return True

    def _read_alone(self, client: Consumer) -> None:
        """Read by a client of the feed's own from now on, which back-pressure may stop."""
        client.assign([TopicPartition(self._topic, partition, offset) for partition, offset in self._next.items()])
        self._client = client
        self._thread.start()

    def _serve(self) -> None:
        client = self._client
        assert client is not None
        while not self._stopping.is_set():
            if self._held[_ALL].is_full:
                # Do not poll: nothing is lost, whereas pausing all partitions would delay the next fetch by a second.
                self._stopping.wait(_POLL_PAUSED)
                continue
            message = client.poll(_POLL_PAUSED if self._paused else _POLL)
            self._resume(client)
            if message is None:
                continue
            if (error := message.error()) is not None:
                # librdkafka retries without end; the error is for information only.
                _log.warning("group %s on %s: %s", self._group, self._topic, error.str())
                continue
            record = record_of(message)
            self._hold(client, record)
            self._give(record)
        client.close()

    def _give(self, record: Record) -> None:
        """Hand a record over to the loop, from any thread."""
        self._next[record.partition or 0] = record.offset + 1
        if not self._stopping.is_set():
            self._loop.call_soon_threadsafe(self._receive, record)

    def _receive(self, record: Record) -> None:
        if not self._holding and not self._stopping.is_set():
            self._progress.begin(record.partition or 0, record.offset)
            self._take(record)

    def _held_with(self, record: Record) -> _Held:
        return self._held[(record.partition or 0) if self._separately else _ALL]

    def _hold(self, client: Consumer, record: Record) -> None:
        """Count a record as held, and pause its partition when that has too many."""
        partition = record.partition or 0
        held = self._held_with(record)
        held.change(record, 1)
        if self._separately and held.is_full and partition not in self._paused:
            self._paused.add(partition)
            client.pause([TopicPartition(self._topic, partition)])

    def _resume(self, client: Consumer) -> None:
        """Resume partitions with few records. Only the feed's thread may call the client while it polls."""
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


__all__ = ["Cluster", "Feed", "KafkaException", "NoTopicError"]
