"""Kafka dies under the data plane: no event is acknowledged any more, and everything still ends in time."""

import asyncio
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from embedded.dataplane import HONEST, DataPlane
from embedded.dataplane.specs import BrokerSpec, TriggerSpec
from embedded.kafka import start_mock
from embedded.types import Composition
from selftest.embedded_dataplane.world import World, binary

pytestmark = pytest.mark.anyio

EVENT = binary(specversion="1.0", id="1", source="/s", type="t")


async def test_kafka_dies(world: World, tmp_path: Path) -> None:
    kafka = await start_mock(tmp_path)
    client = {**kafka.client, "message.timeout.ms": 300}
    settings = replace(world.settings, bootstrap=kafka.bootstrap, client=client)
    honest = Composition(HONEST)
    plane = DataPlane(settings, lambda _host, _port: None)
    try:
        url = f"{await plane.start()}/n/b"
        await kafka.create_topic("topic", 1)
        await plane.add_broker(BrokerSpec("n", "b", "topic", 1, policies=honest))
        await plane.add_trigger(TriggerSpec("n", "t", "b", "topic", "g", "http://127.0.0.1:9/", policies=honest))
        async with aiohttp.ClientSession() as http:
            assert (await http.post(url, headers=EVENT)).status == 202
            await kafka.stop()
            answer = await http.post(url, headers=EVENT)
            assert answer.status == 503
            assert "did not store" in await answer.text()
        async with asyncio.timeout(60):  # a hang alone lasts as long
            await plane.remove_trigger("n", "t")
            await plane.stop()
    finally:
        await plane.stop()
        await kafka.stop()
