"""W3C trace context behind the Broker: to the transformer, the predictor and the result, hop by hop."""

from typing import Any

import pytest

from evidence.expectations import envelope, results_traced, told
from fixtures import AsyncInference, expect
from suites.oracles.orders import SHOW, order
from suites.wire import fresh

WITHIN = 20.0  # two processes of the KServe SDK on a shared core, behind a queue
AGAIN = {"retry": 3, "backoffPolicy": "linear", "backoffDelay": "PT0.1S"}
MEMBERS = ["rojo=00f067aa0ba902b7", "fw529a3039@dt=FfffffeefXz=1", "congo=t61rcWkgMzE"]
AT_ONCE, FAILING = 50, 5


def traceparent(number: int) -> str:
    """Return a different valid trace context for every number."""
    return f"00-4bf92f3577b34da6a3ce929d{number:08x}-00f067aa{number:08x}-01"


@pytest.mark.parametrize(
    ("hop", "members"),
    [
        pytest.param("predictor", [], marks=pytest.mark.requirement("INF-HOP-001"), id="traceparent"),
        pytest.param("predictor", MEMBERS, marks=pytest.mark.requirement("INF-HOP-002"), id="tracestate"),
        pytest.param("record", [], marks=pytest.mark.requirement("INF-HOP-003"), id="record"),
    ],
)
def test_a_trace_goes_on_behind_the_broker(async_strict: AsyncInference, hop: str, members: list[str]) -> None:
    flow, trace_id = async_strict, fresh("trace")
    headers = [("traceparent", traceparent(1)), ("tracestate", ",".join(MEMBERS))]
    event = flow.predict(order(SHOW, times=0), trace_id, headers=headers)
    said: Any = {"of": {trace_id: event}, "by": flow.trigger, "key": flow.trace_key}
    expect(results_traced({trace_id: traceparent(1)}, flow.results, at=hop, members=members, **said), within=WITHIN)


@pytest.mark.requirement("INF-HOP-004")
def test_events_at_once_reach_the_predictor_each_in_its_trace(async_strict: AsyncInference) -> None:
    flow = async_strict.branch(**AGAIN)
    traces = {fresh("trace"): traceparent(number) for number in range(1, AT_ONCE + 1)}
    orders = [order(SHOW, times=number % FAILING == 0) for number in range(AT_ONCE)]
    headers = [[("traceparent", value)] for value in traces.values()]
    events = flow.predict_many(list(zip(orders, traces, strict=True)), headers)
    said: Any = {"of": dict(zip(traces, events, strict=True)), "by": flow.trigger, "key": flow.trace_key}
    expect(*(results_traced(traces, flow.results, at=hop, **said) for hop in ("predictor", "record")), within=WITHIN)


@pytest.mark.requirement("INF-HOP-005")
def test_a_result_says_in_which_trace_its_request_was_made(async_strict: AsyncInference) -> None:
    flow, trace_id = async_strict, fresh("trace")
    headers = [("traceparent", traceparent(1))]
    event = flow.predict(order(SHOW, times=0), trace_id, headers=headers, traceparent=traceparent(2))
    said: Any = {"key": flow.trace_key, "of": event, "by": flow.trigger}
    expect(envelope(trace_id, flow.results, {"traceparent": traceparent(2)}, **said), within=WITHIN)


@pytest.mark.requirement("INF-HOP-006")
def test_the_request_id_of_a_call_reaches_the_predictor(async_strict: AsyncInference) -> None:
    name = fresh("request")
    headers = [("content-type", "application/json"), ("x-request-id", name)]
    exchange = async_strict.direct(async_strict.body(order(SHOW, times=0)), headers=headers)
    expect(told(exchange, {"x-request-id": name}))
