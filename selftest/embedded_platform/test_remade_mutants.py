"""Mutants of what comes back, of statuses and of what was never Ready; the honest controllers do the right thing."""

from typing import Any

import pytest

from embedded.api.resources import BROKER, CONFIGMAP, SERVICE, TRIGGER
from selftest.embedded_platform.doubles import CONFIG, KAFKA, REFERENCE, URI, Cluster, eventually, is_false, is_true

pytestmark = pytest.mark.anyio
SERVED = {"ports": [{"port": 80}]}
TO_SERVICE = {"ref": {"apiVersion": "v1", "kind": "Service", "name": "svc"}}
TO_BROKER = {"ref": {"apiVersion": "eventing.knative.dev/v1", "kind": "Broker", "name": "other"}}


@pytest.mark.parametrize(("mutant", "settled"), [(None, is_true()), ("orphan-stays-orphan", is_false())])
async def test_mutant_orphan_stays_orphan(cluster: Cluster, mutant: str | None, settled: Any) -> None:
    namespace = cluster.faulty(mutant) if mutant else "ns"
    await cluster.lose_broker(namespace)
    cluster.broker(namespace)
    await cluster.until(BROKER, "broker", is_true(), namespace)
    cluster.trigger("late", namespace)
    await cluster.until(TRIGGER, "late", is_true(), namespace)
    await cluster.until(TRIGGER, "trigger", settled, namespace)
    assert ((namespace, "trigger") in cluster.plane.triggers) is (mutant is None)


async def test_a_broker_that_is_made_again_at_once_is_another_one(cluster: Cluster) -> None:
    await cluster.lose_broker()
    cluster.broker()
    await eventually(lambda: cluster.plane.removed)
    await eventually(lambda: ("ns", "trigger") in cluster.plane.triggers)


@pytest.mark.parametrize(
    ("mutant", "settled", "uri"),
    [
        (None, is_false(), False),
        ("resolved-stays-resolved", is_true(), True),
        ("subscriber-uri-stays", is_false(), True),
    ],
)
async def test_mutants_of_a_subscriber_that_goes(
    cluster: Cluster, mutant: str | None, settled: Any, *, uri: bool
) -> None:
    namespace = cluster.faulty(mutant) if mutant else "ns"
    cluster.create(SERVICE, "svc", namespace, spec=SERVED)
    cluster.broker(namespace)
    cluster.trigger(namespace=namespace, subscriber=TO_SERVICE)
    await cluster.until(TRIGGER, "trigger", is_true(), namespace)
    cluster.store.delete(SERVICE, namespace, "svc")
    cluster.trigger("late", namespace)
    await cluster.until(TRIGGER, "late", is_true(), namespace)
    status = await cluster.until(TRIGGER, "trigger", settled, namespace)
    assert bool(status.get("subscriberUri")) is uri


@pytest.mark.parametrize("namespace", ["ns", "knative-eventing"])
async def test_a_broker_whose_dead_letter_sink_goes_is_ready_no_more(cluster: Cluster, namespace: str) -> None:
    cluster.create(SERVICE, "svc", namespace, spec=SERVED)
    reference = {**TO_SERVICE["ref"], "namespace": namespace}
    cluster.broker(delivery={"deadLetterSink": {"ref": reference}})
    await cluster.until(BROKER, "broker", is_true())
    cluster.store.delete(SERVICE, namespace, "svc")
    await cluster.until(BROKER, "broker", is_false())
    cluster.create(SERVICE, "svc", namespace, spec=SERVED)
    await cluster.until(BROKER, "broker", is_true())


async def test_a_broker_may_be_the_dead_letter_sink_of_another_one(cluster: Cluster) -> None:
    cluster.broker(delivery={"deadLetterSink": TO_BROKER})
    await cluster.until(BROKER, "broker", is_false())
    cluster.create(BROKER, "other", annotations=KAFKA, spec={"config": REFERENCE})
    status = await cluster.until(BROKER, "broker", is_true())
    assert status["deadLetterSinkUri"].endswith("/ns/other")
    cluster.store.delete(BROKER, "ns", "other")
    await cluster.until(BROKER, "broker", is_false())


@pytest.mark.parametrize(("mutant", "subscriber"), [(None, "http://new/"), ("old-spec-of-the-name", "http://old/")])
async def test_mutant_old_spec_of_the_name(cluster: Cluster, mutant: str | None, subscriber: str) -> None:
    namespace = cluster.faulty(mutant) if mutant else "ns"
    cluster.broker(namespace)
    for uri in ("http://old/", "http://new/"):
        cluster.trigger(namespace=namespace, subscriber={"uri": uri})
        await cluster.until(TRIGGER, "trigger", is_true(), namespace)
        served = cluster.plane.triggers[namespace, "trigger"].subscriber
        cluster.store.delete(TRIGGER, namespace, "trigger")
        await cluster.gone(TRIGGER, "trigger", namespace)
    assert served == subscriber


@pytest.mark.parametrize("mutant", [None, "dead-letter-uri-stays"])
async def test_mutant_dead_letter_uri_stays(cluster: Cluster, mutant: str | None) -> None:
    namespace = cluster.faulty(mutant) if mutant else "ns"
    cluster.broker(namespace, delivery={"deadLetterSink": {"uri": URI}})
    await cluster.until(BROKER, "broker", is_true(), namespace)
    obj = cluster.store.get(BROKER, namespace, "broker")
    del obj["spec"]["delivery"]
    generation = cluster.store.update(BROKER, obj)["metadata"]["generation"]
    status = await cluster.until(BROKER, "broker", lambda told: told["observedGeneration"] == generation, namespace)
    assert ("deadLetterSinkUri" in status) is (mutant is not None)


async def test_mutant_first_generation_stays(cluster: Cluster) -> None:
    cluster.broker(cluster.faulty("first-generation-stays"))
    await cluster.until(BROKER, "broker", is_true(), "faulty")
    obj = cluster.store.get(BROKER, "faulty", "broker")
    obj["spec"]["delivery"] = {"deadLetterSink": {"uri": URI}}
    assert cluster.store.update(BROKER, obj)["metadata"]["generation"] == 2
    status = await cluster.until(BROKER, "broker", lambda told: "deadLetterSinkUri" in told, "faulty")
    assert status["observedGeneration"] == 1


@pytest.mark.parametrize("mutant", [None, "status-copies-config"])
async def test_mutant_status_copies_config(cluster: Cluster, mutant: str | None) -> None:
    namespace = cluster.faulty(mutant) if mutant else "ns"
    cluster.create(CONFIGMAP, "own", namespace, data={**CONFIG, "note": "x"})
    cluster.broker(namespace, config={**REFERENCE, "name": "own", "namespace": namespace})
    status = await cluster.until(BROKER, "broker", is_true(), namespace)
    assert ("note" in status["annotations"]) is (mutant is not None)


@pytest.mark.parametrize(
    ("mutant", "change"),
    [
        ("finalizer-needs-readable-config", {"default.topic.partitions": "many"}),
        ("finalizer-needs-kafka-host", {"bootstrap.servers": "nowhere:9092"}),
        ("finalizer-needs-config", None),
    ],
)
async def test_mutants_whose_finalizers_need_what_never_was(
    cluster: Cluster, mutant: str, change: dict[str, str] | None
) -> None:
    for namespace in (cluster.faulty(mutant), "ns"):
        if change is not None:
            cluster.create(CONFIGMAP, "own", namespace, data={**CONFIG, **change})
        cluster.broker(namespace, config={**REFERENCE, "name": "own", "namespace": namespace})
        await cluster.until(BROKER, "broker", is_false(), namespace)
        cluster.store.delete(BROKER, namespace, "broker")
    await cluster.gone(BROKER, "broker")
    assert cluster.store.get(BROKER, "faulty", "broker")["metadata"]["finalizers"]


@pytest.mark.parametrize("uri", ["http://[::1", "http://x:99999/", "ftp://h/"])
async def test_mutant_one_failure_ends_the_round(cluster: Cluster, uri: str) -> None:
    for namespace in (cluster.faulty("one-failure-ends-the-round"), "ns"):
        cluster.broker(namespace)
        await cluster.until(BROKER, "broker", is_true(), namespace)
        cluster.trigger("hopeless", namespace, subscriber={"uri": uri})
        cluster.trigger(namespace=namespace)
    await cluster.until(TRIGGER, "trigger", is_true())
    assert "status" not in cluster.store.get(TRIGGER, "faulty", "trigger")
    cluster.store.delete(TRIGGER, "faulty", "hopeless")
    await cluster.until(TRIGGER, "trigger", is_true(), "faulty")
