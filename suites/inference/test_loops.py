"""Replies and results that come into a Broker: each once, and none of them is taken for a request."""

import pytest

from evidence.expectations import caused, not_delivered, response_body, results_counted
from fixtures import AsyncInference, Sinks, expect
from suites.oracles.digits import DOCUMENTED, DOCUMENTED_DIGIT
from suites.oracles.orders import COUNT, SAY, number, order, token
from suites.wire import fresh

WITHIN = 20.0  # two processes of the KServe SDK on a shared core, behind a queue
REPLY = "io.kserve.inference.response"
RESULT = "org.zhejianglab.zverse.data-and-computing.kafka-sink-transformer"


@pytest.mark.requirement("INF-LOP-001")
def test_the_answer_to_an_event_comes_into_the_broker_once(async_strict: AsyncInference) -> None:
    flow, name = async_strict, token()
    event = flow.predict(order(SAY, of=name), fresh("trace"))
    said = {"predictions": [number(name)]}
    expect(caused(event, 1, flow.broker, by=flow.trigger, attributes={"type": REPLY}, json=said), within=WITHIN)


@pytest.mark.requirement("INF-LOP-002")
def test_neither_the_answer_nor_the_result_is_a_request(async_strict: AsyncInference) -> None:
    flow, name, trace_id = async_strict, token(), fresh("trace")
    event = flow.predict(order(SAY, of=name), trace_id)
    said, request = {"predictions": [number(name)]}, {"type": flow.request_type}
    expect(caused(event, 0, flow.broker, by=flow.trigger, attributes=request, json=said), within=WITHIN)
    expect(results_counted({trace_id: event}, flow.results, by=flow.trigger, key=flow.trace_key), within=WITHIN)


@pytest.mark.requirement("INF-SEL-001")
def test_a_service_gets_the_events_of_its_own_trigger_only(async_strict: AsyncInference, sinks: Sinks) -> None:
    flow, name, trace_id = async_strict.branch(), token(), fresh("trace")
    beside = flow.broker.trigger(filter={"attributes": {"type": flow.request_type.upper()}}, subscriber=sinks())
    event = flow.predict(order(SAY, of=name), trace_id)
    expect(results_counted({trace_id: event}, flow.results, by=flow.trigger, key=flow.trace_key), within=WITHIN)
    expect(not_delivered(event, to=beside), within=WITHIN)
    expect(response_body(flow.ask_directly(order(COUNT, of=name)), {"predictions": [1]}))


@pytest.mark.requirement("INF-BRK-001")
def test_a_result_goes_back_to_the_broker_under_its_trace_id(async_to_broker: AsyncInference) -> None:
    flow, trace_id = async_to_broker, fresh("trace")
    event = flow.predict(DOCUMENTED, trace_id)
    result = {"type": RESULT, flow.trace_key: trace_id, "source": f"/{flow.namespace}/{flow.name}"}
    said = {"predictions": [DOCUMENTED_DIGIT]}
    expect(caused(event, 1, flow.broker, by=flow.trigger, attributes=result, json=said), within=WITHIN)


@pytest.mark.requirement("INF-BRK-002")
def test_a_result_that_went_back_to_the_broker_is_no_request(async_to_broker: AsyncInference) -> None:
    flow, trace_id = async_to_broker, fresh("trace")
    event = flow.predict(DOCUMENTED, trace_id)
    request = {"type": flow.request_type, flow.trace_key: trace_id}
    expect(caused(event, 0, flow.broker, by=flow.trigger, attributes=request), within=WITHIN)
