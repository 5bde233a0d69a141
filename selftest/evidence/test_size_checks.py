"""Hand-written large answers of servers that are called directly: whole, cut, or refused."""

import hashlib
from typing import Any

import pytest

from evidence.expectations import Expectation, answered_whole
from evidence.refs import CallRef, ExchangeRef
from evidence.verdict import Verdict
from selftest.evidence.story import Story, judged
from suites.oracles.open_inference import Tensor, input_of, message
from suites.oracles.tensorflow import octets

FIRST, ASKED, CALL = ExchangeRef("s1"), ExchangeRef("s2"), CallRef("g1")
PASS, FAIL, UNKNOWN = Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN
TEXTS = Tensor("BYTES", [b"a", b"b"], name="x")
WHOLE = '{"model_name": "m", "outputs": [{"name": "x", "datatype": "BYTES", "shape": [2], "data": ["a", "b"]}]}'
CUT = WHOLE.replace("[2]", "[1]").replace(', "b"', "")
EITHER: dict[str, Any] = {"or_too_large": True}
WHOLE_ONLY: dict[str, Any] = {}
PREDICTIONS = hashlib.sha256(b'["a",1]').hexdigest()


def rest(status: int | None, body: str) -> Story:
    """Return a story of a good request and of another one; a status None: there is no answer."""
    story = Story()
    for send, got, said in (("s1", 200, "{}"), ("s2", status, body)):
        story.add("sent", send=send, url="http://echo/v2", method="POST", headers=[], body="")
        headers = [["content-type", "application/json"]]
        story.add("answered", send=send, status=got, headers=headers, body=said, error=None if got else "reset")
    return story


def outputs(**more: Any) -> Expectation:
    """Expect both texts over REST."""
    return answered_whole(ASKED, outputs=[TEXTS.digested()], **more)


@pytest.mark.parametrize(
    ("expectation", "story", "verdict"),
    [
        (outputs(), rest(200, WHOLE), PASS),
        (outputs(or_too_large=True), rest(200, CUT), FAIL),
        (outputs(or_too_large=True), rest(200, WHOLE[:-9]), FAIL),
        (outputs(or_too_large=True), rest(413, ""), PASS),
        (outputs(or_too_large=True), rest(400, '{"error": "too large"}'), PASS),
        (outputs(or_too_large=True), rest(400, ""), FAIL),
        (outputs(or_too_large=True), rest(500, '{"error": "x"}'), FAIL),
        (outputs(), rest(413, ""), FAIL),
        (outputs(), rest(None, ""), UNKNOWN),
        (outputs(control=FIRST), rest(None, ""), FAIL),
        (answered_whole(ASKED, predictions=PREDICTIONS), rest(200, '{"predictions": ["a", 1]}'), PASS),
        (answered_whole(ASKED, predictions=PREDICTIONS), rest(200, '{"predictions": ["a"]}'), FAIL),
        (answered_whole(ASKED, predictions=PREDICTIONS), rest(200, "[]"), FAIL),
    ],
    ids=[
        "whole",
        "element-lost",
        "cut-off",
        "too-large",
        "refused",
        "without-a-word",
        "broken",
        "not-to-be-refused",
        "no-answer",
        "no-answer-but-to-another",
        "predicted",
        "prediction-lost",
        "no-object",
    ],
)
def test_large_answers_over_rest_are_judged(expectation: Expectation, story: Story, verdict: Verdict) -> None:
    assert judged(story, expectation, final=True).verdict is verdict


def answer(tensor: Tensor) -> bytes:
    """Return a ModelInferResponse: model_name 1, outputs 5, raw_output_contents 6."""
    return octets(1, b"m") + octets(5, input_of(tensor, None)) + octets(6, tensor.raw)


@pytest.mark.parametrize(
    ("code", "said", "either", "verdict"),
    [
        ("OK", answer(TEXTS), WHOLE_ONLY, PASS),
        ("OK", answer(Tensor("BYTES", [b"a"], name="x")), EITHER, FAIL),
        ("OK", message(TEXTS, raw=True, model="m")[:-1], EITHER, FAIL),
        ("RESOURCE_EXHAUSTED", b"", EITHER, PASS),
        ("INTERNAL", b"", EITHER, FAIL),
        ("RESOURCE_EXHAUSTED", b"", WHOLE_ONLY, FAIL),
        (None, b"", EITHER, UNKNOWN),
    ],
    ids=["whole", "element-lost", "cut-off", "too-large", "broken", "not-to-be-refused", "no-answer"],
)
def test_large_answers_over_grpc_are_judged(
    code: str | None, said: bytes, either: dict[str, Any], verdict: Verdict
) -> None:
    story = Story()
    method = "/inference.GRPCInferenceService/ModelInfer"
    story.add("grpc.called", call="g1", target="echo:8081", method=method, metadata=[], message="")
    end: dict[str, Any] = {"code": code, "message": said.decode("latin-1"), "error": None if code else "closed"}
    story.add("grpc.answered", call="g1", details="", metadata=[], trailers=[], **end)
    expectation = answered_whole(CALL, outputs=[TEXTS.digested()], **either)
    assert judged(story, expectation, final=True).verdict is verdict
