"""Patches: what they merge into which documents, and how one that fits nothing is told."""

import copy
from typing import Any

import pytest

from fixtures.errors import PlatformError
from fixtures.platform.description.model import Patch
from fixtures.platform.sources.patches import apply_patches, merged


def deployment(name: str, namespace: str = "n", **container: Any) -> dict[str, Any]:
    one = {"name": "main", "image": "a/b:1", "env": [{"name": "A", "value": "1"}], **container}
    spec = {"replicas": 2, "template": {"spec": {"containers": [one, {"name": "side", "image": "c/d:1"}]}}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    }


CONFIG = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "c"},
    "data": {"deploy": '{"mode": "Knative", "x": 1}'},
}


@pytest.mark.parametrize(
    ("old", "change", "new"),
    [
        ({"a": 1, "b": {"c": 2}}, {"b": {"d": 3}}, {"a": 1, "b": {"c": 2, "d": 3}}),
        ({"a": 1, "b": 2}, {"b": None}, {"a": 1}),
        ({"a": 1}, {"b": {"c": None, "d": 1}}, {"a": 1, "b": {"d": 1}}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        (
            {"e": [{"name": "A", "value": "1"}]},
            {"e": [{"name": "B", "value": "2"}]},
            {"e": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]},
        ),
        (
            {"e": [{"name": "A", "value": "1"}, {"name": "B"}]},
            {"e": [{"name": "A", "value": "2"}]},
            {"e": [{"name": "A", "value": "2"}, {"name": "B"}]},
        ),
        (
            {"e": [{"name": "A", "valueFrom": {}}]},
            {"e": [{"name": "A", "value": "2", "valueFrom": None}]},
            {"e": [{"name": "A", "value": "2"}]},
        ),
        ({}, {"e": [{"name": "A"}]}, {"e": [{"name": "A"}]}),
        ({"e": [{"port": 1}]}, {"e": [{"name": "A"}]}, {"e": [{"name": "A"}]}),
        ({"a": "text"}, {"a": {"b": 1}}, {"a": {"b": 1}}),
    ],
    ids=[
        "deep",
        "remove",
        "nothing-to-remove",
        "plain-list",
        "add-item",
        "change-item",
        "remove-in-item",
        "new-list",
        "unnamed-items",
        "text-to-mapping",
    ],
)
def test_merge(old: dict[str, Any], change: dict[str, Any], new: dict[str, Any]) -> None:
    before = copy.deepcopy(old)
    assert merged(old, change) == new
    assert old == before


@pytest.mark.parametrize(
    ("patch", "changed"),
    [
        (Patch("Deployment", "", name="one", namespace="n"), ["n/one"]),
        (Patch("Deployment", "", name="one"), ["n/one", "m/one"]),
        (Patch("Deployment", "", namespace="n"), ["n/one", "n/two"]),
        (Patch("Deployment", ""), ["n/one", "n/two", "m/one"]),
    ],
    ids=["one", "name", "namespace", "kind"],
)
def test_a_patch_changes_what_it_names(patch: Patch, changed: list[str]) -> None:
    documents = [deployment("one"), deployment("two"), deployment("one", "m"), CONFIG]
    before = copy.deepcopy(documents)
    patch = Patch(patch.kind, "small node", patch.name, patch.namespace, merge={"spec": {"replicas": 1}})
    patched = apply_patches(documents, [patch], "c")
    found = [
        f"{one['metadata']['namespace']}/{one['metadata']['name']}"
        for one in patched
        if one.get("spec", {}).get("replicas") == 1
    ]
    assert found == changed
    assert documents == before
    assert patched[3] == CONFIG


def test_json_in_a_string_is_merged() -> None:
    patch = Patch("ConfigMap", "no Knative Serving", name="c", json={"data.deploy": {"mode": "Standard", "y": [2]}})
    (config,) = apply_patches([CONFIG], [patch], "kserve")
    assert config["data"]["deploy"] == '{\n  "mode": "Standard",\n  "x": 1,\n  "y": [\n    2\n  ]\n}'
    assert CONFIG["data"] == {"deploy": '{"mode": "Knative", "x": 1}'}


@pytest.mark.parametrize(
    ("patch", "said"),
    [
        (
            Patch("Deployment", "fewer", name="won"),
            r"patch of Deployment won \(fewer\): unknown Deployment 'won': did you mean one\?",
        ),
        (
            Patch("StatefulSet", "fewer", name="one"),
            "expected a StatefulSet, its documents have none; kinds: ConfigMap, Deployment",
        ),
        (
            Patch("Deployment", "fewer", name="one", namespace="m"),
            r"patch of Deployment m/one \(fewer\): expected a Deployment in namespace m",
        ),
        (
            Patch("ConfigMap", "mode", json={"data.nowhere": {}}),
            "field data.nowhere: expected a string that holds JSON, got nothing",
        ),
        (Patch("ConfigMap", "mode", json={"data": {}}), "field data: expected a string that holds JSON, got dict"),
        (
            Patch("ConfigMap", "mode", merge={"data": {"deploy": "no"}}, json={"data.deploy": {}}),
            "field data.deploy: expected JSON, got none",
        ),
    ],
    ids=["name", "kind", "namespace", "no-field", "no-string", "no-json"],
)
def test_a_patch_that_fits_nothing_is_an_error(patch: Patch, said: str) -> None:
    with pytest.raises(PlatformError, match=f"component x: .*{said}"):
        apply_patches([deployment("one"), CONFIG], [patch], "x")
