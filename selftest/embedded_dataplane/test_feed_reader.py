"""Feeds on a mock follow one reader, each from its own start and at its own pace: no record is lost or comes twice."""

import asyncio
import threading
from dataclasses import dataclass, field

import pytest
from confluent_kafka import Consumer

from embedded.dataplane import reader
from embedded.dataplane.cloudevents import Record
from embedded.dataplane.consumers import consumer_of
from embedded.dataplane.feed import Cluster, Feed, NoTopicError
from embedded.dataplane.reader import Follower, ReaderError
from embedded.types import KafkaSettings
from selftest.embedded_dataplane.world import HANG, World, until

pytestmark = pytest.mark.anyio
MOST_HELD = 128


@dataclass
class Taken:
    """A feed, the records that it has given out, and whether each is done at once."""

    world: World
    topic: str
    at_once: bool = True
    records: list[Record] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.group = self.world.unique("group")
        self.feed = Feed(self.world.plane.cluster, self.topic, self.group, self._take)

    def _take(self, record: Record) -> None:
        self.records.append(record)
        if self.at_once:
            self.feed.done(record)

    @property
    def offsets(self) -> list[int]:
        """The offsets of its records."""
        return [record.offset for record in self.records]

    def has_one(self) -> bool:
        """Tell whether the first record of the topic is all that it has."""
        return self.offsets == [0]

    @property
    def is_alone(self) -> bool:
        """Whether it has a client of its own."""
        return f"feed-{self.group}" in {thread.name for thread in threading.enumerate()}

    async def end(self) -> None:
        """Close the feed."""
        self.feed.close()
        await self.feed.closed()


async def _topic(world: World) -> str:
    topic = world.unique("read")
    await world.kafka.create_topic(topic, 1)
    return topic


async def _produce(world: World, topic: str, count: int) -> None:
    await asyncio.gather(*(world.producer.send(topic, Record(None, [], b"x")) for _ in range(count)))


async def test_feeds_of_a_topic_follow_one_reader_from_their_own_starts(world: World) -> None:
    topic = await _topic(world)
    first, later = Taken(world, topic), Taken(world, topic)
    await first.feed.open("latest")
    await _produce(world, topic, 3)
    await until(lambda: first.offsets == [0, 1, 2])
    await later.feed.open("latest")
    await _produce(world, topic, 2)
    await until(lambda: (first.offsets, later.offsets) == ([0, 1, 2, 3, 4], [3, 4]))
    assert [first.is_alone, later.is_alone] == [False, False]
    await first.end()
    await _produce(world, topic, 1)
    await until(lambda: later.offsets == [3, 4, 5])
    assert first.offsets == [0, 1, 2, 3, 4]
    await later.end()


async def test_a_reader_that_knows_many_topics_goes_on_with_a_new_client(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def counted(kafka: KafkaSettings, group: str) -> Consumer:
        made.append(group)
        return consumer_of(kafka, group)

    monkeypatch.setattr(reader, "MOST_TOPICS", 2)
    monkeypatch.setattr(reader, "consumer_of", counted)
    lasting = Taken(world, await _topic(world))
    await lasting.feed.open("latest")
    for _ in range(8):
        passing = Taken(world, await _topic(world))
        await passing.feed.open("latest")
        await asyncio.gather(_produce(world, lasting.topic, 2), _produce(world, passing.topic, 1))
        await until(passing.has_one)
        await passing.end()
    await until(lambda: lasting.offsets == list(range(16)))
    assert made
    await lasting.end()


async def test_a_topic_that_is_not_there_does_not_end_the_reader(world: World) -> None:
    shared = world.plane.cluster.reader
    assert shared is not None
    with pytest.raises(NoTopicError):
        await asyncio.to_thread(shared.join, Follower(world.unique("gone"), {0: 0}, lambda _: True))
    topic = await _topic(world)
    taken = Taken(world, topic)
    await taken.feed.open("latest")
    await _produce(world, topic, 1)
    await until(lambda: taken.offsets == [0])
    assert not shared.ended.done()
    await taken.end()


async def test_a_reader_that_ends_by_itself_says_so_to_all_who_join(world: World) -> None:
    topic, cluster = await _topic(world), Cluster(world.settings)
    shared = cluster.reader
    assert shared is not None

    def fail(_: Record) -> bool:
        raise ValueError("a follower that is broken")

    await asyncio.to_thread(shared.join, Follower(topic, {0: 0}, fail))
    await _produce(world, topic, 1)
    with pytest.raises(ReaderError, match="a follower that is broken"):
        await asyncio.wait_for(cluster.watch(), HANG)
    with pytest.raises(ReaderError, match="a follower that is broken"):
        await asyncio.to_thread(shared.join, Follower(topic, {0: 0}, fail))
    await cluster.close()


async def test_a_feed_that_begins_before_the_reader_reads_by_itself(world: World) -> None:
    topic = await _topic(world)
    first, earlier = Taken(world, topic), Taken(world, topic)
    await first.feed.open("latest")
    await _produce(world, topic, 3)
    await until(lambda: first.offsets == [0, 1, 2])
    await earlier.feed.open("earliest")
    await until(lambda: earlier.offsets == [0, 1, 2])
    assert earlier.is_alone
    await asyncio.gather(first.end(), earlier.end())
    # Nobody follows any more, so the reader can go back as well.
    again = Taken(world, topic)
    await again.feed.open("earliest")
    await until(lambda: again.offsets == [0, 1, 2])
    assert not again.is_alone
    await again.end()


async def test_a_feed_that_holds_too_much_holds_up_no_other(world: World) -> None:
    topic = await _topic(world)
    slow, quick = Taken(world, topic, at_once=False), Taken(world, topic)
    await slow.feed.open("latest")
    await quick.feed.open("latest")
    await _produce(world, topic, 2 * MOST_HELD)
    everything = list(range(2 * MOST_HELD))
    await until(lambda: quick.offsets == everything)
    await until(lambda: slow.is_alone)
    assert slow.offsets == everything[:MOST_HELD]
    slow.at_once = True
    for record in list(slow.records):
        slow.feed.done(record)
    await until(lambda: slow.offsets == everything)
    await asyncio.gather(slow.end(), quick.end())


async def test_a_topic_that_is_made_again_is_read_from_its_first_record(world: World) -> None:
    topic = await _topic(world)
    before, after = Taken(world, topic), Taken(world, topic)
    await before.feed.open("latest")
    await _produce(world, topic, 3)
    await until(lambda: before.offsets == [0, 1, 2])
    await before.end()
    await world.kafka.delete_topic(topic)
    with pytest.raises(NoTopicError):
        await after.feed.open("earliest")
    await world.kafka.create_topic(topic, 1)
    await after.feed.open("earliest")
    await _produce(world, topic, 1)
    await until(lambda: after.offsets == [0])
    await after.end()
