"""Every mutant of the life of InferenceServices does what it says; the honest controllers do the right thing."""

from typing import Any

import pytest

from embedded.api.resources import DEPLOYMENT, INFERENCESERVICE, POD, SERVICE
from selftest.embedded_platform.doubles import Cluster, eventually, is_false, is_true
from selftest.embedded_platform.test_serving_mutants import CONTAINERS, CRASHED, NAME, change, crash, made, place

pytestmark = pytest.mark.anyio

UNSERVED = {"predictor": {"model": {"modelFormat": {"name": "unheard-of"}}}}


def with_args(*args: str, **more: Any) -> dict[str, Any]:
    """Return a component whose container has these arguments, with other fields of the component."""
    [container] = CONTAINERS["containers"]
    return {"containers": [{**container, "args": list(args)}], **more}


async def ready(cluster: Cluster, namespace: str, **spec: Any) -> dict[str, Any]:
    """Make an InferenceService, have its pods run, and return its status once it is Ready."""
    await made(cluster, namespace, **spec)
    cluster.pods_are_ready(namespace)
    return await cluster.until(INFERENCESERVICE, NAME, is_true(), namespace)


async def seen(cluster: Cluster, namespace: str, generation: int) -> dict[str, Any]:
    """Return the status of the InferenceService as soon as it is that of a generation."""
    return await cluster.until(
        INFERENCESERVICE, NAME, lambda status: status.get("observedGeneration") == generation, namespace
    )


def template(cluster: Cluster, namespace: str, component: str) -> Any:
    """Return the template of a component's newest Deployment."""
    return cluster.store.list(DEPLOYMENT, namespace, {"component": component})[-1]["spec"]["template"]


@pytest.mark.parametrize(("mutant", "left"), [(None, 0), ("isvc-leaves-components", 1)])
async def test_mutant_isvc_leaves_components(cluster: Cluster, mutant: str | None, left: int) -> None:
    namespace = place(cluster, mutant)
    await ready(cluster, namespace)
    cluster.store.delete(INFERENCESERVICE, namespace, NAME)
    await eventually(lambda: cluster.store.find(INFERENCESERVICE, namespace, NAME) is None)
    for resource in (DEPLOYMENT, SERVICE, POD):
        assert len(cluster.store.list(resource, namespace, {"component": "predictor"})) == left


@pytest.mark.parametrize(("mutant", "stays"), [(None, False), ("isvc-never-gone", True)])
async def test_mutant_isvc_never_gone(cluster: Cluster, mutant: str | None, *, stays: bool) -> None:
    namespace = place(cluster, mutant)
    await ready(cluster, namespace)
    cluster.store.delete(INFERENCESERVICE, namespace, NAME)
    assert (cluster.store.find(INFERENCESERVICE, namespace, NAME) is not None) is stays


@pytest.mark.parametrize(("mutant", "args"), [(None, ["second"]), ("isvc-remade-as-before", ["first"])])
async def test_mutant_isvc_remade_as_before(cluster: Cluster, mutant: str | None, args: list[str]) -> None:
    namespace = place(cluster, mutant)
    await ready(cluster, namespace, predictor=with_args("first"))
    cluster.store.delete(INFERENCESERVICE, namespace, NAME)
    await made(cluster, namespace, predictor=with_args("second"))
    assert template(cluster, namespace, "predictor")["spec"]["containers"][0]["args"] == args
    change(cluster, namespace, predictor=with_args("third"))
    await seen(cluster, namespace, 2)
    assert template(cluster, namespace, "predictor")["spec"]["containers"][0]["args"] == ["third"]


@pytest.mark.parametrize(
    ("mutant", "transformer", "whole"),
    [
        (None, "False", "False"),
        ("transformer-crash-unnoticed", "True", "True"),
        ("ready-without-transformer", "False", "True"),
    ],
)
async def test_mutants_of_a_transformer_that_cannot_start(
    cluster: Cluster, mutant: str | None, transformer: str, whole: str
) -> None:
    namespace = place(cluster, mutant)
    await made(cluster, namespace, transformer=CONTAINERS)
    cluster.pods_are_ready(namespace, {"component": "predictor"})
    [pod] = cluster.store.list(POD, namespace, {"component": "transformer"})
    crashed = {"conditions": [{"type": "Ready", "status": "False"}], "containerStatuses": [CRASHED]}
    cluster.store.patch_status(POD, namespace, pod["metadata"]["name"], crashed)

    def says(status: dict[str, Any]) -> bool:
        told = {kind: one["status"] for kind, one in status["conditions"].items()}
        return told.items() >= {"PredictorReady": "True", "TransformerReady": transformer, "Ready": whole}.items()

    await cluster.until(INFERENCESERVICE, NAME, says, namespace)


URLS = {
    None: ("it-{}", "it-predictor-{}", "it-transformer-{}"),
    "isvc-url-elsewhere": ("it-default", "it-predictor-default", "it-transformer-default"),
    "component-url-of-predictor": ("it-{}", "it-predictor-{}", "it-predictor-{}"),
}


@pytest.mark.parametrize("mutant", URLS)
async def test_mutants_of_urls(cluster: Cluster, mutant: str | None) -> None:
    namespace = place(cluster, mutant)
    status = await ready(cluster, namespace, transformer=CONTAINERS)
    status = await cluster.until(INFERENCESERVICE, NAME, lambda status: "url" in status, namespace)
    told = [status["url"], *(status["components"][name]["url"] for name in ("predictor", "transformer"))]
    assert told == [f"http://{host.format(namespace)}.example.com" for host in URLS[mutant]]


@pytest.mark.parametrize(("mutant", "told"), [(None, "00001"), ("unready-revision-told", "00002")])
async def test_mutant_unready_revision_told(cluster: Cluster, mutant: str | None, told: str) -> None:
    namespace = place(cluster, mutant)
    await ready(cluster, namespace, predictor=with_args("first"))
    change(cluster, namespace, predictor=with_args("second"))
    predictor = (await seen(cluster, namespace, 2))["components"]["predictor"]
    assert predictor["latestCreatedRevision"].endswith("00002")
    assert predictor["latestReadyRevision"].endswith(told)
    assert predictor["traffic"][0]["revisionName"].endswith(told)


@pytest.mark.parametrize(
    ("mutant", "at_once", "mended"),
    [
        (None, "UpToDate", "UpToDate"),
        ("model-status-lags", "InProgress", "InProgress"),
        ("model-failure-stays", "UpToDate", "BlockedByFailedLoad"),
    ],
)
async def test_mutants_of_the_status_of_a_model(
    cluster: Cluster, mutant: str | None, at_once: str, mended: str
) -> None:
    namespace = place(cluster, mutant)
    status = await ready(cluster, namespace)
    assert status["modelStatus"]["transitionStatus"] == at_once
    crash(cluster, namespace)
    await cluster.until(INFERENCESERVICE, NAME, is_false(), namespace)
    cluster.pods_are_ready(namespace)
    status = await cluster.until(INFERENCESERVICE, NAME, is_true(), namespace)
    assert status["modelStatus"]["transitionStatus"] == mended


@pytest.mark.parametrize(
    ("mutant", "predictor", "transformer", "tier"),
    [
        (None, ["new"], ["new"], "new"),
        ("transformer-change-ignored", ["new"], ["old"], "new"),
        ("args-change-ignored", ["old"], ["old"], "new"),
        ("pod-metadata-kept", ["new"], ["new"], "old"),
    ],
)
async def test_mutants_of_changes(
    cluster: Cluster, mutant: str | None, predictor: list[str], transformer: list[str], tier: str
) -> None:
    namespace = place(cluster, mutant)
    asked = [
        {"predictor": with_args(age, labels={"tier": age}, annotations={"tier": age}), "transformer": with_args(age)}
        for age in ("old", "new")
    ]
    await ready(cluster, namespace, **asked[0])
    change(cluster, namespace, **asked[1])
    await seen(cluster, namespace, 2)
    of_predictor, of_transformer = (template(cluster, namespace, name) for name in asked[0])
    assert of_predictor["spec"]["containers"][0]["args"] == predictor
    assert of_transformer["spec"]["containers"][0]["args"][:1] == transformer
    assert of_predictor["metadata"]["labels"]["tier"] == of_predictor["metadata"]["annotations"]["tier"] == tier


@pytest.mark.parametrize(("mutant", "number"), [(None, 1), ("isvc-failure-blocks-others", 0)])
async def test_mutant_isvc_failure_blocks_others(cluster: Cluster, mutant: str | None, number: int) -> None:
    namespace = place(cluster, mutant)
    cluster.create(INFERENCESERVICE, "broken", namespace, spec=UNSERVED)
    await cluster.until(INFERENCESERVICE, "broken", is_false("PredictorReady"), namespace)
    cluster.create(INFERENCESERVICE, NAME, namespace, spec={"predictor": CONTAINERS})
    cluster.create(INFERENCESERVICE, "last", "ns", spec={"predictor": CONTAINERS})
    await eventually(lambda: cluster.store.list(POD, "ns", {"serving.kserve.io/inferenceservice": "last"}))
    assert len(cluster.store.list(POD, namespace, {"serving.kserve.io/inferenceservice": NAME})) == number


@pytest.mark.parametrize(("mutant", "number"), [(None, 1), ("other-container-name-unmade", 0)])
async def test_mutant_other_container_name_unmade(cluster: Cluster, mutant: str | None, number: int) -> None:
    namespace = place(cluster, mutant)
    [container] = CONTAINERS["containers"]
    cluster.create(INFERENCESERVICE, NAME, namespace, spec={"predictor": CONTAINERS})
    named = {"containers": [{**container, "name": "kserve-container"}]}
    cluster.create(INFERENCESERVICE, "last", namespace, spec={"predictor": named})
    await eventually(lambda: cluster.store.list(POD, namespace, {"serving.kserve.io/inferenceservice": "last"}))
    assert len(cluster.store.list(POD, namespace, {"serving.kserve.io/inferenceservice": NAME})) == number
