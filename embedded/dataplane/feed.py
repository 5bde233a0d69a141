"""A consumer group's records on one topic, from a thread that polls into the event loop, and its offsets back.

Each feed reads all partitions by assignment: a group has one member here, so a rebalance could only cost time. Offsets
are committed at once, one commit under way at a time, as far as `Progress` allows.
"""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Literal, cast

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._listoffsets import OffsetSpec  # not re-exported to type checkers

from embedded.dataplane.cloudevents import Headers, Record
from embedded.dataplane.progress import Progress
from embedded.types import KafkaSettings

_log = logging.getLogger(__name__)

_FIRST, _LAST = OffsetSpec.earliest(), OffsetSpec.latest()  # type: ignore[no-untyped-call]  # they lack types
_TIMEOUT = 10.0
_COMMIT_AGAIN = 1.0
# A lane that holds so much is not fetched for until it holds only a quarter of it.
_HELD_RECORDS = 128
_HELD_BYTES = 8 * 1024 * 1024


class NoTopicError(Exception):
    """The topic does not exist (yet)."""


class Cluster:
    """What the feeds of a platform ask Kafka about, through one client."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self.kafka = kafka
        self._admin = AdminClient({**kafka.client, "bootstrap.servers": kafka.bootstrap})
        self.pool = ThreadPoolExecutor(8, thread_name_prefix="commit")

    def offsets(self, topic: str, partitions: list[int], spec: OffsetSpec) -> dict[int, int]:
        """Return an offset of each partition: its first (`_FIRST`) or the one after its last (`_LAST`). Blocks."""
        wanted = {TopicPartition(topic, partition): spec for partition in partitions}
        futures = self._admin.list_offsets(wanted, request_timeout=_TIMEOUT)
        return {asked.partition: future.result(_TIMEOUT).offset for asked, future in futures.items()}

    def commit(self, group: str, places: list[TopicPartition]) -> None:
        """Set the offsets of a group without members. Blocks.

        Not by the consumer: its `commit` starves while another thread sits in its `poll` (confluent-kafka 2.16.1).

        Raises:
            KafkaException: they are not set.
        """
        asked = [ConsumerGroupTopicPartitions(group, places)]
        for future in self._admin.alter_consumer_group_offsets(asked, request_timeout=_TIMEOUT).values():
            for place in future.result(_TIMEOUT).topic_partitions:
                if place.error is not None:
                    raise KafkaException(place.error)

    def close(self) -> None:
        """Give up the client's threads, once the feeds are closed."""
        self.pool.shutdown(wait=False, cancel_futures=True)


@dataclass(slots=True)
class _Held:
    records: int = 0
    bytes: int = 0
    partitions: set[int] = field(default_factory=set)
    paused: bool = False


class Feed:
    """One group's feed. `take` is called on the loop for each record; `done` must follow for each, once."""

    def __init__(
        self,
        cluster: Cluster,
        topic: str,
        group: str,
        take: Callable[[Record], None],
        lane: Callable[[int], Hashable] = lambda _: None,
    ) -> None:
        """Take the terms; `open` begins.

        Args:
            cluster: where.
            topic: what to read, all partitions of it.
            group: as whom.
            take: gets each record; never blocks.
            lane: partition to the lane of records that are held back together when too many wait.
        """
        self._cluster = cluster
        self._topic = topic
        self._group = group
        self._take = take
        self._lane = lane
        self._loop = asyncio.get_running_loop()
        self._progress = Progress()
        self._committer: asyncio.Task[None] | None = None
        self._holding = False
        self._committed_all = asyncio.Event()
        self._committed_all.set()
        self._lock = threading.Lock()
        self._held: dict[Hashable, _Held] = {}
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
        self._client = await asyncio.to_thread(self._connect, reset, resume, begin)
        self._thread.start()

    def done(self, record: Record) -> None:
        """Note that a record's outcome is known. On the loop."""
        partition = record.partition or 0
        self._progress.end(partition, record.offset)
        self._release(partition, record)
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

    def _connect(
        self,
        reset: Literal["latest", "earliest"],
        resume: bool,  # noqa: FBT001 - passed on, in order
        begin: Callable[[Mapping[int, int]], Mapping[int, int]],
    ) -> Consumer:
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
            first = self._cluster.offsets(self._topic, partitions, _FIRST)
            last = self._cluster.offsets(self._topic, partitions, _LAST)
            start = dict(begin(first if reset == "earliest" else last))
            if resume:
                for kept in client.committed([TopicPartition(self._topic, part) for part in partitions], _TIMEOUT):
                    if first[kept.partition] <= kept.offset <= last[kept.partition]:
                        start[kept.partition] = kept.offset
            places = [TopicPartition(self._topic, partition, offset) for partition, offset in start.items()]
            client.commit(offsets=places, asynchronous=False)
            client.assign(places)
        except BaseException:
            client.close()
            raise
        return client

    def _serve(self) -> None:
        client = self._client
        assert client is not None
        while not self._stopping.is_set():
            message = client.poll(0.2)
            if message is None:
                continue
            if (error := message.error()) is not None:
                # librdkafka tries again by itself, for ever; it tells so that somebody may know.
                _log.warning("group %s on %s: %s", self._group, self._topic, error.str())
                continue
            record = _record(message)
            self._hold(record)
            if not self._stopping.is_set():
                self._loop.call_soon_threadsafe(self._took, record)
        client.close()

    def _took(self, record: Record) -> None:
        if not self._holding and not self._stopping.is_set():
            self._progress.begin(record.partition or 0, record.offset)
            self._take(record)

    def _hold(self, record: Record) -> None:
        partition = record.partition or 0
        with self._lock:
            held = self._held.setdefault(self._lane(partition), _Held())
            held.partitions.add(partition)
            held.records += 1
            held.bytes += len(record.value or b"")
            if held.paused or held.records >= _HELD_RECORDS or held.bytes >= _HELD_BYTES:
                held.paused = True
                self._flow("pause", held)

    def _release(self, partition: int, record: Record) -> None:
        with self._lock:
            held = self._held[self._lane(partition)]
            held.records -= 1
            held.bytes -= len(record.value or b"")
            if held.paused and held.records <= _HELD_RECORDS // 4 and held.bytes <= _HELD_BYTES // 4:
                held.paused = False
                self._flow("resume", held)

    def _flow(self, verb: Literal["pause", "resume"], held: _Held) -> None:
        if self._client is not None and not self._stopping.is_set():
            getattr(self._client, verb)([TopicPartition(self._topic, part) for part in held.partitions])

    def _commit(self) -> None:
        if self._committer is None and not self._stopping.is_set():
            self._committed_all.clear()
            self._committer = asyncio.create_task(self._commit_all())

    async def _commit_all(self) -> None:
        """Commit until nothing is left to commit."""
        while not self._stopping.is_set() and (moved := self._progress.take()):
            places = [TopicPartition(self._topic, partition, offset) for partition, offset in moved.items()]
            try:
                await self._loop.run_in_executor(self._cluster.pool, self._commit_now, places)
            except KafkaException as error:
                if self._stopping.is_set():
                    break
                _log.warning("group %s: offsets not committed, trying again: %s", self._group, error)
                for partition in moved:
                    self._progress.untake(partition)
                await asyncio.sleep(_COMMIT_AGAIN)
        self._committer = None
        self._committed_all.set()

    def _commit_now(self, places: list[TopicPartition]) -> None:
        self._cluster.commit(self._group, places)


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
