"""Every mutant of InferenceServices does what it says; the honest controllers do the right thing."""

from collections.abc import Mapping
from typing import Any

import pytest

from embedded.agents import AGENT_PORT
from embedded.api.resources import DEPLOYMENT, INFERENCESERVICE, POD, SERVICE, TRIGGER
from embedded.mutants.selection import Selection
from embedded.runtime.gateway import Gateway
from selftest.embedded_platform.doubles import Agent, Cluster, eventually, is_false, is_true

pytestmark = pytest.mark.anyio

CONTAINERS = {"containers": [{"name": "c", "image": "i"}]}
CRASHED: Mapping[str, Any] = {"ready": False, "restartCount": 3, "state": {"terminated": {"exitCode": 1}}}
NAME, PREDICTOR = "it", {"component": "predictor"}


def place(cluster: Cluster, mutant: str | None) -> str:
    """Return a namespace with the mutant; None: an honest one."""
    return cluster.faulty(mutant) if mutant else "ns"


async def made(cluster: Cluster, namespace: str, **spec: Any) -> None:
    """Make an InferenceService, and wait until its pods are made."""
    cluster.create(INFERENCESERVICE, NAME, namespace, spec={"predictor": CONTAINERS, **spec})
    await eventually(lambda: len(cluster.store.list(POD, namespace)) == 1 + len(spec.keys() - {"predictor"}))


def crash(cluster: Cluster, namespace: str) -> None:
    """Say that the predictor's pod has ended again and again."""
    [pod] = cluster.store.list(POD, namespace, PREDICTOR)
    status = {"conditions": [{"type": "Ready", "status": "False"}], "containerStatuses": [CRASHED]}
    cluster.store.patch_status(POD, namespace, pod["metadata"]["name"], status)


def is_changed(cluster: Cluster, namespace: str) -> bool:
    """Tell whether a pod has the image that another one had not."""
    return any(pod["spec"]["containers"][0]["image"] == "j" for pod in cluster.store.list(POD, namespace))


def change(cluster: Cluster, namespace: str, **spec: Any) -> None:
    """Change fields of an InferenceService; None: they go."""
    found = cluster.store.get(INFERENCESERVICE, namespace, NAME)
    changed = {**found["spec"], **spec}
    found["spec"] = {field: value for field, value in changed.items() if value is not None}
    cluster.store.update(INFERENCESERVICE, found)


@pytest.mark.parametrize(("mutant", "probe"), [(None, "httpGet"), ("agent-ready-is-ready", "tcpSocket")])
async def test_mutant_agent_ready_is_ready(cluster: Cluster, mutant: str | None, probe: str) -> None:
    namespace = place(cluster, mutant)
    [container] = CONTAINERS["containers"]
    probed = {**container, "readinessProbe": {"httpGet": {"path": "/v1/models/m", "port": 8080}}}
    await made(cluster, namespace, predictor={"containers": [probed], "logger": {"url": "http://log"}})
    [pod] = cluster.store.list(POD, namespace)
    assert probe in pod["spec"]["containers"][0]["readinessProbe"]


@pytest.mark.parametrize(
    ("mutant", "service", "agent"),
    [(None, 9000, 9000), ("container-port-ignored", 8080, 9000), ("agent-asks-usual-port", 9000, 8080)],
)
async def test_mutants_of_ports(cluster: Cluster, mutant: str | None, service: int, agent: int) -> None:
    namespace = place(cluster, mutant)
    [container] = CONTAINERS["containers"]
    at_another_port = {"containers": [{**container, "ports": [{"containerPort": 9000}]}]}
    await made(cluster, namespace, predictor=at_another_port)
    found = cluster.store.get(SERVICE, namespace, f"{NAME}-predictor")
    assert [port["targetPort"] for port in found["spec"]["ports"]] == [service]
    cluster.pods_are_ready(namespace)
    change(cluster, namespace, predictor={**at_another_port, "batcher": {}})
    await eventually(lambda: [each.port for each in Agent.running] == [agent])
    found = cluster.store.get(SERVICE, namespace, f"{NAME}-predictor")
    assert [port["targetPort"] for port in found["spec"]["ports"]] == [AGENT_PORT]


@pytest.mark.parametrize(("mutant", "called"), [(None, 9090), ("collocated-transformer-passed-by", 9000)])
async def test_mutant_collocated_transformer_passed_by(cluster: Cluster, mutant: str | None, called: int) -> None:
    namespace = place(cluster, mutant)
    ports = {"kserve-container": 9000, "transformer-container": 9090}
    containers = [{"name": name, "image": "i", "ports": [{"containerPort": port}]} for name, port in ports.items()]
    await made(cluster, namespace, predictor={"containers": containers})
    found = cluster.store.get(SERVICE, namespace, f"{NAME}-predictor")
    assert [port["targetPort"] for port in found["spec"]["ports"]] == [called]


@pytest.mark.parametrize(("mutant", "left"), [(None, 2), ("roll-out-ends-old-first", 1)])
async def test_mutant_roll_out_ends_old_first(cluster: Cluster, mutant: str | None, left: int) -> None:
    namespace = place(cluster, mutant)
    await made(cluster, namespace)
    cluster.pods_are_ready(namespace)
    await cluster.until(INFERENCESERVICE, NAME, is_true(), namespace)
    [container] = CONTAINERS["containers"]
    change(cluster, namespace, predictor={"containers": [{**container, "image": "j"}]})
    await eventually(
        lambda: len(cluster.store.list(POD, namespace, PREDICTOR)) == left and is_changed(cluster, namespace)
    )
    cluster.pods_are_ready(namespace)
    await eventually(lambda: len(cluster.store.list(DEPLOYMENT, namespace)) == 1)


@pytest.mark.parametrize(
    ("mutant", "counts"), [(None, [2, 1]), ("min-replicas-ignored", [1, 1]), ("replicas-change-ignored", [2, 2])]
)
async def test_mutants_of_replicas(cluster: Cluster, mutant: str | None, counts: list[int]) -> None:
    namespace, first, second = place(cluster, mutant), *counts
    cluster.create(INFERENCESERVICE, NAME, namespace, spec={"predictor": {**CONTAINERS, "minReplicas": 2}})
    await eventually(lambda: len(cluster.store.list(POD, namespace)) == first)
    change(cluster, namespace, predictor={**CONTAINERS, "minReplicas": 1})
    cluster.pods_are_ready(namespace)
    generation = cluster.store.get(INFERENCESERVICE, namespace, NAME)["metadata"]["generation"]
    await cluster.until(
        INFERENCESERVICE, NAME, lambda status: status.get("observedGeneration") == generation, namespace
    )
    [deployment] = cluster.store.list(DEPLOYMENT, namespace)
    assert deployment["spec"]["replicas"] == second


@pytest.mark.parametrize(("mutant", "check"), [(None, is_false()), ("ready-without-model", is_true())])
async def test_mutant_ready_without_model(cluster: Cluster, mutant: str | None, check: Any) -> None:
    namespace = place(cluster, mutant)
    await made(cluster, namespace)
    crash(cluster, namespace)
    await cluster.until(INFERENCESERVICE, NAME, check, namespace)


@pytest.mark.parametrize(("mutant", "told"), [(None, "InvalidSpec"), ("unsupported-format-waited-for", "InProgress")])
async def test_mutant_unsupported_format_waited_for(cluster: Cluster, mutant: str | None, told: str) -> None:
    namespace = place(cluster, mutant)
    unserved = {"predictor": {"model": {"modelFormat": {"name": "unheard-of"}}}}
    cluster.create(INFERENCESERVICE, NAME, namespace, spec=unserved)
    found = await cluster.until(INFERENCESERVICE, NAME, lambda status: "modelStatus" in status, namespace)
    assert found["modelStatus"]["transitionStatus"] == told


@pytest.mark.parametrize(
    ("mutant", "told"), [(None, {"predictor", "transformer"}), ("transformer-untold", {"predictor"})]
)
async def test_mutant_transformer_untold(cluster: Cluster, mutant: str | None, told: set[str]) -> None:
    namespace = place(cluster, mutant)
    await made(cluster, namespace, transformer=CONTAINERS)
    found = await cluster.until(INFERENCESERVICE, NAME, lambda status: "components" in status, namespace)
    assert found["components"].keys() == told


@pytest.mark.parametrize(("mutant", "check"), [(None, is_false()), ("crash-unnoticed", is_true())])
async def test_mutant_crash_unnoticed(cluster: Cluster, mutant: str | None, check: Any) -> None:
    namespace = place(cluster, mutant)
    await made(cluster, namespace)
    cluster.pods_are_ready(namespace)
    await cluster.until(INFERENCESERVICE, NAME, is_true(), namespace)
    crash(cluster, namespace)
    [deployment] = cluster.store.list(DEPLOYMENT, namespace)
    where = (DEPLOYMENT, deployment["metadata"]["name"], is_false("Progressing"), namespace)
    await cluster.until(*where)
    change(cluster, namespace, predictor={**CONTAINERS, "minReplicas": 1})
    seen = 2  # the generation of the change: what is told of it has the crash in view
    await cluster.until(INFERENCESERVICE, NAME, lambda s: s.get("observedGeneration") == seen and check(s), namespace)


@pytest.mark.parametrize(("mutant", "most"), [(None, 3), ("agent-never-updated", 2)])
async def test_mutant_agent_never_updated(cluster: Cluster, mutant: str | None, most: int) -> None:
    namespace = place(cluster, mutant)
    await made(cluster, namespace, predictor={**CONTAINERS, "batcher": {"maxBatchSize": 2}})
    cluster.pods_are_ready(namespace)
    await cluster.until(INFERENCESERVICE, NAME, is_true(), namespace)
    change(cluster, namespace, predictor={**CONTAINERS, "batcher": {"maxBatchSize": 3}})
    await cluster.until(INFERENCESERVICE, NAME, lambda status: status.get("observedGeneration") == 2, namespace)
    assert [agent.batcher and agent.batcher.most for agent in Agent.running] == [most]


@pytest.mark.parametrize(("mutant", "component"), [(None, "predictor"), ("removed-component-serves", "transformer")])
async def test_mutant_removed_component_serves(cluster: Cluster, mutant: str | None, component: str) -> None:
    namespace = place(cluster, mutant)
    await made(cluster, namespace, transformer=CONTAINERS)
    cluster.pods_are_ready(namespace)
    await cluster.until(INFERENCESERVICE, NAME, is_true(), namespace)
    change(cluster, namespace, transformer=None)
    await cluster.until(INFERENCESERVICE, NAME, lambda status: status.get("observedGeneration") == 2, namespace)
    policies = Selection(cluster.store).control_plane(namespace)
    gateway = Gateway(cluster.store, lambda _host, _port: None, policies.entry_component)
    assert gateway.component(f"{NAME}.{namespace}.svc") == (namespace, NAME, component)
    services = {found["metadata"]["name"] for found in cluster.store.list(SERVICE, namespace)}
    assert (f"{NAME}-transformer" in services) is (mutant is not None)


@pytest.mark.parametrize(("mutant", "path"), [(None, "/v1/models/m:predict"), ("isvc-ref-unresolved", "")])
async def test_mutant_isvc_ref_unresolved(cluster: Cluster, mutant: str | None, path: str) -> None:
    namespace = place(cluster, mutant)
    await made(cluster, namespace)
    cluster.pods_are_ready(namespace)
    await cluster.until(INFERENCESERVICE, NAME, is_true(), namespace)
    ref = {"apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService", "name": NAME}
    cluster.broker(namespace)
    cluster.trigger(namespace=namespace, subscriber={"ref": ref, "uri": "/v1/models/m:predict"})
    status = await cluster.until(TRIGGER, "trigger", is_true(), namespace)
    assert status["subscriberUri"] == f"http://{NAME}.{namespace}.svc.cluster.local{path}"
