"""InferenceService: predictor and transformer as pods, Services, hosts; conditions as in KServe's Knative mode.

In Standard mode, which an annotation asks for, no Service has the name of the InferenceService itself, its address is
that of its first component, and there is no Ingress to wait for. As in KServe 0.20, Ready sums up PredictorReady and
IngressReady only: in Standard mode it is True with a transformer that is not ready.

The container of a transformer gets `--model_name` (where missing), `--predictor_host` and `--http_port` as arguments,
as the real controller adds them; a predictor's container stays as it is. Both get the InferenceService's name in their
environment.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from embedded.api.resources import DEPLOYMENT, INFERENCESERVICE, SERVICE
from embedded.controllers.conditions import TRUE, Conditions, ConditionState, condition_of, fails, is_ready, unknown
from embedded.controllers.controller import Controller, ensure
from embedded.runtime.gateway import COMPONENTS, entry_component, external_host

CONTAINER = "kserve-container"
HTTP_PORT = 8080
LOCAL_GATEWAY = "knative-local-gateway.istio-system.svc.cluster.local"
REVISION_ANNOTATION = "touchstone.dev/revision"
NAME_VARIABLE = "INFERENCE_SERVICE_NAME"
MODE_ANNOTATION = "serving.kserve.io/deploymentMode"
STANDARD = ("Standard", "RawDeployment")
POD_FIELDS = ("terminationGracePeriodSeconds", "restartPolicy", "serviceAccountName", "volumes")


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


class SpecError(Exception):
    """A component that cannot run as it is described.

    Attributes:
        reason: The reason for its condition.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class InferenceServiceController(Controller):
    """The reconciler of InferenceServices."""

    resource = INFERENCESERVICE
    also = (DEPLOYMENT,)

    async def reconcile(self, namespace: str, name: str) -> None:
        """Reconcile one InferenceService."""
        service = self.store.find(INFERENCESERVICE, namespace, name)
        if service is None or "deletionTimestamp" in service["metadata"]:
            return
        standard = (service["metadata"].get("annotations") or {}).get(MODE_ANNOTATION) in STANDARD
        if not standard:
            self._alias(service)
        conditions = Conditions((service.get("status") or {}).get("conditions"))
        components: dict[str, Any] = {}
        for component in COMPONENTS:
            if component not in service["spec"]:
                self._remove(namespace, f"{name}-{component}")
                continue
            verdict, revision = self._component(service, component)
            conditions.set(f"{component.capitalize()}Ready", verdict, "Info" if component != "predictor" else "")
            components[component] = _component_status(service, component, revision, ready=verdict.status is True)
        entry = entry_component(service)
        conditions.set("IngressReady", TRUE if standard else _ingress_of_gateway(conditions))
        conditions.sum_up(("PredictorReady", "IngressReady"))
        host = external_host(name, namespace)
        status = {
            "observedGeneration": service["metadata"]["generation"],
            "conditions": conditions.as_list(),
            "components": components,
            "deploymentMode": STANDARD[0] if standard else "Knative",
            "modelStatus": _model_status(conditions),
        }
        if components.get(entry, {}).get("latestReadyRevision"):
            status["url"] = f"http://{host}"
            within = f"{name}-{entry}" if standard else name
            status["address"] = {"url": f"http://{within}.{namespace}.svc.cluster.local"}
        self.store.patch_status(INFERENCESERVICE, namespace, name, status)

    def _component(self, service: dict[str, Any], component: str) -> tuple[ConditionState, str]:
        """Make a component's Service and Deployment; return its state and the name of its revision."""
        namespace, name = service["metadata"]["namespace"], service["metadata"]["name"]
        full = f"{name}-{component}"
        try:
            spec = pod_spec(service, component)
        except SpecError as error:
            self._remove(namespace, full)
            return fails(error.reason, str(error)), ""
        labels = {"app": full, "serving.kserve.io/inferenceservice": name, "component": component}
        port = {"name": "http", "port": 80, "targetPort": HTTP_PORT, "protocol": "TCP"}
        selector = {"serving.kserve.io/inferenceservice": name, "component": component}
        ensure(
            self.store,
            SERVICE,
            {
                "metadata": {"name": full, "namespace": namespace, "labels": labels},
                "spec": {"ports": [port], "selector": selector},
            },
            service,
        )
        template = {"metadata": {"labels": labels}, "spec": spec}
        deployment, revision = self._deployment(service, full, labels, template)
        if (
            is_ready(deployment, "Available")
            and deployment["status"]["observedGeneration"] == (deployment["metadata"]["generation"])
        ):
            return TRUE, revision
        progressing = condition_of(deployment, "Progressing")
        if progressing.get("status") == "False":
            return fails("RevisionFailed", progressing.get("message", "")), revision
        message = condition_of(deployment, "Available").get("message") or "waiting for pods"
        return unknown("Deploying", message), revision

    def _deployment(
        self, service: dict[str, Any], full: str, labels: dict[str, str], template: dict[str, Any]
    ) -> tuple[dict[str, Any], str]:
        """Make the Deployment of a component's revision; a changed template makes a new one and deletes the old."""
        namespace = service["metadata"]["namespace"]
        existing = self.store.list(DEPLOYMENT, namespace, {"app": full})
        numbers = {
            int(deployment["metadata"]["annotations"][REVISION_ANNOTATION]): deployment for deployment in existing
        }
        number = max(numbers, default=1)
        if number in numbers and numbers[number]["spec"]["template"] != template:
            number += 1
        revision = f"{full}-{number:05}"
        for other, outdated in numbers.items():
            if other != number:
                self.store.delete(DEPLOYMENT, namespace, outdated["metadata"]["name"])
        deployment = ensure(
            self.store,
            DEPLOYMENT,
            {
                "metadata": {
                    "name": f"{revision}-deployment",
                    "namespace": namespace,
                    "labels": labels,
                    "annotations": {REVISION_ANNOTATION: str(number)},
                },
                "spec": {"replicas": 1, "selector": {"matchLabels": {"app": full}}, "template": template},
            },
            service,
        )
        return deployment, revision

    def _alias(self, service: dict[str, Any]) -> None:
        """Make the Service with the InferenceService's own name, which leads to the gateway, as with Istio."""
        metadata = service["metadata"]
        ensure(
            self.store,
            SERVICE,
            {
                "metadata": {"name": metadata["name"], "namespace": metadata["namespace"]},
                "spec": {"type": "ExternalName", "externalName": LOCAL_GATEWAY},
            },
            service,
        )

    def _remove(self, namespace: str, full: str) -> None:
        if self.store.find(SERVICE, namespace, full) is not None:
            self.store.delete(SERVICE, namespace, full)
        for deployment in self.store.list(DEPLOYMENT, namespace, {"app": full}):
            self.store.delete(DEPLOYMENT, namespace, deployment["metadata"]["name"])


def _ingress_of_gateway(conditions: Conditions) -> ConditionState:
    """Return what holds for the gateway's route: it is made when all components are there.

    In Standard mode without an Ingress there is no route to make, and KServe says that it is ready at once.
    """
    missing = next((one for one in conditions.as_list() if one["status"] != "True"), None)
    if missing is None:
        return TRUE
    says = unknown if missing["status"] == "Unknown" else fails
    return says(f"{missing['type'].removesuffix('Ready')}NotReady", missing.get("message", ""))


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
        raise SpecError("InvalidSpec", f"spec.{component} needs a model or containers")
    main = next((c for c in containers if c.get("name") == CONTAINER), containers[0])
    main["name"] = CONTAINER
    if component == "transformer":
        main["args"] = [*(main.get("args") or ())]
        words = [*(main.get("command") or ()), *main["args"]]
        if not any(word == "--model_name" or word.startswith("--model_name=") for word in words):
            main["args"] += ["--model_name", name]
        main["args"] += ["--predictor_host", f"{name}-predictor.{namespace}", "--http_port", str(HTTP_PORT)]
    return spec | {"containers": [_with_name_variable(container, name) for container in containers]}


def _with_name_variable(container: dict[str, Any], name: str) -> dict[str, Any]:
    others = [variable for variable in container.get("env") or () if variable["name"] != NAME_VARIABLE]
    return container | {"env": [*others, {"name": NAME_VARIABLE, "value": name}]}


def _model_container(model: dict[str, Any]) -> dict[str, Any]:
    kind = (model.get("modelFormat") or {}).get("name") or ""
    runtime = RUNTIMES.get(kind)
    if runtime is None:
        known = ", ".join(sorted(RUNTIMES))
        raise SpecError("NoSupportingRuntime", f"no runtime found to support model type {kind!r} (known: {known})")
    location = str(model.get("storageUri") or "").rstrip("/")
    if location not in runtime.models:
        known = ", ".join(sorted(runtime.models))
        raise SpecError("ModelLoadFailed", f"no model at storageUri {location!r} (known for {kind}: {known})")
    container = {name: value for name, value in model.items() if name in {"env", "resources", "args"}}
    args = [*(container.pop("args", None) or ())]
    if "--model_name" not in args:
        args += ["--model_name", runtime.models[location]]
    return {**container, "name": CONTAINER, "image": runtime.image, "args": [*args, "--http_port", str(HTTP_PORT)]}


def _component_status(service: dict[str, Any], component: str, revision: str, *, ready: bool) -> dict[str, Any]:
    namespace, name = service["metadata"]["namespace"], service["metadata"]["name"]
    full = f"{name}-{component}"
    before = (((service.get("status") or {}).get("components") or {}).get(component)) or {}
    ready_revision = revision if ready else before.get("latestReadyRevision", "")
    status: dict[str, Any] = {
        "url": f"http://{external_host(full, namespace)}",
        "address": {"url": f"http://{full}.{namespace}.svc.cluster.local"},
    }
    if revision:
        status["latestCreatedRevision"] = revision
    if ready_revision:
        status["latestReadyRevision"] = status["latestRolledoutRevision"] = ready_revision
        status["traffic"] = [{"latestRevision": True, "percent": 100, "revisionName": ready_revision}]
    return status


def _model_status(conditions: Conditions) -> dict[str, Any]:
    ready = next(c for c in conditions.as_list() if c["type"] == "PredictorReady")
    if ready["status"] == "True":
        return {
            "copies": {"failedCopies": 0, "totalCopies": 1},
            "states": {"activeModelState": "Loaded", "targetModelState": "Loaded"},
            "transitionStatus": "UpToDate",
        }
    if ready["status"] == "Unknown":
        return {"states": {"activeModelState": "", "targetModelState": "Pending"}, "transitionStatus": "InProgress"}
    return {
        "states": {"activeModelState": "", "targetModelState": "FailedToLoad"},
        "transitionStatus": "BlockedByFailedLoad",
        "lastFailureInfo": {"reason": ready.get("reason", ""), "message": ready.get("message", "")},
    }
