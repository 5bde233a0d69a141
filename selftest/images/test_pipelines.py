"""The manifests say what the flow's documentation says, and every image that they name is there."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PIPELINES = ROOT / "manifests" / "pipelines"
IMAGES = sorted(path.parent for path in (ROOT / "images").glob("*/image.toml"))


def objects(pipeline: str) -> dict[str, Any]:
    loaded = [yaml.safe_load(path.read_text()) for path in sorted((PIPELINES / pipeline / "base").glob("*.yaml"))]
    return {f"{each['kind']}/{each['metadata']['name']}": each for each in loaded}


def test_the_async_pipeline_applies_in_the_documented_order() -> None:
    assert list(objects("async-mnist")) == [
        "Namespace/kserve-test",
        "ConfigMap/kafka-broker-config",
        "Broker/isvc-broker",
        "Trigger/kserve-trigger",
        "InferenceService/test-transformer",
    ]


def test_the_async_pipeline_keeps_the_documented_names() -> None:
    found = objects("async-mnist")
    trigger = found["Trigger/kserve-trigger"]["spec"]
    assert trigger["filter"]["attributes"] == {"type": "prediction-request-udf-attr"}
    assert (
        trigger["subscriber"]["uri"] == "http://test-transformer.kserve-test.svc.cluster.local/v1/models/mnist:predict"
    )
    (container,) = found["InferenceService/test-transformer"]["spec"]["transformer"]["containers"]
    assert {item["name"]: item["value"] for item in container["env"]} == {
        "KAFKA_BOOTSTRAP_SERVERS": "kafka.database.svc.cluster.local",
        "KAFKA_TOPIC": "test-topic",
        "REQUEST_TRACE_KEY": "test-trace-id",
    }
    assert container["command"] + container["args"] == ["python", "-m", "model", "--model_name", "mnist"]
    config = found["ConfigMap/kafka-broker-config"]
    assert config["data"]["default.topic.partitions"] == "10"
    assert config["metadata"]["namespace"] == "knative-eventing"


def test_kubectl_apply_of_the_folder_sees_manifests_only() -> None:
    # kubectl takes every .yaml, .yml and .json of a folder for a manifest: hence Kustomization without a suffix.
    for base in PIPELINES.glob("*/base"):
        assert {path.suffix for path in base.iterdir()} == {".yaml", ""}
        assert all(yaml.safe_load(path.read_text())["kind"] != "Kustomization" for path in base.glob("*.yaml"))
    traced = json.loads((PIPELINES / "async-mnist" / "requests" / "image-with-trace-id.json").read_text())
    assert traced["test-trace-id"] == "16ec3446-48d6-422e-9926-8224853e84a7"


@pytest.mark.parametrize(
    ("name", "transport", "port"), [("tfserving-cifar10", "rest", 8501), ("tfserving-cifar10-grpc", "grpc", 8500)]
)
def test_the_streaming_pipeline_keeps_the_documented_names(name: str, transport: str, port: int) -> None:
    spec = objects("seldon-cifar10")[f"SeldonDeployment/{name}"]["spec"]
    assert (spec["protocol"], spec["transport"], spec["serverType"]) == ("tensorflow", transport, "kafka")
    (predictor,) = spec["predictors"]
    assert predictor["graph"] == {"name": "resnet32", "type": "MODEL", "endpoint": {"service_port": port}}
    environment = {item["name"]: item["value"] for item in predictor["svcOrchSpec"]["env"]}
    assert environment["KAFKA_INPUT_TOPIC"] == f"cifar10-{transport}-input"
    assert environment["KAFKA_OUTPUT_TOPIC"] == f"cifar10-{transport}-output"


def test_every_image_of_the_pipelines_has_a_folder() -> None:
    text = "".join(path.read_text() for path in PIPELINES.glob("*/base/*.yaml"))
    named = {match.rpartition("/")[2].partition(":")[0] for match in re.findall(r"image: (\S+)", text)}
    assert named == {"mlserver", "mnist-predictor", "msg-transformer", "open-inference", "serving"}
    assert named <= {folder.name for folder in IMAGES}
