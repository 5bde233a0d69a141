"""Faulty InferenceServices: Ready without a model, deaf to changes, or nowhere for a Trigger."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from embedded.api.resources import DEPLOYMENT, INFERENCESERVICE, SERVICE
from embedded.api.store import Store
from embedded.controllers.admission import NOT_NEGATIVE, TOO_FEW, TOO_LONG, UNKNOWN_MODE
from embedded.controllers.components import HTTP_PORT, NO_RUNTIME
from embedded.controllers.conditions import TRUE, ConditionState, condition_of, unknown
from embedded.controllers.policies import CONTAINER, ControlPlanePolicies
from embedded.mutants.hosts import CONTROL_PLANE
from embedded.mutants.registry import mutant

OF_SERVICE = "serving.kserve.io/inferenceservice"
"""The label of what is made for an InferenceService."""


@mutant(CONTROL_PLANE, replaces="readiness_probe")
def agent_ready_is_ready(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Take a pod behind an agent for ready as soon as it listens (KServe issues 1124 and 5345)."""
    return replace(honest, readiness_probe=lambda _probe: {"periodSeconds": 1, "tcpSocket": {"port": HTTP_PORT}})


@mutant(CONTROL_PLANE, replaces="entry_container")
def collocated_transformer_passed_by(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Lead calls to the model, past the transformer in its pod (KServe issue 3317)."""
    return replace(honest, entry_container=lambda _names: CONTAINER)


@mutant(CONTROL_PLANE, replaces="replicas")
def min_replicas_ignored(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Make one pod of a component, whatever its `minReplicas` is (KServe issues 2521 and 6001)."""
    return replace(honest, replicas=lambda _before, _wanted: 1)


@mutant(CONTROL_PLANE, replaces="keeps_old_pods")
def roll_out_ends_old_first(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """End the pods of a changed component before the new ones are ready (KServe issues 3768 and 5983)."""
    return replace(honest, keeps_old_pods=False)


@mutant(CONTROL_PLANE, replaces="service_port")
def container_port_ignored(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Lead to port 8080 of a component, whatever port its container names (KServe issue 2961)."""
    return replace(honest, service_port=lambda _named: HTTP_PORT)


@mutant(CONTROL_PLANE, replaces="agent_port")
def agent_asks_usual_port(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Ask port 8080 of a component behind an agent, whatever port it names (KServe issues 1536 and 1920)."""
    return replace(honest, agent_port=lambda _named: HTTP_PORT)


@mutant(CONTROL_PLANE, wraps="component_state")
def ready_without_model(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Take a component whose model cannot be loaded for ready (KServe issues 1791 and 3262)."""

    def component_state(component: str, state: ConditionState, was_ready: bool) -> ConditionState:  # noqa: FBT001
        told = honest.component_state(component, state, was_ready)
        return TRUE if told.status is False else told

    return replace(honest, component_state=component_state)


@mutant(CONTROL_PLANE, wraps="component_state")
def unsupported_format_waited_for(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Wait for pods of a component that has none, since no runtime serves its model format."""

    def component_state(component: str, state: ConditionState, was_ready: bool) -> ConditionState:  # noqa: FBT001
        told = honest.component_state(component, state, was_ready)
        return unknown("Deploying", "waiting for pods") if told.reason == NO_RUNTIME else told

    return replace(honest, component_state=component_state)


@mutant(CONTROL_PLANE, wraps="told_components")
def transformer_untold(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Tell nothing of a transformer in the status: neither whether it is there, nor where."""

    def told_components(components: Mapping[str, Any]) -> Mapping[str, Any]:
        told = honest.told_components(components)
        return {name: component for name, component in told.items() if name != "transformer"}

    return replace(honest, told_components=told_components)


@mutant(CONTROL_PLANE, wraps="component_state")
def crash_unnoticed(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Take a component that was ready once for ready although its pods crash (KServe issues 1859 and 2037)."""

    def component_state(component: str, state: ConditionState, was_ready: bool) -> ConditionState:  # noqa: FBT001
        told = honest.component_state(component, state, was_ready)
        return TRUE if told.status is False and was_ready else told

    return replace(honest, component_state=component_state)


@mutant(CONTROL_PLANE, wraps="component_state")
def transformer_crash_unnoticed(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Take a transformer that cannot start for ready (KServe issues 1859 and 2037)."""

    def component_state(component: str, state: ConditionState, was_ready: bool) -> ConditionState:  # noqa: FBT001
        told = honest.component_state(component, state, was_ready)
        return TRUE if told.status is False and component == "transformer" else told

    return replace(honest, component_state=component_state)


@mutant(CONTROL_PLANE, replaces="route_awaits_components")
def ready_without_transformer(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Let Ready follow the predictor alone (KServe 0.20.0 where it makes no ingress)."""
    return replace(honest, route_awaits_components=False)


@mutant(CONTROL_PLANE, replaces="before_service_goes")
def isvc_leaves_components(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Leave what was made for an InferenceService when that is deleted (KServe issues 1884 and 4710)."""

    def disown(store: Store, service: Mapping[str, Any]) -> bool:
        metadata = service["metadata"]
        for resource in (DEPLOYMENT, SERVICE):
            for made in store.list(resource, metadata["namespace"], {OF_SERVICE: metadata["name"]}):
                made["metadata"].pop("ownerReferences", None)
                store.update(resource, made)
        return True

    return replace(honest, before_service_goes=disown)


@mutant(CONTROL_PLANE, replaces="before_service_goes")
def isvc_never_gone(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Never take the finalizer off a deleted InferenceService (KServe issue 2119)."""
    return replace(honest, before_service_goes=lambda _store, _service: False)


_MADE: dict[tuple[str, str], dict[str, Any]] = {}
"""The InferenceService that was made last, by namespace and name: policies are made for each question anew."""


@mutant(CONTROL_PLANE, wraps="served_service")
def isvc_remade_as_before(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Make an InferenceService as the one before it of its name was (KServe issue 2119)."""

    def served_service(service: dict[str, Any]) -> dict[str, Any]:
        asked, metadata = honest.served_service(service), service["metadata"]
        key = (metadata["namespace"], metadata["name"])
        before = _MADE.setdefault(key, asked)
        if before["metadata"]["uid"] != metadata["uid"] and metadata["generation"] == 1:
            return {**asked, "spec": before["spec"]}
        _MADE[key] = asked
        return asked

    return replace(honest, served_service=served_service)


@mutant(CONTROL_PLANE, wraps="told_host")
def isvc_url_elsewhere(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Tell URLs of the namespace `default`, whatever the InferenceService is in (KServe issues 2958 and 2829)."""
    return replace(honest, told_host=lambda name, _: honest.told_host(name, "default"))


@mutant(CONTROL_PLANE, wraps="told_components")
def component_url_of_predictor(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Tell the predictor's URL as that of each component (KServe issue 2874)."""

    def told_components(components: Mapping[str, Any]) -> Mapping[str, Any]:
        told = honest.told_components(components)
        return {name: {**one, "url": told["predictor"]["url"]} for name, one in told.items()}

    return replace(honest, told_components=told_components)


@mutant(CONTROL_PLANE, wraps="told_components")
def unready_revision_told(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Tell the newest revision as the ready one that all calls go to (KServe issues 1474 and 347)."""

    def newest(told: Mapping[str, Any]) -> Mapping[str, Any]:
        if "latestReadyRevision" not in told or "latestCreatedRevision" not in told:
            return told
        traffic = [{**one, "revisionName": told["latestCreatedRevision"]} for one in told["traffic"]]
        return {**told, "latestReadyRevision": told["latestCreatedRevision"], "traffic": traffic}

    def told_components(components: Mapping[str, Any]) -> Mapping[str, Any]:
        return {name: newest(told) for name, told in honest.told_components(components).items()}

    return replace(honest, told_components=told_components)


@mutant(CONTROL_PLANE, wraps="told_model")
def model_status_lags(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Tell a model that is loaded as one in progress, although all else is Ready (KServe issue 6079)."""

    def told_model(before: Mapping[str, Any], told: dict[str, Any]) -> dict[str, Any]:
        told = honest.told_model(before, told)
        return {**told, "transitionStatus": "InProgress"} if told["transitionStatus"] == "UpToDate" else told

    return replace(honest, told_model=told_model)


@mutant(CONTROL_PLANE, wraps="told_model")
def model_failure_stays(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Tell a model that could not be loaded once as such for ever (KServe issue 2962)."""

    def told_model(before: Mapping[str, Any], told: dict[str, Any]) -> dict[str, Any]:
        failed = before.get("transitionStatus") in {"BlockedByFailedLoad", "InvalidSpec"}
        return dict(before) if failed else honest.told_model(before, told)

    return replace(honest, told_model=told_model)


_Template: TypeAlias = dict[str, Any]


def _keeping_template(
    honest: ControlPlanePolicies, keep: Callable[[_Template, _Template], _Template]
) -> ControlPlanePolicies:
    """Return policies by which something of a component's template is kept as it was, when it changes."""

    def changed_template(before: Mapping[str, Any], changed: _Template) -> _Template:
        return keep(dict(before), honest.changed_template(before, changed))

    return replace(honest, changed_template=changed_template)


@mutant(CONTROL_PLANE, wraps="changed_template")
def transformer_change_ignored(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Roll out changes of the predictor alone (KServe issue 1524)."""

    def keep(before: _Template, changed: _Template) -> _Template:
        return before if changed["metadata"]["labels"]["component"] == "transformer" else changed

    return _keeping_template(honest, keep)


@mutant(CONTROL_PLANE, wraps="changed_template")
def args_change_ignored(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Keep the arguments that a container began with (KServe issue 2946)."""

    def keep(before: _Template, changed: _Template) -> _Template:
        args = {one["name"]: one.get("args") or [] for one in before["spec"]["containers"]}
        containers = [
            {**one, "args": args.get(one["name"], one.get("args") or [])} for one in changed["spec"]["containers"]
        ]
        return {**changed, "spec": {**changed["spec"], "containers": containers}}

    return _keeping_template(honest, keep)


@mutant(CONTROL_PLANE, wraps="changed_template")
def pod_metadata_kept(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Keep the labels and annotations that a component's pods began with (KServe issue 2946)."""
    return _keeping_template(honest, lambda before, changed: {**changed, "metadata": before["metadata"]})


@mutant(CONTROL_PLANE, wraps="is_reached")
def isvc_failure_blocks_others(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Look at no InferenceService while another one of its namespace fails (KServe issues 4986 and 4703)."""

    def is_reached(service: Mapping[str, Any], others: Sequence[Mapping[str, Any]]) -> bool:
        uid = service["metadata"]["uid"]
        fails = any(is_false(other) for other in others if other["metadata"]["uid"] != uid)
        return not fails and honest.is_reached(service, others)

    def is_false(other: Mapping[str, Any]) -> bool:
        return condition_of(dict(other), "PredictorReady").get("status") == "False"

    return replace(honest, is_reached=is_reached)


@mutant(CONTROL_PLANE, wraps="is_reached")
def other_container_name_unmade(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Pass over an InferenceService whose container has another name than kserve-container (KServe issue 664)."""

    def is_reached(service: Mapping[str, Any], others: Sequence[Mapping[str, Any]]) -> bool:
        named = [one.get("containers") or [{"name": CONTAINER}] for one in service["spec"].values()]
        known = all(any(container["name"] == CONTAINER for container in containers) for containers in named)
        return known and honest.is_reached(service, others)

    return replace(honest, is_reached=is_reached)


@mutant(CONTROL_PLANE, replaces="faults_of_service")
def isvc_unchecked(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Admit whatever an InferenceService says (KServe issues 1059 and 495)."""
    return replace(honest, faults_of_service=lambda _: [])


@mutant(CONTROL_PLANE, wraps="faults_of_service")
def isvc_length_unchecked(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Admit a name that leaves none for the Services, so that nothing is ever made (KServe issue 4807)."""
    return replace(
        honest,
        faults_of_service=lambda faults: [
            fault for fault in honest.faults_of_service(faults) if not fault.endswith(TOO_LONG)
        ],
    )


@mutant(CONTROL_PLANE, wraps="faults_of_service")
def isvc_scaling_unchecked(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Admit numbers of pods and of requests that nothing can have, and a logger of a mode that there is not."""
    return replace(
        honest,
        faults_of_service=lambda faults: [
            fault
            for fault in honest.faults_of_service(faults)
            if not fault.endswith((NOT_NEGATIVE, TOO_FEW, UNKNOWN_MODE))
        ],
    )


@mutant(CONTROL_PLANE, replaces="updates_agents")
def agent_never_updated(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Keep the batcher and the logger that a component began with (KServe issues 2116 and 2142)."""
    return replace(honest, updates_agents=False)


@mutant(CONTROL_PLANE, wraps="entry_component", replaces="removes_components")
def removed_component_serves(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Go on with a transformer that was taken out of an InferenceService (KServe issues 460 and 3359)."""

    def entry_component(service: Mapping[str, Any]) -> str:
        told = (service.get("status") or {}).get("components") or {}
        return "transformer" if "transformer" in told else honest.entry_component(service)

    return replace(honest, entry_component=entry_component, removes_components=False)


@mutant(CONTROL_PLANE, wraps="resolve")
def isvc_ref_unresolved(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Lose the path of a subscriber that refers to an InferenceService (KServe issue 2587, PR 1238)."""

    def resolve(store: Store, destination: Mapping[str, Any], namespace: str) -> str:
        kind = (destination.get("ref") or {}).get("kind")
        asked = destination if kind != INFERENCESERVICE.kind else {"ref": destination["ref"]}
        return honest.resolve(store, asked, namespace)

    return replace(honest, resolve=resolve)
