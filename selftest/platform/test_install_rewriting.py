"""References of images: found wherever documents hold them, and turned to a mirror."""

import copy
from typing import Any

import pytest

from fixtures.platform.sources.images import references, repository, rewrite, rewritten, with_pull_policy

SUM = "@sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("reference", "turned"),
    [
        ("apache/kafka:4.1.0", "m.example:5000/p/apache/kafka:4.1.0"),
        ("docker.io/apache/kafka:4.1.0", "m.example:5000/p/apache/kafka:4.1.0"),
        ("index.docker.io/apache/kafka", "m.example:5000/p/apache/kafka"),
        ("busybox", "m.example:5000/p/library/busybox"),
        ("docker.io/busybox:1", "m.example:5000/p/library/busybox:1"),
        ("quay.io/a/b:1", "m.example:5000/p/a/b:1"),
        ("gcr.io/k/k.dev/eventing/cmd/x" + SUM, "m.example:5000/p/k/k.dev/eventing/cmd/x" + SUM),
        ("quay.io/a/b:1" + SUM, "m.example:5000/p/a/b:1" + SUM),
        ("localhost/a:1", "m.example:5000/p/a:1"),
        ("localhost:5001/a/b:1", "m.example:5000/p/a/b:1"),
        ("m.example:5000/p/a/b:1", "m.example:5000/p/a/b:1"),
    ],
    ids=[
        "short",
        "docker",
        "docker-index",
        "library",
        "docker-library",
        "host",
        "digest",
        "tag-and-digest",
        "localhost",
        "port",
        "already",
    ],
)
def test_a_reference_turns_to_the_mirror(reference: str, turned: str) -> None:
    assert rewritten(reference, "m.example:5000/p") == turned
    assert rewritten(reference, "m.example:5000/p/") == turned


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("a", "a"),
        ("a:1", "a"),
        ("h:5/a", "h:5/a"),
        ("h:5/a:1", "h:5/a"),
        ("a/b" + SUM, "a/b"),
        ("a/b:1" + SUM, "a/b"),
    ],
    ids=["bare", "tag", "port", "port-and-tag", "digest", "tag-and-digest"],
)
def test_repository(reference: str, name: str) -> None:
    assert repository(reference) == name


def pod(*images: str) -> dict[str, Any]:
    containers = [{"name": str(number), "image": image} for number, image in enumerate(images[1:])]
    return {
        "kind": "Deployment",
        "spec": {
            "template": {"spec": {"containers": containers, "initContainers": [{"name": "i", "image": images[0]}]}}
        },
    }


EXECUTOR = {
    "kind": "Deployment",
    "spec": {
        "template": {
            "spec": {
                "containers": [
                    {
                        "name": "m",
                        "image": "seldonio/op:1",
                        "env": [{"name": "RELATED_IMAGE_EXECUTOR", "value": "docker.io/seldonio/executor:1"}],
                    },
                ]
            }
        }
    },
}
AGENT = {
    "kind": "ConfigMap",
    "data": {"agent": '{"image" : "kserve/agent:v1", "cpu": "1"}', "other": "see github.com/kserve/agent"},
}
STORAGE = {"kind": "ClusterStorageContainer", "spec": {"container": {"name": "s", "image": "kserve/storage:v1"}}}
RUNTIME = {"kind": "ClusterServingRuntime", "spec": {"containers": [{"name": "s", "image": "kserve/sk:v1"}]}}
CRD = {
    "kind": "CustomResourceDefinition",
    "spec": {"description": "such as kserve/agent:v1", "containers": [{"image": "x/y"}]},
}


@pytest.mark.parametrize(
    ("document", "repositories", "found"),
    [
        (pod("a/init:1", "quay.io/a/b:1", "c"), [], {"a/init:1", "quay.io/a/b:1", "c"}),
        (EXECUTOR, ["seldonio/executor:1"], {"seldonio/op:1", "docker.io/seldonio/executor:1"}),
        (EXECUTOR, [], {"seldonio/op:1"}),
        (AGENT, ["docker.io/kserve/agent"], {"kserve/agent:v1"}),
        (STORAGE, ["kserve/storage"], {"kserve/storage:v1"}),
        (RUNTIME, [], {"kserve/sk:v1"}),
        (CRD, ["kserve/agent"], set()),
        (
            {"kind": "ConfigMap", "data": {"a": "q.io/a/b" + SUM, "b": "q.io/a/b-c:1", "c": "x-q.io/a/b:1"}},
            ["q.io/a/b:9"],
            {"q.io/a/b" + SUM},
        ),
        ({"kind": "ConfigMap", "data": {"a": "busybox docker.io/busybox:1"}}, ["busybox"], {"docker.io/busybox:1"}),
    ],
    ids=[
        "containers",
        "env",
        "env-not-asked-for",
        "json-in-config",
        "singular",
        "runtime",
        "crd",
        "neighbours",
        "short",
    ],
)
def test_references_are_found_and_turned(document: dict[str, Any], repositories: list[str], found: set[str]) -> None:
    before = copy.deepcopy(document)
    assert references([document], repositories) == found
    (turned,) = rewrite([document], "mirror/p", repositories)
    assert references([turned], [*repositories, *(rewritten(one, "mirror/p") for one in found)]) >= {
        rewritten(one, "mirror/p") for one in found
    }
    assert document == before
    for one in found:
        assert rewritten(one, "mirror/p") in str(turned)


def test_what_is_no_image_stays() -> None:
    (turned,) = rewrite([AGENT], "m.example", ["kserve/agent"])
    assert turned["data"] == {
        "agent": '{"image" : "m.example/kserve/agent:v1", "cpu": "1"}',
        "other": "see github.com/kserve/agent",
    }


def test_pull_policy_is_set_on_every_container() -> None:
    document = pod("a", "b")
    document["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] = "Always"
    (changed,) = with_pull_policy([document])
    spec = changed["spec"]["template"]["spec"]
    assert [one["imagePullPolicy"] for one in (*spec["containers"], *spec["initContainers"])] == ["IfNotPresent"] * 2
    assert document["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] == "Always"
