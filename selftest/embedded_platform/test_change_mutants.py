"""Mutants of changes do what they say; the honest controllers do the right thing."""

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from embedded.api.resources import BROKER, NAMESPACE, SERVICE, TRIGGER, Resource
from embedded.controllers.trigger import ORDER
from embedded.mutants.selection import LABEL
from selftest.embedded_platform.doubles import Cluster, is_false, is_true

pytestmark = pytest.mark.anyio
Check: TypeAlias = Callable[[dict[str, Any]], bool]
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


A, B = {"exact": {"type": "a"}}, {"exact": {"type": "b"}}
OTHER = {"deadLetterSink": {"uri": "http://other.example.com/"}}
THEIRS = {"deadLetterSink": {"uri": "http://theirs.example.com/"}}


@pytest.mark.parametrize(
    ("mutant", "field", "change", "served"),
    [
        ("filters-update-ignored", "filters", ([A], [B]), ([B], [A])),
        ("removals-ignored", "filters", ([A, B], [A]), ([A], [A, B])),
        ("removals-ignored", "filters", ([{"any": [A, B]}], [{"any": [A]}]), ([{"any": [A]}], [{"any": [A, B]}])),
        ("removals-ignored", "filters", ([A], [B]), ([B], [B])),
        ("removals-ignored", "filters", ([A], None), ([], [A])),
        ("second-delivery-ignored", "delivery", (SINK, OTHER), (OTHER, SINK)),
        ("second-delivery-ignored", "delivery", (SINK, None), (THEIRS, SINK)),
        ("removed-delivery-is-none", "delivery", (SINK, None), (THEIRS, {})),
        ("removed-delivery-is-none", "delivery", (SINK, OTHER), (OTHER, OTHER)),
    ],
)
async def test_mutants_that_pass_over_a_change(
    cluster: Cluster, mutant: str, field: str, change: tuple[Any, Any], served: tuple[Any, Any]
) -> None:
    for namespace, expected in zip(("ns", cluster.faulty(mutant)), served, strict=True):
        cluster.broker(namespace, delivery=THEIRS)
        cluster.trigger(namespace=namespace, **{field: change[0]})
        await cluster.until(TRIGGER, "trigger", is_true(), namespace)
        await changed(cluster, namespace, **{field: change[1]})
        spec = cluster.plane.triggers[namespace, "trigger"]
        assert (list(spec.filters or ()) if field == "filters" else spec.delivery) == expected
        assert spec.dead_letter == (spec.delivery.get("deadLetterSink") or {}).get("uri")


async def made_ordered(cluster: Cluster, mutant: str | None, order: str) -> str:
    """Have a Trigger that is Ready, and change its order of delivery alone; return its namespace."""
    namespace = cluster.faulty(mutant) if mutant else "ns"
    cluster.broker(namespace)
    cluster.trigger(namespace=namespace)
    await cluster.until(TRIGGER, "trigger", is_true(), namespace)
    obj = cluster.store.get(TRIGGER, namespace, "trigger")
    obj["metadata"]["annotations"] = {ORDER: order}
    cluster.store.update(TRIGGER, obj)
    return namespace


@pytest.mark.parametrize(("mutant", "changes"), [(None, True), ("order-change-ignored", False)])
async def test_mutant_order_change_ignored(cluster: Cluster, mutant: str | None, *, changes: bool) -> None:
    namespace = await made_ordered(cluster, mutant, "Ordered")
    await changed(cluster, namespace, subscriber={"uri": "http://later.example.com/"})
    assert cluster.plane.triggers[namespace, "trigger"].ordered is changes


@pytest.mark.parametrize(("mutant", "ordered"), [(None, [True, True]), ("order-change-alone-ignored", [False, True])])
async def test_mutant_order_change_alone_ignored(cluster: Cluster, mutant: str | None, ordered: list[bool]) -> None:
    namespace = await made_ordered(cluster, mutant, "ordered")
    cluster.trigger("later", namespace=namespace)
    await cluster.until(TRIGGER, "later", is_true(), namespace)
    seen = [cluster.plane.triggers[namespace, "trigger"].ordered]
    await changed(cluster, namespace, subscriber={"uri": "http://later.example.com/"})
    assert [*seen, cluster.plane.triggers[namespace, "trigger"].ordered] == ordered


@pytest.mark.parametrize(("mutant", "settled"), [(None, is_false()), ("order-typo-is-unordered", is_true())])
async def test_mutant_order_typo_is_unordered(cluster: Cluster, mutant: str | None, settled: Check) -> None:
    namespace = cluster.faulty(mutant) if mutant else "ns"
    cluster.broker(namespace)
    cluster.trigger(namespace=namespace, annotations={ORDER: "orderd"})
    await cluster.until(TRIGGER, "trigger", settled, namespace)


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


@pytest.mark.parametrize(
    ("mutant", "first"),
    [(None, "http://a/"), ("joined-names-taken-for-one", "http://b/"), ("same-names-taken-for-one", "http://a/")],
)
async def test_mutant_joined_names_taken_for_one(cluster: Cluster, mutant: str | None, first: str) -> None:
    for namespace, name, uri in (("a", "b-t", "http://a/"), ("a-b", "t", "http://b/")):
        cluster.store.create(NAMESPACE, {"metadata": {"name": namespace, "labels": {LABEL: mutant} if mutant else {}}})
        cluster.broker(namespace)
        await cluster.until(BROKER, "broker", is_true(), namespace)
        cluster.trigger(name, namespace=namespace, subscriber={"uri": uri})
        await cluster.until(TRIGGER, name, is_true(), namespace)
    assert cluster.plane.triggers["a", "b-t"].subscriber == first
    assert cluster.plane.triggers["a-b", "t"].subscriber == "http://b/"


@pytest.mark.parametrize(("mutant", "first"), [(None, "http://a/"), ("dots-taken-for-hyphens", "http://b/")])
async def test_mutant_dots_taken_for_hyphens(cluster: Cluster, mutant: str | None, first: str) -> None:
    namespace = cluster.faulty(mutant) if mutant else "ns"
    cluster.broker(namespace)
    await cluster.until(BROKER, "broker", is_true(), namespace)
    for name, uri in (("t.a", "http://a/"), ("t-a", "http://b/"), ("ta", "http://c/")):
        cluster.trigger(name, namespace=namespace, subscriber={"uri": uri})
        await cluster.until(TRIGGER, name, is_true(), namespace)
    served = [cluster.plane.triggers[namespace, name].subscriber for name in ("t.a", "t-a", "ta")]
    assert served == [first, "http://b/", "http://c/"]


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


NOWHERE = {"ref": {"apiVersion": "v1", "kind": "Service", "name": "nothing"}}


@pytest.mark.parametrize(("mutant", "paused"), [(None, 1), ("unresolved-begins-anew", 0)])
async def test_a_trigger_whose_subscriber_leads_nowhere(cluster: Cluster, mutant: str | None, paused: int) -> None:
    namespace = cluster.faulty(mutant) if mutant else "ns"
    key = (namespace, "trigger")
    cluster.broker(namespace)
    cluster.trigger(namespace=namespace)
    await cluster.until(TRIGGER, "trigger", is_true(), namespace)
    await changed(cluster, namespace, subscriber=NOWHERE)
    assert (cluster.plane.paused, cluster.plane.removed) == ([key] * paused, [key] * (1 - paused))
    await changed(cluster, namespace, subscriber={"uri": "http://later.example.com/"})
    assert cluster.plane.triggers[key].subscriber == "http://later.example.com/"
    await changed(cluster, namespace, subscriber=NOWHERE)
    cluster.store.delete(TRIGGER, namespace, "trigger")
    await cluster.gone(TRIGGER, "trigger", namespace)
    assert cluster.plane.removed == [key] * (2 - paused)
    assert cluster.plane.triggers == {}


@pytest.mark.parametrize(("mutant", "removed"), [(None, 0), ("label-change-begins-anew", 1)])
@pytest.mark.parametrize("kind", [TRIGGER, BROKER], ids=["trigger", "broker"])
async def test_a_change_of_labels(cluster: Cluster, kind: Resource, mutant: str | None, removed: int) -> None:
    namespace = cluster.faulty(mutant) if mutant else "ns"
    cluster.broker(namespace)
    cluster.trigger(namespace=namespace)
    await cluster.until(TRIGGER, "trigger", is_true(), namespace)
    obj = cluster.store.get(kind, namespace, kind.kind.lower())
    obj["metadata"]["labels"] = {"a": "b"}
    cluster.store.update(kind, obj)
    await changed(cluster, namespace, filter={"attributes": {"type": "b"}})
    assert cluster.plane.removed == [(namespace, "trigger")] * removed
    assert (namespace, "trigger") in cluster.plane.triggers


@pytest.mark.parametrize(
    ("field", "value"),
    [("filter", {"attributes": {"type": "b"}}), ("delivery", {"retry": 1})],
    ids=["filter", "delivery"],
)
@pytest.mark.parametrize("mutant", [None, "changed-filter-begins-anew", "changed-delivery-begins-anew"])
async def test_a_change_of_one_field(cluster: Cluster, mutant: str | None, field: str, value: dict[str, Any]) -> None:
    namespace = cluster.faulty(mutant) if mutant else "ns"
    cluster.broker(namespace)
    cluster.trigger(namespace=namespace)
    await cluster.until(TRIGGER, "trigger", is_true(), namespace)
    await changed(cluster, namespace, **{field: value})
    assert cluster.plane.removed == [(namespace, "trigger")] * (mutant == f"changed-{field}-begins-anew")
    assert getattr(cluster.plane.triggers[namespace, "trigger"], field) == value


@pytest.mark.parametrize(("mutant", "removed"), [(None, 0), ("changed-order-begins-anew", 1)])
async def test_a_change_of_the_order(cluster: Cluster, mutant: str | None, removed: int) -> None:
    namespace = await made_ordered(cluster, mutant, "ordered")
    await changed(cluster, namespace, delivery={"retry": 1})
    assert cluster.plane.removed == [(namespace, "trigger")] * removed
    assert cluster.plane.triggers[namespace, "trigger"].ordered


@pytest.mark.parametrize(("mutant", "others"), [(None, []), ("removal-begins-others-anew", ["staying"])])
async def test_a_removal_beside_another_trigger(cluster: Cluster, mutant: str | None, others: list[str]) -> None:
    namespace = cluster.faulty(mutant) if mutant else "ns"
    cluster.broker(namespace)
    for name in ("trigger", "staying"):
        cluster.trigger(name, namespace=namespace)
        await cluster.until(TRIGGER, name, is_true(), namespace)
    cluster.store.delete(TRIGGER, namespace, "trigger")
    await cluster.gone(TRIGGER, "trigger", namespace)
    assert cluster.plane.removed == [(namespace, name) for name in ("trigger", *others)]
    assert list(cluster.plane.triggers) == [(namespace, "staying")]
