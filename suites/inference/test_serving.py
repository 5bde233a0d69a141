"""InferenceServices that load, fail, crash and change: what Ready claims, and what a change does.

They are made for each test, beside those of the pipeline `kserve-extras`.
"""

from collections.abc import Sequence

import pytest

from evidence.expectations import (
    Expectation,
    answered,
    answered_before,
    answered_whole,
    condition,
    field,
    located,
    logged,
    not_logged,
    revision_unnamed,
    told,
    unanswered,
    waited,
)
from evidence.refs import ObjectRef
from fixtures import Answer, KServeExtras, Sinks, expect
from suites.instances import asking, digest, unique

LOADING_FAILS = {"LOADING_FAILS": "yes"}
WITHIN = 30.0
LEAVES, STAYS = 1.0, 20.0
GIVEN_UP = 6.0
MEBI = 1 << 20
QUEUED = 120
"""More calls than the events that wait in the queue of KServe's logger, and those that its workers are at."""
SOON, NEVER = 1.5, 60.0
"""The seconds of `maxLatency` of a batcher that comes to their end, and of one that is not to. KServe's own are 5."""
PAIRS, THREES, FOURS = ({"maxBatchSize": size, "maxLatency": 60_000} for size in (2, 3, 4))


def loaded(service: ObjectRef) -> Sequence[Expectation]:
    """Return what the status of an InferenceService tells of its model when that is loaded."""
    return (
        field(service, "status.modelStatus.transitionStatus", "UpToDate"),
        field(service, "status.modelStatus.states.activeModelState", "Loaded"),
        field(service, "status.modelStatus.states.targetModelState", "Loaded"),
    )


@pytest.mark.requirement("INF-RDY-002")
def test_ready_behind_an_agent_means_that_the_model_is_loaded(kserve_extras: KServeExtras) -> None:
    services = [kserve_extras.beside(name, env={"LOADING_SECONDS": "1"}) for name in ("batched", "logged")]
    calls = kserve_extras.mixed([(service, asking(*[[place] for place in range(4)])) for service in services])
    expect(*(answered(call, 200) for call in calls))


@pytest.mark.requirement("INF-RDY-003")
def test_a_model_that_cannot_be_loaded_is_not_ready_and_says_why(kserve_extras: KServeExtras) -> None:
    endless = kserve_extras.beside("logged", ready=False, env={"LOADING_SECONDS": "600"})
    broken = kserve_extras.object(kserve_extras.beside("logged", ready=False, env=LOADING_FAILS))
    expect(
        condition(broken, "Ready", "False", explained=True),
        field(broken, "status.modelStatus.transitionStatus", "BlockedByFailedLoad"),
        field(broken, "status.modelStatus.lastFailureInfo"),
        within=WITHIN,
    )
    expect(condition(kserve_extras.object(endless), "Ready", {"False", "Unknown"}))


@pytest.mark.requirement("INF-RDY-005")
def test_a_model_format_that_no_runtime_serves_is_named_in_the_status(kserve_extras: KServeExtras) -> None:
    model = {"modelFormat": {"name": "touchstone-unheard-of"}, "storageUri": "gs://touchstone/model"}
    service = kserve_extras.beside("logged", ready=False, containers=None, model=model)
    unserved = kserve_extras.object(service)
    expect(
        field(unserved, "status.modelStatus.transitionStatus", "InvalidSpec"),
        field(unserved, "status.modelStatus.lastFailureInfo.reason", "NoSupportingRuntime"),
        condition(unserved, "Ready", {"False", "Unknown"}),
        within=WITHIN,
    )
    containers = kserve_extras.like("logged")["spec"]["predictor"]["containers"]
    kserve_extras.change(service, ready=False, model=None, containers=containers)
    expect(condition(unserved, "Ready", "True"), within=WITHIN)
    expect(told(kserve_extras.call(service, asking([1])), {"predictions": [[1]]}), *loaded(unserved))


@pytest.mark.requirement("INF-RDY-006")
def test_the_status_tells_where_an_inference_service_and_its_components_are(kserve_extras: KServeExtras) -> None:
    service = kserve_extras.object(kserve_extras.beside("logged", transformer=True))
    whose = {"url": "", "components.predictor.url": "-predictor", "components.transformer.url": "-transformer"}
    expect(
        field(service, "status.address.url"),
        *(
            located(service, f"status.{place}", name=f"{service.name}{part}", namespace=kserve_extras.namespace)
            for place, part in whose.items()
        ),
        *loaded(service),
    )


@pytest.mark.requirement("INF-RDY-004")
def test_ready_is_taken_back_when_the_predictor_crashes_and_comes_when_it_is_mended(
    kserve_extras: KServeExtras,
) -> None:
    # Of Kubernetes' two strategies the one that keeps no old pod at work: beside one that is, Ready stays True.
    service = kserve_extras.beside("logged", deploymentStrategy={"type": "Recreate"})
    kserve_extras.change(service, ready=False, env=LOADING_FAILS)
    broken = kserve_extras.object(service)
    expect(condition(broken, "Ready", "False", explained=True), within=WITHIN)
    expect(revision_unnamed(broken, "predictor"))
    kserve_extras.change(service, env={})
    expect(told(kserve_extras.call(service, asking([1])), {"predictions": [[1]]}), *loaded(broken))


@pytest.mark.requirement("INF-BTR-009")
def test_a_batch_waits_as_long_as_its_batcher_says_and_no_longer(kserve_extras: KServeExtras) -> None:
    brief, patient = (
        kserve_extras.beside("batched", batcher={"maxBatchSize": size, "maxLatency": int(seconds * 1000)}, logger=None)
        for size, seconds in ((4, SOON), (2, NEVER))
    )
    # The first one is alone. Two pairs after it are batches that do not get full, one after the other, and when these
    # are answered two others leave: one that waits again, and one that fills the batch of the first.
    where = (patient, brief, brief, brief, brief, brief, patient)
    asked = [(service, asking([number])) for number, service in enumerate(where)]
    lone, control, *_, later, last = calls = kserve_extras.mixed(asked, under_way=3, timeout=NEVER)
    expect(unanswered(lone, at=later), waited(control, at_least=SOON / 2), answered_before(last, later))
    expect(*(told(call, {"predictions": [[number]]}) for number, call in enumerate(calls)))


@pytest.mark.requirement("INF-BTR-014")
def test_a_batch_with_more_instances_than_make_it_full_does_not_wait(kserve_extras: KServeExtras) -> None:
    service = kserve_extras.beside("batched", batcher=FOURS, logger=None)
    control = kserve_extras.call(service, asking([1], [2], [3], [4]))
    both = kserve_extras.calls(service, [asking([1], [2], [3]), asking([4], [5])], timeout=GIVEN_UP)
    alone = kserve_extras.call(service, asking(*([number] for number in range(9))), timeout=GIVEN_UP)
    wanted = [[[1], [2], [3]], [[4], [5]], [[number] for number in range(9)]]
    pairs = zip([*both, alone], wanted, strict=True)
    expect(*(told(call, {"predictions": predictions}, control=control) for call, predictions in pairs), within=WITHIN)


@pytest.mark.requirement("INF-AGT-001")
@pytest.mark.parametrize("service", ["logged", "batched"])
def test_what_stands_before_a_model_asks_it_once_for_each_call(kserve_extras: KServeExtras, service: str) -> None:
    name = kserve_extras.beside(service, batcher=PAIRS if service == "batched" else None)
    first, second = [kserve_extras.call(name, asking([1], [2]), model=f"{service}-asked") for _ in range(2)]
    expect(told(first, {"predictions": [1, 1]}), told(second, {"predictions": [2, 2]}))


@pytest.mark.requirement("INF-AGT-002")
@pytest.mark.parametrize("transformer", [False, True], ids=["predictor", "behind-a-transformer"])
def test_requests_of_some_mebibytes_reach_a_model_whole(kserve_extras: KServeExtras, *, transformer: bool) -> None:
    service = kserve_extras.beside("unheard", transformer=True) if transformer else "unheard"
    control = kserve_extras.call(service, asking([1]))
    # Each number is twenty characters with what parts it from the next one.
    rows = [[10**17 + mebibytes] * (mebibytes * MEBI // 20) for mebibytes in (2, 5)]
    answers = [{"transformed": row} if transformer else row for row in rows]
    calls = [(kserve_extras.call(service, asking(row)), answer) for row, answer in zip(rows, answers, strict=True)]
    expect(*(answered_whole(call, predictions=digest([answer]), control=control) for call, answer in calls))


@pytest.mark.requirement("INF-BTR-013")
def test_a_caller_who_leaves_costs_the_others_of_the_batch_no_answer(kserve_extras: KServeExtras) -> None:
    service = kserve_extras.beside("batched", batcher=THREES, logger=None)
    control = kserve_extras.call(service, asking([1], [2], [3]))
    # The first one leaves, and then the third comes: it fills the batch, with what the first one asked or without.
    asked = [(service, asking([1])), (service, asking([2])), (service, asking([3], [4]))]
    _, second, third = kserve_extras.mixed(asked, under_way=2, timeout=(LEAVES, GIVEN_UP, GIVEN_UP))
    answers = {second: [[2]], third: [[3], [4]]}
    expect(*(told(call, {"predictions": wanted}, control=control) for call, wanted in answers.items()), within=WITHIN)


@pytest.mark.requirement("INF-UPD-001")
def test_what_stands_before_a_model_follows_its_changes(kserve_extras: KServeExtras) -> None:
    log = kserve_extras.log()
    service = kserve_extras.beside("logged", logger=None, batcher=PAIRS)
    bodies = [asking([number]) for number in range(3)]
    expect(
        *(told(call, {"predictions": [2]}) for call in kserve_extras.calls(service, bodies[:2], model="logged-sizes"))
    )
    kserve_extras.change(service, logger=kserve_extras.logger("logged"), batcher=THREES)
    expect(*(told(call, {"predictions": [3]}) for call in kserve_extras.calls(service, bodies, model="logged-sizes")))
    expect(logged(kserve_extras.call(service, asking(*([unique()] for _ in range(3)))), log, "request"))
    kserve_extras.change(service, logger=None, batcher=None)
    alone = kserve_extras.call(service, asking([unique()]), model="logged-sizes")
    control = kserve_extras.call("logged", asking([unique()]))
    expect(told(alone, {"predictions": [1]}), not_logged(alone, log, "request", control=control))


@pytest.mark.requirement("INF-UPD-002")
def test_a_transformer_that_is_taken_out_is_out_of_the_way(kserve_extras: KServeExtras) -> None:
    service = kserve_extras.beside("logged", transformer=True)
    expect(told(kserve_extras.call(service, asking([1])), {"predictions": [{"transformed": [1]}]}))
    kserve_extras.drop_transformer(service)
    expect(told(kserve_extras.call(service, asking([2])), {"predictions": [[2]]}))


@pytest.mark.requirement("INF-LOG-013")
def test_calls_do_not_wait_for_a_log_that_takes_its_time(kserve_extras: KServeExtras, sinks: Sinks) -> None:
    slow = {"mode": "request", "url": sinks([Answer(200, delay=NEVER)]).url}
    service = kserve_extras.beside("logged", logger=slow)
    control = kserve_extras.call(service, asking([0]))
    calls = kserve_extras.calls(service, [asking([number]) for number in range(QUEUED)], timeout=STAYS)
    answers = [told(call, {"predictions": [[number]]}, control=control) for number, call in enumerate(calls)]
    expect(*answers, within=WITHIN)


@pytest.mark.requirement("INF-LOG-010")
def test_both_events_tell_the_headers_that_a_logger_names(kserve_extras: KServeExtras) -> None:
    log = kserve_extras.log()
    names = ("X-Caller", "X-Tenant", "X-Absent")
    service = kserve_extras.beside("logged", logger={**kserve_extras.logger("logged"), "metadataHeaders": list(names)})
    headers = [("content-type", "application/json"), ("x-caller", "100 %"), ("x-tenant", 'a "b"'), ("x-other", "c")]
    call = kserve_extras.call(service, asking([unique()]), headers=headers)
    expect(logged(call, log, "request", "response", metadata=names[:2]))
