"""A real Apache Kafka, started from jars (skipped, with the reason, where Java or Maven is missing)."""

import asyncio
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition

from embedded.kafka import KafkaError, jars, start_apache
from embedded.kafka.apache import settings

MISSING = [program for program in ("java", "mvn") if shutil.which(program) is None]
pytestmark = pytest.mark.timeout(600)  # a JVM takes minutes on a busy machine


def runs(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def failed(client: Mapping[str, str | int], topic: str) -> str | None:
    """Return the name of the error with which a topic refuses a record at the first attempt; None: it takes it."""
    outcomes: list[str | None] = []
    producer = Producer({**client, "retries": 0})
    producer.produce(topic, b"v", on_delivery=lambda error, _: outcomes.append(error.name() if error else None))
    producer.flush(10)
    return outcomes[0]


@pytest.mark.skipif(bool(MISSING), reason=f"{' and '.join(MISSING)} missing")
def test_a_node_comes_up_serves_and_stops(tmp_path: Path) -> None:
    async def scenario() -> int:
        kafka = await start_apache(tmp_path)
        try:
            assert kafka.version.startswith("Apache Kafka 4.")
            assert await kafka.create_topic("orders", 3)
            assert not await kafka.create_topic("orders", 3)
            client = {**kafka.client, "bootstrap.servers": kafka.bootstrap}
            producer = Producer({**client, "message.timeout.ms": 5000})
            assert len(producer.list_topics(timeout=30).topics["orders"].partitions) == 3
            producer.produce("orders", b"v", b"k", partition=1)
            assert await asyncio.to_thread(producer.flush, 10) == 0
            consumer = Consumer({**client, "group.id": "g"})
            consumer.assign([TopicPartition("orders", 1, OFFSET_BEGINNING)])
            record = await asyncio.to_thread(consumer.poll, 10)
            assert record is not None
            assert record.value() == b"v"
            consumer.commit(message=record, asynchronous=False)
            consumer.close()
            for refusing, failure in ((True, "MSG_SIZE_TOO_LARGE"), (False, None)):
                await kafka.set_refusing("orders", refusing=refusing)
                assert await asyncio.to_thread(failed, client, "orders") == failure
            unknown = await asyncio.to_thread(producer.list_topics, "never-made", timeout=30)
            assert unknown.topics["never-made"].error is not None
        finally:
            await kafka.stop()
        return kafka._child.process.pid

    assert not runs(asyncio.run(scenario()))


def test_no_java_says_what_is_needed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(KafkaError, match=r"no java in JAVA_HOME=.*--kafka apache needs Java 17 or newer"):
        asyncio.run(start_apache(tmp_path))


def script(folder: Path, name: str, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_an_old_java_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script(tmp_path / "bin", "java", "echo 'openjdk version \"1.8.0_412\"' >&2")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(KafkaError, match="is Java 8: --kafka apache needs Java 17"):
        asyncio.run(jars.java())


def test_no_maven_names_the_folder_to_copy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TOUCHSTONE_CACHE", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(KafkaError, match=rf"no mvn in PATH.*{jars.jars_folder()}"):
        asyncio.run(jars.jars())


def test_a_failing_maven_leaves_no_half_filled_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script(tmp_path, "mvn", "echo '[ERROR] Could not transfer artifact: Unknown host repo'; exit 1")
    monkeypatch.setenv("TOUCHSTONE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(KafkaError, match=r"Could not transfer artifact.*\nIs the network there\?"):
        asyncio.run(jars.jars())
    assert [path for path in (tmp_path / "cache" / "kafka").iterdir() if path.is_dir()] == []


def test_the_node_listens_on_loopback_only_and_makes_no_topic_by_itself(tmp_path: Path) -> None:
    lines = settings(tmp_path, 1111, 2222).splitlines()
    assert "listeners=PLAINTEXT://127.0.0.1:1111,CONTROLLER://127.0.0.1:2222" in lines
    assert "auto.create.topics.enable=false" in lines
