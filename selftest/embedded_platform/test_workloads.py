"""Conditions and effects of the InferenceService, SeldonDeployment and Deployment controllers."""

from typing import Any

import pytest

from embedded.api.resources import DEPLOYMENT, INFERENCESERVICE, POD, SELDONDEPLOYMENT, SERVICE
from embedded.controllers.inferenceservice import pod_spec
from embedded.controllers.topics import KAFKA_HOST
from selftest.embedded_platform.doubles import Cluster, Stream, eventually, is_false, is_true, says

pytestmark = pytest.mark.anyio

SEED = {
    "predictor": {
        "model": {
            "modelFormat": {"name": "pytorch"},
            "storageUri": "gs://kfserving-examples/models/torchserve/image_classifier/v1",
        }
    },
    "transformer": {
        "containers": [
            {"name": "kserve-container", "image": "registry/msg-transformer:dev9", "args": ["--model_name", "mnist"]}
        ]
    },
}


def service(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "it", "namespace": "ns"}, "spec": {**SEED, **spec}}


def test_transformer_gets_the_arguments_of_the_real_controller() -> None:
    container = pod_spec(service(), "transformer")["containers"][0]
    assert container["args"] == [
        "--model_name", "mnist", "--predictor_host", "it-predictor.ns", "--http_port", "8080"
    ]  # fmt: skip


def test_predictors_own_container_runs_as_written() -> None:
    own = {"name": "kserve-container", "image": "mnist-predictor", "args": ["--model_name", "mnist"]}
    told = {"env": [{"name": "INFERENCE_SERVICE_NAME", "value": "it"}]}
    assert pod_spec(service(predictor={"containers": [own]}), "predictor")["containers"] == [own | told]


def test_model_format_gets_its_runtime() -> None:
    container = pod_spec(service(), "predictor")["containers"][0]
    assert (container["image"], container["args"]) == (
        "mnist-predictor", ["--model_name", "mnist", "--http_port", "8080"]
    )  # fmt: skip


async def test_inference_service_becomes_ready_with_its_pods(cluster: Cluster) -> None:
    cluster.create(INFERENCESERVICE, "it", spec=SEED)
    status = await cluster.until(INFERENCESERVICE, "it", lambda s: says(s) == ("Unknown", "Deploying"))
    assert "url" not in status
    await eventually(lambda: cluster.pods_are_ready() == 2)
    status = await cluster.until(INFERENCESERVICE, "it", is_true())
    assert status["url"] == "http://it-ns.example.com"
    assert status["address"] == {"url": "http://it.ns.svc.cluster.local"}
    assert set(status["conditions"]) == {"IngressReady", "PredictorReady", "Ready", "TransformerReady"}
    assert status["conditions"]["TransformerReady"]["severity"] == "Info"
    names = sorted(pod["metadata"]["name"].rsplit("-", 2)[0] for pod in cluster.store.list(POD, "ns"))
    assert names == ["it-predictor-00001-deployment", "it-transformer-00001-deployment"]
    assert {found["metadata"]["name"] for found in cluster.store.list(SERVICE, "ns")} == {
        "it", "it-predictor", "it-transformer"
    }  # fmt: skip


@pytest.mark.parametrize(("spec", "first"), [(SEED, "transformer"), ({"predictor": SEED["predictor"]}, "predictor")])
async def test_standard_mode_leaves_the_services_own_name_to_others(
    cluster: Cluster, spec: dict[str, Any], first: str
) -> None:
    cluster.create(INFERENCESERVICE, "it", spec=spec, annotations={"serving.kserve.io/deploymentMode": "Standard"})
    await eventually(lambda: cluster.pods_are_ready() == len(spec))
    status = await cluster.until(INFERENCESERVICE, "it", is_true())
    assert status["deploymentMode"] == "Standard"
    assert status["address"] == {"url": f"http://it-{first}.ns.svc.cluster.local"}
    assert "it" not in {found["metadata"]["name"] for found in cluster.store.list(SERVICE, "ns")}


@pytest.mark.parametrize(("mode", "ready"), [("Standard", "True"), (None, "Unknown")], ids=["standard", "knative"])
async def test_ready_says_nothing_of_a_transformer_where_no_route_waits_for_it(
    cluster: Cluster, mode: str | None, ready: str
) -> None:
    annotations = {"serving.kserve.io/deploymentMode": mode} if mode else {}
    cluster.create(INFERENCESERVICE, "it", spec=SEED, annotations=annotations)
    await eventually(lambda: len(cluster.store.list(POD, "ns")) == 2)
    cluster.pods_are_ready(labels={"component": "predictor"})
    status = await cluster.until(INFERENCESERVICE, "it", lambda s: says(s, "PredictorReady")[0] == "True")
    assert says(status, "TransformerReady") == ("Unknown", "Deploying")
    assert says(status)[0] == ready


async def test_changed_container_is_the_next_revision(cluster: Cluster) -> None:
    cluster.create(INFERENCESERVICE, "it", spec=SEED)
    await eventually(lambda: cluster.pods_are_ready() == 2)
    await cluster.until(INFERENCESERVICE, "it", is_true())
    obj = cluster.store.get(INFERENCESERVICE, "ns", "it")
    obj["spec"]["transformer"]["containers"][0]["env"] = [{"name": "A", "value": "b"}]
    cluster.store.update(INFERENCESERVICE, obj)
    await cluster.until(INFERENCESERVICE, "it", lambda s: says(s)[0] == "Unknown")
    await eventually(lambda: cluster.pods_are_ready() == 2)
    status = await cluster.until(INFERENCESERVICE, "it", is_true())
    assert status["components"]["transformer"]["latestReadyRevision"] == "it-transformer-00002"
    assert status["components"]["predictor"]["latestReadyRevision"] == "it-predictor-00001"


@pytest.mark.parametrize(
    ("model", "reason", "message"),
    [
        pytest.param({"modelFormat": {"name": "onnx"}}, "NoSupportingRuntime", "known: pytorch", id="format"),
        pytest.param(
            {"modelFormat": {"name": "pytorch"}, "storageUri": "gs://other"},
            "ModelLoadFailed",
            "gs://kfserving",
            id="storage",
        ),
    ],
)
async def test_model_that_nothing_serves(cluster: Cluster, model: Any, reason: str, message: str) -> None:
    cluster.create(INFERENCESERVICE, "it", spec={"predictor": {"model": model}})
    status = await cluster.until(INFERENCESERVICE, "it", is_false())
    assert says(status, "PredictorReady") == ("False", reason)
    assert message in status["conditions"]["Ready"]["message"]


async def test_crash_of_a_pod_is_told_by_the_inference_service(cluster: Cluster) -> None:
    cluster.create(INFERENCESERVICE, "it", spec={"predictor": SEED["predictor"]})
    await eventually(lambda: cluster.store.list(POD, "ns"))
    pods = cluster.store.list(POD, "ns")
    container = {"name": "c", "ready": False, "restartCount": 1, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
    status = {"phase": "Running", "message": "ImportError: no torch", "containerStatuses": [container]}
    cluster.store.patch_status(POD, "ns", pods[0]["metadata"]["name"], status)
    told = await cluster.until(INFERENCESERVICE, "it", is_false())
    assert "ImportError: no torch" in told["conditions"]["Ready"]["message"]
    assert told["modelStatus"]["lastFailureInfo"]["message"] == "ImportError: no torch"


# SeldonDeployment.


def predictor(topic: str = "in", transport: str = "rest", port: str = "http") -> dict[str, Any]:
    container = {"name": "resnet32", "image": "tensorflow/serving", "ports": [{"containerPort": 8501, "name": port}]}
    env = {"KAFKA_BROKER": f"{KAFKA_HOST}:9092", "KAFKA_INPUT_TOPIC": topic, "KAFKA_OUTPUT_TOPIC": "out"}
    return {
        "protocol": "tensorflow",
        "transport": transport,
        "serverType": "kafka",
        "predictors": [
            {
                "name": "model",
                "componentSpecs": [{"spec": {"containers": [container]}}],
                "svcOrchSpec": {"env": [{"name": name, "value": value} for name, value in env.items()]},
                "graph": {"name": "resnet32", "type": "MODEL", "endpoint": {"service_port": 8502}},
            }
        ],
    }


async def deployed(cluster: Cluster, spec: dict[str, Any]) -> None:
    cluster.create(SELDONDEPLOYMENT, "it", spec=spec)
    status = await cluster.until(SELDONDEPLOYMENT, "it", lambda s: s.get("state"))
    assert status["state"] == "Creating"
    await eventually(cluster.pods_are_ready)


@pytest.mark.parametrize(
    ("named", "port"), [pytest.param("http", 8501, id="named"), pytest.param("web", 8502, id="endpoint")]
)
async def test_seldon_deployment_streams_once_its_pods_are_ready(cluster: Cluster, named: str, port: int) -> None:
    await deployed(cluster, predictor(port=named))
    status = await cluster.until(SELDONDEPLOYMENT, "it", lambda s: s.get("state") == "Available")
    assert is_true("DeploymentsReady")(status)
    assert cluster.topics.made == {"in": 1, "out": 1}
    spec = Stream.running["ns", "it"]
    assert (spec.input_topic, spec.output_topic, spec.model, spec.transport) == ("in", "out", "resnet32", "rest")
    assert spec.endpoint.port == port
    cluster.store.delete(SELDONDEPLOYMENT, "ns", "it")
    await eventually(lambda: not Stream.running)
    assert cluster.store.list(DEPLOYMENT, "ns") == []


async def test_seldon_deployment_tells_why_it_cannot_stream(cluster: Cluster) -> None:
    await deployed(cluster, predictor("refused"))
    status = await cluster.until(SELDONDEPLOYMENT, "it", lambda s: s.get("state") == "Failed")
    assert status["description"] == "not authorised"
