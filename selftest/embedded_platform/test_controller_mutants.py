"""Every mutant of the Broker and Trigger controllers does what it says; the honest controllers do the right thing."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from embedded.api.resources import BROKER, CONFIGMAP, NAMESPACE, SECRET, SERVICE, TRIGGER
from embedded.controllers.broker import CREDENTIALS
from embedded.controllers.faults import FAULT
from embedded.mutants.selection import LABEL
from selftest.embedded_platform.doubles import (
    CONFIG,
    KAFKA,
    REFERENCE,
    URI,
    Cluster,
    eventually,
    is_false,
    is_true,
    says,
)

pytestmark = pytest.mark.anyio


async def test_mutant_address_missing(cluster: Cluster) -> None:
    cluster.broker(cluster.faulty("address-missing"))
    assert "address" not in await cluster.until(BROKER, "broker", is_true(), "faulty")


async def test_mutant_topic_annotation_wrong(cluster: Cluster) -> None:
    cluster.broker(cluster.faulty("topic-annotation-wrong"))
    status = await cluster.until(BROKER, "broker", is_true(), "faulty")
    assert status["annotations"]["default.topic"] != "knative-broker-faulty-broker"


async def test_mutant_trigger_ready_without_broker(cluster: Cluster) -> None:
    cluster.trigger(namespace=cluster.faulty("trigger-ready-without-broker"))
    await cluster.until(TRIGGER, "trigger", is_true(), "faulty")


async def test_mutant_trigger_without_broker_ignored(cluster: Cluster) -> None:
    cluster.trigger(namespace=cluster.faulty("trigger-without-broker-ignored"))
    cluster.trigger()
    await cluster.until(TRIGGER, "trigger", is_false())  # the controller had its turn
    assert "status" not in cluster.store.get(TRIGGER, "faulty", "trigger")


@pytest.mark.parametrize(("mutant", "status"), [(None, "False"), ("trigger-without-broker-ignored", "True")])
async def test_a_trigger_whose_broker_goes(cluster: Cluster, mutant: str | None, status: str) -> None:
    namespace = cluster.faulty(mutant) if mutant else "ns"
    await cluster.lose_broker(namespace)
    await eventually(lambda: not cluster.plane.triggers or mutant is None)
    await cluster.until(TRIGGER, "trigger", lambda told: says(told)[0] == status, namespace)


async def test_mutant_delivery_merged(cluster: Cluster) -> None:
    cluster.broker(cluster.faulty("delivery-merged"), delivery={"backoffDelay": "PT1S"})
    cluster.trigger(namespace="faulty", delivery={"retry": 1})
    await cluster.until(TRIGGER, "trigger", is_true(), "faulty")
    assert cluster.plane.triggers["faulty", "trigger"].delivery == {"retry": 1, "backoffDelay": "PT1S"}


@pytest.mark.parametrize(
    ("mutant", "retry", "sink"),
    [
        (None, None, "http://own/"),
        ("retries-inherited", 3, "http://own/"),
        ("brokers-dead-letter-sink-wins", None, "http://brokers/"),
    ],
)
async def test_mutants_that_mix_deliveries(cluster: Cluster, mutant: str | None, retry: int | None, sink: str) -> None:
    namespace = cluster.faulty(mutant) if mutant else "ns"
    cluster.broker(namespace, delivery={"retry": 3, "deadLetterSink": {"uri": "http://brokers/"}})
    cluster.trigger(namespace=namespace, delivery={"deadLetterSink": {"uri": "http://own/"}})
    await cluster.until(TRIGGER, "trigger", is_true(), namespace)
    served = cluster.plane.triggers[namespace, "trigger"]
    assert (served.delivery.get("retry"), served.dead_letter) == (retry, sink)


@pytest.mark.parametrize(("mutant", "retry"), [(None, 0), ("no-retries-are-left-out", 3)])
async def test_mutant_no_retries_are_left_out(cluster: Cluster, mutant: str | None, retry: int) -> None:
    namespace = cluster.faulty(mutant) if mutant else "ns"
    cluster.broker(namespace, delivery={"retry": 3})
    cluster.trigger(namespace=namespace, delivery={"retry": 0})
    await cluster.until(TRIGGER, "trigger", is_true(), namespace)
    assert cluster.plane.triggers[namespace, "trigger"].delivery == {"retry": retry}


@pytest.mark.parametrize(
    ("mutants", "owned"),
    [("", ["a/b-c"]), ("brokers-share-topic", ["a-b/c", "a/b-c"])],
    ids=["honest", "faulty"],
)
async def test_mutant_brokers_share_topic(cluster: Cluster, mutants: str, owned: list[str]) -> None:
    for namespace in ("a", "a-b"):
        labels = {LABEL: mutants} if mutants else {}
        cluster.store.create(NAMESPACE, {"metadata": {"name": namespace, "labels": labels}})
    cluster.create(BROKER, "b-c", "a", annotations=KAFKA, spec={"config": REFERENCE})
    await cluster.until(BROKER, "b-c", is_true(), "a")
    cluster.create(BROKER, "c", "a-b", annotations=KAFKA, spec={"config": REFERENCE})
    status = await cluster.until(BROKER, "c", is_true() if mutants else is_false(), "a-b")
    assert sorted("/".join(key) for key in cluster.plane.brokers) == owned
    if not mutants:
        assert "belongs to Broker a/b-c" in str(status)
        cluster.store.delete(BROKER, "a", "b-c")
        await cluster.until(BROKER, "c", is_true(), "a-b")
        assert set(cluster.topics.made) == {"knative-broker-a-b-c"}


@pytest.mark.parametrize("missing", [True, False], ids=["missing", "unreadable"])
async def test_mutant_defaults_without_config(cluster: Cluster, *, missing: bool) -> None:
    for namespace in ("ns", cluster.faulty("defaults-without-config")):
        config = {"apiVersion": "v1", "kind": "ConfigMap", "name": "own", "namespace": namespace}
        if not missing:
            cluster.create(CONFIGMAP, "own", namespace, data={**CONFIG, "default.topic.partitions": "many"})
        cluster.broker(namespace, config=config)
    await cluster.until(BROKER, "broker", is_false())
    await cluster.until(BROKER, "broker", is_true(), "faulty")


async def test_mutant_filter_update_ignored(cluster: Cluster) -> None:
    cluster.broker(cluster.faulty("filter-update-ignored"))
    cluster.trigger(namespace="faulty", filter={"attributes": {"type": "a"}})
    await cluster.until(TRIGGER, "trigger", is_true(), "faulty")
    obj = cluster.store.get(TRIGGER, "faulty", "trigger")
    obj["spec"]["filter"]["attributes"]["type"] = "b"
    generation = cluster.store.update(TRIGGER, obj)["metadata"]["generation"]
    await cluster.until(TRIGGER, "trigger", lambda status: status.get("observedGeneration") == generation, "faulty")
    assert cluster.plane.triggers["faulty", "trigger"].filter == {"attributes": {"type": "a"}}


async def test_mutant_trigger_outlives_deletion_but_not_its_broker(cluster: Cluster) -> None:
    cluster.broker(cluster.faulty("trigger-outlives-deletion"))
    cluster.trigger(namespace="faulty")
    await cluster.until(TRIGGER, "trigger", is_true(), "faulty")
    cluster.store.delete(TRIGGER, "faulty", "trigger")
    await cluster.gone(TRIGGER, "trigger", "faulty")
    assert ("faulty", "trigger") in cluster.plane.triggers
    cluster.store.delete(NAMESPACE, None, "faulty")
    await cluster.gone(NAMESPACE, "faulty", "")
    await eventually(lambda: not cluster.plane.triggers)


@pytest.mark.parametrize(("mutant", "accepts"), [(None, False), ("broker-outlives-deletion", True)])
async def test_mutant_broker_outlives_deletion(cluster: Cluster, mutant: str | None, *, accepts: bool) -> None:
    namespace = cluster.faulty(mutant) if mutant else "ns"
    cluster.broker(namespace)
    await cluster.until(BROKER, "broker", is_true(), namespace)
    cluster.store.delete(BROKER, namespace, "broker")
    await cluster.gone(BROKER, "broker", namespace)
    assert ((namespace, "broker") in cluster.plane.brokers) is accepts


NOWHERE = {"ref": {"apiVersion": "v1", "kind": "Service", "name": "nothing"}}


async def subscriber_uri(cluster: Cluster, mutant: str | None, subscriber: dict[str, Any]) -> str | None:
    """Return what a Trigger's subscriber resolves to; None where it does not."""
    namespace = cluster.faulty(mutant) if mutant else "ns"
    cluster.create(SERVICE, "svc", namespace, spec={"ports": [{"port": 80}]})
    cluster.broker(namespace)
    await cluster.until(BROKER, "broker", is_true(), namespace)
    cluster.trigger(namespace=namespace, subscriber=subscriber)
    settled = lambda status: status["conditions"].get("Ready", {}).get("status") in {"True", "False"}  # noqa: E731
    status = await cluster.until(TRIGGER, "trigger", settled, namespace)
    uri: str | None = status.get("subscriberUri")
    return uri and uri.replace(f".{namespace}.", ".NS.").replace(f"/{namespace}/", "/NS/")


@pytest.mark.parametrize(
    ("mutant", "subscriber", "honest", "faulty"),
    [
        (
            "relative-uri-dropped",
            {"ref": {"apiVersion": "v1", "kind": "Service", "name": "svc"}, "uri": "/a"},
            "http://svc.NS.svc.cluster.local/a",
            "http://svc.NS.svc.cluster.local",
        ),
        (
            "service-without-namespace",
            {"ref": {"apiVersion": "v1", "kind": "Service", "name": "svc"}},
            "http://svc.NS.svc.cluster.local",
            "http://svc",
        ),
        (
            "reference-namespace-ignored",
            {"ref": {"apiVersion": "v1", "kind": "Service", "name": "svc", "namespace": "nowhere"}},
            None,
            "http://svc.NS.svc.cluster.local",
        ),
        (
            "address-of-reference-guessed",
            {"ref": {"apiVersion": "eventing.knative.dev/v1", "kind": "Broker", "name": "broker"}},
            "http://kafka-broker-ingress.knative-eventing.svc.cluster.local/NS/broker",
            "http://broker.NS.svc.cluster.local",
        ),
        ("unresolved-is-ready", NOWHERE, None, "http://nothing.NS.svc.cluster.local"),
    ],
)
async def test_mutants_of_destinations(
    cluster: Cluster, mutant: str, subscriber: dict[str, Any], honest: str | None, faulty: str
) -> None:
    assert await subscriber_uri(cluster, None, subscriber) == honest
    assert await subscriber_uri(cluster, mutant, subscriber) == faulty


async def test_mutant_dead_letter_sink_not_told(cluster: Cluster) -> None:
    delivery = {"deadLetterSink": {"uri": URI}}
    cluster.broker(delivery=delivery)
    assert (await cluster.until(BROKER, "broker", is_true()))["deadLetterSinkUri"] == URI
    cluster.broker(cluster.faulty("dead-letter-sink-not-told"), delivery=delivery)
    assert "deadLetterSinkUri" not in await cluster.until(BROKER, "broker", is_true(), "faulty")


async def test_mutant_foreign_class_claimed(cluster: Cluster) -> None:
    theirs = {"eventing.knative.dev/broker.class": "MTChannelBasedBroker"}
    cluster.broker(cluster.faulty("foreign-class-claimed"), annotations=theirs)
    await cluster.until(BROKER, "broker", is_true(), "faulty")


async def test_mutant_early_trigger_forgotten(cluster: Cluster) -> None:
    cluster.trigger(namespace=cluster.faulty("early-trigger-forgotten"))
    await cluster.until(TRIGGER, "trigger", is_false(), "faulty")
    cluster.trigger()
    await cluster.until(TRIGGER, "trigger", is_false())  # the controller is done with what the first has changed itself
    cluster.broker("faulty")
    await cluster.until(BROKER, "broker", is_true(), "faulty")
    cluster.broker()
    await cluster.until(TRIGGER, "trigger", is_true())
    status = cluster.store.get(TRIGGER, "faulty", "trigger")["status"]
    assert [item["status"] for item in status["conditions"] if item["type"] == "Ready"] == ["False"]


async def test_mutant_recreated_broker_unknown(cluster: Cluster) -> None:
    for namespace, served in (("ns", True), (cluster.faulty("recreated-broker-unknown"), False)):
        cluster.broker(namespace)
        await cluster.until(BROKER, "broker", is_true(), namespace)
        assert (namespace, "broker") in cluster.plane.brokers
        cluster.store.delete(BROKER, namespace, "broker")
        await cluster.gone(BROKER, "broker", namespace)
        cluster.broker(namespace)
        await cluster.until(BROKER, "broker", is_true(), namespace)
        assert ((namespace, "broker") in cluster.plane.brokers) is served


@pytest.mark.parametrize(
    ("mutant", "change"),
    [
        ("subscriber-update-ignored", {"subscriber": {"uri": "http://other.example/"}}),
        ("delivery-update-ignored", {"delivery": {"retry": 7}}),
    ],
)
async def test_mutants_that_ignore_a_change(cluster: Cluster, mutant: str, change: dict[str, Any]) -> None:
    for namespace, changes in (("ns", True), (cluster.faulty(mutant), False)):
        cluster.broker(namespace)
        cluster.trigger(namespace=namespace)
        await cluster.until(TRIGGER, "trigger", is_true(), namespace)
        before = cluster.plane.triggers[namespace, "trigger"]
        obj = cluster.store.get(TRIGGER, namespace, "trigger")
        obj["spec"] |= change
        wanted = cluster.store.update(TRIGGER, obj)["metadata"]["generation"]
        told = lambda status, wanted=wanted: status.get("observedGeneration") == wanted  # noqa: E731
        await cluster.until(TRIGGER, "trigger", told, namespace)
        assert (cluster.plane.triggers[namespace, "trigger"] != before) is changes


async def test_mutant_update_loses_events(cluster: Cluster) -> None:
    cluster.broker(cluster.faulty("update-loses-events"))
    cluster.trigger(namespace="faulty")
    await cluster.until(TRIGGER, "trigger", is_true(), "faulty")
    obj = cluster.store.get(TRIGGER, "faulty", "trigger")
    obj["spec"]["filter"] = {"attributes": {"type": "b"}}
    cluster.store.update(TRIGGER, obj)
    await eventually(lambda: ("faulty", "trigger") not in cluster.plane.triggers)
    await eventually(lambda: ("faulty", "trigger") in cluster.plane.triggers)


def cut(cluster: Cluster, order: str, namespace: str) -> None:
    """Order the Kafka of a Broker to go, or to come back."""
    obj = cluster.store.get(BROKER, namespace, "broker")
    obj["metadata"]["annotations"][FAULT] = order
    cluster.store.update(BROKER, obj)


async def test_a_broker_is_not_ready_while_its_kafka_is_away_and_keeps_its_address(cluster: Cluster) -> None:
    cluster.broker()
    before = await cluster.until(BROKER, "broker", is_true())
    cut(cluster, "kafka-away/1", "ns")
    meanwhile = await cluster.until(BROKER, "broker", is_false())
    assert meanwhile["address"] == before["address"]
    assert meanwhile["annotations"]["default.topic"] == before["annotations"]["default.topic"]
    cut(cluster, "kafka-back/2", "ns")
    await cluster.until(BROKER, "broker", is_true())


async def test_mutant_outage_unnoticed(cluster: Cluster) -> None:
    cluster.broker(cluster.faulty("outage-unnoticed"))
    await cluster.until(BROKER, "broker", is_true(), "faulty")
    cut(cluster, "kafka-away/1", "faulty")
    told = {FAULT: "kafka-away/1"}
    status = await cluster.until(BROKER, "broker", lambda seen: told.items() <= seen["annotations"].items(), "faulty")
    assert status["conditions"]["Ready"]["status"] == "True"


@pytest.mark.parametrize(("mutant", "comes"), [(None, True), ("outage-never-retried", False)])
async def test_mutant_outage_never_retried(cluster: Cluster, mutant: str | None, *, comes: bool) -> None:
    namespace = cluster.faulty(mutant) if mutant else "ns"
    cluster.broker(namespace)
    await cluster.until(BROKER, "broker", is_true(), namespace)
    cut(cluster, "kafka-away/1", namespace)
    await cluster.until(BROKER, "broker", is_false(), namespace)
    cluster.create(BROKER, "late", namespace, annotations=KAFKA, spec={"config": REFERENCE})
    await cluster.until(BROKER, "late", is_false(), namespace)
    cut(cluster, "kafka-back/2", namespace)
    await cluster.until(BROKER, "broker", is_true(), namespace)
    # Another Broker is made Ready afterwards: the controller had its turn.
    cluster.create(BROKER, "later", namespace, annotations=KAFKA, spec={"config": REFERENCE})
    await cluster.until(BROKER, "later", is_true(), namespace)
    conditions = cluster.store.get(BROKER, namespace, "late")["status"]["conditions"]
    assert {each["type"]: each["status"] for each in conditions}["Ready"] == str(comes)


@pytest.mark.parametrize(("mutant", "orphaned"), [(None, False), ("outage-orphans-topic", True)])
async def test_mutant_outage_orphans_topic(cluster: Cluster, mutant: str | None, *, orphaned: bool) -> None:
    namespace = cluster.faulty(mutant) if mutant else "ns"
    cluster.broker(namespace)
    cluster.create(BROKER, "other", namespace, annotations=KAFKA, spec={"config": REFERENCE})
    for name in ("broker", "other"):
        await cluster.until(BROKER, name, is_true(), namespace)
    cut(cluster, "kafka-away/1", namespace)
    await cluster.until(BROKER, "broker", is_false(), namespace)
    cluster.store.delete(BROKER, namespace, "other")
    # Another Broker is looked at afterwards: the controller had its turn.
    cluster.create(BROKER, "later", namespace, annotations=KAFKA, spec={"config": REFERENCE})
    await cluster.until(BROKER, "later", is_false(), namespace)
    assert (cluster.store.find(BROKER, namespace, "other") is None) is orphaned
    cut(cluster, "kafka-back/2", namespace)
    await cluster.gone(BROKER, "other", namespace)
    assert (f"knative-broker-{namespace}-other" in cluster.topics.made) is orphaned


async def test_mutant_topic_outlives_broker(cluster: Cluster) -> None:
    cluster.broker(cluster.faulty("topic-outlives-broker"))
    await cluster.until(BROKER, "broker", is_true(), "faulty")
    cluster.store.delete(BROKER, "faulty", "broker")
    await cluster.gone(BROKER, "broker", "faulty")
    assert list(cluster.topics.made) == ["knative-broker-faulty-broker"]


@pytest.mark.parametrize("mutant", ["finalizer-needs-config", "trigger-finalizer-needs-broker"])
async def test_mutants_whose_finalizers_need_what_is_gone(cluster: Cluster, mutant: str) -> None:
    for namespace in ("ns", cluster.faulty(mutant)):
        cluster.create(CONFIGMAP, "own", namespace, data=CONFIG)
        cluster.broker(namespace, config={**REFERENCE, "name": "own", "namespace": namespace})
        cluster.trigger(namespace=namespace)
        await cluster.until(TRIGGER, "trigger", is_true(), namespace)
        cluster.store.delete(CONFIGMAP, namespace, "own")
        await cluster.until(BROKER, "broker", is_false("ConfigParsed"), namespace)
        cluster.store.delete(BROKER, namespace, "broker")
    await cluster.gone(BROKER, "broker")
    if mutant == "finalizer-needs-config":
        assert cluster.store.get(BROKER, "faulty", "broker")["metadata"]["finalizers"]
        return
    await cluster.gone(BROKER, "broker", "faulty")
    for namespace in ("faulty", "ns"):
        cluster.store.delete(TRIGGER, namespace, "trigger")
    await cluster.gone(TRIGGER, "trigger")
    assert cluster.store.get(TRIGGER, "faulty", "trigger")["metadata"]["finalizers"]


@pytest.mark.parametrize(("mutant", "first"), [(None, is_false()), ("missing-secret-ignored", is_true())])
async def test_mutant_missing_secret_ignored(cluster: Cluster, mutant: str | None, first: Callable[..., bool]) -> None:
    namespace = cluster.faulty(mutant) if mutant else "ns"
    cluster.broker(namespace, config=cluster.config(namespace, {CREDENTIALS: "credentials"}))
    await cluster.until(BROKER, "broker", first, namespace)
    cluster.create(SECRET, "credentials", namespace)
    await cluster.until(BROKER, "broker", is_true(), namespace)


async def test_mutant_finalizer_needs_secret(cluster: Cluster) -> None:
    for namespace in ("ns", cluster.faulty("finalizer-needs-secret")):
        cluster.create(SECRET, "credentials", namespace)
        cluster.broker(namespace, config=cluster.config(namespace, {CREDENTIALS: "credentials"}))
        await cluster.until(BROKER, "broker", is_true(), namespace)
        cluster.store.delete(SECRET, namespace, "credentials")
        await cluster.until(BROKER, "broker", is_false("ConfigParsed"), namespace)
        cluster.store.delete(BROKER, namespace, "broker")
    await cluster.gone(BROKER, "broker")
    assert cluster.store.get(BROKER, "faulty", "broker")["metadata"]["finalizers"]


@pytest.mark.parametrize(("mutant", "serves"), [(None, True), ("table-locked-while-changing", False)])
async def test_mutant_table_locked_while_changing(cluster: Cluster, mutant: str | None, *, serves: bool) -> None:
    namespace = cluster.faulty(mutant) if mutant else "ns"
    cluster.broker(namespace)
    await cluster.until(BROKER, "broker", is_true(), namespace)
    cluster.create(BROKER, "other", namespace, annotations=KAFKA, spec={"config": REFERENCE})
    meanwhile = (namespace, "broker") in cluster.plane.brokers
    while (namespace, "other") not in cluster.plane.brokers:
        await asyncio.sleep(0)
        meanwhile &= (namespace, "broker") in cluster.plane.brokers
    assert meanwhile is serves
    assert (namespace, "broker") in cluster.plane.brokers
