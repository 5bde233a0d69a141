"""Every mutant that shows in Kafka's topics and groups does what it says; the honest controllers do the right thing."""

import pytest

from embedded.api.resources import BROKER, TRIGGER
from embedded.controllers.broker import EXTERNAL_TOPIC
from embedded.controllers.trigger import ORDER
from selftest.embedded_platform.doubles import Cluster, is_false, is_true

pytestmark = pytest.mark.anyio

NAMED = {EXTERNAL_TOPIC: "theirs"}


def place(cluster: Cluster, mutant: str | None) -> str:
    """Return a namespace, with a mutant where one is given."""
    return cluster.faulty(mutant) if mutant else "ns"


@pytest.mark.parametrize(
    ("mutant", "topic"), [(None, "theirs"), ("external-topic-ignored", "knative-broker-faulty-broker")]
)
async def test_mutant_external_topic_ignored(cluster: Cluster, mutant: str | None, topic: str) -> None:
    namespace = place(cluster, mutant)
    cluster.topics.made["theirs"] = 2
    cluster.broker(namespace, annotations=NAMED)
    cluster.trigger(namespace=namespace)
    await cluster.until(TRIGGER, "trigger", is_true(), namespace)
    status = await cluster.until(BROKER, "broker", is_true(), namespace)
    served = cluster.plane.brokers[namespace, "broker"], cluster.plane.triggers[namespace, "trigger"]
    assert {status["annotations"]["default.topic"], *(spec.topic for spec in served)} == {topic}


async def test_mutant_external_topic_made(cluster: Cluster) -> None:
    cluster.broker(annotations=NAMED)
    await cluster.until(BROKER, "broker", is_false())
    assert not cluster.topics.made
    cluster.broker(cluster.faulty("external-topic-made"), annotations=NAMED)
    await cluster.until(BROKER, "broker", is_true(), "faulty")
    await cluster.until(BROKER, "broker", is_true())  # it is there now


@pytest.mark.parametrize(("mutant", "left"), [(None, ["theirs"]), ("external-topic-deleted", [])])
async def test_mutant_external_topic_deleted(cluster: Cluster, mutant: str | None, left: list[str]) -> None:
    namespace = place(cluster, mutant)
    cluster.topics.made["theirs"] = 2
    cluster.broker(namespace, annotations=NAMED)
    await cluster.until(BROKER, "broker", is_true(), namespace)
    cluster.store.delete(BROKER, namespace, "broker")
    await cluster.gone(BROKER, "broker", namespace)
    assert list(cluster.topics.made) == left


async def test_mutant_partitions_of_the_default(cluster: Cluster) -> None:
    for namespace in ("ns", cluster.faulty("partitions-of-the-default")):
        reference = cluster.config(namespace, {"default.topic.partitions": "2"})
        cluster.broker(namespace, config=reference)
        await cluster.until(BROKER, "broker", is_true(), namespace)
    assert cluster.topics.made == {"knative-broker-ns-broker": 2, "knative-broker-faulty-broker": 10}


@pytest.mark.parametrize(("mutant", "named"), [(None, True), ("group-of-another-name", False)])
async def test_mutant_group_of_another_name(cluster: Cluster, mutant: str | None, *, named: bool) -> None:
    namespace = place(cluster, mutant)
    cluster.broker(namespace)
    cluster.trigger(namespace=namespace, annotations={ORDER: "unordered"})
    status = await cluster.until(TRIGGER, "trigger", is_true(), namespace)
    group = cluster.plane.triggers[namespace, "trigger"].group
    assert (status["annotations"]["group.id"] == group) is named
