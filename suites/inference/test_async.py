"""The asynchronous answer: an event through the Broker, its prediction on the result topic under the trace id."""

import pytest

from evidence.expectations import envelope, exactly_one_result, field, result_for, results_paired
from fixtures import AsyncInference, expect
from suites.oracles.digits import DOCUMENTED, DOCUMENTED_DIGIT, digits
from suites.wire import fresh

WITHIN = 20.0  # two processes of the KServe SDK on a shared core, behind a queue


@pytest.mark.requirement("INF-ASY-001")
def test_the_prediction_lands_under_the_callers_trace_id(async_mnist: AsyncInference) -> None:
    trace_id = fresh("trace")
    event = async_mnist.predict(DOCUMENTED, trace_id)
    results, key, by = async_mnist.results, async_mnist.trace_key, async_mnist.trigger
    expect(result_for(trace_id, results, [DOCUMENTED_DIGIT], key=key, of=event, by=by), within=WITHIN)


@pytest.mark.requirement("INF-ASY-002")
def test_a_result_is_an_event_that_names_where_it_comes_from(async_mnist: AsyncInference) -> None:
    trace_id = fresh("trace")
    event = async_mnist.predict(DOCUMENTED, trace_id)
    fields = {
        "specversion": "1.0",
        "id": None,
        "source": None,
        "type": None,
        "time": None,
        "data": None,
        "request-host": async_mnist.service_host,
        "kserve-isvc-name": async_mnist.name,
        "kserve-isvc-namespace": async_mnist.namespace,
    }
    results, key, by = async_mnist.results, async_mnist.trace_key, async_mnist.trigger
    expect(envelope(trace_id, results, fields, key=key, of=event, by=by), within=WITHIN)


@pytest.mark.requirement("INF-ASY-003")
def test_fifty_events_in_flight_get_each_its_own_result(async_mnist: AsyncInference) -> None:
    requests = [(digit, fresh("trace")) for digit in digits()]
    events = async_mnist.predict_many([(digit.picture, trace_id) for digit, trace_id in requests])
    expected = {trace_id: [digit.label] for digit, trace_id in requests}
    causes = {trace_id: event for (_, trace_id), event in zip(requests, events, strict=True)}
    results, key, by = async_mnist.results, async_mnist.trace_key, async_mnist.trigger
    expect(results_paired(expected, results, key=key, of=causes, by=by), within=WITHIN)


@pytest.mark.requirement("INF-ASY-004")
def test_one_event_makes_one_result(async_mnist: AsyncInference) -> None:
    trace_id = fresh("trace")
    event = async_mnist.predict(DOCUMENTED, trace_id)
    results, key, by = async_mnist.results, async_mnist.trace_key, async_mnist.trigger
    expect(exactly_one_result(trace_id, results, of=event, by=by, key=key), within=WITHIN)


@pytest.mark.requirement("INF-REF-001")
def test_a_trigger_may_refer_to_the_inference_service(async_strict: AsyncInference) -> None:
    flow, trace_id = async_strict.by_reference(), fresh("trace")
    event = flow.predict(DOCUMENTED, trace_id)
    expect(field(flow.trigger_object, "status.subscriberUri", flow.address))
    results, key, by = flow.results, flow.trace_key, flow.trigger
    expect(result_for(trace_id, results, [DOCUMENTED_DIGIT], key=key, of=event, by=by), within=WITHIN)
