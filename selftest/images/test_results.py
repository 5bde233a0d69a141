"""Results on the topic: what the environment may say, the event of the documentation, the acknowledgement."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from embedded.kafka import start_mock

ENVIRONMENT = {
    "KAFKA_BOOTSTRAP_SERVERS": "kafka.database.svc.cluster.local",
    "KAFKA_TOPIC": "test-topic",
    "REQUEST_TRACE_KEY": "test-trace-id",
}


@pytest.fixture
def results(transformer: Any) -> Any:
    return transformer("results")


@pytest.mark.parametrize(
    ("servers", "bootstrap"),
    [("kafka.database", "kafka.database:9092"), ("a:1", "a:1"), ("a, b:19092", "a:9092,b:19092")],
)
def test_the_port_is_9092_unless_said(results: Any, servers: str, bootstrap: str) -> None:
    settings = results.Settings.read({**ENVIRONMENT, "KAFKA_BOOTSTRAP_SERVERS": servers})
    assert settings.bootstrap == bootstrap


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"KAFKA_TOPIC": ""}, "lacks KAFKA_TOPIC"),
        ({"KAFKA_BOOTSTRAP_SERVERS": " ", "REQUEST_TRACE_KEY": ""}, "lacks KAFKA_BOOTSTRAP_SERVERS, REQUEST_TRACE_KEY"),
        ({"REQUEST_TRACE_KEY": "id"}, "may not be 'id'"),
        ({"KAFKA_BOOTSTRAP_SERVERS": "a:b"}, "neither HOST nor HOST:PORT"),
    ],
)
def test_an_environment_that_says_too_little_is_named(results: Any, change: dict[str, str], reason: str) -> None:
    with pytest.raises(results.ConfigurationError, match=reason):
        results.Settings.read({**ENVIRONMENT, **change})


def test_the_event_is_the_one_of_the_documentation(results: Any) -> None:
    host = "test-transformer-transformer.kserve-test.svc.cluster.local"
    event = results.result_event(results.Settings.read(ENVIRONMENT), "16ec", {"predictions": [2]}, f"{host}:80")
    assert len(event.pop("id")) == 36
    assert event.pop("time").endswith("+00:00")
    assert list(event.items()) == [
        ("specversion", "1.0"),
        ("source", "data-and-computing/kafka-sink-transformer"),
        ("type", "org.zhejianglab.zverse.data-and-computing.kafka-sink-transformer"),
        ("data", {"predictions": [2]}),
        ("request-host", host),
        ("kserve-isvc-name", "test-transformer"),
        ("kserve-isvc-namespace", "kserve-test"),
        ("test-trace-id", "16ec"),
    ]


@pytest.mark.parametrize(
    ("host", "environment", "predictor", "maker"),
    [
        ("a-transformer.ns.svc.cluster.local", {}, None, ("a", "ns")),
        ("a-transformer-default.ns.svc", {}, None, ("a", "ns")),
        ("a.ns.svc.cluster.local:8080", {}, None, ("a", "ns")),
        ("a-ns.example.com", {"KSERVE_ISVC_NAME": "a", "KSERVE_ISVC_NAMESPACE": "ns"}, None, ("a", "ns")),
        ("a-ns.example.com", {}, "a-predictor.ns", ("a", "ns")),
        # Without a gateway the Host is what the caller said: this one is no component's.
        ("a-transformer.ns.svc.cluster.local", {}, "a-transformer-predictor.ns", ("a-transformer", "ns")),
        (
            "a-transformer.ns.svc",
            {"INFERENCE_SERVICE_NAME": "a-transformer"},
            "127.0.0.1:8080",
            ("a-transformer", "ns"),
        ),
        ("127.0.0.1:8080", {}, "127.0.0.1:8080", (None, None)),
        ("", {}, None, (None, None)),
    ],
)
def test_who_made_the_result_comes_from_the_pod_or_else_from_the_host(
    results: Any, host: str, environment: dict[str, str], predictor: str | None, maker: tuple[str | None, str | None]
) -> None:
    settings = results.Settings.read({**ENVIRONMENT, **environment}, predictor)
    event = results.result_event(settings, "t", {}, host)
    assert (event.get("kserve-isvc-name"), event.get("kserve-isvc-namespace")) == maker
    assert ("request-host" in event) == bool(host)


def test_publishing_ends_when_kafka_has_it(results: Any, tmp_path: Path) -> None:
    async def scenario() -> None:
        kafka = await start_mock(tmp_path)
        try:
            await kafka.create_topic("test-topic", 1)
            topic = results.ResultTopic(
                results.Settings.read({**ENVIRONMENT, "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap})
            )
            await asyncio.wait_for(topic.publish({"id": "1"}, "trace"), 10)
            consumer = Consumer({**kafka.client, "bootstrap.servers": kafka.bootstrap, "group.id": "g"})
            consumer.assign([TopicPartition("test-topic", 0, OFFSET_BEGINNING)])
            record = await asyncio.to_thread(consumer.poll, 5)
            consumer.close()
            assert record is not None
            assert (record.key(), json.loads(record.value() or b"")) == (b"trace", {"id": "1"})
            assert record.headers() == [("content-type", b"application/cloudevents+json")]
            with pytest.raises(results.NotDeliveredError, match="not on test-topic"):
                await asyncio.wait_for(topic.publish({"huge": "x" * 2_000_000}, "trace"), 5)
            await asyncio.to_thread(topic.close)
        finally:
            await kafka.stop()

    asyncio.run(scenario())
