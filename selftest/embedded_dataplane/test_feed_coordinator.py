"""A feed whose group has no coordinator yet, as in a Kafka that has just begun, waits for it.

The feed runs in a process of its own: a fault of the client library would end the test run.
"""

import subprocess
import sys

import pytest

PROGRAM = """
import asyncio, ctypes, sys

from embedded.dataplane.feed import Cluster, Feed
from embedded.kafka import mock
from embedded.types import KafkaSettings

OFFSET_FETCH = 9
library = mock.load()
refuse = library.rd_kafka_mock_push_request_errors_array
refuse.restype, refuse.argtypes = None, [ctypes.c_void_p, ctypes.c_int16, ctypes.c_size_t, ctypes.POINTER(ctypes.c_int)]


async def create(*_):
    raise AssertionError("no topic is created here")


async def read(bootstrap):
    feed = Feed(Cluster(KafkaSettings(bootstrap, "mock", create, create)), "orders", "group", lambda record: None)
    await feed.open("earliest")
    feed.close()
    await feed.closed()


with mock.running(library) as cluster:
    cluster.create("orders", 1)
    refuse(cluster._cluster, OFFSET_FETCH, 2, (ctypes.c_int * 2)(*[int(sys.argv[1])] * 2))
    asyncio.run(read(cluster.bootstrap))
    print("opened")
"""


@pytest.mark.parametrize("code", [14, 15, 16], ids=["loading", "not-available", "not-coordinator"])
def test_a_feed_waits_for_the_coordinator_of_its_group(code: int) -> None:
    command = [sys.executable, "-c", PROGRAM, str(code)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "opened\n"), done.stderr
