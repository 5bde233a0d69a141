"""The mock Kafka: a child process that obeys, is seen to die, and ends with its parent."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition

from embedded.kafka import Kafka, KafkaError, connect_external, mock, start
from embedded.kafka.external import ExternalKafka, bootstrap_servers
from embedded.kafka.process import project_environment

ROOT = Path(__file__).resolve().parents[2]


@asynccontextmanager
async def mock_kafka(folder: Path) -> AsyncIterator[Kafka]:
    kafka = await start("mock", folder)
    try:
        yield kafka
    finally:
        await kafka.stop()


def with_mock(folder: Path, use: Callable[[Kafka], Awaitable[None]]) -> None:
    async def scenario() -> None:
        async with mock_kafka(folder) as kafka:
            await use(kafka)

    asyncio.run(scenario())


def client(kafka: Kafka, **more: Any) -> dict[str, Any]:
    return {**kafka.client, "bootstrap.servers": kafka.bootstrap, **more}


def partitions_of(kafka: Kafka, topic: str) -> int:
    return len(Producer(client(kafka)).list_topics(timeout=30).topics[topic].partitions)


def test_topics_are_made_once_with_the_partitions_asked_for(tmp_path: Path) -> None:
    async def use(kafka: Kafka) -> None:
        assert await kafka.create_topic("orders", 7)
        assert not await kafka.create_topic("orders", 3)
        assert partitions_of(kafka, "orders") == 7

    with_mock(tmp_path, use)


def test_a_deleted_topic_is_gone_and_a_missing_one_is_said_to_be(tmp_path: Path) -> None:
    async def use(kafka: Kafka) -> None:
        await kafka.create_topic("orders", 1)
        assert await kafka.delete_topic("orders")
        assert not await kafka.delete_topic("orders")

    with_mock(tmp_path, use)


def test_many_askers_at_once_each_get_their_own_answer(tmp_path: Path) -> None:
    async def use(kafka: Kafka) -> None:
        made = await asyncio.gather(*[kafka.create_topic(f"t{n % 20}", 1) for n in range(40)])
        assert made == [True] * 20 + [False] * 20

    with_mock(tmp_path, use)


def test_a_record_comes_back_with_key_headers_and_bytes(tmp_path: Path) -> None:
    async def use(kafka: Kafka) -> None:
        await kafka.create_topic("orders", 1)
        producer = Producer(client(kafka))
        producer.produce("orders", b"\x00\xff", b"k", headers=[("ce_id", b"1"), ("ce_id", None)])
        assert await asyncio.to_thread(producer.flush, 5) == 0
        consumer = Consumer(client(kafka, **{"group.id": "g"}))
        consumer.assign([TopicPartition("orders", 0, OFFSET_BEGINNING)])
        record = await asyncio.to_thread(consumer.poll, 5)
        consumer.close()
        assert record is not None
        assert (record.key(), record.value(), record.headers()) == (
            b"k",
            b"\x00\xff",
            [("ce_id", b"1"), ("ce_id", None)],
        )

    with_mock(tmp_path, use)


def test_illegal_topics_are_refused_by_name(tmp_path: Path) -> None:
    async def use(kafka: Kafka) -> None:
        for name in ("", "a b", "..", "ü", "x" * 250):
            with pytest.raises(KafkaError, match="no topic name"):
                await kafka.create_topic(name, 1)
        with pytest.raises(KafkaError, match="at least one partition"):
            await kafka.create_topic("ok", 0)

    with_mock(tmp_path, use)


def test_its_death_is_noticed_and_told(tmp_path: Path) -> None:
    async def use(kafka: Kafka) -> None:
        death = asyncio.ensure_future(kafka.died())
        pid = kafka._child.process.pid  # type: ignore[attr-defined]  # the test is about this very process
        os.kill(pid, signal.SIGKILL)
        assert f"killed by signal 9), process {pid}" in await asyncio.wait_for(death, 30)
        with pytest.raises(KafkaError, match="does not answer"):
            await kafka.create_topic("late", 1)

    with_mock(tmp_path, use)


def test_a_stop_is_no_death_and_may_be_repeated(tmp_path: Path) -> None:
    async def use(kafka: Kafka) -> None:
        death = asyncio.ensure_future(kafka.died())
        await kafka.stop()
        await kafka.stop()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(death, 0.05)

    with_mock(tmp_path, use)


def test_the_child_ends_when_stdin_does() -> None:
    child = subprocess.run(
        [sys.executable, "-m", "embedded.kafka.mock"],
        cwd=ROOT,
        input='{"create": "a", "partitions": 2}\n{"create": "a", "partitions": 2}\nnonsense\n{"what": 1}\n',
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    greeting, *answers = child.stdout.splitlines()
    assert '"bootstrap": "127.0.0.1:' in greeting
    assert answers[:2] == ['{"done": true}', '{"done": false}']
    assert ["error" in answer for answer in answers[2:]] == [True, True]
    assert (child.returncode, child.stderr) == (0, "")


def test_the_leash_ends_its_program_when_stdin_does() -> None:
    leash = subprocess.Popen(
        [sys.executable, "-m", "embedded.kafka.leash", "sleep", "600"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        env=project_environment(),
    )
    leash.communicate(timeout=10)
    assert leash.returncode == 128 + signal.SIGTERM


def test_a_wheel_without_the_mock_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(mock._SYMBOLS, "rd_kafka_mock_of_tomorrow", (None, []))
    with pytest.raises(mock.MockUnavailableError, match="lacks rd_kafka_mock_of_tomorrow: another confluent-kafka"):
        mock.load()


@pytest.mark.parametrize(
    ("text", "servers"),
    [
        ("kafka.example", "kafka.example:9092"),
        ("127.0.0.1:19092, b:1", "127.0.0.1:19092,b:1"),
        ("[::1]:9093", "[::1]:9093"),
    ],
)
def test_addresses_of_an_external_kafka(text: str, servers: str) -> None:
    assert bootstrap_servers(text) == servers


@pytest.mark.parametrize("text", ["", "a:b", "a:0", "a:65536", "http://a:1", "a b"])
def test_what_is_no_address_is_refused_with_the_choices(text: str) -> None:
    with pytest.raises(KafkaError, match="'mock', 'apache' or HOST:PORT"):
        bootstrap_servers(text)


def test_a_kafka_that_is_there_already_can_be_used_as_external(tmp_path: Path) -> None:
    async def use(kafka: Kafka) -> None:
        external = await connect_external(kafka.bootstrap)
        assert (external.kind, external.bootstrap) == ("external", kafka.bootstrap)
        await external.stop()

    with_mock(tmp_path, use)


def test_a_topic_that_is_away_takes_nothing_and_comes_back_with_its_records(tmp_path: Path) -> None:
    async def use(kafka: Kafka) -> None:
        for topic in ("orders", "others"):
            await kafka.create_topic(topic, 2)
        assert stored(kafka, "orders", b"before")
        await kafka.set_away("orders", away=True)
        assert not await asyncio.to_thread(stored, kafka, "orders", b"meanwhile", seconds=0.3)
        assert await asyncio.to_thread(stored, kafka, "others", b"meanwhile")
        await kafka.set_away("orders", away=False)
        assert await asyncio.to_thread(stored, kafka, "orders", b"after")
        consumer = Consumer(client(kafka, **{"group.id": "g"}))
        consumer.assign([TopicPartition("orders", 0, OFFSET_BEGINNING)])
        values = [record.value() for record in await asyncio.to_thread(consumer.consume, 2, 5)]
        consumer.close()
        assert values == [b"before", b"after"]

    with_mock(tmp_path, use)


def test_a_topic_that_refuses_takes_nothing_until_it_takes_records_again(tmp_path: Path) -> None:
    async def use(kafka: Kafka) -> None:
        for topic in ("orders", "others"):
            await kafka.create_topic(topic, 2)
        await kafka.set_refusing("orders", refusing=True)
        assert not await asyncio.to_thread(stored, kafka, "orders", b"meanwhile", seconds=0.3)
        assert await asyncio.to_thread(stored, kafka, "others", b"meanwhile")
        await kafka.set_refusing("orders", refusing=False)
        assert await asyncio.to_thread(stored, kafka, "orders", b"after")

    with_mock(tmp_path, use)


def stored(kafka: Kafka, topic: str, value: bytes, seconds: float = 5.0) -> bool:
    """Tell whether partition 0 of a topic takes a record in time."""
    failures: list[object] = []
    producer = Producer(client(kafka, **{"message.timeout.ms": round(seconds * 1000)}))
    producer.produce(topic, value, partition=0, on_delivery=lambda failure, _: failures.append(failure))
    producer.flush(seconds + 5)
    return len(failures) == 1 and failures[0] is None


def test_a_kafka_of_somebody_else_stays() -> None:
    kafka = ExternalKafka("kafka:9092", cast("Any", None))
    with pytest.raises(KafkaError, match="of kind external is not this platform's: topic 'orders' stays"):
        asyncio.run(kafka.set_away("orders", away=True))
    with pytest.raises(KafkaError, match=r"topic 'orders' stays \(refusing: True\)"):
        asyncio.run(kafka.set_refusing("orders", refusing=True))


def test_the_leash_stops_its_program_and_lets_it_go_on(tmp_path: Path) -> None:
    ticks = tmp_path / "ticks"
    program = (
        "import os, pathlib, sys, time\n"
        "pathlib.Path(sys.argv[2]).write_text(f'{os.getpid()}\\n')\n"
        "while True:\n    open(sys.argv[1], 'a').write('.')\n    time.sleep(0.01)"
    )
    born = tmp_path / "born"
    leash = subprocess.Popen(
        [sys.executable, "-m", "embedded.kafka.leash", sys.executable, "-c", program, str(ticks), str(born)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
    )
    try:
        awaited(lambda: ticks.exists() and ticks.stat().st_size > 0)
        pid = int(born.read_text())
        for _ in range(2):
            leash.send_signal(signal.SIGUSR1)
            awaited(lambda: is_stopped(pid))
            stood = ticks.stat().st_size
            leash.send_signal(signal.SIGUSR2)
            awaited(lambda stood=stood: ticks.stat().st_size > stood)  # type: ignore[misc]  # mypy knows no defaults of lambdas
        leash.send_signal(signal.SIGUSR1)
        awaited(lambda: is_stopped(pid))
    finally:
        assert leash.stdin is not None
        leash.stdin.close()
    assert leash.wait(30) == 128 + signal.SIGTERM


def is_stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "T"


def awaited(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that in time"
        time.sleep(0.01)
