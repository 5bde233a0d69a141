"""Every mutant of the Broker and Trigger controllers does what it says; the honest controllers do the right thing."""

from typing import Any

import pytest

from embedded.api.resources import BROKER, NAMESPACE, SERVICE, TRIGGER
from selftest.embedded_platform.doubles import (
    URI,
    Cluster,
    eventually,
    is_false,
    is_true,
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


async def test_mutant_delivery_merged(cluster: Cluster) -> None:
    cluster.broker(cluster.faulty("delivery-merged"), delivery={"backoffDelay": "PT1S"})
    cluster.trigger(namespace="faulty", delivery={"retry": 1})
    await cluster.until(TRIGGER, "trigger", is_true(), "faulty")
    assert cluster.plane.triggers["faulty", "trigger"].delivery == {"retry": 1, "backoffDelay": "PT1S"}


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
