"""Hand-written answers of servers that are called directly: tensors, fields, errors, and what must not be told."""

import struct
from dataclasses import replace
from typing import Any

import pytest

from evidence.expectations import (
    Expectation,
    call_ended,
    call_told,
    drained,
    error_answered,
    inferred,
    told,
    undisclosed,
)
from evidence.open_inference import AnswerError, Tensor, packed, read_json, read_message
from evidence.refs import CallRef, ExchangeRef, ObjectRef
from evidence.verdict import Verdict
from selftest.evidence.story import Story, judged
from suites.oracles.open_inference import DATATYPES, input_of, limits
from suites.oracles.open_inference import Tensor as Asked
from suites.oracles.tensorflow import octets

EXCHANGE, CALL = ExchangeRef("s1"), CallRef("g1")
PASS, FAIL, UNKNOWN = Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN
JSON = [["content-type", "application/json; charset=utf-8"]]
PAIR = Asked("INT64", [2**53 + 1, -1], name="x")
ANSWER = '{"model_name": "m", "id": "7", "outputs": [{"name": "x", "datatype": "INT64", "shape": [2], "data": %s}]}'
RIGHT = ANSWER % "[9007199254740993, -1]"
MESSAGE = octets(1, b"m") + octets(3, b"7")


def answer(body: str, status: int | None = 200, headers: Any = JSON) -> Story:
    """Return a story of one request and its answer."""
    story = Story()
    story.add("sent", send="s1", url="http://echo/v2", method="POST", headers=[], body="")
    error = None if status else "reset"
    story.add("answered", send="s1", status=status, headers=headers, body=body, error=error)
    return story


def end(message: bytes = b"", code: str | None = "OK") -> Story:
    """Return a story of one gRPC call and its end."""
    story = Story()
    story.add("grpc.called", call="g1", target="echo:8081", method="/s/M", metadata=[], message="")
    error = None if code else "cannot connect"
    told = message.decode("latin-1") if code == "OK" else None
    story.add("grpc.answered", call="g1", code=code, details="", metadata=[], trailers=[], message=told, error=error)
    return story


def typed(tensor: Asked) -> bytes:
    """Return a ModelInferResponse with one output whose data is raw."""
    return MESSAGE + octets(5, input_of(tensor, None)) + octets(6, tensor.raw)


ROUNDED = Asked("INT64", [2**53, -1], name="x")
WANTED = [PAIR.expected()]
METADATA = "ServerMetadataResponse"


@pytest.mark.parametrize(
    ("expectation", "story", "verdict"),
    [
        pytest.param(inferred(EXCHANGE, WANTED, id="7", model="m"), answer(RIGHT), PASS, id="outputs"),
        pytest.param(inferred(EXCHANGE, WANTED, id="8"), answer(RIGHT), FAIL, id="id"),
        pytest.param(inferred(EXCHANGE, WANTED, model="n"), answer(RIGHT), FAIL, id="model"),
        pytest.param(inferred(EXCHANGE, WANTED), answer(ANSWER % "[9007199254740992, -1]"), FAIL, id="rounded"),
        pytest.param(inferred(EXCHANGE, WANTED), answer(ANSWER % '["9007199254740993", -1]'), FAIL, id="text"),
        pytest.param(inferred(EXCHANGE, WANTED), answer(ANSWER % "[[9007199254740993], [-1]]"), PASS, id="nested"),
        pytest.param(inferred(EXCHANGE, [*WANTED, *WANTED]), answer(RIGHT), FAIL, id="one-is-missing"),
        pytest.param(inferred(EXCHANGE, []), answer(RIGHT), FAIL, id="one-too-many"),
        pytest.param(inferred(EXCHANGE, WANTED), answer(RIGHT.replace("[2]", "[2, 1]")), FAIL, id="shape"),
        pytest.param(inferred(EXCHANGE, WANTED), answer("{"), FAIL, id="no-json"),
        pytest.param(inferred(EXCHANGE, WANTED), answer("[]"), FAIL, id="no-object"),
        pytest.param(inferred(EXCHANGE, WANTED), answer(RIGHT, 503), UNKNOWN, id="not-now"),
        pytest.param(inferred(EXCHANGE, WANTED), answer("", None), UNKNOWN, id="no-answer"),
        pytest.param(inferred(EXCHANGE, WANTED), answer('{"error": "no"}', 400), FAIL, id="refused"),
        pytest.param(
            inferred(EXCHANGE, WANTED, or_refused=True), answer('{"error": "no"}', 400), PASS, id="may-be-refused"
        ),
        pytest.param(
            inferred(EXCHANGE, WANTED, or_refused=True), answer('{"error": ""}', 400), FAIL, id="without-a-word"
        ),
        pytest.param(inferred(CALL, WANTED, id="7", model="m"), end(typed(PAIR)), PASS, id="call"),
        pytest.param(inferred(CALL, WANTED), end(typed(ROUNDED)), FAIL, id="call-rounded"),
        pytest.param(inferred(CALL, WANTED), end(b"\xff\xff"), FAIL, id="call-no-message"),
        pytest.param(inferred(CALL, WANTED), end(code="INTERNAL"), FAIL, id="call-failed"),
        pytest.param(inferred(CALL, WANTED), end(code="UNAVAILABLE"), UNKNOWN, id="call-not-now"),
        pytest.param(inferred(CALL, WANTED), end(code=None), UNKNOWN, id="call-no-answer"),
        pytest.param(call_ended(CALL, "NOT_FOUND", "OK"), end(code="NOT_FOUND"), PASS, id="status"),
        pytest.param(call_ended(CALL, "NOT_FOUND"), end(), FAIL, id="another-status"),
        pytest.param(call_told(CALL, "ServerLiveResponse", {"live": True}), end(b"\x08\x01"), PASS, id="field"),
        pytest.param(call_told(CALL, "ServerLiveResponse", {"live": True}), end(b""), FAIL, id="default-field"),
        pytest.param(call_told(CALL, METADATA, {"name": None}), end(octets(1, b"n")), PASS, id="any-text"),
        pytest.param(call_told(CALL, METADATA, {"name": None}), end(b""), FAIL, id="no-text"),
        pytest.param(told(EXCHANGE, {"live": True, "n": None}), answer('{"live": true, "n": "n"}'), PASS, id="told"),
        pytest.param(told(EXCHANGE, {"live": True}), answer('{"live": 1}'), FAIL, id="told-a-number"),
        pytest.param(told(EXCHANGE, {"live": True}), answer("{}"), FAIL, id="told-nothing"),
        pytest.param(told(EXCHANGE, {"live": True}), answer('{"live": true}', 201), FAIL, id="told-201"),
        pytest.param(told(EXCHANGE, {"live": True}), answer('{"live": true}', 503), UNKNOWN, id="told-not-now"),
        pytest.param(error_answered(EXCHANGE, 404), answer('{"error": "no"}', 404), PASS, id="error"),
        pytest.param(error_answered(EXCHANGE, 404), answer('{"error": "no"}', 400), FAIL, id="error-of-another-status"),
        pytest.param(error_answered(EXCHANGE), answer('{"error": 7}', 400), FAIL, id="error-without-words"),
        pytest.param(error_answered(EXCHANGE), answer('{"error": "no"}', 400, []), FAIL, id="error-without-type"),
        pytest.param(error_answered(EXCHANGE), answer('{"error": "no"}', 503), UNKNOWN, id="error-not-now"),
        pytest.param(undisclosed(EXCHANGE, "secret"), answer(RIGHT), PASS, id="nothing-disclosed"),
        pytest.param(undisclosed(EXCHANGE, "secret"), answer("a secret"), FAIL, id="in-the-body"),
        pytest.param(undisclosed(EXCHANGE, "secret"), answer("", 200, [["x", "a secret"]]), FAIL, id="in-a-header"),
    ],
)
def test_answers_are_judged(expectation: Expectation, story: Story, verdict: Verdict) -> None:
    assert judged(story, expectation).verdict is verdict


SERVICE = ObjectRef("serving.kserve.io/v1beta1", "InferenceService", "ns", "echo", seq=2)


def deleted(status: int | None, *, late: bool = False, code: int = 200) -> Story:
    """Return a story of a request whose server is deleted meanwhile; `late`: once it is answered."""
    story = Story()
    story.add("sent", send="s1", url="http://echo/v2", method="POST", headers=[], body="")
    answer: dict[str, Any] = {
        "send": "s1",
        "status": status,
        "headers": [],
        "body": "",
        "error": None if status else "closed",
    }
    if late:
        story.add("answered", **answer)
    about = {"apiVersion": SERVICE.api_version, "kind": SERVICE.kind, "namespace": "ns", "name": "echo"}
    story.add("object", verb="delete", **about, code=code, reason="", message="", object=None)
    if not late:
        story.add("answered", **answer)
    return story


@pytest.mark.parametrize(
    ("story", "seq", "verdict"),
    [
        pytest.param(deleted(200), 2, PASS, id="answered"),
        pytest.param(deleted(None), 2, FAIL, id="cut-off"),
        pytest.param(deleted(503), 2, FAIL, id="turned-away"),
        pytest.param(deleted(200, late=True), 3, UNKNOWN, id="over-before"),
        pytest.param(deleted(200, code=403), 2, UNKNOWN, id="not-deleted"),
        pytest.param(deleted(200), 9, None, id="no-deletion"),
    ],
)
def test_a_request_under_way_outlives_its_server(story: Story, seq: int, verdict: Verdict | None) -> None:
    assert judged(story, drained(EXCHANGE, replace(SERVICE, seq=seq))).verdict is verdict


@pytest.mark.parametrize("datatype", DATATYPES)
def test_each_datatype_reads_as_it_is_written(datatype: str) -> None:
    (asked,) = limits(datatype)
    got = read_message(typed(asked)).outputs
    assert got == (Tensor(asked.called, datatype, tuple(asked.sizes), asked.raw),)


@pytest.mark.parametrize(
    ("datatype", "value"),
    [
        ("INT8", 128),
        ("UINT8", -1),
        ("INT32", 1.0),
        ("INT32", True),
        ("BOOL", 1),
        ("FP32", 1e39),
        ("FP64", None),
        ("X", 1),
    ],
    ids=str,
)
def test_a_value_that_is_not_of_its_datatype_is_no_answer(datatype: str, value: Any) -> None:
    with pytest.raises(AnswerError):
        packed(datatype, [value])


def test_a_number_of_json_is_the_nearest_of_its_datatype() -> None:
    body = '{"model_name": "m", "outputs": [{"name": "x", "datatype": "FP32", "shape": [1], "data": [0.10000000149]}]}'
    assert read_json(body.encode()).outputs[0].raw == struct.pack("<f", 0.1)
