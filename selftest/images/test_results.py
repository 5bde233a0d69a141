"""Results on the topic: what the environment may say, the event of the documentation, the acknowledgement."""

import asyncio
import json
import math
from pathlib import Path
from typing import Any

import httpx
import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from embedded.kafka import start_mock
from evidence.cloudevents import read_kafka

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
        ({"RESULT_FORMAT": "strict"}, "RESULT_FORMAT: expected documented or cloudevents, got 'strict'"),
        ({"RESULT_FORMAT": "cloudevents"}, "expected an attribute name of a-z and 0-9, got 'test-trace-id'"),
        ({"REQUEST_TRACE_KEY": "requesthost"}, "may not be 'requesthost'"),
        ({"RESULT_BROKER": "b"}, "lacks BROKER_INGRESS"),
        ({"RESULT_BROKER": "b", "BROKER_INGRESS": "http://in"}, "lacks KSERVE_ISVC_NAMESPACE"),
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


STRICT = {
    **ENVIRONMENT,
    "REQUEST_TRACE_KEY": "traceid",
    "RESULT_FORMAT": "cloudevents",
    "KSERVE_ISVC_NAME": "digits",
    "KSERVE_ISVC_NAMESPACE": "ns",
}


def test_the_strict_event_is_valid_and_repeats_for_the_same_cause(results: Any) -> None:
    settings = results.Settings.read(STRICT)
    events = [
        results.result_event(settings, "16ec", {"predictions": [2]}, "digits.ns.svc", cause)
        for cause in [("/a", "1"), ("/a", "1"), ("/a", "2"), ("/b", "1"), None, None]
    ]
    reading = read_kafka([["content-type", results.STRUCTURED]], results.written(events[0]))
    assert (reading.mode, reading.problems) == ("structured", [])
    assert {name: value for name, value in events[0].items() if name not in {"id", "time"}} == {
        "specversion": "1.0",
        "source": "/ns/digits",
        "type": "org.zhejianglab.zverse.data-and-computing.kafka-sink-transformer",
        "requesthost": "digits.ns.svc",
        "kserveisvcname": "digits",
        "kserveisvcnamespace": "ns",
        "traceid": "16ec",
        "datacontenttype": "application/json",
        "data": {"predictions": [2]},
    }
    ids = [event["id"] for event in events]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 5


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_that_json_cannot_say_is_not_published(results: Any, number: float) -> None:
    with pytest.raises(results.NotDeliveredError, match="no JSON"):
        results.written({"data": {"predictions": [number]}})


@pytest.mark.parametrize("status", [202, 400, 503, None])
def test_a_broker_has_a_result_when_it_says_2xx(results: Any, status: int | None) -> None:
    posted: list[tuple[str, str, bytes]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        posted.append((str(request.url), request.headers["content-type"], request.content))
        if status is None:
            raise httpx.ConnectError("refused")
        return httpx.Response(status)

    async def scenario() -> None:
        broker = results.ResultBroker(
            results.Settings.read(STRICT | {"RESULT_BROKER": "b", "BROKER_INGRESS": "http://in/"})
        )
        broker._client = httpx.AsyncClient(transport=httpx.MockTransport(answer))
        if status == 202:
            await broker.publish({"id": "1"}, "trace")
        else:
            with pytest.raises(results.NotDeliveredError, match="not with the Broker"):
                await broker.publish({"id": "1"}, "trace")

    asyncio.run(scenario())
    assert posted == [("http://in/ns/b", "application/cloudevents+json", b'{"id": "1"}')]


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
            await asyncio.wait_for(topic.publish({"id": "1"}, "trace"), 30)
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
