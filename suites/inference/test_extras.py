"""What KServe puts before a model: a batcher, a logger that posts to a Broker, and an explainer.

The batcher of `batched` waits for four instances, or two seconds. Where no requirement is about that wait, the calls of
a test have four instances together, so that nobody waits.
"""

import json
from collections.abc import Sequence

import pytest

from evidence.expectations import (
    answered,
    error_answered,
    header,
    logged,
    logged_once,
    not_logged,
    refused,
    told,
    undisclosed,
)
from fixtures import KServeExtras, expect, mint
from suites.instances import asking, unique
from suites.oracles.open_inference import Tensor, binary

FULL = 4
JSON = ("content-type", "application/json")
WRONG = "no list of numbers"
LARGE = 400_000
"""The bytes of a payload that is large, and of which an event is one that Kafka takes by default."""


def tensor() -> bytes:
    """Return a V2 request that no other call has."""
    value = unique()
    return json.dumps({"inputs": [{"name": "x", "datatype": "INT64", "shape": [1], "data": [value]}]}).encode()


def four() -> Sequence[list[int]]:
    """Return as many instances as make a batch full, and no other call has."""
    number = unique()
    return [[number, place] for place in range(FULL)]


@pytest.mark.requirement("INF-BTR-001")
@pytest.mark.parametrize(
    "callers",
    [[[[1]], [[2]], [[3], [4]]], [[[1, 5]], [[2, 6]], [[3, 7]], [[4, 8]]]],
    ids=["one-of-several", "of-one-each"],
)
def test_each_caller_of_a_batch_is_answered_about_its_own_instances(
    kserve_extras: KServeExtras, callers: Sequence[Sequence[list[int]]]
) -> None:
    calls = kserve_extras.calls("batched", [asking(*instances) for instances in callers])
    pairs = zip(calls, callers, strict=True)
    expect(*(told(call, {"predictions": list(instances)}) for call, instances in pairs))


@pytest.mark.requirement("INF-BTR-002")
def test_callers_at_once_are_one_request_to_the_model(kserve_extras: KServeExtras) -> None:
    bodies = [asking([number]) for number in range(FULL)]
    calls = kserve_extras.calls("batched", bodies, model="batched-sizes")
    expect(*(told(call, {"predictions": [FULL]}) for call in calls))


@pytest.mark.requirement("INF-BTR-003")
def test_a_lone_caller_is_answered(kserve_extras: KServeExtras) -> None:
    expect(told(kserve_extras.call("batched", asking([6])), {"predictions": [[6]]}))


@pytest.mark.requirement("INF-BTR-004")
@pytest.mark.parametrize(
    ("model", "instance", "status"), [("batched", WRONG, 400), ("batched-busy", [6], 503)], ids=["refused", "busy"]
)
def test_a_caller_is_told_what_the_model_refuses(
    kserve_extras: KServeExtras, model: str, instance: object, status: int
) -> None:
    call = kserve_extras.call("batched", asking([7], instance, [8], [9]), model=model)
    expect(error_answered(call, status))


@pytest.mark.requirement("INF-BTR-005")
def test_the_fault_of_a_caller_is_not_that_of_the_others(kserve_extras: KServeExtras) -> None:
    good, _, other = kserve_extras.calls("batched", [asking([1]), asking(WRONG), asking([2], [3])])
    expect(told(good, {"predictions": [[1]]}), told(other, {"predictions": [[2], [3]]}))


@pytest.mark.requirement("INF-BTR-006")
@pytest.mark.parametrize("body", [b'{"instances": [', b"{}", b'{"instances": 7}'], ids=["broken", "none", "no-list"])
def test_what_is_no_request_does_not_get_into_a_batch(kserve_extras: KServeExtras, body: bytes) -> None:
    expect(refused(kserve_extras.call("batched", body), 400))


@pytest.mark.requirement("INF-BTR-007")
def test_a_batcher_keeps_integers_that_no_double_is(kserve_extras: KServeExtras) -> None:
    instances = [[2**53 + 1], [-(2**53) - 1], [2**63 - 1], [0]]
    expect(told(kserve_extras.call("batched", asking(*instances)), {"predictions": instances}))


@pytest.mark.requirement("INF-BTR-008")
def test_the_answer_to_a_caller_of_a_batch_is_json_by_its_media_type(kserve_extras: KServeExtras) -> None:
    expect(header(kserve_extras.call("batched", asking(*four())), "content-type", "application/json"))


@pytest.mark.requirement("INF-BTR-010")
def test_calls_of_two_models_at_once_are_two_batches(kserve_extras: KServeExtras) -> None:
    models = ["batched", "batched-sizes"] * FULL
    calls = kserve_extras.mixed([("batched", asking([place])) for place in range(len(models))], models=models)
    wanted = [[place] if model == "batched" else FULL for place, model in enumerate(models)]
    expect(*(told(call, {"predictions": [value]}) for call, value in zip(calls, wanted, strict=True)))


@pytest.mark.requirement("INF-BTR-011")
def test_a_v2_request_passes_a_batcher_as_it_is(kserve_extras: KServeExtras) -> None:
    inputs = [{"name": name, "datatype": "INT64", "shape": [2], "data": [2**53 + 1, unique()]} for name in ("x", "y")]
    call = kserve_extras.call("batched", json.dumps({"inputs": inputs}).encode(), verb="infer")
    expect(told(call, {"model_name": "batched", "outputs": inputs}))


@pytest.mark.requirement("INF-BTR-012")
def test_nobody_is_answered_what_a_model_that_answers_too_few_has_answered(kserve_extras: KServeExtras) -> None:
    calls = kserve_extras.calls("batched", [asking([number]) for number in range(FULL)], model="batched-short")
    expect(*(error_answered(call, range(500, 600)) for call in calls))


@pytest.mark.requirement("INF-LOG-001")
@pytest.mark.parametrize("size", [0, LARGE], ids=["small", "large"])
def test_a_call_is_logged_as_a_pair(kserve_extras: KServeExtras, size: int) -> None:
    log = kserve_extras.log()
    call = kserve_extras.call("logged", b'{"instances":  [[1.50, %d%s]]}' % (unique(), b", 10000000" * (size // 10)))
    expect(logged(call, log, "request", "response", aspect="pair"))


@pytest.mark.requirement("INF-LOG-001")
def test_a_call_whose_payload_is_no_text_is_logged_as_a_pair(kserve_extras: KServeExtras) -> None:
    body, headers = binary(Tensor("BYTES", [bytes(range(256)), str(unique()).encode()]))
    log = kserve_extras.log()
    call = kserve_extras.call("logged", body, verb="infer", headers=headers)
    expect(logged(call, log, "request", "response", aspect="pair"))


@pytest.mark.requirement("INF-LOG-002")
@pytest.mark.parametrize(
    ("service", "component", "verb"),
    [("logged", "predictor", "predict"), ("batched", "explainer", "explain")],
    ids=["predictor", "explainer"],
)
def test_an_event_says_whose_call_it_is(kserve_extras: KServeExtras, service: str, component: str, verb: str) -> None:
    log = kserve_extras.log()
    call = kserve_extras.call(service, asking(*four()), verb=verb)
    whose = {"inferenceservicename": service, "namespace": kserve_extras.namespace, "component": component}
    expect(logged(call, log, "request", attributes=whose, aspect="time"))


@pytest.mark.requirement("INF-LOG-003")
@pytest.mark.parametrize(
    ("verb", "kind", "other"),
    [("explain", "request", "response"), ("infer", "response", "request")],
    ids=["request", "response"],
)
def test_a_mode_is_all_that_is_logged(kserve_extras: KServeExtras, verb: str, kind: str, other: str) -> None:
    bodies = [tensor() if verb == "infer" else asking(*four()) for _ in range(2)]
    log = kserve_extras.log()
    call, control = [kserve_extras.call("batched", body, verb=verb) for body in bodies]
    expect(logged(call, log, kind), not_logged(call, log, other, control=control))


@pytest.mark.requirement("INF-LOG-004")
def test_a_log_that_is_away_fails_no_call(kserve_extras: KServeExtras) -> None:
    expect(told(kserve_extras.call("unheard", asking([1])), {"predictions": [[1]]}))


@pytest.mark.requirement("INF-LOG-005")
def test_an_event_has_the_media_type_of_its_data(kserve_extras: KServeExtras) -> None:
    log = kserve_extras.log()
    call = kserve_extras.call("logged", asking([unique()]), headers=[("content-type", "text/plain")])
    expect(logged(call, log, "request", "response", aspect="media_type"))


@pytest.mark.requirement("INF-LOG-006")
def test_no_two_events_of_a_call_are_one_by_source_and_id(kserve_extras: KServeExtras) -> None:
    log = kserve_extras.log()
    call = kserve_extras.call("logged", asking([unique()]))
    expect(logged(call, log, "request", "response", aspect="apart"))


@pytest.mark.requirement("INF-LOG-007")
def test_the_response_of_a_batched_call_is_logged(kserve_extras: KServeExtras) -> None:
    log = kserve_extras.log()
    call = kserve_extras.call("batched", asking(*four()))
    expect(logged(call, log, "response"))


@pytest.mark.requirement("INF-LOG-008")
@pytest.mark.parametrize(
    ("model", "instance", "status"),
    [("logged", WRONG, 400), ("nothing", [1], 404), ("logged-busy", [1], 503)],
    ids=["refused", "no-such-model", "busy"],
)
def test_a_call_that_fails_is_answered_so_and_its_request_is_logged(
    kserve_extras: KServeExtras, model: str, instance: object, status: int
) -> None:
    log = kserve_extras.log()
    call = kserve_extras.call("logged", asking(instance, [unique()]), model=model)
    expect(answered(call, status), logged(call, log, "request", status=status))


@pytest.mark.requirement("INF-LOG-009")
def test_a_packed_answer_passes_a_logger_as_it_is(kserve_extras: KServeExtras) -> None:
    log = kserve_extras.log()
    call = kserve_extras.call("logged", asking([unique()]), headers=[JSON, ("accept-encoding", "gzip")])
    expect(header(call, "content-encoding", "gzip"), logged(call, log, "response", aspect="pair"))


@pytest.mark.requirement("INF-LOG-011")
def test_a_call_is_logged_once(kserve_extras: KServeExtras) -> None:
    log = kserve_extras.log()
    call, later = [kserve_extras.call("logged", asking([unique()])) for _ in range(2)]
    expect(*(logged_once(call, log, kind, control=later) for kind in ("request", "response")))


@pytest.mark.requirement("INF-LOG-012")
def test_the_events_of_a_call_without_an_id_have_one_of_their_own(kserve_extras: KServeExtras) -> None:
    log = kserve_extras.log()
    calls = [kserve_extras.call("logged", asking([unique()]), identified=False) for _ in range(2)]
    expect(*(logged(call, log, "request", "response", aspect="id") for call in calls))


@pytest.mark.requirement("INF-AGT-003")
def test_a_logger_hands_on_the_headers_of_call_and_answer(kserve_extras: KServeExtras) -> None:
    own = [("authorization", f"Bearer {mint()}"), ("x-heard-empty", ""), ("x-heard-text", 'a; b="c", 100 %')]
    many = [("x-heard-twice", "one"), ("x-heard-twice", "two")]
    call = kserve_extras.call("logged", asking([1]), model="logged-heard", headers=[JSON, *own, *many])
    heard = [*(list(pair) for pair in own), ["x-heard-twice", "one, two"]]
    expect(told(call, {"predictions": [heard]}), header(call, "x-said-by", "logged"))


@pytest.mark.requirement("INF-AGT-004")
@pytest.mark.parametrize("service", ["batched", "logged"])
def test_the_status_of_a_model_is_told_through_what_stands_before_it(kserve_extras: KServeExtras, service: str) -> None:
    expect(told(kserve_extras.call(service, b"", verb="status", headers=[]), {"name": service, "ready": True}))


@pytest.mark.requirement("INF-EXP-001")
def test_explanations_come_from_the_explainer_and_predictions_from_the_predictor(kserve_extras: KServeExtras) -> None:
    instances = four()
    explained = kserve_extras.call("batched", asking(*instances), verb="explain")
    predicted = kserve_extras.call("batched", asking(*instances))
    explanations = [{"instance": instance, "prediction": instance} for instance in instances]
    expect(told(explained, {"explanations": explanations}), told(predicted, {"predictions": instances}))


@pytest.mark.requirement("INF-EXP-002")
def test_an_explanation_does_not_return_credentials(kserve_extras: KServeExtras) -> None:
    mark = mint()
    headers = [JSON, ("authorization", f"Bearer {mark}"), ("cookie", f"session={mark}")]
    call = kserve_extras.call("batched", asking(*four()), verb="explain", headers=headers)
    expect(answered(call, 200), undisclosed(call, mark))
