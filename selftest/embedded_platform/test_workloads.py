"""Conditions and effects of the InferenceService, SeldonDeployment and Deployment controllers."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import pytest

from embedded.agents import BatcherSpec, LoggerSpec
from embedded.api.resources import DEPLOYMENT, INFERENCESERVICE, POD, SELDONDEPLOYMENT, SERVICE
from embedded.controllers.components import pod_spec
from embedded.controllers.faults import FAULT
from embedded.controllers.seldondeployment import deployment_name
from embedded.controllers.topics import KAFKA_HOST
from fixtures.plugin.async_inference import predictor_of
from selftest.embedded_platform.doubles import Agent, Cluster, Stream, eventually, is_false, is_true, says

pytestmark = pytest.mark.anyio

SEED: dict[str, dict[str, Any]] = {
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


def repeats(order: str, status: Mapping[str, Any]) -> bool:
    """Tell whether a status repeats an order to make a fault."""
    return bool(status.get("annotations") == {FAULT: order})


def service(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "it", "namespace": "ns"}, "spec": {**SEED, **spec}}


def test_transformer_gets_the_arguments_of_the_real_controller() -> None:
    container = pod_spec(service(), "transformer")["containers"][0]
    assert container["args"] == [
        "--model_name", "mnist", "--predictor_host", "it-predictor.ns", "--http_port", "8080"
    ]  # fmt: skip


def test_explainer_gets_the_arguments_of_the_real_controller() -> None:
    given = {"containers": [{"name": "c", "image": "i"}]}
    container = pod_spec(service(explainer=given), "explainer")["containers"][0]
    assert container["args"] == ["--model_name", "it", "--predictor_host", "it-predictor.ns", "--http_port", "8080"]


def test_predictors_own_container_runs_as_written() -> None:
    own = {"name": "kserve-container", "image": "mnist-predictor", "args": ["--model_name", "mnist"]}
    told = {"env": [{"name": "INFERENCE_SERVICE_NAME", "value": "it"}]}
    assert pod_spec(service(predictor={"containers": [own]}), "predictor")["containers"] == [own | told]


def test_model_format_gets_its_runtime() -> None:
    container = pod_spec(service(), "predictor")["containers"][0]
    assert (container["image"], container["args"]) == (
        "mnist-predictor", ["--model_name", "mnist", "--http_port", "8080"]
    )  # fmt: skip


LOGGER = {"url": "http://log", "mode": "response"}


async def test_an_agent_stands_before_the_pods_of_a_component_that_asks_for_one(cluster: Cluster) -> None:
    spec = {"predictor": {**SEED["predictor"], "batcher": {"maxBatchSize": 4}, "logger": LOGGER}}
    cluster.create(INFERENCESERVICE, "it", spec={**spec, "explainer": SEED["transformer"]})
    await eventually(lambda: cluster.pods_are_ready() == 2)
    await cluster.until(INFERENCESERVICE, "it", is_true())
    [stood] = Agent.running
    [pod] = [pod for pod in cluster.store.list(POD, "ns") if "predictor" in pod["metadata"]["name"]]
    assert (stood.component, stood.host, stood.batcher, stood.logger) == (
        "predictor", pod["status"]["podIP"], BatcherSpec(most=4), LoggerSpec("http://log", "response")
    )  # fmt: skip
    services = {name: cluster.store.find(SERVICE, "ns", f"it-{name}") for name in ("predictor", "explainer")}
    ports = {name: found["spec"]["ports"][0]["targetPort"] for name, found in services.items() if found}
    assert ports == {"predictor": 9081, "explainer": 8080}
    changed = cluster.store.find(INFERENCESERVICE, "ns", "it") or {}
    del changed["spec"]["predictor"]["batcher"]
    cluster.store.update(INFERENCESERVICE, changed)
    await eventually(lambda: [agent.batcher for agent in Agent.running] == [None])
    cluster.store.delete(INFERENCESERVICE, "ns", "it")
    await eventually(lambda: not Agent.running)


async def test_a_logger_of_an_unknown_mode_is_told(cluster: Cluster) -> None:
    spec = {"predictor": {**SEED["predictor"], "logger": {"url": "http://log", "mode": "none"}}}
    cluster.create(INFERENCESERVICE, "it", spec=spec)
    status = await cluster.until(INFERENCESERVICE, "it", lambda s: says(s, "PredictorReady")[0] == "False")
    assert "logger.mode: expected one of all, request, response" in status["conditions"]["PredictorReady"]["message"]


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


@pytest.mark.parametrize("mode", ["Standard", None], ids=["standard", "knative"])
async def test_the_suite_calls_a_lone_predictor_by_a_name_that_is_there(cluster: Cluster, mode: str | None) -> None:
    annotations = {"serving.kserve.io/deploymentMode": mode} if mode else {}
    cluster.create(INFERENCESERVICE, "it", spec={"predictor": SEED["predictor"]}, annotations=annotations)
    await eventually(lambda: cluster.pods_are_ready() == 1)
    await cluster.until(INFERENCESERVICE, "it", is_true())
    called = predictor_of("it", bare=mode is not None)
    assert called in {found["metadata"]["name"] for found in cluster.store.list(SERVICE, "ns")}


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
    # The transformer's pod before it is at work until the new one is ready.
    await eventually(lambda: cluster.pods_are_ready() == 3)
    status = await cluster.until(INFERENCESERVICE, "it", is_true())
    await eventually(lambda: len(cluster.store.list(POD, "ns")) == 2)
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
    assert (spec.input_topic, spec.output_topic, spec.graph.name, spec.transport) == ("in", "out", "resnet32", "rest")
    assert spec.graph.endpoint.port == port
    cluster.store.delete(SELDONDEPLOYMENT, "ns", "it")
    await eventually(lambda: not Stream.running)
    assert cluster.store.list(DEPLOYMENT, "ns") == []


def test_a_deployment_name_too_long_for_a_label_is_hashed() -> None:
    names = ["switch", "first", "second", "join", "left", "right", "in", "model", "out"]
    containers = [{"name": name} for name in names]
    assert deployment_name("graph", "model", 0, containers) == "-".join(["graph-model-0", *names])
    # printf graph-grpc-model-0-switch-...-out | md5sum
    assert deployment_name("graph-grpc", "model", 0, containers) == "seldon-093dd541dfc7fd2061fbffa0b73fa099"


async def test_seldon_deployment_tells_why_it_cannot_stream(cluster: Cluster) -> None:
    await deployed(cluster, predictor("refused"))
    status = await cluster.until(SELDONDEPLOYMENT, "it", lambda s: s.get("state") == "Failed")
    assert status["description"] == "not authorised"


async def test_replicas_share_the_partitions_and_predictors_the_traffic(cluster: Cluster) -> None:
    spec = predictor()
    main = spec["predictors"][0] | {"traffic": 75, "replicas": 2}
    canary = main | {"name": "canary", "traffic": 25, "replicas": 1}
    cluster.topics.made = {"in": 4}
    await deployed(cluster, spec | {"predictors": [main, canary]})
    await cluster.until(SELDONDEPLOYMENT, "it", lambda s: s.get("state") == "Available")
    found = [(each.predictor, each.share, each.replica, each.replicas) for each in Stream.started]
    assert found == [("model", (0, 75), 0, 2), ("model", (0, 75), 1, 2), ("canary", (75, 100), 0, 1)]


async def test_a_shadow_copies_the_traffic_of_the_others(cluster: Cluster) -> None:
    spec = predictor()
    main = spec["predictors"][0]
    shadow = main | {"name": "shadow", "shadow": True}
    await deployed(
        cluster, spec | {"predictors": [main, shadow, main | {"name": "late", "shadow": True, "traffic": 20}]}
    )
    await cluster.until(SELDONDEPLOYMENT, "it", lambda s: s.get("state") == "Available")
    found = [(each.predictor, each.share, each.shadow) for each in Stream.started]
    assert found == [("model", (0, 100), False), ("shadow", (0, 100), True), ("late", (0, 20), True)]


async def test_a_stream_goes_on_calling_its_pod_and_another_one_when_that_is_gone(cluster: Cluster) -> None:
    spec = predictor()
    spec["predictors"][0]["replicas"] = 2
    cluster.topics.made = {"in": 4}
    await deployed(cluster, spec)
    await cluster.until(SELDONDEPLOYMENT, "it", lambda s: s.get("state") == "Available")
    called = Stream.started[0].graph.endpoint.host
    deployment = cluster.store.get(SELDONDEPLOYMENT, "ns", "it")
    deployment["metadata"]["annotations"] = {FAULT: "predicted/1"}
    cluster.store.update(SELDONDEPLOYMENT, deployment)
    await cluster.until(SELDONDEPLOYMENT, "it", lambda s: s.get("annotations") == {FAULT: "predicted/1"})
    assert len(Stream.started) == 2, "one look more, and no server began anew"
    [pod] = [each for each in cluster.store.list(POD, "ns") if each["status"]["podIP"] == called]
    cluster.store.delete(POD, "ns", pod["metadata"]["name"])
    await eventually(lambda: cluster.pods_are_ready() == 2 and len(Stream.started) == 4)


async def test_a_stream_is_killed_once_and_the_status_says_so(cluster: Cluster) -> None:
    await deployed(cluster, predictor())
    await cluster.until(SELDONDEPLOYMENT, "it", lambda s: s.get("state") == "Available")
    deployment = cluster.store.get(SELDONDEPLOYMENT, "ns", "it")
    deployment["metadata"]["annotations"] = {FAULT: "predicted/1"}
    cluster.store.update(SELDONDEPLOYMENT, deployment)
    await cluster.until(SELDONDEPLOYMENT, "it", lambda s: s.get("annotations") == {FAULT: "predicted/1"})
    assert Stream.killed == ["predicted"]


async def test_the_kafka_of_a_stream_goes_and_comes_back_and_its_servers_are_made_anew(cluster: Cluster) -> None:
    await deployed(cluster, predictor())
    await cluster.until(SELDONDEPLOYMENT, "it", lambda s: s.get("state") == "Available")
    for order, state in (("kafka-away/1", "Failed"), ("kafka-back/2", "Available"), ("anew/3", "Available")):
        deployment = cluster.store.get(SELDONDEPLOYMENT, "ns", "it")
        deployment["metadata"]["annotations"] = {FAULT: order}
        cluster.store.update(SELDONDEPLOYMENT, deployment)
        status = await cluster.until(SELDONDEPLOYMENT, "it", partial(repeats, order))
        assert (status["state"], says(status, "KafkaReady")[0]) == (state, str(state == "Available"))
    assert cluster.topics.went == [("in", True), ("out", True), ("in", False), ("out", False)]
    assert len(Stream.started) == 2


async def test_the_topic_of_the_results_refuses_records_once_and_takes_them_again(cluster: Cluster) -> None:
    variable = {"name": "KAFKA_TOPIC", "value": "results"}
    container = {"name": "kserve-container", "image": "registry/msg-transformer:dev9", "env": [variable]}
    cluster.create(INFERENCESERVICE, "it", spec={**SEED, "transformer": {"containers": [container]}})
    for order in ("results-refused/1", "results-taken/2"):
        found = cluster.store.get(INFERENCESERVICE, "ns", "it")
        found["metadata"]["annotations"] = {FAULT: order}
        cluster.store.update(INFERENCESERVICE, found)
        await cluster.until(INFERENCESERVICE, "it", partial(repeats, order))
    await eventually(lambda: cluster.pods_are_ready() == 2)
    await cluster.until(INFERENCESERVICE, "it", is_true())
    assert cluster.topics.refused == [("results", True), ("results", False)]
