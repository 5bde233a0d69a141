"""Mutants of changes do what they say; the honest controllers do the right thing."""

from typing import Any

import pytest

from embedded.api.resources import BROKER, NAMESPACE, SERVICE, TRIGGER
from embedded.mutants.selection import LABEL
from selftest.embedded_platform.doubles import Cluster, is_false, is_true

pytestmark = pytest.mark.anyio
SINK = {"deadLetterSink": {"uri": "http://letters.example.com/"}}


async def changed(cluster: Cluster, namespace: str, **change: Any) -> None:
    """Change fields of a Trigger's spec, None taking one out, and wait until its controller has seen that."""
    obj = cluster.store.get(TRIGGER, namespace, "trigger")
    obj["spec"] = {name: value for name, value in {**obj["spec"], **change}.items() if value is not None}
    wanted = cluster.store.update(TRIGGER, obj)["metadata"]["generation"]
    await cluster.until(TRIGGER, "trigger", lambda status: status.get("observedGeneration") == wanted, namespace)


@pytest.mark.parametrize(
    ("mutant", "left"),
    [
        (None, (None, None)),
        ("removed-filter-stays", ({"attributes": {"type": "a"}}, None)),
        ("removed-dead-letter-sink-stays", (None, SINK["deadLetterSink"]["uri"])),
    ],
)
async def test_mutants_that_keep_what_is_taken_out(cluster: Cluster, mutant: str | None, left: tuple[Any, Any]) -> None:
    namespace = cluster.faulty(mutant) if mutant else "ns"
    cluster.broker(namespace)
    cluster.trigger(namespace=namespace, filter={"attributes": {"type": "a"}}, delivery=SINK)
    await cluster.until(TRIGGER, "trigger", is_true(), namespace)
    await changed(cluster, namespace, filter=None, delivery=None)
    served = cluster.plane.triggers[namespace, "trigger"]
    assert (served.filter, served.dead_letter) == left


@pytest.mark.parametrize(("mutant", "last"), [(None, "http://b/"), ("hasty-change-ignored", "http://a/")])
async def test_mutant_hasty_change_ignored(cluster: Cluster, mutant: str | None, last: str) -> None:
    namespace = cluster.faulty(mutant) if mutant else "ns"
    cluster.broker(namespace)
    cluster.trigger(namespace=namespace)
    await cluster.until(TRIGGER, "trigger", is_true(), namespace)
    for uri in ("http://a/", "http://b/"):
        await changed(cluster, namespace, subscriber={"uri": uri})
    assert cluster.plane.triggers[namespace, "trigger"].subscriber == last


@pytest.mark.parametrize(("mutant", "first"), [("", "http://a/"), ("same-names-taken-for-one", "http://b/")])
async def test_mutant_same_names_taken_for_one(cluster: Cluster, mutant: str, first: str) -> None:
    for namespace, uri in (("a", "http://a/"), ("b", "http://b/")):
        cluster.store.create(NAMESPACE, {"metadata": {"name": namespace, "labels": {LABEL: mutant} if mutant else {}}})
        cluster.broker(namespace)
        await cluster.until(BROKER, "broker", is_true(), namespace)
        cluster.trigger(namespace=namespace, subscriber={"uri": uri})
        await cluster.until(TRIGGER, "trigger", is_true(), namespace)
    assert cluster.plane.triggers["a", "trigger"].subscriber == first
    assert cluster.plane.triggers["b", "trigger"].subscriber == "http://b/"


@pytest.mark.parametrize("mutant", [None, "failures-unexplained"])
async def test_mutant_failures_unexplained(cluster: Cluster, mutant: str | None) -> None:
    namespace = cluster.faulty(mutant) if mutant else "ns"
    cluster.trigger(namespace=namespace)
    status = await cluster.until(TRIGGER, "trigger", is_false(), namespace)
    assert ("reason" in status["conditions"]["Ready"]) is (mutant is None)


@pytest.mark.parametrize(
    ("mutant", "end"), [(None, "svc.other.svc.cluster.local/a"), ("dead-letter-reference-cut", ".svc.cluster.local")]
)
async def test_mutant_dead_letter_reference_cut(cluster: Cluster, mutant: str | None, end: str) -> None:
    namespace = cluster.faulty(mutant) if mutant else "ns"
    cluster.store.create(NAMESPACE, {"metadata": {"name": "other"}})
    for place in (namespace, "other"):
        cluster.create(SERVICE, "svc", place, spec={"ports": [{"port": 80}]})
    reference = {"apiVersion": "v1", "kind": "Service", "name": "svc", "namespace": "other"}
    cluster.broker(namespace)
    cluster.trigger(namespace=namespace, delivery={"deadLetterSink": {"ref": reference, "uri": "/a"}})
    await cluster.until(TRIGGER, "trigger", is_true(), namespace)
    sink = cluster.plane.triggers[namespace, "trigger"].dead_letter or ""
    assert sink.endswith(end if mutant is None else f"svc.{namespace}{end}")


@pytest.mark.parametrize("mutant", [None, "retries-outlive-deletion"])
async def test_mutant_retries_outlive_deletion(cluster: Cluster, mutant: str | None) -> None:
    namespace = cluster.faulty(mutant) if mutant else "ns"
    cluster.broker(namespace)
    cluster.trigger(namespace=namespace)
    await cluster.until(TRIGGER, "trigger", is_true(), namespace)
    cluster.store.delete(TRIGGER, namespace, "trigger")
    await cluster.gone(TRIGGER, "trigger", namespace)
    left = cluster.plane.triggers.get((namespace, "trigger"))
    assert (left is not None and left.filter) == (mutant is not None and {"attributes": {"type": "of-no-event"}})
