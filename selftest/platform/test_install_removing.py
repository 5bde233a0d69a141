"""Removing: only what an install made, custom resources first, and what stays is told."""

import json

import pytest

from evidence.refs import ObjectRef
from fixtures.errors import PlatformError, UnknownNameError
from fixtures.kube.client import KubeClient
from fixtures.platform.description.model import Component, Document
from fixtures.platform.installation import inventory
from fixtures.platform.installation.installing import install
from fixtures.platform.installation.removing import uninstall
from selftest.platform.cluster import Cluster
from selftest.platform.given import Given, crd, deployment, manifest, webhook


def source() -> Given:
    documents = {
        "kinds": [crd("Widget", "widgets"), webhook("hook", "hook", "a"), deployment("controller")],
        "user": [
            deployment("user"),
            manifest("Widget", "w"),
            manifest("ConfigMap", "shared", "default", data={"a": "1"}),
        ],
    }
    return Given(documents, [Component("kinds", "1", namespace="a"), Component("user", "2", namespace="b")])


def widget(name: str, **metadata: object) -> Document:
    found = manifest("Widget", name, "default")
    found["metadata"] |= metadata
    return found


def deleted(cluster: Cluster) -> list[str]:
    """Return the plural names of what was deleted, but for our own bookkeeping."""
    paths = [path.partition("?")[0] for method, path in cluster.log if method == "DELETE"]
    return [path.split("/")[-2] for path in paths if "kube-public" not in path]


def test_what_was_made_goes_in_reverse_order_and_nothing_else(cluster: Cluster, kube: KubeClient) -> None:
    before = set(cluster.objects)
    install(kube, source(), print)
    said: list[str] = []
    found = uninstall(kube, said.append)
    assert found.ok
    assert (found.components, found.count) == (("user", "kinds"), 8)
    assert deleted(cluster) == [
        "widgets",
        "deployments",
        "configmaps",
        "namespaces",
        "validatingwebhookconfigurations",
        "deployments",
        "customresourcedefinitions",
        "namespaces",
    ]
    assert set(cluster.objects) == before
    assert said == ["[1/2] user 2: 3 objects removed", "[2/2] kinds 1: 4 objects removed"]
    assert found.text() == "removed: user, kinds; 8 objects"


def test_what_was_there_before_stays(cluster: Cluster, kube: KubeClient) -> None:
    cluster.add(manifest("Namespace", "b"))
    cluster.add(manifest("ConfigMap", "shared", "default", data={"b": "2"}))
    install(kube, source(), print)
    install(kube, source(), print)
    assert uninstall(kube, print).ok
    assert cluster.find("Namespace", "b") is not None
    assert cluster.find("ConfigMap", "shared") is not None
    assert cluster.find("Namespace", "a") is None


def test_resources_of_others_are_not_taken_along(cluster: Cluster, kube: KubeClient) -> None:
    install(kube, source(), print)
    cluster.add(widget("theirs"))
    cluster.add(widget("owned", ownerReferences=[{"kind": "Widget", "name": "w", "uid": "u"}]))
    written = len(cluster.log)
    with pytest.raises(
        PlatformError, match=r"expected no custom resources but .*, got Widget default/theirs: they would go"
    ):
        uninstall(kube, print)
    assert len(cluster.log) == written
    assert uninstall(kube, print, everything=True).ok
    assert cluster.find("Widget", "theirs") is None


def test_controllers_stay_until_finalizers_have_run(cluster: Cluster, kube: KubeClient) -> None:
    install(kube, source(), print)
    found = cluster.find("Widget", "w")
    assert found is not None
    found["metadata"]["finalizers"] = ["x.example/clean"]
    removed = uninstall(kube, print, deadline=0.3)
    assert removed.left == (
        "Widget b/w: waits for its finalizers: x.example/clean",
        "all else: the controllers must run until the custom resources are gone",
    )
    assert deleted(cluster) == ["widgets"]
    found["metadata"]["finalizers"] = []
    assert uninstall(kube, print).ok


def test_one_component_may_go(cluster: Cluster, kube: KubeClient) -> None:
    install(kube, source(), print)
    assert uninstall(kube, print, only=["user"]).components == ("user",)
    assert list(inventory.read(kube)) == ["kinds"]
    found = kube.get(ObjectRef("v1", "ConfigMap", "kube-public", "touchstone-platform"))
    assert json.loads(found["data"]["platform.json"])["versions"] == {"kinds": "1"}
    with pytest.raises(UnknownNameError, match="unknown installed component 'user'"):
        uninstall(kube, print, only=["user"])


def test_what_is_not_gone_in_time_is_told_and_can_be_removed_later(cluster: Cluster, kube: KubeClient) -> None:
    install(kube, source(), print)
    found = cluster.find("ValidatingWebhookConfiguration", "hook")
    assert found is not None
    found["metadata"]["finalizers"] = ["a/b"]
    removed = uninstall(kube, print, deadline=0.5)
    assert not removed.ok
    assert removed.components == ("user",)
    assert removed.text().splitlines()[1] == "left: ValidatingWebhookConfiguration hook: waits for its finalizers: a/b"
    assert inventory.read(kube)["kinds"].state == "begun"
    found["metadata"]["finalizers"] = []
    assert uninstall(kube, print).ok


def test_nothing_installed_is_nothing_removed(cluster: Cluster, kube: KubeClient) -> None:
    assert uninstall(kube, print).text() == "removed: nothing; 0 objects"
    assert cluster.log == []


def test_the_install_after_a_removal_is_like_the_first(cluster: Cluster, kube: KubeClient) -> None:
    first = install(kube, source(), print)
    uninstall(kube, print)
    second = install(kube, source(), print)
    assert [str(one.counts) for one in second.components] == [str(one.counts) for one in first.components]


def test_a_damaged_inventory_is_told(cluster: Cluster, kube: KubeClient) -> None:
    damaged = manifest("ConfigMap", "touchstone-inventory-x", "kube-public", data={"inventory.json": "{}"})
    damaged["metadata"]["labels"] = {"touchstone.dev/part": "inventory"}
    cluster.add(damaged)
    with pytest.raises(PlatformError, match="kube-public/touchstone-inventory-x: expected an inventory of ours"):
        uninstall(kube, print)
