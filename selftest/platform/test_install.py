"""Installing: in which order, what a second install does, what a broken one leaves, what messages never say."""

import io
import json
import signal
import tarfile
from pathlib import Path
from typing import Any

import pytest

from evidence.refs import ObjectRef
from fixtures.errors import PlatformError, UnknownNameError
from fixtures.kube.client import KubeClient
from fixtures.platform.description.model import Component, Document, Manifest, Wait
from fixtures.platform.installation import inventory
from fixtures.platform.installation.installing import install
from fixtures.platform.installation.ordering import prepared
from fixtures.processes.children import python_module
from fixtures.reading.files import ROOT
from fixtures.waiting import wait_until
from selftest.platform.cluster import Cluster, Rule
from selftest.platform.given import Given, available, crd, deployment, manifest, webhook
from selftest.warm.running import Running


def one(*documents: Document, waits: tuple[Wait, ...] = (), **rest: Any) -> Given:
    """Return a source with one component `c` in namespace `n`."""
    component = Component("c", "1.0", namespace=rest.pop("namespace", "n"), waits=waits, **rest)
    return Given({"c": list(documents)}, [component])


def whole() -> Given:
    """Return a component that has some of everything."""
    return one(
        manifest("Widget", "w", spec={"size": 1}),
        webhook("hook.x.example", "hook", "n"),
        deployment("controller"),
        manifest("Service", "hook", spec={"ports": [{"port": 443}]}),
        manifest("Secret", "s", stringData={"password": "hunter2"}),
        manifest("ConfigMap", "settings", data={"a": "1"}),
        manifest("ClusterRole", "reader", rules=[]),
        manifest("ServiceAccount", "controller"),
        crd("Widget", "widgets"),
        waits=(Wait("crds", 5), available("controller", "n")),
    )


def applied(cluster: Cluster) -> list[str]:
    """Return the plural names of what was applied, but for our own bookkeeping."""
    paths = [path.partition("?")[0] for method, path in cluster.log if method == "PATCH"]
    return [path.split("/")[-2] for path in paths if "kube-public" not in path]


def test_documents_are_applied_in_an_order_that_works(cluster: Cluster, kube: KubeClient) -> None:
    found = install(kube, whole(), print)
    assert applied(cluster) == [
        "namespaces",
        "customresourcedefinitions",
        "clusterroles",
        "serviceaccounts",
        "secrets",
        "configmaps",
        "services",
        "deployments",
        "validatingwebhookconfigurations",
        "widgets",
    ]
    assert str(found.components[0].counts) == "10 created"
    widget = cluster.find("Widget", "w")
    assert widget is not None
    assert widget["metadata"]["namespace"] == "n"


def test_resources_of_earlier_components_kinds_come_before_the_pods_that_mount_what_they_make(
    cluster: Cluster, kube: KubeClient
) -> None:
    first, second = Component("kinds", "1", namespace="n"), Component("user", "1", namespace="n")
    documents = {"kinds": [crd("Widget", "widgets")], "user": [deployment("pod"), manifest("Widget", "certificate")]}
    install(kube, Given(documents, [first, second]), print)
    assert applied(cluster)[-2:] == ["widgets", "deployments"]


def test_a_second_install_changes_nothing(cluster: Cluster, kube: KubeClient) -> None:
    install(kube, whole(), print)
    before = cluster.versions()
    said: list[str] = []
    found = install(kube, whole(), said.append)
    assert cluster.versions() == before
    assert str(found.components[0].counts) == "9 unchanged"  # a Namespace that is there is not applied again
    assert "nothing had to be changed" in found.text()
    assert said[-1].startswith("[1/1] c 1.0: up after ")
    assert said[-1].endswith("; 9 unchanged")


def test_what_a_webhooks_own_controller_wrote_stays(cluster: Cluster, kube: KubeClient) -> None:
    install(kube, whole(), print)
    hook = cluster.find("ValidatingWebhookConfiguration", "hook.x.example")
    assert hook is not None
    assert "caBundle" not in hook["webhooks"][0]["clientConfig"]
    hook["webhooks"][0] |= {"clientConfig": {"caBundle": "eA=="}, "rules": [{"operations": ["*"]}]}
    before = cluster.versions()
    install(kube, whole(), print)
    assert cluster.versions() == before
    assert hook["webhooks"][0]["clientConfig"] == {"caBundle": "eA=="}


def test_the_rules_of_an_aggregated_role_are_the_apis(cluster: Cluster, kube: KubeClient) -> None:
    selectors = {"clusterRoleSelectors": [{"matchLabels": {"x.example/part": "true"}}]}
    given = one(manifest("ClusterRole", "sum", aggregationRule=selectors, rules=[]))
    install(kube, given, print)
    role = cluster.find("ClusterRole", "sum")
    assert role is not None
    role["rules"] = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]  # as the API's controller does
    before = cluster.versions()
    assert install(kube, given, print).changes == 0
    assert cluster.versions() == before
    assert role["rules"] == [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]


@pytest.mark.parametrize(
    ("given", "applied_as"),
    [
        ({"metadata": {"name": "x", "creationTimestamp": None}}, {"metadata": {"name": "x"}}),
        ({"status": {"conditions": []}}, {}),
        (
            {"spec": {"status": 1, "template": {"metadata": {"creationTimestamp": None}}}},
            {"spec": {"status": 1, "template": {"metadata": {}}}},
        ),
        ({"webhooks": [{"clientConfig": {"caBundle": "Cg=="}}]}, {"webhooks": [{"clientConfig": {}}]}),
        (
            {"webhooks": [{"clientConfig": {"caBundle": "eA=="}}]},
            {"webhooks": [{"clientConfig": {"caBundle": "eA=="}}]},
        ),
        (
            {"schema": {"properties": {"caBundle": {}, "creationTimestamp": {}}}},
            {"schema": {"properties": {"caBundle": {}, "creationTimestamp": {}}}},
        ),
    ],
    ids=["created", "status", "deep", "placeholder", "bundle", "schema"],
)
def test_what_only_the_api_may_say_is_left_out(kube: KubeClient, given: Document, applied_as: Document) -> None:
    base = manifest("ClusterRole", "x")
    (found,) = prepared(kube, Component("c", "1"), [base | given])
    assert found == base | applied_as


def test_a_secrets_texts_go_where_the_api_puts_them(kube: KubeClient) -> None:
    secret = manifest("Secret", "s", "n", data={"a": "MQ=="}, stringData={"b": "hunter2"})
    (found,) = prepared(kube, Component("c", "1"), [secret])
    assert found == manifest("Secret", "s", "n", data={"a": "MQ==", "b": "aHVudGVyMg=="})


def test_what_somebody_changed_is_changed_back_and_told(cluster: Cluster, kube: KubeClient) -> None:
    install(kube, whole(), print)
    settings = cluster.find("ConfigMap", "settings")
    assert settings is not None
    settings["data"]["a"] = "2"
    found = install(kube, whole(), print)
    assert str(found.components[0].counts) == "1 changed, 8 unchanged"
    settings = cluster.find("ConfigMap", "settings")
    assert settings is not None
    assert settings["data"] == {"a": "1"}


def test_what_somebody_else_installed_is_taken_over_and_told_once(cluster: Cluster, kube: KubeClient) -> None:
    cluster.add(manifest("Namespace", "n"))
    cluster.add(deployment("controller", "n", image="quay.io/a/b:0"))
    said: list[str] = []
    install(kube, whole(), said.append)
    told = "      Deployment n/controller was there before: taken over, and left by an uninstall"
    assert [line for line in said if "taken over" in line] == [told]
    install(kube, whole(), said.append)
    assert sum("taken over" in line for line in said) == 1


def test_a_broken_install_resumes(cluster: Cluster, kube: KubeClient) -> None:
    first, second = (Component(name, "1", namespace="n") for name in ("first", "second"))
    third = Component("third", "1", namespace="n")
    documents = {
        "first": [manifest("ConfigMap", "a")],
        "second": [manifest("ConfigMap", "b"), deployment("d")],
        "third": [manifest("ConfigMap", "z")],
    }
    source = Given(documents, [first, second, third])
    cluster.rules.append(Rule("Deployment", 1, 422, "spec.template: Invalid", "Invalid"))
    said: list[str] = []
    with pytest.raises(
        PlatformError, match="component second: apply Deployment n/d: expected success, got 422 Invalid"
    ):
        install(kube, source, said.append)
    assert said[-1].startswith("broken off at second: some of it is applied; up: first; not begun: third.")
    assert {name: entry.state for name, entry in inventory.read(kube).items()} == {
        "first": "installed",
        "second": "begun",
    }
    found = install(kube, source, said.append)
    assert [str(done.counts) for done in found.components] == [
        "1 unchanged",
        "1 created, 1 unchanged",
        "1 created",
    ]
    assert {entry.state for entry in inventory.read(kube).values()} == {"installed"}


def test_ctrl_c_tells_what_stands(cluster: Cluster, kube: KubeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    cluster.status_of["Deployment"] = lambda _: {}
    monkeypatch.setattr("fixtures.platform.installation.waits.wait_until", interrupted)
    said: list[str] = []
    source = one(deployment("d"), waits=(available("d", "n"),))
    with pytest.raises(KeyboardInterrupt):
        install(kube, source, said.append)
    assert "broken off at c: all 2 objects are applied, and it is not up; up: none; not begun: none." in said[-1]


def test_a_real_ctrl_c_ends_the_command_line_with_what_stands(cluster: Cluster, tmp_path: Path) -> None:
    cluster.status_of["Deployment"] = lambda _: {}
    (tmp_path / "d.yaml").write_text(json.dumps(deployment("d", "default")))
    wait = '[[component.wait]]\nfor = "available"\nkind = "Deployment"\nname = "d"\nnamespace = "default"\n'
    text = f'format = 1\n[[component]]\nname = "c"\nversion = "1"\nmanifests = ["d.yaml"]\n{wait}'
    (tmp_path / "bundle.toml").write_text(text)
    argv = python_module("fixtures.platform", "install", "--bundle", str(tmp_path), "--kubeconfig", cluster.kubeconfig)
    process = Running(argv, cwd=ROOT, output=tmp_path / "output", errors=tmp_path / "errors")
    try:
        wait_until(lambda: cluster.find("Deployment", "d"), 30, "the Deployment to be applied")
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 2
    finally:
        process.kill()
    said = (tmp_path / "errors").read_text()
    assert "broken off at c: " in said
    assert said.splitlines()[-1] == "interrupted"
    assert "Traceback" not in said


@pytest.mark.parametrize(
    "rule",
    [
        Rule("Secret", 1, 422, 'Secret "s" is invalid: data: Invalid value: "hunter2"', "Invalid"),
        Rule("Secret", 1, 403, "no: aHVudGVyMg==", "Forbidden"),
    ],
    ids=["plain", "base64"],
)
def test_secret_values_are_in_no_message(cluster: Cluster, kube: KubeClient, rule: Rule) -> None:
    cluster.rules.append(rule)
    said: list[str] = []
    with pytest.raises(
        PlatformError, match=f"apply Secret n/s: expected success, got {rule.code} {rule.reason}"
    ) as caught:
        install(kube, whole(), said.append)
    error: BaseException | None = caught.value
    while error is not None and not error.__suppress_context__:
        said.append(str(error))
        error = error.__cause__ or error.__context__
    said.append(str(caught.value))
    assert not any("hunter2" in line or "aHVudGVyMg" in line for line in said)


def test_a_refused_document_is_named_with_its_file(cluster: Cluster, kube: KubeClient) -> None:
    cluster.rules.append(Rule("ConfigMap", 1, 403, "not allowed", "Forbidden", name="x"))
    source = one(Manifest(manifest("ConfigMap", "x"), "eventing-core.yaml #12"))
    with pytest.raises(
        PlatformError, match=r"component c, eventing-core\.yaml #12: apply ConfigMap n/x: .* 403 Forbidden: not allowed"
    ):
        install(kube, source, print)


@pytest.mark.parametrize(
    ("documents", "namespace", "said"),
    [
        (
            [manifest("Widget", "w")],
            "n",
            "Widget w: expected the API, or a CustomResourceDefinition of the component, to know x.example/v1 Widget",
        ),
        ([manifest("ConfigMap", "m")], None, "ConfigMap m names no namespace, nor does the component"),
    ],
    ids=["unknown-kind", "no-namespace"],
)
def test_what_cannot_be_applied_is_told_before_anything_is(
    cluster: Cluster, kube: KubeClient, documents: list[Document], namespace: str | None, said: str
) -> None:
    with pytest.raises(PlatformError, match=f"component c: {said}"):
        install(kube, one(*documents, namespace=namespace), print)
    assert cluster.log == []


def test_manifests_that_cannot_be_had_are_told_before_anything_is_applied(
    cluster: Cluster, kube: KubeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Given({"a": [manifest("ConfigMap", "x")]}, [Component("a", "1", namespace="n"), Component("b", "1")])

    def documents(component: Component) -> list[Document]:
        if component.name == "b":
            raise PlatformError("b.yaml: expected sha256 1, got 2")
        return source.documents_of[component.name]

    monkeypatch.setattr(source, "documents", documents)
    with pytest.raises(PlatformError, match=r"b\.yaml: expected sha256 1, got 2"):
        install(kube, source, print)
    assert cluster.log == []


def test_an_unknown_component_is_told_with_the_near_names(kube: KubeClient) -> None:
    with pytest.raises(UnknownNameError, match="did you mean kserve"):
        install(kube, Given({}, [Component("kserve", "1")]), print, only=["kserv"])


def test_the_cluster_says_what_it_consists_of(cluster: Cluster, kube: KubeClient) -> None:
    kafka = Component("kafka", "4.1.0", namespace="n", provides={"kafka": {"kind": "apache", "bootstrap": "k:9092"}})
    other = Component("kserve", "0.20.0", namespace="n")
    source = Given({"kafka": [], "kserve": []}, [kafka, other])
    install(kube, source, print, only=["kafka"])
    install(kube, source, print, only=["kserve"])
    found = kube.get(ObjectRef("v1", "ConfigMap", "kube-public", "touchstone-platform"))
    assert json.loads(found["data"]["platform.json"]) == {
        "versions": {"kafka": "4.1.0", "kserve": "0.20.0"},
        "kafka": {"kind": "apache", "bootstrap": "k:9092", "version": "4.1.0", "topics": None},
        "resolver": None,
    }


def test_what_others_say_about_the_cluster_stays(cluster: Cluster, kube: KubeClient) -> None:
    data = {"platform.json": json.dumps({"versions": {"mesh": "1"}, "kafka": {"kind": "mock"}, "resolver": "http://r"})}
    cluster.add(manifest("ConfigMap", "touchstone-platform", "kube-public", data=data))
    install(kube, Given({"kserve": []}, [Component("kserve", "0.20.0")]), print)
    found = kube.get(ObjectRef("v1", "ConfigMap", "kube-public", "touchstone-platform"))
    assert json.loads(found["data"]["platform.json"]) == {
        "versions": {"mesh": "1", "kserve": "0.20.0"},
        "kafka": {"kind": "mock"},
        "resolver": "http://r",
    }


def test_images_come_from_the_mirror(cluster: Cluster, kube: KubeClient) -> None:
    env = [{"name": "RELATED_IMAGE_EXECUTOR", "value": "docker.io/seldonio/executor:1"}]
    operator = deployment("operator", image="seldonio/operator:1")
    operator["spec"]["template"]["spec"]["containers"][0]["env"] = env
    install(kube, one(operator, images=("seldonio/executor:1",)), print, image_registry="m.example/p")
    found = cluster.find("Deployment", "operator")
    assert found is not None
    (container,) = found["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "m.example/p/seldonio/operator:1"
    assert container["env"][0]["value"] == "m.example/p/seldonio/executor:1"
    assert "imagePullPolicy" not in container


def test_loaded_images_are_not_pulled(cluster: Cluster, kube: KubeClient) -> None:
    loads: list[Any] = []
    source = one(deployment("d"), images=("quay.io/a/b:1",), archives=("images/b.tar",))
    source.archives = [Path("images/b.tar")]
    for _ in range(2):
        install(kube, source, print, load_images=lambda archives, refs: loads.append((list(archives), list(refs))))
    assert loads == [([Path("images/b.tar")], ["quay.io/a/b:1"])], "the second install loads nothing again"
    found = cluster.find("Deployment", "d")
    assert found is not None
    assert found["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] == "IfNotPresent"


def test_an_archive_may_serve_a_later_component(cluster: Cluster, kube: KubeClient) -> None:
    known = [Component("images", "1", archives=("all.tar",)), Component("user", "1", namespace="n")]
    source = Given({"images": [], "user": [deployment("d")]}, known, archives=[Path("all.tar")])
    install(kube, source, print, load_images=lambda *_: None)
    found = cluster.find("Deployment", "d")
    assert found is not None
    assert found["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] == "IfNotPresent"


def test_archives_that_nothing_loads_are_told(kube: KubeClient) -> None:
    said: list[str] = []
    install(kube, one(deployment("d"), archives=("images/b.tar",)), said.append)
    assert "      its image archives stay unused: nothing here loads them, the nodes pull" in said


def test_with_a_mirror_nothing_is_loaded_and_what_archives_hold_comes_from_it(
    cluster: Cluster, kube: KubeClient, tmp_path: Path
) -> None:
    archive = tmp_path / "b.tar"
    index = json.dumps([{"Config": "c", "RepoTags": ["docker.io/kserve/agent:v1"], "Layers": []}]).encode()
    with tarfile.open(archive, "w") as tar:
        entry = tarfile.TarInfo("manifest.json")
        entry.size = len(index)
        tar.addfile(entry, io.BytesIO(index))
    source = one(manifest("ConfigMap", "c", data={"agent": '{"image": "kserve/agent:v1"}'}), archives=("b.tar",))
    source.archives = [archive]
    install(kube, source, print, image_registry="m.example", load_images=lambda *_: pytest.fail("loaded"))
    found = cluster.find("ConfigMap", "c")
    assert found is not None
    assert found["data"] == {"agent": '{"image": "m.example/kserve/agent:v1"}'}


def test_a_required_component_that_is_not_installed_is_assumed_and_told(kube: KubeClient) -> None:
    said: list[str] = []
    install(kube, Given({"kserve": []}, [Component("kserve", "1", requires=("cert-manager",))]), said.append)
    assert said[0] == "kserve requires cert-manager, which is no part of this install: it should be there"


@pytest.mark.parametrize("needed", ["1.36", "1.34", "1.9"], ids=["same", "older", "by-number"])
def test_a_cluster_that_is_new_enough_will_do(kube: KubeClient, needed: str) -> None:
    install(kube, Given({"c": []}, [Component("c", "1", kubernetes=needed)]), print)


@pytest.mark.parametrize("needed", ["1.37", "2.0"])
def test_a_cluster_that_is_too_old_is_told_before_anything_is_applied(
    cluster: Cluster, kube: KubeClient, needed: str
) -> None:
    known = [Component("knative-eventing", "1.22.2", kubernetes=needed), Component("kserve", "1")]
    told = f"knative-eventing 1.22.2 needs Kubernetes {needed} or newer, the cluster is v1.36.0"
    with pytest.raises(PlatformError, match=told):
        install(kube, Given({"knative-eventing": [], "kserve": []}, known), print)
    assert cluster.log == []


def test_what_nothing_vouches_for_is_told(kube: KubeClient) -> None:
    said: list[str] = []
    install(kube, Given({"c": []}, [Component("c", "1")], unlocked="NOT VERIFIED: c"), said.append)
    assert said[0] == "NOT VERIFIED: c"
