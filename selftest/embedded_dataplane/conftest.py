"""One mock Kafka, one data plane and one recording server for the tests of a module, on one event loop.

They end with the module: a data plane asks its Kafka for news a hundred times a second, also when no test runs.
"""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from embedded.dataplane import DataPlane
from embedded.dataplane.producer import Producer
from embedded.kafka import start_mock
from embedded.types import Endpoint, KafkaSettings
from selftest.embedded_dataplane.streams import Model
from selftest.embedded_dataplane.world import Subscribers, World


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def _module_world(anyio_backend: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    kafka = await start_mock(tmp_path_factory.mktemp("kafka"))
    names: dict[str, Endpoint] = {}

    async def create(name: str, partitions: int) -> None:
        await kafka.create_topic(name, partitions)

    async def delete(name: str) -> None:
        await kafka.delete_topic(name)

    settings = KafkaSettings(kafka.bootstrap, kafka.kind, create, delete, kafka.client)
    plane = DataPlane(settings, lambda host, _port: names.get(host))
    ingress = await plane.start()
    subscribers = Subscribers()
    await subscribers.start()
    producer = Producer(settings)
    async with aiohttp.ClientSession() as http:
        yield World(kafka, settings, plane, ingress, subscribers, http, producer, names)
    await subscribers.stop()
    await plane.stop()
    await producer.stop()
    await kafka.stop()


@pytest.fixture
async def world(_module_world: World) -> AsyncIterator[World]:
    """Yield the module's world. A test's Triggers and Brokers go with it: what stays costs all later tests."""
    yield _module_world
    await _module_world.clear()


@pytest.fixture(scope="module")
async def model(anyio_backend: str) -> AsyncIterator[Model]:
    """Yield a model that doubles numbers."""
    running = Model()
    await running.start()
    yield running
    await running.stop()
