"""InferenceService: predictor and transformer as pods, Services, hosts; conditions as in KServe's Knative mode.

In Standard mode, which an annotation asks for, no Service has the name of the InferenceService itself, its address is
that of its first component, and there is no Ingress to wait for. As in KServe 0.20, Ready sums up PredictorReady and
IngressReady only: in Standard mode it is True with a transformer that is not ready.

Where a component has a `batcher` or a `logger`, its Service leads to an agent before each of its pods.
"""

from collections.abc import Callable, Mapping
from typing import Any

from embedded.agents import AGENT_PORT
from embedded.api.resources import DEPLOYMENT, INFERENCESERVICE, SERVICE
from embedded.api.store import Store
from embedded.controllers.agents import Agents
from embedded.controllers.components import (
    INVALID,
    SpecError,
    batcher_of,
    is_rolled,
    logger_of,
    pod_metadata,
    pod_spec,
    port_of,
    replicas_of,
)
from embedded.controllers.conditions import TRUE, Conditions, ConditionState, condition_of, fails, is_ready, unknown
from embedded.controllers.controller import Controller, drop_finalizer, ensure, set_finalizer
from embedded.controllers.faults import FAULT, RESULTS_REFUSED, RESULTS_TAKEN, ordered
from embedded.controllers.policies import ControlPlanePolicies
from embedded.controllers.topics import Topics
from embedded.runtime.gateway import COMPONENTS

LOCAL_GATEWAY = "knative-local-gateway.istio-system.svc.cluster.local"
REVISION_ANNOTATION = "touchstone.dev/revision"
MODE_ANNOTATION = "serving.kserve.io/deploymentMode"
STANDARD = ("Standard", "RawDeployment")
FINALIZER = "inferenceservice.finalizers"
TOPIC_VARIABLE = "KAFKA_TOPIC"


class InferenceServiceController(Controller):
    """The reconciler of InferenceServices."""

    resource = INFERENCESERVICE
    also = (DEPLOYMENT,)

    def __init__(
        self, store: Store, topics: Topics, agents: Agents, policies: Callable[[str], ControlPlanePolicies]
    ) -> None:
        super().__init__(store)
        self._topics, self._agents, self._policies = topics, agents, policies

    async def reconcile(self, namespace: str, name: str) -> None:
        """Reconcile one InferenceService."""
        service, policies = self.store.find(INFERENCESERVICE, namespace, name), self._policies(namespace)
        if service is None or "deletionTimestamp" in service["metadata"]:
            for component in COMPONENTS:
                await self._agents.remove(namespace, f"{name}-{component}")
            holds = None if service is None else policies.before_service_goes
            if service is not None and holds is not None and holds(self.store, service):
                drop_finalizer(self.store, INFERENCESERVICE, service, FINALIZER)
            return
        if not policies.is_reached(service, self.store.list(INFERENCESERVICE, namespace)):
            return
        if policies.before_service_goes is not None:
            service = set_finalizer(self.store, INFERENCESERVICE, service, FINALIZER)
        service = policies.served_service(service)
        standard = (service["metadata"].get("annotations") or {}).get(MODE_ANNOTATION) in STANDARD
        if not standard:
            self._alias(service)
        conditions = Conditions((service.get("status") or {}).get("conditions"))
        components = dict[str, Any]()
        for component in COMPONENTS:
            if component not in service["spec"]:
                if policies.removes_components:
                    await self._remove(namespace, f"{name}-{component}")
                elif before := _told(service, component):
                    components[component] = before
                continue
            verdict, revision = await self._component(service, component)
            conditions.set(f"{component.capitalize()}Ready", verdict, "Info" if component != "predictor" else "")
            url = f"http://{policies.told_host(f'{name}-{component}', namespace)}"
            ready = verdict.status is True
            components[component] = _component_status(service, component, revision, ready=ready) | {"url": url}
        entry = policies.entry_component(service)
        at_once = standard or not policies.route_awaits_components
        conditions.set("IngressReady", TRUE if at_once else _ingress_of_gateway(conditions))
        conditions.sum_up(("PredictorReady", "IngressReady"))
        host = policies.told_host(name, namespace)
        model = (service.get("status") or {}).get("modelStatus") or {}
        status = {
            "observedGeneration": service["metadata"]["generation"],
            "conditions": conditions.as_list(),
            "components": policies.told_components(components),
            "deploymentMode": STANDARD[0] if standard else "Knative",
            "modelStatus": policies.told_model(model, _model_status(conditions)),
            "annotations": await self._obey(service),
        }
        if components.get(entry, {}).get("latestReadyRevision"):
            status["url"] = f"http://{host}"
            within = f"{name}-{entry}" if standard else name
            status["address"] = {"url": f"http://{within}.{namespace}.svc.cluster.local"}
        self.store.patch_status(INFERENCESERVICE, namespace, name, status)

    async def _obey(self, service: Mapping[str, Any]) -> dict[str, str]:
        """Have the topic of the results refuse or take records, as the annotation says, once; return what is done.

        Raises:
            RetryError: Kafka does not do that.
        """
        told: dict[str, str] = (service.get("status") or {}).get("annotations") or {}
        order, fault = ordered(service)
        if fault not in {RESULTS_REFUSED, RESULTS_TAKEN} or told.get(FAULT) == order:
            return told
        for topic in _result_topics(service):
            await self._topics.set_refusing(topic, refusing=fault == RESULTS_REFUSED)
        return {FAULT: order}

    async def _component(self, service: dict[str, Any], component: str) -> tuple[ConditionState, str]:
        """Make a component's Service, Deployment and agents; return its state and the name of its revision.

        Raises:
            RetryError: An agent cannot listen.
        """
        namespace, name = service["metadata"]["namespace"], service["metadata"]["name"]
        full, policies = f"{name}-{component}", self._policies(namespace)
        was_ready = "latestReadyRevision" in _told(service, component)
        try:
            spec = pod_spec(service, component)
            batcher, logger = batcher_of(service["spec"][component]), logger_of(service["spec"][component])
            if not policies.updates_agents:
                batcher, logger = self._agents.first(service, component, batcher, logger)
        except SpecError as error:
            await self._remove(namespace, full)
            return policies.component_state(component, fails(error.reason, str(error)), was_ready), ""
        labels = {"app": full, "serving.kserve.io/inferenceservice": name, "component": component}
        named = port_of(spec, policies.entry_container([container["name"] for container in spec["containers"]]))
        target = policies.service_port(named) if batcher is None and logger is None else AGENT_PORT
        if target == AGENT_PORT:
            for container in spec["containers"]:
                if "readinessProbe" in container:
                    container["readinessProbe"] = policies.readiness_probe(container["readinessProbe"])
        port = {"name": "http", "port": 80, "targetPort": target, "protocol": "TCP"}
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
        template = {"metadata": pod_metadata(service, component, labels), "spec": spec}
        deployment, revision = self._deployment(service, component, labels, template)
        await self._agents.stand_before(service, component, batcher, logger, port=policies.agent_port(named))
        return policies.component_state(component, _state_of(deployment), was_ready), revision

    def _deployment(
        self, service: dict[str, Any], component: str, labels: dict[str, str], template: dict[str, Any]
    ) -> tuple[dict[str, Any], str]:
        """Make the Deployment of a component's revision; a changed template makes a new one.

        The old one goes when the new one is available, or at once where the component asks for that.
        """
        namespace, described = service["metadata"]["namespace"], service["spec"][component]
        full, policies = f"{service['metadata']['name']}-{component}", self._policies(namespace)
        existing = self.store.list(DEPLOYMENT, namespace, {"app": full})
        numbers = {
            int(deployment["metadata"]["annotations"][REVISION_ANNOTATION]): deployment for deployment in existing
        }
        number = max(numbers, default=1)
        was = numbers[number]["spec"]["replicas"] if number in numbers else None
        if number in numbers:
            before = numbers[number]["spec"]["template"]
            template = policies.changed_template(before, template)
        if number in numbers and numbers[number]["spec"]["template"] != template:
            number += 1
        revision = f"{full}-{number:05}"
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
                "spec": {
                    "replicas": policies.replicas(was, replicas_of(described)),
                    "selector": {"matchLabels": {"app": full}},
                    "template": template,
                },
            },
            service,
        )
        if _state_of(deployment) == TRUE or not (policies.keeps_old_pods and is_rolled(described)):
            for other, outdated in numbers.items():
                if other != number:
                    self.store.delete(DEPLOYMENT, namespace, outdated["metadata"]["name"])
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

    async def _remove(self, namespace: str, full: str) -> None:
        await self._agents.remove(namespace, full)
        if self.store.find(SERVICE, namespace, full) is not None:
            self.store.delete(SERVICE, namespace, full)
        for deployment in self.store.list(DEPLOYMENT, namespace, {"app": full}):
            self.store.delete(DEPLOYMENT, namespace, deployment["metadata"]["name"])


def _state_of(deployment: dict[str, Any]) -> ConditionState:
    """Return the state of a component whose pods a Deployment makes."""
    if (
        is_ready(deployment, "Available")
        and deployment["status"]["observedGeneration"] == (deployment["metadata"]["generation"])
    ):
        return TRUE
    progressing = condition_of(deployment, "Progressing")
    if progressing.get("status") == "False":
        return fails("RevisionFailed", progressing.get("message", ""))
    message = condition_of(deployment, "Available").get("message") or "waiting for pods"
    return unknown("Deploying", message)


def _told(service: Mapping[str, Any], component: str) -> dict[str, Any]:
    """Return what the status has told of a component so far."""
    told: dict[str, Any] = ((service.get("status") or {}).get("components") or {}).get(component) or {}
    return told


def _result_topics(service: Mapping[str, Any]) -> set[str]:
    """Return the topics that the containers' variables name."""
    containers = [c for part in service["spec"].values() for c in part.get("containers") or ()]
    variables = [variable for container in containers for variable in container.get("env") or ()]
    return {variable["value"] for variable in variables if variable["name"] == TOPIC_VARIABLE and "value" in variable}


def _ingress_of_gateway(conditions: Conditions) -> ConditionState:
    """Return what holds for the gateway's route: it is made when all components are there.

    In Standard mode without an Ingress there is no route to make, and KServe says that it is ready at once.
    """
    missing = next((one for one in conditions.as_list() if one["status"] != "True"), None)
    if missing is None:
        return TRUE
    says = unknown if missing["status"] == "Unknown" else fails
    return says(f"{missing['type'].removesuffix('Ready')}NotReady", missing.get("message", ""))


def _component_status(service: dict[str, Any], component: str, revision: str, *, ready: bool) -> dict[str, Any]:
    namespace, name = service["metadata"]["namespace"], service["metadata"]["name"]
    full = f"{name}-{component}"
    before = _told(service, component)
    ready_revision = revision if ready else before.get("latestReadyRevision", "")
    status: dict[str, Any] = {"address": {"url": f"http://{full}.{namespace}.svc.cluster.local"}}
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
        "transitionStatus": "InvalidSpec" if ready.get("reason") in INVALID else "BlockedByFailedLoad",
        "lastFailureInfo": {"reason": ready.get("reason", ""), "message": ready.get("message", "")},
    }
