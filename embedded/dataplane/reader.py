"""One client that reads the partitions of many feeds.

Each consumer asks Kafka for records all the time, also when there are none. On a platform with a hundred feeds that is
most of what Kafka does, and the mock looks at every connection for each request. So the feeds of such a platform follow
one reader. Groups, offsets and commits stay those of each feed: the client belongs to no group that commits.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import SimpleQueue

from confluent_kafka import Consumer, KafkaException, TopicPartition

from embedded.dataplane.cloudevents import Record
from embedded.dataplane.consumers import NoTopicError, consumer_of, partitions_of, record_of
from embedded.types import MOST_TOPICS, KafkaSettings

_log = logging.getLogger(__name__)

_GROUP = "touchstone-reader"
# Seconds of a poll, which bounds the time to stop, and to begin with a topic.
_POLL = 0.02
_BATCH = 200
# Seconds for the client's answer to a follower, which Kafka's own silence ends before.
_JOIN = 60.0

Place = tuple[str, int]
"""A topic and the number of one of its partitions."""


@dataclass(eq=False, slots=True)
class Follower:
    """What follows the reader.

    Attributes:
        topic: The name of the topic.
        start: The offset of the first record that it wants, by partition.
        take: The receiver of each record, on the reader's thread. It never blocks; False: it follows no longer.
    """

    topic: str
    start: Mapping[int, int]
    take: Callable[[Record], bool]


@dataclass(slots=True)
class _Reading:
    """A partition that is read.

    Attributes:
        position: The offset of the record that is given out next.
        followers: The feeds that get it.
    """

    position: int
    followers: list[Follower] = field(default_factory=list)


class ReaderError(Exception):
    """The reader has ended by itself: no follower gets another record."""


class Reader:
    """The reader of a platform. Its client and thread begin with the first follower.

    Only that thread calls the client: the calls of another one starve behind its `poll` (confluent-kafka 2.16.1).

    Attributes:
        ended: The end of the thread, with a `ReaderError` where it ended by itself.
    """

    def __init__(self, kafka: KafkaSettings) -> None:
        self.ended: Future[None] = Future()
        self._kafka = kafka
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._joining: SimpleQueue[tuple[Follower, Future[bool]]] = SimpleQueue()
        self._readings: dict[Place, _Reading] = {}
        # The topics that the present client has read.
        self._known: set[str] = set()
        # Guards all of the above; never held while anything blocks, since an event loop waits for it.
        self._lock = threading.Lock()

    def join(self, follower: Follower) -> bool:
        """Give a follower every record from its start on; False where the reader is past that already. Blocks.

        Raises:
            NoTopicError: The topic does not exist.
            KafkaException: Kafka does not answer.
            ReaderError: The reader has ended by itself.
        """
        with self._lock:
            if self.ended.done():
                self.ended.result()
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="reader", daemon=True)
                self._thread.start()
            if all(reading and reading.followers for reading in self._present(follower)):
                return self._add(follower)
            joined: Future[bool] = Future()
            self._joining.put((follower, joined))
        return joined.result(_JOIN)

    def leave(self, follower: Follower) -> None:
        """Give a follower nothing more; do nothing when it does not follow."""
        with self._lock:
            for reading in self._present(follower):
                if reading is not None and follower in reading.followers:
                    reading.followers.remove(follower)

    def close(self) -> None:
        """End the client and its thread, when nobody joins any more. Blocks."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def _present(self, follower: Follower) -> list[_Reading | None]:
        return [self._readings.get((follower.topic, partition)) for partition in follower.start]

    def _add(self, follower: Follower) -> bool:
        """Add a follower to what it follows, unless that is past its start; the caller holds the lock."""
        readings = [(self._readings[follower.topic, partition], start) for partition, start in follower.start.items()]
        if any(reading.position > start for reading, start in readings):
            return False
        for reading, _ in readings:
            reading.followers.append(follower)
        return True

    def _serve(self) -> None:
        client = consumer_of(self._kafka, _GROUP)
        try:
            while not self._stopping.is_set():
                self._read(client)
                self._forget_idle(client)
                client = self._exchanged(client)
                self._admit_all(client)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told to all who wait
            _log.exception("the reader of all topics ends")
            died = ReaderError(f"the reader of all topics has ended: {error!r}")
            with self._lock:
                self.ended.set_exception(died)
                while not self._joining.empty():
                    self._joining.get()[1].set_exception(died)
        else:
            self.ended.set_result(None)
        finally:
            client.close()

    def _read(self, client: Consumer) -> None:
        first = client.poll(_POLL)
        for message in [] if first is None else [first, *client.consume(_BATCH - 1, 0)]:
            if (error := message.error()) is not None:
                # librdkafka retries without end; the error is for information only.
                _log.warning("%s: %s", message.topic(), error.str())
            else:
                self._give(record_of(message), str(message.topic()))

    def _forget_idle(self, client: Consumer) -> None:
        """Read partitions no more that nobody follows."""
        with self._lock:
            idle = [place for place, reading in self._readings.items() if not reading.followers]
            for place in idle:
                del self._readings[place]
        if idle:
            client.incremental_unassign([TopicPartition(*place) for place in idle])

    def _exchanged(self, client: Consumer) -> Consumer:
        """Return the client, or a new one that goes on where it is, when most of what it knows is not read any more."""
        with self._lock:
            present = {topic for topic, _ in self._readings}
            if len(self._known) < MOST_TOPICS + 2 * len(present):
                return client
            places = [TopicPartition(*place, reading.position) for place, reading in self._readings.items()]
        fresh = consumer_of(self._kafka, _GROUP)
        fresh.incremental_assign(places)
        self._known = present
        client.close()
        return fresh

    def _admit_all(self, client: Consumer) -> None:
        while not self._joining.empty():
            follower, joined = self._joining.get()
            try:
                joined.set_result(self._admit(client, follower))
            except (KafkaException, NoTopicError) as error:
                joined.set_exception(error)

    def _admit(self, client: Consumer, follower: Follower) -> bool:
        with self._lock:
            new = [
                TopicPartition(follower.topic, partition, start)
                for partition, start in follower.start.items()
                if (follower.topic, partition) not in self._readings
            ]
        if new:
            # The client knows the topic's leaders then, and its first fetch of it leaves at once.
            partitions_of(client, follower.topic)
            client.incremental_assign(new)
            self._known.add(follower.topic)
        with self._lock:
            for place in new:
                self._readings[place.topic, place.partition] = _Reading(place.offset)
            return self._add(follower)

    def _give(self, record: Record, topic: str) -> None:
        partition = record.partition or 0
        with self._lock:
            reading = self._readings.get((topic, partition))
            if reading is None:
                return
            # Offsets that begin anew are those of another topic of the same name.
            is_anew = record.offset < reading.position
            reading.position = record.offset + 1
            followers = [
                follower for follower in reading.followers if is_anew or record.offset >= follower.start[partition]
            ]
        for follower in followers:
            if not follower.take(record):
                self.leave(follower)
