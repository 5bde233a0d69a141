"""Whether the nodes can pull the images, asked on the embedded platform's API by the client of a real run."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from evidence.catalogue import load
from evidence.refs import ObjectRef
from fixtures.errors import TargetError, UsageError
from fixtures.kube import pull_secrets, run_objects
from fixtures.kube.client import KubeClient
from fixtures.pipelines.description import read_all
from fixtures.pipelines.rendering import render
from fixtures.pipelines.settings import PipelineSettings
from fixtures.preflight import pulling
from fixtures.preflight.pulling import Asking
from fixtures.preflight.result import MISSING, OK, WARN
from fixtures.preflight.rights import rights
from fixtures.preflight.role import manifest as role_of
from fixtures.reading.files import ROOT
from fixtures.targets.base import TargetOptions
from fixtures.targets.cluster import ClusterTarget
from selftest import platforms

RUN, NAMESPACE, HOME = "ab12cd", "pulling", "registry-team"
PASSWORD = "hunter2-of-the-registry"  # noqa: S105 - nobody's: what must not be shown
OURS = "touchstone/probe:0.1.0"
PRIVATE = "private.example/touchstone/probe:0.1.0"
UNKNOWN = "registry.example/no-such-image:1"
SECRET = f"{HOME}/registry"
CATALOGUE = load(ROOT / "suites" / "catalogue")


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the kubeconfig of a platform of the module's own, with a pull secret."""
    with platforms.platform(tmp_path_factory.mktemp("platform")) as info:
        kube = KubeClient(info["kubeconfig"])
        for name in (NAMESPACE, HOME):
            kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        content = json.dumps({"auths": {"private.example": {"password": PASSWORD}}})
        kube.create(secret("registry", "kubernetes.io/dockerconfigjson", {".dockerconfigjson": content}))
        kube.create(secret("another", "Opaque", {"password": PASSWORD}))
        yield info["kubeconfig"]


def secret(name: str, kind: str, content: dict[str, str]) -> dict[str, object]:
    data = {key: base64.b64encode(text.encode()).decode() for key, text in content.items()}
    metadata = {"name": name, "namespace": HOME}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": kind, "data": data}


@pytest.fixture
def kube(kubeconfig: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[KubeClient]:
    monkeypatch.setattr(pulling, "DOUBT", 0.2)
    kube = KubeClient(kubeconfig)
    yield kube
    run_objects.remove(kube, RUN, NAMESPACE, within=20)


def test_each_image_is_told_with_the_node_and_the_reason_of_the_kubelet(kube: KubeClient) -> None:
    said: list[str] = []
    rows = pulling.ask(kube, Asking(NAMESPACE, RUN, (OURS, UNKNOWN, PRIVATE), within=60, say=said.append))
    assert [(row.what, row.state) for row in rows] == [
        (f"image {OURS}", OK),
        (f"image {UNKNOWN}", MISSING),
        (f"image {PRIVATE}", MISSING),
    ]
    nodes = [node["metadata"]["name"] for node in kube.list("v1", "Node")] if kube.has_kind("v1", "Node") else ["node"]
    for row, words in zip(rows[1:], ("knows no image 'no-such-image'", "no basic auth credentials"), strict=True):
        assert "ErrImagePull: failed to" in row.found
        assert words in row.found
        assert nodes[0] in row.found
    assert kube.list("apps/v1", "Deployment", NAMESPACE) == [], "nothing is left"
    assert "3 images" in said[0]


def test_a_pull_secret_is_copied_once_a_run_and_goes_with_it(kube: KubeClient) -> None:
    name = pull_secrets.copy(kube, SECRET, NAMESPACE, RUN)
    assert pull_secrets.copy(kube, SECRET, NAMESPACE, RUN) == name
    rows = pulling.ask(kube, Asking(NAMESPACE, RUN, (PRIVATE,), name, 60, print))
    assert [(row.state, row.found) for row in rows] == [(OK, "1 asked, and can")]
    removed = run_objects.remove(kube, RUN, NAMESPACE, within=20)
    assert ObjectRef("v1", "Secret", NAMESPACE, name) in removed


def test_an_image_of_which_no_node_speaks_in_time_is_told(kube: KubeClient) -> None:
    (row,) = pulling.ask(kube, Asking(NAMESPACE, RUN, (UNKNOWN,), within=0.0, say=print))
    assert row.state == WARN
    assert "not known in time" in row.found


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (f"{HOME}/nowhere", "cannot be read: "),
        (f"{HOME}/another", "expected a Secret of type kubernetes.io/dockerconfigjson with the key"),
    ],
    ids=["missing", "another-type"],
)
def test_what_is_no_pull_secret_is_refused_without_its_content(kube: KubeClient, given: str, said: str) -> None:
    with pytest.raises(TargetError) as caught:
        pull_secrets.copy(kube, given, NAMESPACE, RUN)
    assert f"--pull-secret {given}: " in str(caught.value)
    assert said in str(caught.value)
    assert PASSWORD not in str(caught.value)
    assert base64.b64encode(PASSWORD.encode()).decode() not in str(caught.value)


@pytest.mark.parametrize("given", ["registry", "/registry", "team/", "a/b/c", ""])
def test_a_pull_secret_is_named_with_its_namespace(given: str) -> None:
    with pytest.raises(UsageError, match="--pull-secret: expected NAMESPACE/NAME"):
        pull_secrets.source_of(given)


@pytest.mark.parametrize("given", [None, SECRET], ids=["without", "with"])
def test_the_run_is_told_before_it_begins_which_image_cannot_be_pulled(
    kube: KubeClient, kubeconfig: str, tmp_path: Path, given: str | None
) -> None:
    said: list[str] = []
    options = TargetOptions(
        tmp_path,
        say=said.append,
        kubeconfig=kubeconfig,
        namespace=NAMESPACE,
        images={"probe": PRIVATE},
        pull_secret=given,
        requirements=tuple(one for one in CATALOGUE.requirements if one.profile == "broker-core"),
    )
    target = ClusterTarget(options)
    try:
        if given is None:
            with pytest.raises(TargetError, match=r"no basic auth credentials.*--pull-secret NS/NAME"):
                target.start()
        else:
            assert target.start().settings.pull_secret == SECRET
        saved = (tmp_path / "preflight.json").read_text()
        assert f"image {PRIVATE}" in saved
        assert PASSWORD not in saved + "".join(said)
    finally:
        target.stop()


def test_pipelines_name_the_secret_in_each_specification_of_pods() -> None:
    settings = PipelineSettings(overlay=None, namespace="team", run=RUN, pull_secret=SECRET)
    for pipeline in read_all(ROOT / "manifests" / "pipelines").values():
        documents = render(pipeline, namespace="team", settings=settings).manifests
        holders = [found for document in documents for found in specifications(document)]
        assert holders, pipeline.name
        expected = [{"name": run_objects.pull_secret_name(RUN)}]
        assert all(holder.get("imagePullSecrets") == expected for holder in holders)


def specifications(value: object) -> Iterator[dict[str, object]]:
    if isinstance(value, dict):
        if "containers" in value or "model" in value:
            yield value
        for member in value.values():
            yield from specifications(member)
    elif isinstance(value, list):
        for member in value:
            yield from specifications(member)


def test_the_right_to_read_the_secret_is_for_that_one_and_only_where_it_is_asked() -> None:
    def of_registry(pull_secret: str | None) -> list[tuple[str, tuple[str, ...]]]:
        found = rights(NAMESPACE, pull_secret)
        return [(right.name, right.verbs) for right, place in found if place == HOME and right.resource == "secrets"]

    assert (of_registry(None), of_registry(SECRET)) == ([], [("registry", ("get",))])
    assert 'resourceNames: ["registry"]' in role_of(NAMESPACE, SECRET)
    assert HOME not in role_of(NAMESPACE)
