"""Hand-written answers of servers that are called directly: controls, readiness, versions, parameters, encodings."""

import gzip
from dataclasses import replace
from typing import Any

import pytest

from evidence.expectations import (
    Expectation,
    call_ended,
    drained,
    error_answered,
    inferred,
    ready_to_infer,
    unblamed_at_end,
    version_kept,
)
from evidence.open_inference import AnswerError, read_message, read_rest
from evidence.refs import CallRef, ExchangeRef, ObjectRef
from evidence.verdict import Verdict
from selftest.evidence.story import Story, judged
from suites.oracles.open_inference import Tensor
from suites.oracles.tensorflow import octets

FIRST, SECOND = ExchangeRef("s1"), ExchangeRef("s2")
CALL, CALLED = CallRef("g1"), CallRef("g2")
PASS, FAIL, UNKNOWN = Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN
READY, NOT_READY = '{"ready": true}', '{"ready": false}'
LISTED = '{"name": "m", "versions": ["1"]}'
ANSWER = '{"model_name": "m", "outputs": [{"name": "x", "datatype": "INT8", "shape": [1], "data": [1]}]%s}'
ONE = [Tensor("INT8", [1], name="x").expected()]
SERVICE = "/inference.GRPCInferenceService/"


def exchanges(*answers: tuple[int | None, str]) -> Story:
    """Return a story of requests, one after the other; a status None: there is no answer."""
    story = Story()
    for number, (status, body) in enumerate(answers, start=1):
        send, error = f"s{number}", None if status else "reset"
        story.add("sent", send=send, url="http://echo/v2", method="POST", headers=[], body="")
        story.add("answered", send=send, status=status, headers=[], body=body, error=error)
    return story


def calls(*ends: tuple[str, str | None, bytes]) -> Story:
    """Return a story of calls, one after the other: method, code, message; a code None: there is no end of them."""
    story = Story()
    for number, (method, code, message) in enumerate(ends, start=1):
        call = f"g{number}"
        story.add("grpc.called", call=call, target="echo:8081", method=SERVICE + method, metadata=[], message="")
        said: dict[str, Any] = {"code": code, "message": message.decode("latin-1"), "error": None if code else "gone"}
        story.add("grpc.answered", call=call, details="", metadata=[], trailers=[], **said)
    return story


@pytest.mark.parametrize(
    ("expectation", "story", "verdict"),
    [
        pytest.param(inferred(SECOND, ONE, control=FIRST), exchanges((200, ""), (503, "")), FAIL, id="not-now"),
        pytest.param(inferred(SECOND, ONE, control=FIRST), exchanges((200, ""), (None, "")), FAIL, id="no-answer"),
        pytest.param(inferred(FIRST, ONE, control=SECOND), exchanges((503, ""), (200, "")), FAIL, id="control-behind"),
        pytest.param(inferred(SECOND, ONE, control=FIRST), exchanges((503, ""), (503, "")), UNKNOWN, id="none-at-all"),
        pytest.param(inferred(FIRST, ONE, control=SECOND), exchanges((503, "")), UNKNOWN, id="control-is-open"),
        pytest.param(inferred(SECOND, ONE, control=FIRST), exchanges((200, ""), (200, ANSWER % "")), PASS, id="well"),
        pytest.param(error_answered(SECOND, control=FIRST), exchanges((200, ""), (None, "")), FAIL, id="no-refusal"),
        pytest.param(
            call_ended(CALLED, "NOT_FOUND", control=CALL),
            calls(("M", "OK", b""), ("M", "UNAVAILABLE", b"")),
            FAIL,
            id="call-not-now",
        ),
        pytest.param(
            inferred(CALLED, ONE, control=CALL), calls(("M", "OK", b""), ("M", None, b"")), FAIL, id="call-no-answer"
        ),
        pytest.param(ready_to_infer(FIRST, SECOND), exchanges((200, READY), (503, "")), FAIL, id="promised"),
        pytest.param(ready_to_infer(FIRST, SECOND), exchanges((200, READY), (200, "")), PASS, id="promise-kept"),
        pytest.param(ready_to_infer(FIRST, SECOND), exchanges((200, NOT_READY), (503, "")), PASS, id="not-promised"),
        pytest.param(ready_to_infer(FIRST, SECOND), exchanges((503, READY), (503, "")), PASS, id="not-ready"),
        pytest.param(ready_to_infer(FIRST, SECOND), exchanges((200, "{"), (503, "")), PASS, id="no-word"),
        pytest.param(ready_to_infer(SECOND, FIRST), exchanges((503, ""), (200, READY)), UNKNOWN, id="asked-before"),
        pytest.param(ready_to_infer(FIRST, SECOND), exchanges((200, READY)), UNKNOWN, id="not-asked-yet"),
        pytest.param(
            ready_to_infer(CALL, CALLED),
            calls(("ServerReady", "OK", b"\x08\x01"), ("ModelInfer", "UNAVAILABLE", b"")),
            FAIL,
            id="call-promised",
        ),
        pytest.param(
            ready_to_infer(CALL, CALLED),
            calls(("ModelReady", "OK", b""), ("ModelInfer", "UNAVAILABLE", b"")),
            PASS,
            id="call-not-promised",
        ),
        pytest.param(version_kept(SECOND, FIRST, "1"), exchanges((200, LISTED), (404, "")), FAIL, id="listed"),
        pytest.param(version_kept(SECOND, FIRST, "2"), exchanges((200, LISTED), (404, "")), PASS, id="not-listed"),
        pytest.param(
            version_kept(SECOND, FIRST, "1"), exchanges((200, LISTED), (200, '{"model_version": 1}')), FAIL, id="number"
        ),
        pytest.param(
            version_kept(SECOND, FIRST, "1", named=True),
            exchanges((200, LISTED), (200, '{"model_version": "1"}')),
            PASS,
            id="named",
        ),
        pytest.param(version_kept(SECOND, FIRST, "1"), exchanges((200, LISTED), (200, "{}")), PASS, id="unnamed"),
        pytest.param(
            version_kept(SECOND, FIRST, "1", named=True), exchanges((200, LISTED), (200, "{}")), FAIL, id="not-named"
        ),
        pytest.param(
            version_kept(CALLED, CALL, "1", named=True),
            calls(("ModelMetadata", "OK", octets(2, b"1")), ("ModelInfer", "OK", octets(2, b"2"))),
            FAIL,
            id="call-of-another-version",
        ),
        pytest.param(
            inferred(FIRST, ONE, parameters={"a": "1"}),
            exchanges((200, ANSWER % ', "parameters": {"a": "1"}')),
            PASS,
            id="parameters",
        ),
        pytest.param(
            inferred(FIRST, ONE, parameters={"a": "1"}),
            exchanges((200, ANSWER % ', "parameters": {"a": 1}')),
            FAIL,
            id="retyped",
        ),
        pytest.param(inferred(FIRST, ONE, parameters={"a": "1"}), exchanges((200, ANSWER % "")), FAIL, id="lost"),
        pytest.param(
            inferred(FIRST, [{**ONE[0], "parameters": {"a": 1}}]),
            exchanges((200, ANSWER % "")),
            FAIL,
            id="lost-of-output",
        ),
    ],
)
def test_answers_are_judged(expectation: Expectation, story: Story, verdict: Verdict) -> None:
    assert judged(story, expectation, final=True).verdict is verdict


DELETED = ObjectRef("serving.kserve.io/v1beta1", "InferenceService", "ns", "echo", seq=2)
ABOUT = {"apiVersion": DELETED.api_version, "kind": DELETED.kind, "namespace": "ns", "name": "echo"}


def sent(story: Story, send: str) -> None:
    """Add a request to a story."""
    story.add("sent", send=send, url="http://echo/v2", method="POST", headers=[], body="")


def answered(story: Story, send: str, status: int | None) -> None:
    """Add the answer to a request to a story; a status None: there is none."""
    error = None if status else "refused"
    story.add("answered", send=send, status=status, headers=[], body="", error=error)


def deleted(story: Story, code: int) -> None:
    """Add the deletion of the server to a story, and how the API answered it."""
    story.add("object", verb="delete", **ABOUT, code=code, reason="", message="", object=None)


@pytest.mark.parametrize(
    ("under_way", "after", "verdict"),
    [
        (200, 200, PASS),
        (200, 503, PASS),
        (200, None, PASS),
        (200, 404, FAIL),
        (200, 500, FAIL),
        (404, None, FAIL),
    ],
    ids=["answered", "not-now", "not-reached", "unknown-model", "broken", "under-way"],
)
def test_answers_of_a_server_that_ends_are_judged(under_way: int, after: int | None, verdict: Verdict) -> None:
    story = Story()
    sent(story, "s1")
    deleted(story, 200)
    answered(story, "s1", under_way)
    sent(story, "s2")
    answered(story, "s2", after)
    assert judged(story, unblamed_at_end([FIRST, SECOND], DELETED), final=True).verdict is verdict


def test_a_call_that_blames_the_caller_at_the_end_is_a_fault() -> None:
    story = Story()
    story.add("grpc.called", call="g1", target="echo:8081", method=f"{SERVICE}ModelInfer", metadata=[], message="")
    deleted(story, 200)
    said: dict[str, Any] = {"code": "NOT_FOUND", "message": "", "error": None}
    story.add("grpc.answered", call="g1", details="", metadata=[], trailers=[], **said)
    assert judged(story, unblamed_at_end([CALL], DELETED), final=True).verdict is FAIL


def test_who_finds_nobody_before_the_deletion_is_told_has_met_the_end() -> None:
    story = Story()
    sent(story, "s1")
    deletion = replace(DELETED, seq=story.records[-1]["seq"] + 2)
    answered(story, "s1", None)
    deleted(story, 200)
    assert judged(story, unblamed_at_end([FIRST], deletion), final=True).verdict is PASS


@pytest.mark.parametrize(("code", "seq"), [(200, 2), (403, 2), (200, 9)], ids=["all-before", "kept", "no-deletion"])
def test_without_an_end_nothing_is_known(code: int, seq: int) -> None:
    story = Story()
    sent(story, "s1")
    deleted(story, code)
    answered(story, "s1", 200)
    assert judged(story, unblamed_at_end([FIRST], replace(DELETED, seq=seq)), final=True).verdict is UNKNOWN


@pytest.mark.parametrize(
    ("code", "http", "seq", "verdict"),
    [
        ("OK", 200, 2, PASS),
        ("CANCELLED", 200, 2, FAIL),
        (None, 200, 2, FAIL),
        ("OK", 403, 2, UNKNOWN),
        ("OK", 200, 9, UNKNOWN),
    ],
    ids=["answered", "cancelled", "cut-off", "not-deleted", "no-deletion"],
)
def test_a_call_under_way_is_judged(code: str | None, http: int, seq: int, verdict: Verdict) -> None:
    story = Story()
    story.add("grpc.called", call="g1", target="echo:8081", method=f"{SERVICE}ModelInfer", metadata=[], message="")
    deleted(story, http)
    said: dict[str, Any] = {"code": code, "message": "", "error": None if code else "closed"}
    story.add("grpc.answered", call="g1", details="", metadata=[], trailers=[], **said)
    assert judged(story, drained(CALL, replace(DELETED, seq=seq)), final=True).verdict is verdict


BINARY = (
    b'{"model_name": "m", "outputs": [{"name": "x", "datatype": "INT8", "shape": [2],'
    b' "parameters": {"binary_data_size": 2}}]}'
)
LENGTH = ["Inference-Header-Content-Length", str(len(BINARY))]


def test_binary_outputs_are_read() -> None:
    (tensor,) = read_rest([LENGTH], BINARY + b"\x01\xff").outputs
    assert tensor.raw == b"\x01\xff"


def test_a_body_is_decoded_as_its_headers_say() -> None:
    body = gzip.compress((ANSWER % "").encode())
    assert read_rest([["Content-Encoding", "gzip"]], body).model == "m"


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ([], BINARY + b"\x01\xff"),
        ([LENGTH], BINARY + b"\x01"),
        ([LENGTH], BINARY + b"\x01\xff\x00"),
        ([[LENGTH[0], "-1"]], BINARY),
        ([[LENGTH[0], "999"]], BINARY),
        ([], gzip.compress(b"{}")),
        ([["content-encoding", "gzip"]], b"{}"),
        ([["content-encoding", "br"]], b"{}"),
    ],
    ids=["headless", "cut-off", "surplus", "negative", "beyond", "unnamed", "plain", "unknown"],
)
def test_what_the_headers_do_not_fit_is_no_answer(headers: list[list[str]], body: bytes) -> None:
    with pytest.raises(AnswerError):
        read_rest(headers, body)


def test_parameters_of_a_message_have_their_kinds() -> None:
    kinds = {"a": b"\x08\x01", "b": b"\x10\x02", "c": octets(3, b"1")}
    entries = b"".join(octets(4, octets(1, name.encode()) + octets(2, value)) for name, value in kinds.items())
    assert read_message(octets(1, b"m") + entries).parameters == {"a": True, "b": 2, "c": "1"}
