"""The life of an InferenceService: which are admitted, what a change reaches, and what a deletion takes along.

They are made for each test, beside those of the pipeline `kserve-extras`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from evidence.expectations import (
    Expectation,
    api_accepted,
    api_refused,
    condition,
    field,
    gone,
    settled,
    told,
    unserved,
)
from fixtures import KServeExtras, Kube, expect, mint
from suites.instances import asking

LOADING_FAILS = {"LOADING_FAILS": "yes"}
LOADS_LONG = {"LOADING_SECONDS": "60"}
SEVERAL = 20
FIRST, SECOND = {"WRAPS_AS": "first"}, {"WRAPS_AS": "second"}
WITHIN = 30.0
SCALED = 15.0  # seconds; a pod more of what runs already, or one less
ELSEWHERE, BESIDE = 9000, 9090


def comes_up(extras: KServeExtras, kube: Kube, service: str, *conditions: str) -> Sequence[Expectation]:
    """Return that an InferenceService becomes Ready, as another one of its namespace is, with further conditions."""
    made, control = extras.object(service), kube.get(extras.object("logged"), check=True)
    return [condition(made, kind, "True", control=control) for kind in ("Ready", *conditions)]


def at_port(container: Mapping[str, Any], port: int) -> Mapping[str, Any]:
    """Return a container that listens at another port, and says so."""
    probe = container["readinessProbe"]
    return {
        **container,
        "args": [*container["args"], f"--http_port={port}"],
        "ports": [{"containerPort": port, "protocol": "TCP"}],
        "readinessProbe": {**probe, "httpGet": {**probe["httpGet"], "port": port}},
    }


def collocated(container: Mapping[str, Any], port: int) -> Mapping[str, Any]:
    """Return a transformer in the pod of its model, which listens at a port."""
    address = {"name": "POD_ADDRESS", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}
    return {
        **container,
        "name": "transformer-container",
        "args": [*container["args"], "--predictor_host", f"$(POD_ADDRESS):{port}", "--transforms"],
        "env": [address, *({"name": name, "value": value} for name, value in FIRST.items())],
    }


def gone_with_all(extras: KServeExtras) -> str:
    """Make an InferenceService, see it answer, delete it, and expect that all goes that was made for it."""
    service = extras.beside("logged", transformer=FIRST)
    expect(told(extras.call(service, asking([1])), {"predictions": [{"first": [1]}]}))
    made = extras.made_for(service)
    deleted = extras.delete(service)
    expect(gone(deleted), *(gone(one, after=deleted) for one in made), within=WITHIN)
    return service


@pytest.mark.requirement("INF-DEL-001")
def test_a_deleted_inference_service_takes_along_what_was_made_for_it(kserve_extras: KServeExtras) -> None:
    service = gone_with_all(kserve_extras)
    late, control = (kserve_extras.call(name, asking([2])) for name in (service, "logged"))
    expect(unserved(late, control=control))


@pytest.mark.requirement("INF-DEL-002")
def test_an_inference_service_that_is_made_again_is_the_new_one(kserve_extras: KServeExtras) -> None:
    service = gone_with_all(kserve_extras)
    kserve_extras.beside("logged", name=service, transformer=SECOND)
    expect(told(kserve_extras.call(service, asking([2])), {"predictions": [{"second": [2]}]}))


@pytest.mark.requirement("INF-RDY-007")
def test_a_transformer_that_cannot_start_is_told_until_it_is_mended(kserve_extras: KServeExtras) -> None:
    service = kserve_extras.beside("logged", ready=False, transformer=LOADING_FAILS)
    broken = kserve_extras.object(service)
    expect(
        condition(broken, "PredictorReady", "True"),
        condition(broken, "TransformerReady", "False", explained=True),
        within=WITHIN,
    )
    kserve_extras.change(service, ready=False, transformer=SECOND)
    expect(condition(broken, "TransformerReady", "True"), condition(broken, "Ready", "True"), within=WITHIN)
    expect(told(kserve_extras.call(service, asking([1])), {"predictions": [{"second": [1]}]}))


@pytest.mark.requirement("INF-RDY-008")
def test_an_inference_service_whose_transformer_cannot_start_is_not_ready(kserve_extras: KServeExtras) -> None:
    broken = kserve_extras.object(kserve_extras.beside("logged", ready=False, transformer=LOADING_FAILS))
    expect(
        condition(broken, "PredictorReady", "True"),
        condition(broken, "TransformerReady", "False"),
        within=WITHIN,
    )
    expect(condition(broken, "Ready", {"False", "Unknown"}))


@pytest.mark.requirement("INF-UPD-003")
@pytest.mark.parametrize("part", ["env", "args"])
def test_a_change_of_the_transformer_alone_is_rolled_out(kserve_extras: KServeExtras, part: str) -> None:
    service = kserve_extras.beside("logged", transformer=FIRST)
    expect(told(kserve_extras.call(service, asking([1])), {"predictions": [{"first": [1]}]}))
    changes: Mapping[str, Any] = {"env": {"transformer": SECOND}, "args": {"words": ["--wraps_as=second"]}}
    kserve_extras.change(service, **changes[part])
    expect(told(kserve_extras.call(service, asking([2])), {"predictions": [{"second": [2]}]}))


@pytest.mark.requirement("INF-UPD-004")
@pytest.mark.parametrize("part", ["labels", "annotations"])
def test_a_change_of_labels_or_annotations_alone_reaches_the_pods(kserve_extras: KServeExtras, part: str) -> None:
    first, second = (dict[str, Any]({part: {"touchstone-tier": value}}) for value in ("first", "second"))
    service = kserve_extras.beside("logged", **first)
    expect(field(kserve_extras.pod(service), ["metadata", part, "touchstone-tier"], "first"))
    kserve_extras.change(service, **second)
    expect(field(kserve_extras.pod(service), ["metadata", part, "touchstone-tier"], "second"))


@pytest.mark.requirement("INF-ISO-001")
@pytest.mark.parametrize("why", ["crash", "no-runtime"])
def test_one_that_cannot_be_made_holds_no_other_up(kserve_extras: KServeExtras, kube: Kube, why: str) -> None:
    model = {"modelFormat": {"name": "touchstone-unheard-of"}, "storageUri": "gs://touchstone/model"}
    faults: Mapping[str, Mapping[str, Any]] = {
        "crash": {"env": LOADING_FAILS},
        "no-runtime": {"containers": None, "model": model},
    }
    broken = kserve_extras.object(kserve_extras.beside("logged", ready=False, **faults[why]))
    expect(condition(broken, "Ready", {"False", "Unknown"}), within=WITHIN)
    expect(field(broken, "status.modelStatus.lastFailureInfo"), within=WITHIN)
    service = kserve_extras.beside("logged", ready=False, transformer=FIRST)
    expect(*comes_up(kserve_extras, kube, service, "TransformerReady"), within=WITHIN)
    expect(told(kserve_extras.call(service, asking([1])), {"predictions": [{"first": [1]}]}))
    kserve_extras.change(service, transformer=SECOND)
    expect(told(kserve_extras.call(service, asking([2])), {"predictions": [{"second": [2]}]}))
    deleted = kserve_extras.delete(service)
    expect(gone(deleted), within=WITHIN)


@pytest.mark.requirement("INF-NAM-001")
def test_the_only_container_of_a_component_may_have_any_name(kserve_extras: KServeExtras, kube: Kube) -> None:
    [container] = kserve_extras.like("logged")["spec"]["predictor"]["containers"]
    service = kserve_extras.beside("logged", ready=False, containers=[{**container, "name": "model"}])
    expect(*comes_up(kserve_extras, kube, service), within=WITHIN)
    expect(told(kserve_extras.call(service, asking([1])), {"predictions": [[1]]}))


@pytest.mark.requirement("INF-NAM-003")
@pytest.mark.parametrize("logged", [False, True], ids=["alone", "behind-a-logger"])
def test_a_predictor_is_called_at_the_port_that_its_container_names(
    kserve_extras: KServeExtras, kube: Kube, *, logged: bool
) -> None:
    [container] = kserve_extras.like("logged")["spec"]["predictor"]["containers"]
    moved = at_port(container, ELSEWHERE)
    kept: Mapping[str, Any] = {} if logged else {"logger": None}
    service = kserve_extras.beside("logged", ready=False, containers=[moved], **kept)
    expect(*comes_up(kserve_extras, kube, service), within=WITHIN)
    control = kserve_extras.call("logged", asking([1]))
    expect(told(kserve_extras.call(service, asking([1])), {"predictions": [[1]]}, control=control))


@pytest.mark.requirement("INF-NAM-004")
@pytest.mark.parametrize("logged", [False, True], ids=["alone", "behind-a-logger"])
def test_a_transformer_in_the_pod_of_its_model_gets_the_calls(
    kserve_extras: KServeExtras, kube: Kube, *, logged: bool
) -> None:
    [container] = kserve_extras.like("logged")["spec"]["predictor"]["containers"]
    kept: Mapping[str, Any] = {} if logged else {"logger": None}
    pod = [at_port(container, BESIDE), collocated(at_port(container, ELSEWHERE), BESIDE)]
    service = kserve_extras.beside("logged", ready=False, containers=pod, **kept)
    expect(*comes_up(kserve_extras, kube, service), within=WITHIN)
    control = kserve_extras.call("logged", asking([1]))
    expect(told(kserve_extras.call(service, asking([1])), {"predictions": [{"first": [1]}]}, control=control))


@pytest.mark.requirement("INF-UPD-005")
def test_calls_are_answered_while_the_new_pod_of_a_predictor_loads(kserve_extras: KServeExtras) -> None:
    service = kserve_extras.beside("logged", logger=None)
    control = kserve_extras.call(service, asking([1]))
    expect(told(control, {"predictions": [[1]]}))
    before = kserve_extras.pod(service)
    kserve_extras.change(service, ready=False, env=LOADS_LONG)
    kserve_extras.await_successor(service, before)
    calls = kserve_extras.mixed([(service, asking([number])) for number in range(SEVERAL)], under_way=1)
    expect(*(told(call, {"predictions": [[number]]}, control=control) for number, call in enumerate(calls)))


@pytest.mark.requirement("INF-SCL-001")
def test_a_predictor_has_as_many_pods_as_it_asks_for(kserve_extras: KServeExtras) -> None:
    service = kserve_extras.beside("logged", minReplicas=2, logger=None)
    made = kserve_extras.deployment(service)
    expect(field(made, "status.readyReplicas", 2), within=SCALED)
    kserve_extras.change(service, ready=False, minReplicas=1)
    expect(field(made, "spec.replicas", 1), field(made, "status.replicas", 1), within=SCALED)
    kserve_extras.change(service, ready=False, minReplicas=2)
    expect(field(made, "status.readyReplicas", 2), within=SCALED)
    expect(told(kserve_extras.call(service, asking([1])), {"predictions": [[1]]}))


@pytest.mark.requirement("INF-NAM-002")
@pytest.mark.parametrize("length", [45, 63])
def test_a_long_name_is_refused_or_served_or_told_why_not(kserve_extras: KServeExtras, kube: Kube, length: int) -> None:
    named = kube.create(kserve_extras.like("logged", name=mint()[-8:].rjust(length, "n")))
    expect(settled(named, control=kube.get(kserve_extras.object("logged"), check=True)), within=WITHIN)
    kube.delete(named)


MODEL = {"modelFormat": {"name": "pytorch"}, "storageUri": "gs://touchstone/model"}
INVALID: Mapping[str, Mapping[str, Any]] = {
    "digit": {"name": "1-begins-with-a-digit"},
    "dot": {"name": "has.a-dot"},
    "nothing": {"containers": None},
    "two": {"model": MODEL},
}
"""What is wrong with an InferenceService: its name, or that its predictor is none, or two."""


@pytest.mark.requirement("INF-ADM-001")
@pytest.mark.parametrize("what", INVALID)
def test_an_invalid_inference_service_is_refused(kserve_extras: KServeExtras, kube: Kube, what: str) -> None:
    refused = kube.create(kserve_extras.like("logged", **INVALID[what]))
    good = kube.create(kserve_extras.like("logged"))
    # KServe 0.20 refuses a predictor that is nothing with a panic of its webhook (read): the API answers 500.
    expect(api_refused(refused, range(400, 501)), api_accepted(good))
    kube.delete(good, check=True)


IMPOSSIBLE: Mapping[str, Mapping[str, Any]] = {
    "fewer-than-none": {"minReplicas": -1},
    "at-most-fewer-than-none": {"minReplicas": None, "maxReplicas": -1},
    "least-above-most": {"minReplicas": 3, "maxReplicas": 2},
    "concurrency": {"containerConcurrency": -1},
    "mode": {"logger": {"mode": "everything", "url": "http://nobody.invalid"}},
}
"""What no predictor can be: so many pods, so many requests at once, or logged so."""


@pytest.mark.requirement("INF-ADM-002")
@pytest.mark.parametrize("what", IMPOSSIBLE)
def test_an_inference_service_that_cannot_be_so_is_refused(kserve_extras: KServeExtras, kube: Kube, what: str) -> None:
    refused = kube.create(kserve_extras.like("logged", **IMPOSSIBLE[what]))
    good = kube.create(kserve_extras.like("logged", maxReplicas=1))
    expect(api_refused(refused), api_accepted(good))
    kube.delete(good, check=True)
