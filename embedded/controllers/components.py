"""The pods of an InferenceService's components, and what stands before them, as their specs describe them.

The containers of a transformer and of an explainer get `--model_name` (where missing), `--predictor_host` and
`--http_port` as arguments, as the real controller adds them; a predictor's container stays as it is. All get the
InferenceService's name in their environment.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from embedded.agents import BatcherSpec, LoggerSpec
from embedded.agents.specs import MODES
from embedded.controllers.policies import CONTAINER

HTTP_PORT = 8080
NAME_VARIABLE = "INFERENCE_SERVICE_NAME"
POD_FIELDS = ("terminationGracePeriodSeconds", "restartPolicy", "serviceAccountName", "volumes")
ASKING = ("transformer", "explainer")
"""The components that ask the predictor."""
MILLISECONDS = 1000


@dataclass(frozen=True, slots=True)
class ServingRuntime:
    """A runtime for a model format.

    Attributes:
        image: The image that serves the format.
        models: The names of the served models by storage location.
    """

    image: str
    models: Mapping[str, str]


RUNTIMES = {
    "pytorch": ServingRuntime(
        "mnist-predictor", {"gs://kfserving-examples/models/torchserve/image_classifier/v1": "mnist"}
    ),
}


INVALID_SPEC, NO_RUNTIME, NOT_LOADED = "InvalidPredictorSpec", "NoSupportingRuntime", "ModelLoadFailed"
INVALID = frozenset({INVALID_SPEC, NO_RUNTIME})
"""KServe's reasons for a component that does not come to the loading of its model."""


class SpecError(Exception):
    """A component that cannot run as it is described.

    Attributes:
        reason: The reason for its condition.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def pod_spec(service: dict[str, Any], component: str) -> dict[str, Any]:
    """Return the completed pod spec of a component.

    Raises:
        SpecError: No runtime here serves such a model, or the component names no container.
    """
    namespace, name = service["metadata"]["namespace"], service["metadata"]["name"]
    described = service["spec"][component]
    spec = {field: described[field] for field in POD_FIELDS if field in described}
    if "model" in described:
        return spec | {"containers": [_with_name_variable(_model_container(described["model"]), name)]}
    containers = [dict(container) for container in described.get("containers") or ()]
    if not containers:
        raise SpecError(INVALID_SPEC, f"spec.{component} needs a model or containers")
    main = next((c for c in containers if c.get("name") == CONTAINER), containers[0])
    main["name"] = CONTAINER
    if component in ASKING:
        main["args"] = [*(main.get("args") or ())]
        words = [*(main.get("command") or ()), *main["args"]]
        if not any(word == "--model_name" or word.startswith("--model_name=") for word in words):
            main["args"] += ["--model_name", name]
        main["args"] += ["--predictor_host", f"{name}-predictor.{namespace}", "--http_port", str(HTTP_PORT)]
    return spec | {"containers": [_with_name_variable(container, name) for container in containers]}


def port_of(spec: Mapping[str, Any], entry: str) -> int:
    """Return the port of a component: the first that its container names, else KServe's own.

    Args:
        spec: The spec of its pods.
        entry: The name of the container that gets the calls.
    """
    called = next((one for one in spec["containers"] if one.get("name") == entry), spec["containers"][0])
    return next((int(port["containerPort"]) for port in called.get("ports") or ()), HTTP_PORT)


def replicas_of(described: Mapping[str, Any]) -> int:
    """Return how many pods a component asks for: where nobody scales it, it has its `minReplicas`."""
    return int(described.get("minReplicas", 1))


def is_rolled(described: Mapping[str, Any]) -> bool:
    """Tell whether the pods of a component are at work until those that follow them are ready, as is usual."""
    return (described.get("deploymentStrategy") or {}).get("type") != "Recreate"


def pod_metadata(service: Mapping[str, Any], component: str, labels: Mapping[str, str]) -> dict[str, Any]:
    """Return the metadata of a component's pods: its own labels and annotations, with those that they must have."""
    described = service["spec"][component]
    metadata: dict[str, Any] = {"labels": {**(described.get("labels") or {}), **labels}}
    if annotations := described.get("annotations"):
        metadata["annotations"] = dict(annotations)
    return metadata


def _with_name_variable(container: dict[str, Any], name: str) -> dict[str, Any]:
    others = [variable for variable in container.get("env") or () if variable["name"] != NAME_VARIABLE]
    return container | {"env": [*others, {"name": NAME_VARIABLE, "value": name}]}


def _model_container(model: dict[str, Any]) -> dict[str, Any]:
    kind = (model.get("modelFormat") or {}).get("name") or ""
    runtime = RUNTIMES.get(kind)
    if runtime is None:
        known = ", ".join(sorted(RUNTIMES))
        raise SpecError(NO_RUNTIME, f"no runtime found to support model type {kind!r} (known: {known})")
    location = str(model.get("storageUri") or "").rstrip("/")
    if location not in runtime.models:
        known = ", ".join(sorted(runtime.models))
        raise SpecError(NOT_LOADED, f"no model at storageUri {location!r} (known for {kind}: {known})")
    container = {name: value for name, value in model.items() if name in {"env", "resources", "args"}}
    args = [*(container.pop("args", None) or ())]
    if "--model_name" not in args:
        args += ["--model_name", runtime.models[location]]
    return {**container, "name": CONTAINER, "image": runtime.image, "args": [*args, "--http_port", str(HTTP_PORT)]}


def batcher_of(described: Mapping[str, Any]) -> BatcherSpec | None:
    """Return the batcher of a component; None: it has none.

    Raises:
        SpecError: Its values are not positive numbers.
    """
    if "batcher" not in described:
        return None
    given = described["batcher"] or {}
    usual = BatcherSpec()
    most = given.get("maxBatchSize", usual.most)
    latency = given.get("maxLatency", usual.latency * MILLISECONDS)
    for name, value in (("maxBatchSize", most), ("maxLatency", latency)):
        if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
            raise SpecError(INVALID_SPEC, f"batcher.{name}: expected a positive number, got {value!r}")
    return BatcherSpec(int(most), latency / MILLISECONDS)


def logger_of(described: Mapping[str, Any]) -> LoggerSpec | None:
    """Return the logger of a component; None: it has none.

    Raises:
        SpecError: It has no URL, an unknown mode, or headers that are no names.
    """
    if "logger" not in described:
        return None
    given = described["logger"] or {}
    url, mode = given.get("url"), given.get("mode", MODES[0])
    if not isinstance(url, str) or not url.startswith("http://"):
        raise SpecError(INVALID_SPEC, f"logger.url: expected a URL that begins with http://, got {url!r}")
    if mode not in MODES:
        raise SpecError(INVALID_SPEC, f"logger.mode: expected one of {', '.join(MODES)}, got {mode!r}")
    headers = given.get("metadataHeaders") or []
    if not isinstance(headers, list) or not all(isinstance(name, str) for name in headers):
        raise SpecError(INVALID_SPEC, f"logger.metadataHeaders: expected a list of names, got {headers!r}")
    return LoggerSpec(url, mode, tuple(headers))
