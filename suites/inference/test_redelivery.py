"""What becomes of an event whose prediction fails: it is delivered again, or given up on with a reason, never lost."""

import struct
import zlib

import pytest

from evidence.expectations import (
    dead_letter_explained,
    dead_lettered,
    response_body,
    result_for,
    results_counted,
)
from fixtures import AsyncInference, Faults, Sinks, expect
from suites.oracles.digits import DOCUMENTED
from suites.oracles.orders import COUNT, FAIL, REFUSE, SAY, WAIT, order, token
from suites.wire import fresh

WITHIN = 20.0  # two processes of the KServe SDK on a shared core, behind a queue
RETRY = 3
AGAIN = {"retry": RETRY, "backoffPolicy": "linear", "backoffDelay": "PT0.1S"}
ALWAYS = 255
PATIENT = {"retry": 10, "backoffPolicy": "exponential", "backoffDelay": "PT0.1S"}


def black(side: int) -> bytes:
    """Return a black picture (PNG, grey), which is small as a file whatever its side."""
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes((side + 1) * side), 9)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + part + data + struct.pack(">I", zlib.crc32(part + data)) for part, data in chunks
    )


@pytest.mark.requirement("INF-RDL-001")
@pytest.mark.parametrize("status", [500, 503])
def test_a_predictor_that_fails_once_is_asked_again_and_makes_one_result(
    async_strict: AsyncInference, status: int
) -> None:
    flow, trace_id = async_strict.branch(**AGAIN), fresh("trace")
    event = flow.predict(order(FAIL, argument=status - 500), trace_id)
    expect(results_counted({trace_id: event}, flow.results, by=flow.trigger, key=flow.trace_key), within=WITHIN)
    expect(result_for(trace_id, flow.results, [2], key=flow.trace_key, of=event, by=flow.trigger), within=WITHIN)


@pytest.mark.requirement("INF-RDL-002")
def test_a_predictor_that_always_fails_is_asked_once_more_than_there_are_retries(
    async_strict: AsyncInference, sinks: Sinks
) -> None:
    letters, name = sinks(), token()
    flow = async_strict.branch(**AGAIN, deadLetterSink=letters)
    event = flow.predict(order(FAIL, times=ALWAYS, of=name), fresh("trace"))
    expect(dead_lettered(event, letters, by=flow.trigger), within=WITHIN)
    expect(response_body(flow.ask_directly(order(COUNT, of=name)), {"predictions": [RETRY + 1]}))


@pytest.mark.requirement("INF-RDL-003")
def test_an_answer_that_comes_too_late_makes_repeats_of_one_result(async_strict: AsyncInference) -> None:
    # The late result, after 1.2 s, is there before the second delivery, after 1.8 s, has made its own.
    flow, trace_id = async_strict.branch(**AGAIN | {"backoffDelay": "PT0.8S"}, timeout="PT1S"), fresh("trace")
    event = flow.predict(order(WAIT, argument=12), trace_id)
    repeated = results_counted({trace_id: event}, flow.results, by=flow.trigger, key=flow.trace_key, repeats=True)
    expect(repeated, within=WITHIN)


@pytest.mark.requirement("INF-DIR-001")
def test_a_prediction_that_takes_six_seconds_is_waited_for(async_strict: AsyncInference) -> None:
    # HTTP clients give up after five by default, and some after one.
    exchange = async_strict.ask_directly(order(WAIT, argument=60))
    expect(response_body(exchange, {"predictions": [1]}), within=WITHIN)


@pytest.mark.requirement("INF-DLQ-001")
def test_an_event_whose_prediction_always_fails_ends_as_a_dead_letter(
    async_strict: AsyncInference, sinks: Sinks
) -> None:
    letters = sinks()
    flow = async_strict.branch(**AGAIN, deadLetterSink=letters)
    event = flow.predict(order(FAIL, times=ALWAYS), fresh("trace"))
    expect(dead_lettered(event, letters, by=flow.trigger, code=502), within=WITHIN)


BAD = {
    "no-data": b"",
    "broken-json": b'{"instances": [',
    "not-a-number": b'{"instances": [NaN]}',
    "infinity": b'{"instances": [-Infinity]}',
    "no-instances": {"pictures": []},
    "no-picture": {"instances": [{"data": "bm8gcGljdHVyZQ=="}]},
    "oversize-picture": black(4096),
}


@pytest.mark.requirement("INF-DLQ-002")
@pytest.mark.parametrize("data", BAD.values(), ids=BAD.keys())
def test_an_event_that_can_never_be_predicted_ends_as_a_dead_letter_that_says_so(
    async_strict: AsyncInference, sinks: Sinks, data: object
) -> None:
    letters = sinks()
    flow = async_strict.branch(**AGAIN, deadLetterSink=letters)
    picture = isinstance(data, bytes) and data.startswith(b"\x89PNG")
    event = flow.predict(data, fresh("trace")) if isinstance(data, bytes) and picture else flow.send(data)
    expect(dead_lettered(event, letters, by=flow.trigger, code=400), within=WITHIN)


@pytest.mark.requirement("INF-DLQ-003")
def test_what_the_predictor_refuses_is_not_asked_again(async_strict: AsyncInference, sinks: Sinks) -> None:
    letters, name = sinks(), token()
    flow = async_strict.branch(**AGAIN, deadLetterSink=letters)
    event = flow.predict(order(REFUSE, times=ALWAYS, of=name), fresh("trace"))
    expect(dead_lettered(event, letters, by=flow.trigger), within=WITHIN)
    expect(response_body(flow.ask_directly(order(COUNT, of=name)), {"predictions": [1]}))


@pytest.mark.requirement("INF-DLQ-004")
def test_a_dead_letter_carries_the_error_in_words(async_strict: AsyncInference, sinks: Sinks) -> None:
    letters = sinks()
    flow = async_strict.branch(**AGAIN, deadLetterSink=letters)
    event = flow.send({"instances": [{"data": "bm8gcGljdHVyZQ=="}]})
    expect(dead_letter_explained(event, letters, by=flow.trigger, member="error"), within=WITHIN)


@pytest.mark.requirement("INF-DLQ-005")
def test_the_documented_flow_gives_up_at_once_on_what_it_cannot_read(async_mnist: AsyncInference, sinks: Sinks) -> None:
    letters = sinks()
    flow = async_mnist.branch(**AGAIN, deadLetterSink=letters)
    event = flow.send(b"")
    expect(dead_lettered(event, letters, by=flow.trigger, code=400), within=WITHIN)


@pytest.mark.requirement("INF-TOP-001")
def test_a_result_that_kafka_does_not_take_is_not_acknowledged(async_strict: AsyncInference, sinks: Sinks) -> None:
    letters = sinks()
    flow = async_strict.branch(retry=0, deadLetterSink=letters)
    # Key and attribute of the result each carry it: more than a megabyte, where the event is half of one.
    event = flow.predict(DOCUMENTED, fresh("trace") + "x" * 550_000)
    expect(dead_lettered(event, letters, by=flow.trigger, code=500), within=WITHIN)


@pytest.mark.requirement("INF-TOP-002")
def test_while_the_result_topic_takes_no_records_nothing_is_acknowledged_and_nothing_is_lost(
    async_strict: AsyncInference, sinks: Sinks, faults: Faults
) -> None:
    letters = sinks()
    flow = async_strict.branch(**PATIENT, timeout="PT1S")
    impatient = async_strict.branch(retry=0, timeout="PT1S", deadLetterSink=letters)
    with faults.results_refused(of=flow):
        requests = [(order(SAY), fresh("trace")) for _ in range(5)]
        events = flow.predict_many(requests)
        given_up = impatient.predict(order(SAY), fresh("trace"))
        # Its delivery is over: so long those before it have been at the transformer.
        expect(dead_lettered(given_up, letters, by=impatient.trigger), within=WITHIN)
    asked = {trace_id: event for (_, trace_id), event in zip(requests, events, strict=True)}
    expect(results_counted(asked, flow.results, by=flow.trigger, key=flow.trace_key, repeats=True), within=WITHIN)
