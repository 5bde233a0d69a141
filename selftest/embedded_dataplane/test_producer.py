"""The client that all produce through is exchanged when it has written to many topics: no record is overtaken."""

import asyncio

import pytest

from embedded.dataplane import producer as producing
from embedded.dataplane.cloudevents import Record
from embedded.dataplane.producer import Producer
from selftest.embedded_dataplane.world import World, until

pytestmark = pytest.mark.anyio
RECORD = Record(None, [], b"x")


async def test_a_producer_of_many_topics_goes_on_with_a_new_client(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(producing, "MOST_TOPICS", 2)
    producer = Producer(world.settings)
    clients = []
    for _ in range(5):
        topic = world.unique("many")
        await world.kafka.create_topic(topic, 1)
        await producer.send(topic, RECORD)
        clients.append(producer._client)
    assert [client is clients[0] for client in clients] == [True, True, False, False, False]
    assert clients[2] is clients[3] is not clients[4]
    await until(lambda: not any(client._thread.is_alive() for client in clients[:4]))
    await producer.stop()


async def test_while_a_record_is_under_way_its_client_stays(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(producing, "MOST_TOPICS", 1)
    producer = Producer(world.settings)
    topics = [world.unique("many") for _ in range(3)]
    for topic in topics:
        await world.kafka.create_topic(topic, 1)
    before = producer._client
    await asyncio.gather(*(producer.send(topic, RECORD) for topic in topics))
    assert producer._client is before
    abandoned = asyncio.ensure_future(producer.send(topics[0], RECORD))
    await asyncio.sleep(0)
    abandoned.cancel()
    await producer.send(topics[0], RECORD)
    await until(lambda: producer._under_way == 0)
    await world.kafka.create_topic(last := world.unique("many"), 1)
    await producer.send(last, RECORD)
    assert producer._client is not before
    await producer.stop()
