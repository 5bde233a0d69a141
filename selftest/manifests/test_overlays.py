"""What the overlays render to: what the snapshots say, fit for a cluster, and the documented flow where it can be."""

import tomllib
from typing import Any

import pytest
import yaml

from selftest.manifests.rendering import (
    OVERLAYS,
    OWN_IMAGES,
    PIPELINES,
    ROOT,
    containers,
    folder,
    kustomized,
    needs_kubectl,
    rendered,
)

SNAPSHOTS = ROOT / "selftest" / "manifests" / "snapshots"
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

pytestmark = needs_kubectl


def base(pipeline: str) -> list[dict[str, Any]]:
    return [yaml.safe_load(path.read_text()) for path in sorted((PIPELINES / pipeline / "base").glob("*.yaml"))]


def by_name(objects: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {f"{one['kind']}/{one['metadata']['name']}": one for one in objects}


def the_container(isvc: dict[str, Any], component: str) -> dict[str, Any]:
    (container,) = isvc["spec"][component]["containers"]
    assert isinstance(container, dict)
    return container


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_renders_as_its_snapshot(overlay: str) -> None:
    snapshot = SNAPSHOTS / f"{overlay.replace('/', '.')}.yaml"
    place = folder(overlay).relative_to(ROOT)
    update = f"kubectl kustomize {place} > {snapshot.relative_to(ROOT)}"
    assert list(yaml.safe_load_all(snapshot.read_text())) == rendered(overlay), f"If this is meant: {update}"


@pytest.mark.parametrize("pipeline", sorted(path.parents[1].name for path in PIPELINES.glob("*/overlays/seed-exact")))
def test_the_base_and_seed_exact_are_what_the_documentation_says(pipeline: str) -> None:
    documented = base(pipeline)
    assert list(yaml.safe_load_all(kustomized(PIPELINES / pipeline / "base"))) == documented
    assert rendered(f"{pipeline}/seed-exact") == documented


@pytest.mark.parametrize("overlay", OWN_IMAGES)
def test_every_container_says_what_it_needs(overlay: str) -> None:
    found = [one for manifest in rendered(overlay) for one in containers(manifest)]
    assert found
    for one in found:
        assert one["imagePullPolicy"] == "IfNotPresent", one["name"]
        assert {"cpu", "memory"} <= set(one["resources"]["requests"]), one["name"]
        assert {"cpu", "memory"} <= set(one["resources"]["limits"]), one["name"]
        assert one["readinessProbe"], one["name"]


@pytest.mark.parametrize("overlay", OWN_IMAGES)
def test_every_image_is_one_of_ours_in_the_projects_version(overlay: str) -> None:
    for manifest in rendered(overlay):
        for one in containers(manifest):
            registry, name = one["image"].split("/")
            assert (registry, name.partition(":")[2]) == ("touchstone", VERSION)
            assert (ROOT / "images" / name.partition(":")[0] / "Dockerfile").is_file()


@pytest.mark.parametrize("overlay", OWN_IMAGES)
def test_our_containers_meet_pod_securitys_restricted_level(overlay: str) -> None:
    for manifest in rendered(overlay):
        for one in containers(manifest):
            context = one["securityContext"]
            assert context["allowPrivilegeEscalation"] is False
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert context["runAsNonRoot"] is True
            assert context["readOnlyRootFilesystem"] is True
            # The image's own user is a number; another one, as OpenShift assigns, must do as well.
            assert "runAsUser" not in context


@pytest.mark.parametrize("overlay", ["async-mnist/kind", "async-mnist/cluster"])
def test_kserve_runs_it_in_standard_mode_with_nothing_to_fetch(overlay: str) -> None:
    found = by_name(rendered(overlay))
    isvc = found["InferenceService/test-transformer"]
    assert isvc["metadata"]["annotations"]["serving.kserve.io/deploymentMode"] == "Standard"
    assert "storageUri" not in yaml.safe_dump(isvc)
    assert "model" not in isvc["spec"]["predictor"]
    for component in ("predictor", "transformer"):
        assert the_container(isvc, component)["name"] == "kserve-container"
        assert isvc["spec"][component]["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}


@pytest.mark.parametrize("overlay", ["async-mnist/kind", "async-mnist/cluster"])
def test_the_documented_subscriber_leads_to_the_transformer(overlay: str) -> None:
    found = by_name(rendered(overlay))
    documented = by_name(base("async-mnist"))
    assert found["Trigger/kserve-trigger"] == documented["Trigger/kserve-trigger"]
    host = found["Trigger/kserve-trigger"]["spec"]["subscriber"]["uri"].split("/")[2]
    alias = found["Service/test-transformer"]
    assert host == f"{alias['metadata']['name']}.{alias['metadata']['namespace']}.svc.cluster.local"
    assert alias["spec"]["type"] == "ExternalName"
    # What KServe calls the transformer's Service in Standard mode; it listens on 80, as the URI expects.
    assert alias["spec"]["externalName"] == "test-transformer-transformer.kserve-test.svc.cluster.local"
    assert [port["port"] for port in alias["spec"]["ports"]] == [80]


@pytest.mark.parametrize("overlay", ["async-mnist/kind", "async-mnist/cluster"])
def test_the_transformer_stays_the_documented_one(overlay: str) -> None:
    documented = the_container(by_name(base("async-mnist"))["InferenceService/test-transformer"], "transformer")
    container = the_container(by_name(rendered(overlay))["InferenceService/test-transformer"], "transformer")
    for field in ("command", "args", "env"):
        assert container[field] == documented[field]


@pytest.mark.parametrize("overlay", ["async-mnist/kind", "async-mnist/cluster"])
def test_broker_and_config_are_the_documented_ones_but_for_the_place_of_the_config(overlay: str) -> None:
    found, documented = by_name(rendered(overlay)), by_name(base("async-mnist"))
    assert found["Namespace/kserve-test"] == documented["Namespace/kserve-test"]
    config, broker = found["ConfigMap/isvc-broker-config"], found["Broker/isvc-broker"]
    assert config["data"] == documented["ConfigMap/kafka-broker-config"]["data"]
    assert broker["spec"]["config"] == {"apiVersion": "v1", "kind": "ConfigMap", **config["metadata"]}
    assert broker["metadata"] == documented["Broker/isvc-broker"]["metadata"]


@pytest.mark.parametrize("overlay", ["kind", "cluster"])
@pytest.mark.parametrize(
    ("pipeline", "home"),
    [
        ("async-mnist", "kserve-test"),
        ("seldon-cifar10", "seldon"),
        ("seldon-echo", "seldon-echo"),
        ("seldon-graphs", "seldon-graphs"),
    ],
)
def test_nothing_leaves_the_pipelines_namespace(overlay: str, pipeline: str, home: str) -> None:
    objects = rendered(f"{pipeline}/{overlay}")
    assert objects[0] == {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": home}}
    assert {one["metadata"]["namespace"] for one in objects[1:]} == {home}
    if pipeline == "async-mnist":
        assert by_name(objects)["Broker/isvc-broker"]["spec"]["config"]["namespace"] == home


@pytest.mark.parametrize("overlay", ["seldon-cifar10/kind", "seldon-cifar10/cluster"])
def test_seldon_finds_model_and_kafka(overlay: str) -> None:
    for manifest in by_name(rendered(overlay)).values():
        if manifest["kind"] != "SeldonDeployment":
            continue
        (predictor,) = manifest["spec"]["predictors"]
        ((component,),) = [[one["spec"] for one in predictor["componentSpecs"]]]
        (container,) = component["containers"]
        port = {"rest": "http", "grpc": "grpc"}[manifest["spec"]["transport"]]
        # The webhook finds the port by its name; the rest of graph.endpoint it overwrites.
        assert [one["name"] for one in container["ports"]] == [port]
        assert container["ports"][0]["containerPort"] == predictor["graph"]["endpoint"]["service_port"]
        assert container["name"] == predictor["graph"]["name"]
        names = [one["name"] for one in predictor["svcOrchSpec"]["env"]]
        assert names == ["KAFKA_BROKER", "KAFKA_INPUT_TOPIC", "KAFKA_OUTPUT_TOPIC"]
        assert {"cpu", "memory"} <= set(predictor["svcOrchSpec"]["resources"]["requests"])
