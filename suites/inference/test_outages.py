"""Parts of the flow that end, come late or come back: nothing accepted is lost, and no result has two ids."""

import pytest

from evidence.expectations import answered, result_for, results_counted, results_paired
from evidence.refs import EventRef
from fixtures import AsyncInference, Kube, expect
from suites.oracles.digits import digits
from suites.oracles.orders import EXIT, LEAVE, WAIT, order
from suites.wire import fresh

WITHIN = 40.0  # a process of the KServe SDK starts meanwhile
PATIENT = {"retry": 10, "backoffPolicy": "exponential", "backoffDelay": "PT0.1S"}


def under_way(flow: AsyncInference) -> dict[str, EventRef]:
    """Ask for slow predictions and quick ones; return the events by trace id while the slow ones are in work."""
    slow = [(order(WAIT, argument=10), fresh("trace")) for _ in range(10)]
    quick = [(digit.picture, fresh("trace")) for digit in digits()[:10]]
    events = flow.predict_many([*slow, *quick])
    asked = {trace_id: event for (_, trace_id), event in zip([*slow, *quick], events, strict=True)}
    results = {trace_id: [digit.label] for digit, (_, trace_id) in zip(digits()[:10], quick, strict=True)}
    expect(results_paired(results, flow.results, key=flow.trace_key, of=asked, by=flow.trigger), within=WITHIN)
    return asked


@pytest.mark.requirement("INF-OUT-001")
def test_a_predictor_that_ends_and_comes_back_loses_nothing(async_strict: AsyncInference, kube: Kube) -> None:
    flow = async_strict.branch(**PATIENT)
    asked = under_way(flow)
    expect(answered(flow.ask_directly(order(EXIT)), range(200, 600)))
    kube.ready(flow.isvc, within=WITHIN)
    expect(results_counted(asked, flow.results, by=flow.trigger, key=flow.trace_key, repeats=True), within=WITHIN)


@pytest.mark.requirement("INF-OUT-002")
def test_a_transformer_that_ends_before_it_publishes_makes_its_result_after_redelivery(
    async_strict: AsyncInference,
) -> None:
    flow, trace_id = async_strict.branch(**PATIENT), fresh("trace")
    event = flow.predict(order(LEAVE), trace_id)
    expect(results_counted({trace_id: event}, flow.results, by=flow.trigger, key=flow.trace_key), within=WITHIN)
    expect(result_for(trace_id, flow.results, [2], key=flow.trace_key, of=event, by=flow.trigger), within=WITHIN)


@pytest.mark.requirement("INF-OUT-003")
def test_a_roll_out_of_the_transformer_under_load_loses_nothing(async_strict: AsyncInference, kube: Kube) -> None:
    flow = async_strict.branch(**PATIENT)
    asked = under_way(flow)
    flow.roll_out(kube)
    expect(results_counted(asked, flow.results, by=flow.trigger, key=flow.trace_key, repeats=True), within=WITHIN)


@pytest.mark.requirement("INF-RDY-001")
def test_a_service_that_is_ready_answers_its_first_call(async_strict: AsyncInference) -> None:
    model = async_strict.beside(loading=0.5)
    expect(answered(model.direct(b'{"instances": []}', headers=[("content-type", "application/json")]), 200))
