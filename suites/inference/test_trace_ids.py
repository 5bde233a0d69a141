"""The caller's id of whatever text: it comes back as it was sent, or the event is refused for good."""

import base64
import json
from typing import Any

import pytest

from evidence.expectations import (
    caused,
    dead_lettered,
    response_body,
    result_record,
    results_counted,
    results_paired,
)
from fixtures import AsyncInference, Sinks, expect
from suites.oracles.orders import COUNT, SAY, number, order, token
from suites.wire import fresh

WITHIN = 20.0  # two processes of the KServe SDK on a shared core, behind a queue
AGAIN = {"retry": 3, "backoffPolicy": "linear", "backoffDelay": "PT0.1S"}
RESULT = "org.zhejianglab.zverse.data-and-computing.kafka-sink-transformer"
# Each begins like another one does, or is one by some notion of being the same.
TEXTS = {
    "composed": "\u00e9\u1e69",
    "decomposed": "e\u0301s\u0323\u0307",
    "upper-case": "ID-A",
    "lower-case": "id-a",
    "ligature": "\ufb01",
    "letters": "fi",
    "right-to-left": "\u202eabc\u202c \u05d0\u05d1",
    "astral": "\U0001f469\u200d\U0001f52c\U00020000",
    "spaces": "  a  b  ",
    "header-like": "a; ce-type: b, traceid=c",
    "path-like": "../../etc/passwd?a=b#c%2F%00",
    "json": '{"traceid": "b", "data": null}',
    "quotes": "\"'\\\\\\u0041${a}`b`",
    "huge": "x" * 65_536,
}
UNFIT = {
    "line-break": "a\r\nce-type: b",
    "null-character": "a\0b",
    "delete": "a\x7fb",
    "c1-control": "a\x85b",
    "half-of-a-pair": "a\ud800b",
    "no-character": "a\uffffb",
}
NO_TEXT = {"empty": "", "number": 7, "fraction": 0.5, "true": True, "list": ["a"], "object": {"a": "b"}}


def asking(flow: AsyncInference, picture: bytes, trace_id: Any) -> bytes:
    """Return a request whose trace id is anything that JSON can say."""
    instances = [{"data": base64.b64encode(picture).decode()}]
    return json.dumps({flow.trace_key: trace_id, "instances": instances}).encode()


@pytest.mark.requirement("INF-TID-001")
def test_an_id_of_any_text_comes_back_as_it_was_sent(async_strict: AsyncInference) -> None:
    flow = async_strict
    start = fresh("trace")
    tokens = {f"{text}{start}{text}": token() for text in TEXTS.values()}
    events = flow.predict_many([(order(SAY, of=name), trace_id) for trace_id, name in tokens.items()])
    causes = dict(zip(tokens, events, strict=True))
    said: Any = {"on": flow.results, "by": flow.trigger, "key": flow.trace_key}
    expect(results_counted(causes, **said), within=WITHIN)
    wanted = {trace_id: [number(name)] for trace_id, name in tokens.items()}
    expect(results_paired(wanted, of=causes, **said), within=WITHIN)
    expect(*(result_record(trace_id, aspect="key", of=event, **said) for trace_id, event in causes.items()))


@pytest.mark.requirement("INF-TID-002")
def test_an_id_that_no_attribute_may_have_is_refused_for_good(async_strict: AsyncInference, sinks: Sinks) -> None:
    letters = sinks()
    flow = async_strict.branch(**AGAIN, deadLetterSink=letters)
    events = flow.send_many([asking(flow, order(SAY), text) for text in UNFIT.values()])
    expect(*(dead_lettered(event, letters, by=flow.trigger, code=400) for event in events), within=WITHIN)


@pytest.mark.requirement("INF-TID-003")
def test_an_id_that_is_no_text_is_refused_for_good(async_strict: AsyncInference, sinks: Sinks) -> None:
    letters = sinks()
    flow = async_strict.branch(**AGAIN, deadLetterSink=letters)
    events = flow.send_many([asking(flow, order(SAY), value) for value in NO_TEXT.values()])
    expect(*(dead_lettered(event, letters, by=flow.trigger, code=400) for event in events), within=WITHIN)


@pytest.mark.requirement("INF-TID-004")
@pytest.mark.parametrize("absent", ["missing", "null"])
def test_an_event_without_an_id_is_predicted_and_makes_no_result(async_strict: AsyncInference, absent: str) -> None:
    flow, name = async_strict, token()
    body = json.loads(asking(flow, order(SAY, of=name), None))
    event = flow.send(body if absent == "null" else {"instances": body["instances"]})
    said = {"predictions": [number(name)]}
    expect(caused(event, 0, flow.results, by=flow.trigger, attributes={"type": RESULT}, json=said), within=WITHIN)
    expect(response_body(flow.ask_directly(order(COUNT, of=name)), {"predictions": [1]}))


@pytest.mark.requirement("INF-TID-005")
def test_two_events_with_one_id_make_a_result_each(async_strict: AsyncInference) -> None:
    flow, trace_id, names = async_strict, fresh("trace"), (token(), token())
    events = flow.predict_many([(order(SAY, of=name), trace_id) for name in names])
    traced = {flow.trace_key: trace_id}
    results = [
        caused(event, 1, flow.results, by=flow.trigger, attributes=traced, json={"predictions": [number(name)]})
        for event, name in zip(events, names, strict=True)
    ]
    expect(*results, within=WITHIN)
