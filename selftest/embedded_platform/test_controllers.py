"""Status conditions and effects of the controllers, on a store with a data plane that only notes what it is told."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import pytest

from embedded.api.resources import (
    BROKER,
    CONFIGMAP,
    DEPLOYMENT,
    INFERENCESERVICE,
    NAMESPACE,
    POD,
    SELDONDEPLOYMENT,
    SERVICE,
    TRIGGER,
    Resource,
)
from embedded.api.store import Store
from embedded.controllers.broker import BrokerController
from embedded.controllers.controller import RetryError
from embedded.controllers.deployment import DeploymentController
from embedded.controllers.inferenceservice import InferenceServiceController, pod_spec
from embedded.controllers.policies import HONEST
from embedded.controllers.seldondeployment import SeldonDeploymentController
from embedded.controllers.topics import KAFKA_HOST, Topics
from embedded.controllers.trigger import TriggerController
from embedded.mutants.control_plane import CONTROL_PLANE
from embedded.platform import mutant_of
from embedded.types import BrokerSpec, Endpoint, StreamSpec, TriggerSpec

pytestmark = pytest.mark.anyio

URI = "http://sink.example.com/"
KAFKA = {"eventing.knative.dev/broker.class": "Kafka"}
CONFIG = {
    "default.topic.partitions": "10",
    "default.topic.replication.factor": "1",
    "bootstrap.servers": f"{KAFKA_HOST}:9092",
}
REFERENCE = {"apiVersion": "v1", "kind": "ConfigMap", "name": "kafka-broker-config", "namespace": "knative-eventing"}


class Plane:
    """A data plane that notes what it is told."""

    def __init__(self) -> None:
        self.brokers: dict[tuple[str, str], BrokerSpec] = {}
        self.triggers: dict[tuple[str, str], TriggerSpec] = {}

    async def add_broker(self, spec: BrokerSpec) -> None:
        """Note it."""
        self.brokers[spec.namespace, spec.name] = spec

    async def remove_broker(self, namespace: str, name: str) -> None:
        """Note it."""
        del self.brokers[namespace, name]

    async def add_trigger(self, spec: TriggerSpec) -> None:
        """Note it, or refuse what it filters by."""
        if spec.filter and "unsupported" in (spec.filter.get("attributes") or {}):
            raise ValueError("no such filter")
        self.triggers[spec.namespace, spec.name] = spec

    async def remove_trigger(self, namespace: str, name: str) -> None:
        """Note it."""
        del self.triggers[namespace, name]


class KafkaTopics(Topics):
    """Topics in a dictionary."""

    def __init__(self) -> None:
        self.made: dict[str, int] = {}

    def is_ours(self, bootstrap: str) -> bool:
        """Only the documented address is."""
        return bootstrap == f"{KAFKA_HOST}:9092"

    async def create(self, name: str, partitions: int) -> None:
        """Make it, once."""
        self.made.setdefault(name, partitions)

    async def delete(self, name: str) -> None:
        """Drop it."""
        self.made.pop(name, None)

    async def partitions(self, name: str) -> int:
        """0 when there is none."""
        return self.made.get(name, 0)


class Stream:
    """A stream server that is only started and stopped."""

    running: dict[tuple[str, str], StreamSpec] = {}  # noqa: RUF012 -- emptied by the fixture

    def __init__(self, spec: StreamSpec) -> None:
        self.spec = spec

    async def start(self) -> None:
        """Run, or be refused."""
        if self.spec.input_topic == "refused":
            raise RetryError("not authorised")
        self.running[self.spec.namespace, self.spec.deployment] = self.spec

    async def stop(self) -> None:
        """Run no more."""
        del self.running[self.spec.namespace, self.spec.deployment]


class Cluster:
    """All controllers on one store."""

    def __init__(self) -> None:
        self.store, self.plane, self.topics = Store(), Plane(), KafkaTopics()
        Stream.running.clear()

        def mutant(namespace: str) -> str | None:
            return mutant_of(self.store, namespace)

        def policies(namespace: str) -> Any:
            return CONTROL_PLANE.get(mutant(namespace) or "", HONEST)

        def resolve(host: str, port: int) -> Endpoint:
            return Endpoint("127.1.2.3", port, host)

        self.controllers = [
            BrokerController(self.store, self.plane, self.topics, policies, mutant),
            TriggerController(self.store, self.plane, policies, mutant),
            DeploymentController(self.store),
            InferenceServiceController(self.store),
            SeldonDeploymentController(self.store, Stream, self.topics, resolve, mutant),
        ]
        for name in ("knative-eventing", "ns"):
            self.store.create(NAMESPACE, {"metadata": {"name": name}})
        self.create(CONFIGMAP, "kafka-broker-config", "knative-eventing", data=CONFIG)

    def create(self, resource: Resource, name: str, namespace: str = "ns", **parts: Any) -> dict[str, Any]:
        """Create an object; `parts` are its top-level fields, and its annotations."""
        metadata = {"name": name, "namespace": namespace, "annotations": parts.pop("annotations", {})}
        return self.store.create(resource, {"metadata": metadata, **parts})

    def broker(self, namespace: str = "ns", annotations: Any = None, **spec: Any) -> None:
        """Create a Broker."""
        spec = {"config": REFERENCE, **spec}
        self.create(BROKER, "broker", namespace, annotations={**KAFKA, **(annotations or {})}, spec=spec)

    def trigger(self, name: str = "trigger", namespace: str = "ns", annotations: Any = None, **spec: Any) -> None:
        """Create a Trigger."""
        spec = {"broker": "broker", "subscriber": {"uri": URI}, **spec}
        self.create(TRIGGER, name, namespace, annotations=annotations or {}, spec=spec)

    def faulty(self, mutant: str) -> str:
        """A namespace with a mutant."""
        self.store.create(NAMESPACE, {"metadata": {"name": "faulty", "labels": {"touchstone/mutant": mutant}}})
        return "faulty"

    async def until(
        self, resource: Resource, name: str, check: Callable[[dict[str, Any]], Any], namespace: str = "ns"
    ) -> dict[str, Any]:
        """The object's status, with its conditions by type, once `check` of it is true."""
        status: dict[str, Any] = {}
        try:
            async with asyncio.timeout(5), self.store.watch([resource]) as changes:
                async for _, _, obj in changes:
                    if (obj["metadata"]["namespace"], obj["metadata"]["name"]) == (namespace, name):
                        status = dict(obj.get("status") or {})
                        status["conditions"] = {c["type"]: c for c in status.get("conditions") or ()}
                        if check(status):
                            return status
        except TimeoutError:
            pytest.fail(f"{resource.kind} {name} did not come so far; its status: {status}")
        raise AssertionError("a watch ends with its reader")

    async def gone(self, resource: Resource, name: str, namespace: str = "ns") -> None:
        """Return once the object is gone."""
        async with asyncio.timeout(5), self.store.watch([resource]) as changes:
            if self.store.find(resource, namespace, name) is None:
                return
            async for change, _, obj in changes:
                if change == "DELETED" and obj["metadata"]["name"] == name:
                    return

    def pods_are_ready(self, namespace: str = "ns") -> int:
        """Say that all pods of a namespace run, as the node's agent would."""
        pods = self.store.list(POD, namespace)
        for pod in pods:
            conditions = [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}]
            status = {"phase": "Running", "podIP": "127.1.2.3", "conditions": conditions}
            self.store.patch_status(POD, namespace, pod["metadata"]["name"], status)
        return len(pods)


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    """A cluster whose controllers run for the length of the test."""
    cluster = Cluster()
    tasks = [asyncio.create_task(controller.run()) for controller in cluster.controllers]
    yield cluster
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def eventually(check: Callable[[], Any]) -> None:
    """Let everybody else work until `check` is true."""
    async with asyncio.timeout(5):
        while not check():  # noqa: ASYNC110 -- some of what is looked at gives no sign
            await asyncio.sleep(0)


def says(status: dict[str, Any], kind: str = "Ready") -> tuple[str, str]:
    """A condition's status and reason."""
    condition = status["conditions"].get(kind, {})
    return condition.get("status", ""), condition.get("reason", "")


def is_true(kind: str = "Ready") -> Callable[[dict[str, Any]], bool]:
    return lambda status: says(status, kind)[0] == "True"


def is_false(kind: str = "Ready") -> Callable[[dict[str, Any]], bool]:
    return lambda status: says(status, kind)[0] == "False"


# Broker.


async def test_broker_becomes_ready_with_address_and_topic(cluster: Cluster) -> None:
    cluster.broker()
    status = await cluster.until(BROKER, "broker", is_true())
    url = "http://kafka-broker-ingress.knative-eventing.svc.cluster.local/ns/broker"
    assert status["address"] == {"name": "http", "url": url}
    assert status["addresses"] == [status["address"]]
    assert status["annotations"]["default.topic"] == "knative-broker-ns-broker"
    assert set(status["conditions"]) == {
        "Addressable", "ConfigMapUpdated", "ConfigParsed", "DataPlaneAvailable", "EventPoliciesReady", "ProbeSucceeded",
        "Ready", "TopicReady",
    }  # fmt: skip
    assert cluster.topics.made == {"knative-broker-ns-broker": 10}
    assert cluster.plane.brokers["ns", "broker"].partitions == 10


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param({"bootstrap.servers": ""}, "bootstrap.servers is missing or empty", id="bootstrap"),
        pytest.param({"default.topic.partitions": "0"}, "must be a positive number, not '0'", id="partitions"),
        pytest.param({"default.topic.replication.factor": "x"}, "must be a positive number, not 'x'", id="replication"),
    ],
)
async def test_broker_with_bad_configuration_says_which_part(
    cluster: Cluster, data: dict[str, str], message: str
) -> None:
    config = {**REFERENCE, "name": "bad"}
    cluster.create(CONFIGMAP, "bad", "knative-eventing", data={**CONFIG, **data})
    cluster.broker(config=config)
    status = await cluster.until(BROKER, "broker", is_false())
    assert says(status, "ConfigParsed") == ("False", "FailedToResolveConfig")
    assert message in status["conditions"]["Ready"]["message"]
    assert "address" not in status


async def test_broker_waits_for_its_config_map(cluster: Cluster) -> None:
    cluster.broker(config={**REFERENCE, "name": "later"})
    await cluster.until(BROKER, "broker", is_false("ConfigParsed"))
    cluster.create(CONFIGMAP, "later", "knative-eventing", data=CONFIG)
    await cluster.until(BROKER, "broker", is_true())


async def test_broker_on_another_kafka_is_told_which_there_is(cluster: Cluster) -> None:
    data = {**CONFIG, "bootstrap.servers": "elsewhere:9092"}
    cluster.create(CONFIGMAP, "other", "knative-eventing", data=data)
    cluster.broker(config={**REFERENCE, "name": "other"})
    status = await cluster.until(BROKER, "broker", is_false("TopicReady"))
    assert KAFKA_HOST in status["conditions"]["TopicReady"]["message"]


async def test_external_topic_is_used_but_neither_made_nor_deleted(cluster: Cluster) -> None:
    cluster.broker(annotations={"kafka.eventing.knative.dev/external.topic": "theirs"})
    status = await cluster.until(BROKER, "broker", is_false("TopicReady"))
    assert "theirs: not present" in status["conditions"]["TopicReady"]["message"]
    cluster.topics.made["theirs"] = 3
    status = await cluster.until(BROKER, "broker", is_true())
    assert status["annotations"]["default.topic"] == "theirs"
    assert cluster.plane.brokers["ns", "broker"].partitions == 3
    cluster.store.delete(BROKER, "ns", "broker")
    await cluster.gone(BROKER, "broker")
    assert cluster.topics.made == {"theirs": 3}


async def test_deleted_broker_takes_its_topic_along(cluster: Cluster) -> None:
    cluster.broker()
    await cluster.until(BROKER, "broker", is_true())
    cluster.store.delete(BROKER, "ns", "broker")
    await cluster.gone(BROKER, "broker")
    assert (cluster.topics.made, cluster.plane.brokers) == ({}, {})


async def test_broker_of_another_class_is_told_so(cluster: Cluster) -> None:
    cluster.broker(annotations={"eventing.knative.dev/broker.class": "MTChannelBasedBroker"})
    status = await cluster.until(BROKER, "broker", is_false())
    assert says(status) == ("False", "UnknownBrokerClass")


# Trigger.


async def test_trigger_becomes_ready(cluster: Cluster) -> None:
    cluster.broker()
    cluster.trigger(filter={"attributes": {"type": "a"}})
    status = await cluster.until(TRIGGER, "trigger", is_true())
    assert status["subscriberUri"] == URI
    assert status["annotations"] == {"group.id": "knative-trigger-ns-trigger"}
    assert set(status["conditions"]) == {
        "BrokerReady", "DeadLetterSinkResolved", "DependencyReady", "OIDCIdentityCreated", "Ready",
        "SubscriberResolved", "SubscriptionReady",
    }  # fmt: skip
    spec = cluster.plane.triggers["ns", "trigger"]
    assert (spec.topic, spec.group) == ("knative-broker-ns-broker", "knative-trigger-ns-trigger")
    assert spec.filter == {"attributes": {"type": "a"}}
    assert not spec.ordered


async def test_trigger_without_broker_is_not_ready_until_there_is_one(cluster: Cluster) -> None:
    cluster.trigger()
    status = await cluster.until(TRIGGER, "trigger", is_false())
    assert says(status) == ("False", "BrokerDoesNotExist")
    cluster.broker()
    await cluster.until(TRIGGER, "trigger", is_true())
    cluster.store.delete(BROKER, "ns", "broker")
    await cluster.until(TRIGGER, "trigger", is_false())
    assert cluster.plane.triggers == {}


async def test_trigger_of_a_broken_broker_gives_its_reason(cluster: Cluster) -> None:
    cluster.broker(config={**REFERENCE, "name": "nowhere"})
    cluster.trigger()
    status = await cluster.until(TRIGGER, "trigger", is_false())
    assert says(status, "BrokerReady") == ("False", "FailedToResolveConfig")


async def test_subscriber_by_reference_and_path(cluster: Cluster) -> None:
    cluster.broker()
    cluster.trigger(
        subscriber={"ref": {"apiVersion": "v1", "kind": "Service", "name": "model"}, "uri": "/v1/x:predict"}
    )
    status = await cluster.until(TRIGGER, "trigger", is_false())
    assert says(status, "SubscriberResolved") == ("False", "NotFound")
    assert "subscriberUri" not in status
    cluster.create(SERVICE, "model", spec={"ports": [{"port": 80}]})
    status = await cluster.until(TRIGGER, "trigger", is_true())
    assert status["subscriberUri"] == "http://model.ns.svc.cluster.local/v1/x:predict"


@pytest.mark.parametrize("order", ["ordered", "unordered"])
async def test_order_is_the_annotations(cluster: Cluster, order: str) -> None:
    cluster.broker()
    cluster.trigger(annotations={"kafka.eventing.knative.dev/delivery.order": order})
    await cluster.until(TRIGGER, "trigger", is_true())
    assert cluster.plane.triggers["ns", "trigger"].ordered is (order == "ordered")


async def test_wrong_order_is_refused(cluster: Cluster) -> None:
    cluster.broker()
    cluster.trigger(annotations={"kafka.eventing.knative.dev/delivery.order": "sorted"})
    status = await cluster.until(TRIGGER, "trigger", is_false())
    assert says(status, "DependencyReady") == ("False", "InvalidDeliveryOrder")


async def test_delivery_of_a_trigger_replaces_that_of_its_broker(cluster: Cluster) -> None:
    cluster.broker(delivery={"retry": 5, "deadLetterSink": {"uri": "http://dead.example.com/"}})
    cluster.trigger("own", delivery={"retry": 1})
    cluster.trigger("inherits")
    await cluster.until(TRIGGER, "own", is_true())
    status = await cluster.until(TRIGGER, "inherits", is_true())
    own, inherits = cluster.plane.triggers["ns", "own"], cluster.plane.triggers["ns", "inherits"]
    assert (own.delivery, own.dead_letter) == ({"retry": 1}, None)
    assert (inherits.delivery["retry"], inherits.dead_letter) == (5, "http://dead.example.com/")
    assert status["deadLetterSinkUri"] == "http://dead.example.com/"


async def test_changed_filter_reaches_the_data_plane(cluster: Cluster) -> None:
    cluster.broker()
    cluster.trigger(filter={"attributes": {"type": "a"}})
    await cluster.until(TRIGGER, "trigger", is_true())
    obj = cluster.store.get(TRIGGER, "ns", "trigger")
    obj["spec"]["filter"]["attributes"]["type"] = "b"
    generation = cluster.store.update(TRIGGER, obj)["metadata"]["generation"]
    await cluster.until(TRIGGER, "trigger", lambda status: status.get("observedGeneration") == generation)
    assert cluster.plane.triggers["ns", "trigger"].filter == {"attributes": {"type": "b"}}


async def test_filter_that_cannot_be_honoured_is_told(cluster: Cluster) -> None:
    cluster.broker()
    cluster.trigger(filter={"attributes": {"unsupported": "a"}})
    status = await cluster.until(TRIGGER, "trigger", is_false())
    assert status["conditions"]["DependencyReady"]["message"] == "no such filter"


async def test_deleted_trigger_is_forgotten(cluster: Cluster) -> None:
    cluster.broker()
    cluster.trigger()
    await cluster.until(TRIGGER, "trigger", is_true())
    cluster.store.delete(TRIGGER, "ns", "trigger")
    await cluster.gone(TRIGGER, "trigger")
    assert cluster.plane.triggers == {}


async def test_namespace_goes_with_all_that_is_in_it(cluster: Cluster) -> None:
    cluster.broker()
    cluster.trigger()
    await cluster.until(TRIGGER, "trigger", is_true())
    cluster.store.delete(NAMESPACE, None, "ns")
    await cluster.gone(NAMESPACE, "ns", "")
    assert (cluster.topics.made, cluster.plane.brokers, cluster.plane.triggers) == ({}, {}, {})


# Mutants.


async def test_mutant_address_missing(cluster: Cluster) -> None:
    cluster.broker(cluster.faulty("address-missing"))
    assert "address" not in await cluster.until(BROKER, "broker", is_true(), "faulty")


async def test_mutant_topic_annotation_wrong(cluster: Cluster) -> None:
    cluster.broker(cluster.faulty("topic-annotation-wrong"))
    status = await cluster.until(BROKER, "broker", is_true(), "faulty")
    assert status["annotations"]["default.topic"] != "knative-broker-faulty-broker"


async def test_mutant_trigger_ready_without_broker(cluster: Cluster) -> None:
    cluster.trigger(namespace=cluster.faulty("trigger-ready-without-broker"))
    await cluster.until(TRIGGER, "trigger", is_true(), "faulty")


async def test_mutant_delivery_merged(cluster: Cluster) -> None:
    cluster.broker(cluster.faulty("delivery-merged"), delivery={"backoffDelay": "PT1S"})
    cluster.trigger(namespace="faulty", delivery={"retry": 1})
    await cluster.until(TRIGGER, "trigger", is_true(), "faulty")
    assert cluster.plane.triggers["faulty", "trigger"].delivery == {"retry": 1, "backoffDelay": "PT1S"}


async def test_mutant_filter_update_ignored(cluster: Cluster) -> None:
    cluster.broker(cluster.faulty("filter-update-ignored"))
    cluster.trigger(namespace="faulty", filter={"attributes": {"type": "a"}})
    await cluster.until(TRIGGER, "trigger", is_true(), "faulty")
    obj = cluster.store.get(TRIGGER, "faulty", "trigger")
    obj["spec"]["filter"]["attributes"]["type"] = "b"
    generation = cluster.store.update(TRIGGER, obj)["metadata"]["generation"]
    await cluster.until(TRIGGER, "trigger", lambda status: status.get("observedGeneration") == generation, "faulty")
    assert cluster.plane.triggers["faulty", "trigger"].filter == {"attributes": {"type": "a"}}


async def test_mutant_trigger_outlives_deletion_but_not_its_broker(cluster: Cluster) -> None:
    cluster.broker(cluster.faulty("trigger-outlives-deletion"))
    cluster.trigger(namespace="faulty")
    await cluster.until(TRIGGER, "trigger", is_true(), "faulty")
    cluster.store.delete(TRIGGER, "faulty", "trigger")
    await cluster.gone(TRIGGER, "trigger", "faulty")
    assert ("faulty", "trigger") in cluster.plane.triggers
    cluster.store.delete(NAMESPACE, None, "faulty")
    await cluster.gone(NAMESPACE, "faulty", "")
    await eventually(lambda: not cluster.plane.triggers)


# InferenceService.

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
