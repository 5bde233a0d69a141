"""Which groups read which topics is what the objects say; how far they have come is what the probe saw."""

from typing import Any

import pytest

from fixtures.diagnostics import kafka
from fixtures.diagnostics.kafka import TopicReading
from fixtures.errors import ProbeError
from selftest.diagnostics.cluster import FakeProbe, obj

BROKER = obj("Broker", "b", status={"annotations": {"default.topic": "topic-b"}})
TRIGGER = obj("Trigger", "t", spec={"broker": "b"}, status={"annotations": {"group.id": "group-t"}})
GROUP = obj(
    "ConsumerGroup",
    "uid",
    spec={"template": {"spec": {"topics": ["topic-b"], "configs": {"Configs": {"group.id": "group-t"}}}}},
)
SELDON = obj(
    "SeldonDeployment",
    "cifar",
    spec={
        "predictors": [
            {
                "name": "model",
                "svcOrchSpec": {
                    "env": [
                        {"name": "KAFKA_INPUT_TOPIC", "value": "in"},
                        {"name": "KAFKA_OUTPUT_TOPIC", "value": "out"},
                        {"name": "KAFKA_BROKER", "value": "kafka:9092"},
                    ]
                },
            }
        ]
    },
)
SERVICE = obj(
    "InferenceService",
    "i",
    spec={"transformer": {"containers": [{"env": [{"name": "KAFKA_TOPIC", "value": "results"}]}]}},
)


VARIABLES = ("KAFKA_INPUT_TOPIC", "KAFKA_OUTPUT_TOPIC", "KAFKA_TOPIC")


@pytest.mark.parametrize(
    ("objects", "found"),
    [
        ([BROKER, TRIGGER], [("topic-b", "group-t", "Trigger flow/t")]),
        ([BROKER, TRIGGER, GROUP], [("topic-b", "group-t", "Trigger flow/t")]),
        ([GROUP], [("topic-b", "group-t", "ConsumerGroup flow/uid")]),
        ([BROKER], [("topic-b", "", "Broker flow/b")]),
        ([TRIGGER], []),
        (
            [SELDON],
            [("in", "model.cifar.flow", "SeldonDeployment flow/cifar"), ("out", "", "SeldonDeployment flow/cifar")],
        ),
        ([SERVICE], [("results", "", "InferenceService flow/i")]),
        ([], []),
    ],
    ids=["trigger", "both", "consumer-group", "no-trigger", "no-broker", "seldon", "inference-service", "nothing"],
)
def test_readings_are_what_the_objects_say(objects: list[dict[str, Any]], found: list[tuple[str, str, str]]) -> None:
    assert kafka.readings(objects, variables=VARIABLES) == [TopicReading(*one) for one in found]


def test_topics_of_the_test_itself_come_once() -> None:
    found = kafka.readings([BROKER, TRIGGER], ["topic-b", "own"])
    assert [(one.topic, one.group) for one in found] == [("own", ""), ("topic-b", "group-t")]


@pytest.mark.parametrize("junk", [None, "x", 7, [None], {"a": "b"}])
@pytest.mark.parametrize("kind", ["Broker", "Trigger", "ConsumerGroup", "SeldonDeployment", "InferenceService"])
def test_nothing_is_expected_to_be_there(kind: str, junk: Any) -> None:
    kafka.readings([obj(kind, "x", spec=junk, status=junk)], variables=VARIABLES)
    spec = {"predictors": junk, "template": {"spec": {"topics": junk, "configs": junk}}}
    kafka.readings([obj(kind, "x", spec=spec)], variables=VARIABLES)


SEEN = {"begin": {"0": 0, "1": 5, "10": 0}, "end": {"0": 7, "10": 1, "1": 9}, "committed": {"0": 4}}


def test_lag_is_told_by_partition_and_in_sum() -> None:
    assert kafka.lines(TopicReading("t", "g", "Trigger ns/t"), SEEN) == [
        "t: 3 partitions, 12 records; group g lags 8 behind (Trigger ns/t)",
        "  partition 0: committed 4, end 7",
        "  partition 1: committed nothing, end 9",
        "  partition 10: committed nothing, end 1",
    ]


def test_in_brief_only_partitions_that_lag_are_told() -> None:
    seen = {"begin": {"0": 0, "1": 0}, "end": {"0": 5, "1": 5}, "committed": {"0": 5, "1": 2}}
    assert kafka.lines(TopicReading("t", "g", "x"), seen, brief=True) == [
        "t: 2 partitions, 10 records; group g lags 3 behind (x)",
        "  partition 1: committed 2, end 5",
    ]


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        ({"end": {}, "committed": {}}, ["t: there is no such topic (x)"]),
        ({}, ["t: there is no such topic (x)"]),
        ({"end": {"0": 2}, "begin": {"0": 0}}, ["t: 1 partitions, 2 records (x)", "  partition 0: 2 records, end 2"]),
    ],
    ids=["no-topic", "nothing", "no-group"],
)
def test_topics_without_a_group(seen: dict[str, Any], said: list[str]) -> None:
    assert kafka.lines(TopicReading("t", "", "x"), seen) == said


class Telling(FakeProbe):
    """A probe of a Kafka with three replicas."""

    def describe_topic(self, name: str) -> dict[str, Any]:
        """Answer for the topic t."""
        if name != "t":
            raise ProbeError(f"there is no topic {name}")
        config = {"retention.ms": "3600", "cleanup.policy": "delete"}
        return {"partitions": {"0": {"leader": 1, "replicas": [1, 2, 3]}}, "config": config}


@pytest.mark.parametrize(
    ("probe", "topic", "said"),
    [
        (Telling, "t", ["  replication factor 3", "  cleanup.policy=delete", "  retention.ms=3600"]),
        (Telling, "gone", ["  configuration not read: there is no topic gone"]),
        (FakeProbe, "t", ["  replication factor 1", "  configuration not read: nothing is told of t"]),
    ],
    ids=["told", "refused", "mock"],
)
def test_a_topics_configuration_follows_where_there_is_one(probe: type[FakeProbe], topic: str, said: list[str]) -> None:
    reading = TopicReading(topic, "g", "x")
    seen = kafka.look(probe({topic: SEEN}), "s", reading)
    assert kafka.lines(reading, seen)[4:] == said
    assert kafka.lines(reading, seen, brief=True)[4:] == []
