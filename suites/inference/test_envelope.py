"""The result of the strict pipeline as a CloudEvent on Kafka, field by field."""

from typing import Any

import pytest

from evidence.expectations import envelope, result_ids_differ, result_record, results_counted
from fixtures import AsyncInference, expect
from suites.oracles.digits import DOCUMENTED, DOCUMENTED_DIGIT, digits
from suites.wire import fresh

WITHIN = 20.0  # two processes of the KServe SDK on a shared core, behind a queue
LONG_AGO = "2019-12-31T23:59:59.5Z"
RESULT = "org.zhejianglab.zverse.data-and-computing.kafka-sink-transformer"


@pytest.mark.parametrize(
    "aspect",
    [
        pytest.param("mode", marks=pytest.mark.requirement("INF-ENV-001")),
        pytest.param("names", marks=pytest.mark.requirement("INF-ENV-002")),
        pytest.param("values", marks=pytest.mark.requirement("INF-ENV-003")),
        pytest.param("time", marks=pytest.mark.requirement("INF-ENV-004")),
        pytest.param("key", marks=pytest.mark.requirement("INF-ENV-005")),
    ],
)
def test_a_result_is_a_valid_event_in_its_record(async_strict: AsyncInference, aspect: str) -> None:
    trace_id = fresh("trace")
    event = async_strict.predict(DOCUMENTED, trace_id, time=LONG_AGO)
    results, key, by = async_strict.results, async_strict.trace_key, async_strict.trigger
    expect(result_record(trace_id, results, aspect, key=key, of=event, by=by), within=WITHIN)


def fields(flow: AsyncInference, *names: str) -> dict[str, Any]:
    """Return what the pipeline's description says of these members of a result."""
    known = {
        "source": f"/{flow.namespace}/{flow.name}",
        "type": RESULT,
        "datacontenttype": "application/json",
        "data": {"predictions": [DOCUMENTED_DIGIT]},
        "requesthost": flow.service_host,
        "kserveisvcname": flow.name,
        "kserveisvcnamespace": flow.namespace,
    }
    return {name: known[name] for name in names}


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(["source"], marks=pytest.mark.requirement("INF-ENV-006"), id="source"),
        pytest.param(["type"], marks=pytest.mark.requirement("INF-ENV-007"), id="type"),
        pytest.param(["datacontenttype", "data"], marks=pytest.mark.requirement("INF-ENV-008"), id="data"),
        pytest.param(
            ["requesthost", "kserveisvcname", "kserveisvcnamespace"],
            marks=pytest.mark.requirement("INF-ENV-009"),
            id="maker",
        ),
    ],
)
def test_a_result_says_what_it_is_and_where_it_comes_from(async_strict: AsyncInference, names: list[str]) -> None:
    trace_id = fresh("trace")
    event = async_strict.predict(DOCUMENTED, trace_id)
    results, key, by = async_strict.results, async_strict.trace_key, async_strict.trigger
    expect(envelope(trace_id, results, fields(async_strict, *names), key=key, of=event, by=by), within=WITHIN)


@pytest.mark.requirement("INF-ENV-010")
def test_results_have_ids_of_their_own(async_strict: AsyncInference) -> None:
    requests = [(digit.picture, fresh("trace")) for digit in digits()[:10]]
    events = async_strict.predict_many(requests)
    causes = {trace_id: event for (_, trace_id), event in zip(requests, events, strict=True)}
    # Two events of one id, which are two by their sources.
    name, twins = fresh(), {fresh("trace"): f"/touchstone/{place}" for place in ("here", "there")}
    causes |= {twin: async_strict.predict(DOCUMENTED, twin, id=name, source=source) for twin, source in twins.items()}
    results, key, by = async_strict.results, async_strict.trace_key, async_strict.trigger
    expect(result_ids_differ(causes, results, by=by, key=key), within=WITHIN)


@pytest.mark.requirement("INF-CNT-002")
def test_an_event_that_is_sent_again_makes_a_result_of_the_same_id(async_strict: AsyncInference) -> None:
    trace_id, event_id = fresh("trace"), fresh()
    async_strict.predict(DOCUMENTED, trace_id, id=event_id)
    event = async_strict.predict(DOCUMENTED, trace_id, id=event_id)
    results, key, by = async_strict.results, async_strict.trace_key, async_strict.trigger
    expect(results_counted({trace_id: event}, results, by=by, key=key, repeats=True), within=WITHIN)


@pytest.mark.requirement("INF-BAT-001")
def test_a_batch_in_one_event_makes_one_result_in_its_order(async_strict: AsyncInference) -> None:
    # More of them than one would expect at once, and one of them twice.
    trace_id, batch = fresh("trace"), [*digits(), digits()[0]]
    event = async_strict.predict([digit.picture for digit in batch], trace_id)
    wanted = {"data": {"predictions": [digit.label for digit in batch]}}
    results, key, by = async_strict.results, async_strict.trace_key, async_strict.trigger
    expect(envelope(trace_id, results, wanted, key=key, of=event, by=by), within=WITHIN)


@pytest.mark.requirement("INF-BAT-002")
def test_an_empty_batch_makes_an_empty_result(async_strict: AsyncInference) -> None:
    trace_id = fresh("trace")
    event = async_strict.predict([], trace_id)
    results, key, by = async_strict.results, async_strict.trace_key, async_strict.trigger
    expect(results_counted({trace_id: event}, results, by=by, key=key), within=WITHIN)
    expect(envelope(trace_id, results, {"data": {"predictions": []}}, key=key, of=event, by=by), within=WITHIN)
