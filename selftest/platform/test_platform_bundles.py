"""Bundles: made on one machine and used on another, or written by hand."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from fixtures.errors import PlatformError, UsageError
from fixtures.platform import plan
from fixtures.platform.description.writing import toml_value
from fixtures.platform.sources import bundling
from fixtures.platform.sources.archives import references_in
from fixtures.platform.sources.bundle import Bundle
from fixtures.platform.sources.components import PinnedPlatform, load
from selftest.kind.machine import Machine
from selftest.platform.web import Web

ONE = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\n"
POD = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: d, namespace: home}
spec:
  template:
    spec:
      containers: [{name: main, image: "quay.io/a/b@sha256:%s"}]
""" % ("0" * 64)
COMPONENTS = """
[[component]]
name = "first"
version = "1.0.0"
namespace = "home"
about = "a pod"
images = ["quay.io/a/b:v{version}"]
provides = { kafka = { kind = "apache" } }
kubernetes = "1.34"
[[component.artefact]]
url = "%s"
[[component.patch]]
kind = "Deployment"
why = "it is small"
merge = { spec = { replicas = 2 } }
[[component.wait]]
for = "rollout"
kind = "Deployment"
name = "d"
deadline = 90
[[component.wait]]
for = "accepts"
deadline = 2.5
manifest = { apiVersion = "v1", kind = "ConfigMap", metadata = { name = "x", labels = { "a.b/c" = "\\"odd\\"" } } }
[[component]]
name = "second"
version = "2.0.0"
optional = true
requires = ["first"]
images = ["seldonio/operator:2"]
[[component.artefact]]
chart = "%s"
release = "rel"
[[component.wait]]
for = "crds"
"""
RENDERED = POD.replace("quay.io/a/b@sha256:" + "0" * 64, "docker.io/seldonio/operator:2")


def by_hand(folder: Path, text: str, files: Mapping[str, str] | None = None) -> Path:
    for name, content in (files or {"manifests/one.yaml": ONE}).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    (folder / "bundle.toml").write_text(text, encoding="utf-8")
    return folder


def saved(folder: Path, name: str, *references: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    bundling._docker("save", "--output", str(path), *references)


@pytest.fixture
def platform(web: Web, machine: Machine, tmp_path: Path, told: list[str]) -> PinnedPlatform:
    """Two components of which one is a chart."""
    machine.answer("helm", "template", out=RENDERED)
    path = tmp_path / "components.toml"
    path.write_text(COMPONENTS % (web.put("/pod.yaml", POD), web.put("/c.tgz", "a chart")), encoding="utf-8")
    return load(path, cache=tmp_path / "cache", say=told.append)


def test_a_bundle_written_by_hand_needs_nothing_but_manifests(tmp_path: Path) -> None:
    text = '[[component]]\nname = "mine"\nversion = "7"\nmanifests = ["manifests/one.yaml"]\n'
    bundle = Bundle.open(by_hand(tmp_path, text))
    (component,) = bundle.components()
    assert (component.name, component.version, component.waits) == ("mine", "7", ())
    assert [one["metadata"]["name"] for one in bundle.documents(component)] == ["one"]
    assert list(bundle.image_archives(component)) == []
    assert bundle.workloads == {}
    assert bundling.check(bundle) == []
    assert "NOT LOCKED: 1 of 1 files have no sha256" in str(plan(bundle))


def test_given_workloads_and_their_archives_are_offered(tmp_path: Path, machine: Machine) -> None:
    saved(tmp_path, "images/workloads.tar", "vendor.example/probe:9")
    names = 'probe = "vendor.example/probe:9"\nserving = "vendor.example/serving:9"\n'
    text = f'[workloads]\n{names}archives = ["images/workloads.tar"]\n'
    bundle = Bundle.open(by_hand(tmp_path, text))
    assert bundle.workloads == {"probe": "vendor.example/probe:9", "serving": "vendor.example/serving:9"}
    assert bundle.workload_archives == [tmp_path / "images/workloads.tar"]
    assert bundling.check(bundle) == [
        "workloads.serving: vendor.example/serving:9 is in no archive: the nodes must have it, or pull it"
    ]


def test_a_bundle_is_what_the_platform_was(
    platform: PinnedPlatform, machine: Machine, tmp_path: Path, told: list[str]
) -> None:
    made = bundling.create(
        platform, platform.components(), tmp_path / "new", told.append, {"probe": "touchstone/probe:1"}
    )
    bundle = Bundle.open(made)
    first, second = bundle.components()
    was, second_was = platform.components()
    assert (first.name, first.version, first.namespace, first.about) == ("first", "1.0.0", "home", "a pod")
    assert (first.waits, first.provides, first.kubernetes) == (was.waits, was.provides, "1.34")
    assert (second.optional, second.requires, second.waits) == (True, ("first",), second_was.waits)
    assert bundle.workloads == {"probe": "touchstone/probe:1"}
    assert bundling.check(bundle) == []
    assert bundle.unlocked_line(bundle.components()) == ""


def test_a_bundles_images_are_named_by_tag_and_pulled_by_digest(
    platform: PinnedPlatform, machine: Machine, tmp_path: Path, told: list[str]
) -> None:
    bundle = Bundle.open(bundling.create(platform, platform.components(), tmp_path / "new", told.append))
    (document,) = bundle.documents(bundle.components()[0])
    assert document["spec"]["template"]["spec"]["containers"][0]["image"] == "quay.io/a/b:v1.0.0"
    assert document["spec"]["replicas"] == 2, "patches are in a bundle's manifests"
    by_digest = f"quay.io/a/b@sha256:{'0' * 64}"
    assert ["docker", "pull", "--quiet", by_digest] in machine.calls()
    assert ["docker", "tag", by_digest, "quay.io/a/b:v1.0.0"] in machine.calls()
    assert ["docker", "pull", "--quiet", "seldonio/operator:2"] in machine.calls()
    assert references_in(tmp_path / "new/images/first.tar") == {"quay.io/a/b:v1.0.0"}


def test_only_what_was_chosen_goes_in(platform: PinnedPlatform, tmp_path: Path, told: list[str]) -> None:
    made = bundling.create(platform, platform.components()[:1], tmp_path / "new", told.append)
    assert [one.name for one in Bundle.open(made).components()] == ["first"]


def test_an_image_that_cannot_be_pulled_leaves_no_table_of_contents(
    web: Web, machine: Machine, tmp_path: Path, told: list[str]
) -> None:
    path = tmp_path / "components.toml"
    page = web.put("/pod.yaml", RENDERED.replace("seldonio/operator:2", "missing/image:1"))
    fields = "name = 'x'\nversion = '1'\nimages = ['missing/image:1']"
    path.write_text(f"[[component]]\n{fields}\n[[component.artefact]]\nurl = '{page}'\n", encoding="utf-8")
    source = load(path, cache=tmp_path / "cache", say=told.append)
    with pytest.raises(
        PlatformError, match=r"docker pull --quiet missing/image:1: expected it to work, got .*manifest unknown"
    ):
        bundling.create(source, source.components(), tmp_path / "new", told.append)
    assert not (tmp_path / "new/bundle.toml").exists()


def test_a_bundle_needs_docker_and_an_empty_folder(
    platform: PinnedPlatform, machine: Machine, tmp_path: Path, told: list[str]
) -> None:
    with pytest.raises(UsageError, match="expected a new or an empty folder"):
        bundling.create(platform, platform.components(), tmp_path, told.append)
    machine.lacks("docker")
    with pytest.raises(UsageError, match=r"docker is not on PATH: .*install Docker Engine"):
        bundling.create(platform, platform.components(), tmp_path / "new", told.append)


@pytest.mark.parametrize("name", ["manifests/first.yaml", "images/first.tar"])
def test_a_file_that_differs_from_its_sum_is_refused(
    platform: PinnedPlatform, tmp_path: Path, told: list[str], name: str
) -> None:
    bundle = Bundle.open(bundling.create(platform, platform.components(), tmp_path / "new", told.append))
    with (bundle.folder / name).open("a", encoding="utf-8") as file:
        file.write("\n# changed\n")
    with pytest.raises(
        PlatformError, match=rf"{name}: expected sha256 [0-9a-f]{{64}} .*bundle.toml.*, got [0-9a-f]{{64}}"
    ):
        bundling.check(bundle)


def test_a_check_finds_what_would_go_wrong_without_a_network(tmp_path: Path, machine: Machine) -> None:
    text = """
[[component]]
name = "mine"
version = "7"
manifests = ["manifests/d.yaml", "manifests/e.yaml"]
[[component.wait]]
for = "available"
kind = "Deployment"
name = "other"
namespace = "home"
[[component]]
name = "empty"
version = "1"
"""
    files = {"manifests/d.yaml": POD, "manifests/e.yaml": RENDERED}
    assert bundling.check(Bundle.open(by_hand(tmp_path, text, files))) == [
        "mine: docker.io/seldonio/operator:2 is in no archive: the nodes must have it, or pull it",
        f"mine: quay.io/a/b@sha256:{'0' * 64} is named by digest: no archive can bring it; name it by tag",
        "mine: it waits for Deployment home/other to be Available, which none of its manifests makes",
        "empty: it has no manifests: nothing will be installed",
    ]


def test_a_folder_that_is_no_bundle_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"expected a bundle.toml in it, got none; .*bundle create DIR"):
        Bundle.open(tmp_path)
    with pytest.raises(UsageError, match=r"got no such folder; .*bundle create DIR"):
        Bundle.open(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        pytest.param(b"no tar", "expected an archive as `docker save` writes it", id="no tar"),
        pytest.param(b"\0" * 10240, "expected an archive that names its images", id="empty tar"),
    ],
)
def test_what_is_no_archive_of_images_is_refused(tmp_path: Path, content: bytes, complaint: str) -> None:
    (tmp_path / "x.tar").write_bytes(content)
    with pytest.raises(PlatformError, match=complaint):
        references_in(tmp_path / "x.tar")


@pytest.mark.parametrize(
    "value", ["", 'a "b" \\ \n \x7f ä 𝄞', 3, 2.5, True, [], ["a", 1], {}, {"a.b/c": {"d": [{"e": "f"}]}}], ids=repr
)
def test_what_is_written_as_toml_is_read_as_it_was(value: Any) -> None:
    assert tomllib.loads(f"x = {toml_value(value)}")["x"] == value
