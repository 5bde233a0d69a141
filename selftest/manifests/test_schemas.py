"""Every manifest of the pipelines against the CRDs of the versions that they are written for."""

import copy
from typing import Any

import pytest
import yaml

from selftest.manifests.rendering import OVERLAYS, PIPELINES, ROOT, needs_kubectl, rendered
from selftest.manifests.schemas import CRDS, NO_CRDS, core_faults, custom_faults, faults, json_schema

needs_crds = pytest.mark.skipif(not CRDS, reason=NO_CRDS)
BASES = sorted(PIPELINES.glob("*/base/*.yaml"))
PROBE = sorted((ROOT / "manifests" / "probe").glob("*.yaml"))


@needs_crds
@pytest.mark.parametrize("file", BASES, ids=lambda path: f"{path.parents[1].name}/{path.name}")
def test_a_documented_manifest_fits_its_schema(file: Any) -> None:
    assert faults(yaml.safe_load(file.read_text())) == []


@needs_crds
@needs_kubectl
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_fits_the_schemas(overlay: str) -> None:
    for manifest in rendered(overlay):
        assert faults(manifest) == [], f"{manifest['kind']}/{manifest['metadata']['name']}"


@pytest.mark.parametrize("file", PROBE, ids=lambda path: path.name)
def test_the_probes_manifests_fit_the_api(file: Any) -> None:
    for manifest in yaml.safe_load_all(file.read_text()):
        assert faults(manifest) == []


@needs_crds
def test_a_misspelt_field_and_a_wrong_type_are_found() -> None:
    file = PIPELINES / "async-mnist" / "base" / "50-inference-service.yaml"
    manifest = yaml.safe_load(file.read_text())
    wrong = copy.deepcopy(manifest)
    wrong["spec"]["transformer"]["containers"][0]["imagePullpolicy"] = "Always"
    wrong["spec"]["predictor"]["minReplicas"] = "one"
    told = " ".join(custom_faults(wrong))
    assert "imagePullpolicy" in told
    assert "minReplicas" in told
    with pytest.raises(LookupError, match="Nothing"):
        custom_faults({"apiVersion": "example.com/v1", "kind": "Nothing"})


def test_the_core_types_find_them_too() -> None:
    service = {"kind": "Service", "spec": {"externalname": "x", "ports": [{"port": "http"}], "selector": {"app": 1}}}
    assert list(core_faults(service, "V1Service")) == [
        "$.spec: V1ServiceSpec has no field 'externalname'",
        "$.spec.ports[0].port: int is expected, not 'http'",
        "$.spec.selector.app: str is expected, not 1",
    ]


@pytest.mark.parametrize(
    ("structural", "expected"),
    [
        ({"x-kubernetes-int-or-string": True, "anyOf": []}, {"type": ["integer", "string"]}),
        ({"type": "object", "x-kubernetes-preserve-unknown-fields": True}, {"type": "object"}),
        (
            {"type": "object", "properties": {"a": {"type": "string", "nullable": True}}},
            {"type": "object", "properties": {"a": {"type": ["string", "null"]}}, "additionalProperties": False},
        ),
        (
            {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "integer"}}},
            {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "integer"}}},
        ),
    ],
)
def test_a_structural_schema_becomes_a_strict_json_schema(structural: dict[str, Any], expected: dict[str, Any]) -> None:
    assert json_schema(structural) == expected
