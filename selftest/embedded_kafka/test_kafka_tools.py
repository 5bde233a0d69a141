"""Kafka's own console tools beside the stand-ins: both are asked the same of one Apache Kafka, and must agree."""

import asyncio
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer

from embedded.kafka import Kafka, start_apache

STAND_INS = Path(__file__).resolve().parents[2] / "images" / "kafka" / "bin"
MISSING = [program for program in ("java", "mvn") if shutil.which(program) is None]
AT = 1_700_000_000_000
DESCRIBED_BY_KAFKA_ALONE = ("TopicId: ", "Configs: ", "Elr: ", "LastKnownElr: ")

pytestmark = [
    pytest.mark.skipif(bool(MISSING), reason=f"{' and '.join(MISSING)} missing"),
    pytest.mark.timeout(600),  # a JVM takes minutes on a busy machine
]


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """Yield an Apache Kafka with two records on `topic`."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        starting = start_apache(tmp_path_factory.mktemp("kafka"))
        running = asyncio.run_coroutine_threadsafe(starting, loop).result(200)
        try:
            asyncio.run_coroutine_threadsafe(running.create_topic("topic", 1), loop).result(30)
            producer = Producer({"bootstrap.servers": running.bootstrap, **running.client})
            producer.produce("topic", b"first", key=b"k", headers=[("a", b"1"), ("b", b"2")], timestamp=AT)
            producer.produce("topic", None, timestamp=AT)
            assert producer.flush(10) == 0
            yield running
        finally:
            asyncio.run_coroutine_threadsafe(running.stop(), loop).result(60)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def ask(folder: Path, kafka: Kafka, tool: str, *options: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    command = [str(folder / tool), "--bootstrap-server", kafka.bootstrap, *options]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)


CONSUMER = ("kafka-console-consumer.sh", "--topic=topic")
EVERYTHING = (
    "print.key=true", "print.headers=true", "print.timestamp=true", "print.offset=true", "print.partition=true",
    "key.separator=|", "headers.separator=;", "null.literal=-",
)  # fmt: skip


@pytest.mark.parametrize(
    ("command", "code", "told"),
    [
        pytest.param(
            [*CONSUMER, "--from-beginning", "--max-messages", "2"], 0, "Processed a total of 2 messages", id="values"
        ),
        pytest.param(
            [*CONSUMER, "--from-beginning", "--max-messages", "2", *(f"--property={text}" for text in EVERYTHING)],
            0, "Processed a total of 2 messages", id="columns",
        ),
        pytest.param(
            [*CONSUMER, "--timeout-ms", "1500"], 0, "org.apache.kafka.common.errors.TimeoutException", id="timeout"
        ),
        pytest.param(["kafka-console-consumer.sh"], 1, "Exactly one of --include/--topic is required. ", id="topic"),
        pytest.param([*CONSUMER, "--topics", "t"], 1, "topics is not a recognized option", id="option"),
        pytest.param(["kafka-topics.sh", "--describe", "--topic", "other"], 1, "", id="unknown"),
    ],
)  # fmt: skip
def test_a_stand_in_agrees_with_the_real_tool(kafka: Kafka, command: list[str], code: int, told: str) -> None:
    assert kafka.tools is not None
    real, stand_in = ask(kafka.tools, kafka, *command), ask(STAND_INS, kafka, *command)
    assert (real.returncode, stand_in.returncode) == (code, code)
    assert stand_in.stdout == real.stdout
    assert told in real.stderr
    assert told in stand_in.stderr


def test_a_topic_is_described_as_the_real_tool_does_it(kafka: Kafka) -> None:
    assert kafka.tools is not None
    command = ("kafka-topics.sh", "--describe", "--topic", "topic")
    real, stand_in = ask(kafka.tools, kafka, *command), ask(STAND_INS, kafka, *command)
    common = [
        "\t".join(word for word in line.split("\t") if not word.startswith(DESCRIBED_BY_KAFKA_ALONE))
        for line in real.stdout.splitlines()
    ]
    assert stand_in.stdout.splitlines() == common
    assert len(common) == 2
