"""Artefacts: downloaded once and whole, rendered; what cannot be had says where from, and how to do without."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from fixtures.errors import PlatformError, UsageError
from fixtures.platform.description.model import Artefact, Component
from fixtures.platform.sources import artefacts
from fixtures.platform.sources.artefacts import fetched, parse, sha256_of
from fixtures.platform.sources.charts import rendered
from fixtures.platform.sources.components import image_references, load
from fixtures.platform.sources.registry import CHART as CHART_TYPE
from selftest.kind.machine import Machine
from selftest.platform.given import deployment
from selftest.platform.web import Web

ONE = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\n"
CHART = Artefact("chart", "https://charts.example/c-1.tgz", "c-1.tgz", release="rel", values={"a": {"b": 1}})
COMPONENT = Component("house", "1.0.0", namespace="home")


def components(folder: Path, **component: Any) -> Path:
    fields = {"name": "house", "version": "1.2.3"} | component
    lines = [f"{name} = {value!r}" for name, value in fields.items() if name != "rest"]
    path = folder / "components.toml"
    path.write_text("\n".join(["[[component]]", *lines, component.get("rest", "")]).replace("'", '"'), encoding="utf-8")
    return path


def test_a_file_is_downloaded_once_and_told(web: Web, tmp_path: Path, told: list[str]) -> None:
    url = web.put("/one.yaml", ONE)
    first = fetched(url, tmp_path / "cache", told.append)
    assert first.read_text(encoding="utf-8") == ONE
    assert fetched(url, tmp_path / "cache", told.append) == first
    assert len(web.asked) == 1
    assert told == [f"downloaded {url} (0.0 MB)"]


def test_a_release_is_found_behind_a_redirect(web: Web, tmp_path: Path, told: list[str]) -> None:
    url = web.put("/latest", "", 302, Location=web.put("/one.yaml", ONE))
    assert fetched(url, tmp_path, told.append).read_text(encoding="utf-8") == ONE


def test_two_urls_with_one_file_name_are_two_files(web: Web, tmp_path: Path, told: list[str]) -> None:
    urls = [web.put(f"/{version}/one.yaml", version) for version in ("1", "2")]
    assert [fetched(url, tmp_path, told.append).read_text(encoding="utf-8") for url in urls] == ["1", "2"]


def test_half_a_download_leaves_nothing(web: Web, tmp_path: Path, told: list[str]) -> None:
    url = web.put("/one.yaml", ONE, X_Length="4096")
    with pytest.raises(PlatformError, match=r"one.yaml: cannot be downloaded: .*install from a bundle"):
        fetched(url, tmp_path / "cache", told.append)
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.parametrize("status", [404, 500])
def test_another_answer_than_the_file_is_said(web: Web, tmp_path: Path, told: list[str], status: int) -> None:
    url = web.put("/one.yaml", "no", status)
    with pytest.raises(PlatformError, match=f"{url}: expected the file, got {status} .*install --bundle DIR"):
        fetched(url, tmp_path, told.append)


def test_without_a_network_the_message_has_the_url_and_the_way_out(tmp_path: Path, told: list[str]) -> None:
    url = "http://127.0.0.1:9/one.yaml"
    with pytest.raises(PlatformError, match=f"{url}: cannot be downloaded: .*install --bundle DIR"):
        fetched(url, tmp_path, told.append)


def chart(web: Web, archive: bytes, **layer: str) -> str:
    digest = f"sha256:{sha256(archive).hexdigest()}"
    described = {"mediaType": CHART_TYPE, "digest": digest} | layer
    web.put("/v2/charts/c/manifests/v1", json.dumps({"layers": [described, {"mediaType": "x", "digest": "x"}]}))
    web.put(f"/v2/charts/c/blobs/{described['digest']}", archive)
    return f"oci://{web.host}/charts/c:v1"


def test_a_chart_out_of_a_registry_is_a_file_like_any_other(web: Web, tmp_path: Path, told: list[str]) -> None:
    url = chart(web, b"the chart")
    for _ in range(2):
        assert fetched(url, tmp_path, told.append).read_bytes() == b"the chart"
    assert [path for _, path, _ in web.asked if "manifests" in path] == ["/v2/charts/c/manifests/v1"]


@pytest.mark.parametrize(
    ("layer", "complaint"),
    [
        pytest.param({"mediaType": "image"}, "expected a manifest with one chart in it, got another", id="an image"),
        pytest.param(
            {"digest": f"sha256:{'0' * 64}"}, "expected sha256:0{64} from .*, got sha256:", id="another chart"
        ),
        pytest.param({"digest": "../x"}, "expected a digest .*, got ../x", id="no digest"),
    ],
)
def test_what_is_no_chart_is_refused(
    web: Web, tmp_path: Path, told: list[str], layer: dict[str, str], complaint: str
) -> None:
    url = chart(web, b"the chart", **layer)
    with pytest.raises(PlatformError, match=rf"charts/c:v1: {complaint}.*install --bundle DIR"):
        fetched(url, tmp_path / "cache", told.append)
    assert list((tmp_path / "cache").iterdir()) == []


def test_an_endless_file_is_refused(web: Web, tmp_path: Path, told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artefacts, "MOST_BYTES", 16)
    with pytest.raises(PlatformError, match=r"expected at most 0 MiB, got more"):
        fetched(web.put("/one.yaml", ONE), tmp_path, told.append)


def test_manifests_are_objects_wherever_they_stand() -> None:
    item = "{apiVersion: v1, kind: Secret, metadata: {name: two}}"
    text = f"---\n{ONE}---\n# nothing\n---\napiVersion: v1\nkind: List\nitems: [{item}]\n"
    assert [one["metadata"]["name"] for one in parse(text, "x.yaml")] == ["one", "two"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("a: {]", "x.yaml:1:5: no YAML", id="no YAML"),
        pytest.param("- 1\n", "x.yaml #1: expected a Kubernetes object, got list", id="a list"),
        pytest.param(
            "kind: A\nmetadata: {name: a}", "#1: apiVersion: expected a name, got nothing", id="no apiVersion"
        ),
        pytest.param("apiVersion: v1\nkind: A", "#1: metadata.name: expected a name, got nothing", id="no name"),
        pytest.param("apiVersion: v1\nkind: 1\nmetadata: {name: a}", "#1: kind: expected a name, got 1", id="a number"),
    ],
)
def test_what_is_no_object_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(PlatformError, match=complaint):
        parse(text, "x.yaml")


def test_a_chart_is_rendered_with_our_values_and_without_the_users_cluster(machine: Machine, tmp_path: Path) -> None:
    machine.answer("helm", "template", out=ONE)
    documents = rendered(tmp_path / "c-1.tgz", CHART, COMPONENT)
    assert [one["metadata"]["name"] for one in documents] == ["one"]
    (call,) = machine.calls("helm", "template")
    assert call[2:6] == ["rel", str(tmp_path / "c-1.tgz"), "--namespace", "home"]
    assert {"--include-crds", "--no-hooks", "--kube-version", "--values"} <= set(call)


def test_helms_values_are_ours(machine: Machine, tmp_path: Path) -> None:
    kept = tmp_path / "values.json"
    helm = machine.folder / "helm"
    helm.write_text(f'#!/bin/sh\nfor last; do :; done\n/bin/cp "$last" {kept}\nprintf "{ONE!r}"'.replace("'", ""))
    rendered(tmp_path / "c-1.tgz", CHART, COMPONENT)
    assert kept.read_text(encoding="utf-8") == '{"a": {"b": 1}}'


def test_without_helm_it_is_said_how_to_get_it_or_do_without(machine: Machine, tmp_path: Path) -> None:
    machine.lacks("helm")
    with pytest.raises(UsageError, match=r"c-1.tgz cannot be rendered: helm is not on PATH: .*helm.sh.*--bundle DIR"):
        rendered(tmp_path / "c-1.tgz", CHART, COMPONENT)


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        pytest.param({"code": 1, "err": "Error: bad chart\n"}, "got exit code 1: Error: bad chart", id="refused"),
        pytest.param({"out": "\n"}, "expected manifests, got none", id="nothing"),
        pytest.param({"out": "a: {]"}, "c-1.tgz:1:5: no YAML", id="no YAML"),
    ],
)
def test_what_helm_cannot_render_is_said(
    machine: Machine, tmp_path: Path, answer: dict[str, Any], complaint: str
) -> None:
    machine.answer("helm", "template", **answer)
    with pytest.raises(PlatformError, match=complaint):
        rendered(tmp_path / "c-1.tgz", CHART, COMPONENT)


def test_a_components_documents_are_those_of_all_its_artefacts_each_once(
    web: Web, tmp_path: Path, told: list[str]
) -> None:
    first, second = web.put("/one.yaml", ONE), web.put("/all.yaml", f"{ONE}---\n{ONE.replace('one', 'two')}")
    rest = f"[[component.artefact]]\nurl = '{first}'\n[[component.artefact]]\nurl = '{second}'"
    platform = load(components(tmp_path, rest=rest), cache=tmp_path / "cache", say=told.append)
    assert [one["metadata"]["name"] for one in platform.documents(platform.components()[0])] == ["one", "two"]


def test_the_images_of_pods_and_the_list_of_images_are_the_same() -> None:
    component = Component("house", "1.0.0", images=("quay.io/a/b:1",))
    assert image_references(component, [deployment("d")]) == {"quay.io/a/b:1": "quay.io/a/b:1"}
    by_digest = f"quay.io/a/b@sha256:{'0' * 64}"
    assert image_references(component, [deployment("d", image=by_digest)]) == {"quay.io/a/b:1": by_digest}
    asleep = deployment("asleep", image="quay.io/c:1", replicas=0)
    assert image_references(component, [deployment("d"), asleep])
    with pytest.raises(PlatformError, match=r"house: expected its manifests to name quay.io/a/b:1, got no such image"):
        image_references(component, [])
    with pytest.raises(PlatformError, match=r"to name quay.io/a/b:1, got \['quay.io/a/b:2'\]"):
        image_references(component, [deployment("d", image="quay.io/a/b:2")])
    with pytest.raises(PlatformError, match=r"in `images`, got also quay.io/c:1"):
        image_references(component, [deployment("d"), deployment("e", image="quay.io/c:1")])


def test_the_sum_is_the_files(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert sha256_of(tmp_path / "empty").startswith("e3b0c44298fc1c14")
