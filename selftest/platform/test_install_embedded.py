"""A bundle made by hand, on the embedded platform: installed, installed again, asked for, removed; all for real."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from evidence.refs import ObjectRef
from fixtures.errors import KubeError, PlatformError
from fixtures.kube.client import KubeClient
from fixtures.platform import Bundle, install, status, uninstall
from fixtures.platform.__main__ import main
from fixtures.platform.description.model import Component
from selftest.platform.given import Given, manifest
from selftest.platforms import platform

pytestmark = pytest.mark.timeout(600)  # a fresh clone builds the image here

BUNDLE = """
format = 1

[[component]]
name = "kinds"
version = "1.0.0"
manifests = ["manifests/kinds.yaml"]

[[component.wait]]
for = "crds"
deadline = 20

[[component]]
name = "model"
version = "2.0.0"
namespace = "bundle-models"
requires = ["kinds"]
manifests = ["manifests/settings.yaml", "manifests/serving.yaml"]

[[component.wait]]
for = "rollout"
kind = "Deployment"
name = "serving"
deadline = 60

[[component.wait]]
for = "available"
kind = "Deployment"
name = "serving"

[[component.wait]]
for = "accepts"
manifest = { apiVersion = "touchstone.example/v1", kind = "Widget", metadata = { name = "x", namespace = "default" } }
"""
KINDS = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: widgets.touchstone.example
spec:
  group: touchstone.example
  scope: Namespaced
  names: {kind: Widget, plural: widgets, singular: widget, listKind: WidgetList}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}
"""
SETTINGS = """
apiVersion: touchstone.example/v1
kind: Widget
metadata: {name: one}
spec: {size: 1}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {model: resnet32}
---
apiVersion: v1
kind: Secret
metadata: {name: credentials}
stringData: {password: hunter2}
"""
SERVING = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: serving}
spec:
  replicas: 1
  selector: {matchLabels: {app: serving}}
  template:
    metadata: {labels: {app: serving}}
    spec:
      serviceAccountName: serving
      containers:
        - name: serving
          image: docker.io/touchstone/serving:0.1.0
          args: [--port=8500, --rest_api_port=8501, --model_name=resnet32]
          env:
            - {name: MODEL, valueFrom: {configMapKeyRef: {name: settings, key: model}}}
            - {name: PASSWORD, valueFrom: {secretKeyRef: {name: credentials, key: password}}}
          ports: [{containerPort: 8501, name: http}]
---
apiVersion: v1
kind: Service
metadata: {name: serving}
spec: {selector: {app: serving}, ports: [{port: 80, targetPort: 8501}]}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: serving}
"""


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the kubeconfig of an embedded platform of the module's own."""
    with platform(tmp_path_factory.mktemp("platform")) as info:
        yield info["kubeconfig"]


@pytest.fixture
def kube(kubeconfig: str) -> Iterator[KubeClient]:
    """Yield a client of that platform; what a test leaves installed is removed."""
    found = KubeClient(kubeconfig)
    yield found
    uninstall(found, print, everything=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the bundle, as a person would lay it out."""
    (tmp_path / "manifests").mkdir()
    (tmp_path / "bundle.toml").write_text(BUNDLE)
    for name, text in (("kinds", KINDS), ("settings", SETTINGS), ("serving", SERVING)):
        (tmp_path / "manifests" / f"{name}.yaml").write_text(text)
    return tmp_path


def versions(kube: KubeClient, bundle: Bundle) -> dict[str, str]:
    """Return the resourceVersion of every object of the bundle."""
    found = {}
    for component in bundle.components():
        for document in bundle.documents(component):
            namespaced = document["kind"] != "CustomResourceDefinition"
            name, namespace = document["metadata"]["name"], component.namespace if namespaced else None
            seen = kube.get(ObjectRef(document["apiVersion"], document["kind"], namespace, name))
            found[f"{document['kind']} {name}"] = seen["metadata"]["resourceVersion"]
    return found


def test_a_bundle_made_by_hand_is_installed_kept_and_removed(kube: KubeClient, folder: Path) -> None:
    bundle = Bundle.open(folder)
    assert not status(kube, bundle).ok
    first = install(kube, bundle, print)
    assert [str(one.counts) for one in first.components] == ["1 created", "7 created"]
    assert status(kube, bundle).ok

    before = versions(kube, bundle)
    second = install(kube, bundle, print)
    assert [str(one.counts) for one in second.components] == [
        "1 unchanged",
        "6 unchanged",
    ]  # a Namespace that is there is not applied again
    assert versions(kube, bundle) == before
    said = kube.get(ObjectRef("v1", "ConfigMap", "kube-public", "touchstone-platform"))
    described = json.loads(said["data"]["platform.json"])
    assert described["versions"]["model"] == "2.0.0"
    assert described["resolver"], "what the embedded platform says about itself stays"

    removed = uninstall(kube, print)
    assert (removed.left, removed.count) == ((), 8)
    assert status(kube, bundle).text().count("not installed by us") == 2
    for ref in (
        ObjectRef("v1", "Namespace", None, "bundle-models"),
        ObjectRef("apiextensions.k8s.io/v1", "CustomResourceDefinition", None, "widgets.touchstone.example"),
        ObjectRef("apps/v1", "Deployment", "bundle-models", "serving"),
    ):
        with pytest.raises(KubeError) as caught:
            kube.get(ref)
        assert caught.value.code == 404


def test_a_namespace_keeps_the_labels_that_another_component_gives_it(kube: KubeClient) -> None:
    labels = {"pod-security.kubernetes.io/enforce": "baseline"}
    labelled = manifest("Namespace", "shared") | {"metadata": {"name": "shared", "labels": labels}}
    components = [Component(name, "1", namespace="shared") for name in ("labels", "bare")]
    source = Given({"labels": [labelled], "bare": [manifest("ConfigMap", "settings")]}, components)
    install(kube, source, print)
    assert install(kube, source, print).changes == 0
    namespace = kube.get(ObjectRef("v1", "Namespace", None, "shared"))
    assert labels.items() <= namespace["metadata"]["labels"].items()


def test_an_image_that_nobody_has_is_told(kube: KubeClient, folder: Path) -> None:
    manifest = folder / "manifests" / "serving.yaml"
    manifest.write_text(SERVING.replace("touchstone/serving:0.1.0", "touchstone/nothing:0.1.0"))
    text = (folder / "bundle.toml").read_text()
    (folder / "bundle.toml").write_text(text.replace("deadline = 60", "deadline = 2"))
    said: list[str] = []
    with pytest.raises(PlatformError, match=r"waited 2 s in vain: .*Deployment bundle-models/serving") as caught:
        install(kube, Bundle.open(folder), said.append)
    assert "touchstone/nothing" in str(caught.value)
    assert said[-1].startswith("broken off at model: all 7 objects are applied, and it is not up; up: kinds;")
    manifest.write_text(SERVING)
    (folder / "bundle.toml").write_text(text)
    found = install(kube, Bundle.open(folder), said.append)
    assert str(found.components[1].counts) == "1 changed, 5 unchanged"


def test_the_command_line(kube: KubeClient, kubeconfig: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    where = ["--bundle", str(folder), "--kubeconfig", kubeconfig]
    assert main(["status", *where]) == 1
    assert main(["install", *where]) == 0
    assert main(["status", *where]) == 0
    assert main(["uninstall", "--kubeconfig", kubeconfig]) == 0
    out, err = capfd.readouterr()
    assert "installed in " in out
    assert "removed: model, kinds; 8 objects" in out
    assert "[2/2] model 2.0.0: up after" in err
    assert "hunter2" not in out + err
