"""What the pipelines ask nodes for: little enough to fit beside the platform, and what preflight says that it is."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from kubernetes.utils import parse_quantity

from fixtures.pipelines.description import read_all
from fixtures.preflight.checking import ROOM
from fixtures.preflight.nodes import CPUS, MEMORY
from selftest.manifests.rendering import PIPELINES, ROOT, containers, needs_kubectl, rendered

USUAL = sorted(name for name, pipeline in read_all(PIPELINES).items() if not pipeline.on_request)
PLATFORM, PLATFORM_MEMORY = 1.99, 3 * 2**30  # measured on a kind cluster, Kubernetes itself included
AGENT, AGENT_MEMORY = 0.1, 100 * 2**20  # what KServe gives each agent, which no manifest of ours has
AGENT_OF_KIND = 0.01  # manifests/platform/components.toml
BESIDE = 2  # a service that a test has beside those of the pipelines: its pod, and one that asks nodes to pull images

AMOUNT: Any = parse_quantity  # untyped, though the package says that it is typed

pytestmark = needs_kubectl


def requests(value: Any, replicas: int = 1) -> Iterator[tuple[float, float]]:
    """Yield the CPUs and the bytes of memory that each container requests, once for each replica."""
    if isinstance(value, list):
        for member in value:
            yield from requests(member, replicas)
    elif isinstance(value, dict):
        replicas = value.get("replicas", replicas)
        resources = [container["resources"] for container in containers({"containers": value.get("containers")})]
        if "svcOrchSpec" in value:
            resources.append(value["svcOrchSpec"]["resources"])
        for each in resources:
            asked = each["requests"]
            yield from [(float(AMOUNT(asked["cpu"])), float(AMOUNT(asked["memory"])))] * replicas
        for member in value.values():
            yield from requests(member, replicas)


def pods(manifest: dict[str, Any]) -> int:
    """Return the number of pods of an object."""
    if manifest["kind"] == "InferenceService":
        return len({"predictor", "transformer", "explainer"} & manifest["spec"].keys())
    if manifest["kind"] == "SeldonDeployment":
        return sum(each["replicas"] * len(each["componentSpecs"]) for each in manifest["spec"]["predictors"])
    return 0


def sums(pipelines: list[str]) -> tuple[int, float, float]:
    """Return the pods, the CPUs and the bytes of memory that pipelines ask for."""
    manifests = [manifest for name in pipelines for manifest in rendered(f"{name}/kind")]
    asked = list(requests(manifests))
    return sum(map(pods, manifests)), sum(cpu for cpu, _ in asked), sum(memory for _, memory in asked)


def agents(pipelines: list[str]) -> int:
    """Return the number of agents that KServe puts beside the components of pipelines."""
    services = [
        manifest
        for name in pipelines
        for manifest in rendered(f"{name}/kind")
        if manifest["kind"] == "InferenceService"
    ]
    return sum(bool({"batcher", "logger"} & part.keys()) for service in services for part in service["spec"].values())


def probe() -> tuple[float, float]:
    ((cpu, memory),) = requests(yaml.safe_load((ROOT / "manifests/probe/deployment.yaml").read_text()))
    return cpu, memory


@pytest.mark.parametrize("pipeline", USUAL)
def test_a_copy_for_a_destructive_test_asks_for_little(pipeline: str) -> None:
    assert sums([pipeline])[1] <= 0.1


def test_all_pipelines_fit_beside_the_platform() -> None:
    _, cpu, memory = sums(USUAL)
    probe_cpu, probe_memory = probe()
    assert cpu <= 0.32
    assert (
        PLATFORM + cpu + agents(USUAL) * AGENT_OF_KIND + probe_cpu + 4 * 3 * 0.1 <= CPUS
    )  # three copies for each of four workers
    assert PLATFORM_MEMORY + memory + probe_memory <= MEMORY


def test_preflight_asks_a_quota_for_what_the_probe_and_all_pipelines_take() -> None:
    count, cpu, memory = sums(USUAL)
    probe_cpu, probe_memory = probe()
    least, most = ({name: float(AMOUNT(pair[end])) for name, pair in ROOM.items()} for end in (0, 1))
    assert least == {"pods": 2, "requests.cpu": probe_cpu, "requests.memory": probe_memory}
    beside = sums(["open-inference"])
    cpu, memory = cpu + agents(USUAL) * AGENT, memory + agents(USUAL) * AGENT_MEMORY
    assert count + 1 + BESIDE <= most["pods"] <= count + 4 + BESIDE
    assert cpu + probe_cpu + beside[1] <= most["requests.cpu"] <= 1.0
    assert memory + probe_memory + beside[2] <= most["requests.memory"] <= 5 * 2**30
