"""The direct answer: V1 predict calls at the InferenceService's address."""

import base64
import json

import pytest

from evidence.expectations import answered, header, refused, response_body
from fixtures import AsyncInference, expect
from suites.oracles.digits import DOCUMENTED, DOCUMENTED_DIGIT, digits

JSON = [("content-type", "application/json")]


def request(*pictures: bytes) -> bytes:
    """Return a V1 predict request."""
    return json.dumps({"instances": [{"data": base64.b64encode(picture).decode()} for picture in pictures]}).encode()


@pytest.mark.requirement("INF-DIR-001")
def test_a_picture_is_answered_with_its_digit(async_mnist: AsyncInference) -> None:
    exchange = async_mnist.direct(request(DOCUMENTED), headers=JSON)
    expect(answered(exchange, 200))
    expect(response_body(exchange, {"predictions": [DOCUMENTED_DIGIT]}))


@pytest.mark.requirement("INF-DIR-002")
def test_an_unknown_model_is_not_found(async_mnist: AsyncInference) -> None:
    expect(answered(async_mnist.direct(request(DOCUMENTED), headers=JSON, model="no-such-model"), 404))


@pytest.mark.requirement("INF-DIR-002")
def test_broken_json_is_a_bad_request(async_mnist: AsyncInference) -> None:
    expect(answered(async_mnist.direct(b'{"instances": [', headers=JSON), 400))


@pytest.mark.requirement("INF-DIR-003")
def test_a_batch_is_answered_in_its_order(async_mnist: AsyncInference) -> None:
    batch = digits()[:8]
    exchange = async_mnist.direct(request(*[digit.picture for digit in batch]), headers=JSON)
    expect(response_body(exchange, {"predictions": [digit.label for digit in batch]}))


@pytest.mark.requirement("INF-DIR-004")
def test_an_answer_is_json_by_its_media_type(async_mnist: AsyncInference) -> None:
    expect(header(async_mnist.direct(request(DOCUMENTED), headers=JSON), "content-type", "application/json"))


@pytest.mark.requirement("INF-BAT-003")
def test_a_batch_with_a_picture_that_is_none_is_refused_whole(async_strict: AsyncInference) -> None:
    expect(refused(async_strict.direct(request(DOCUMENTED, b"no picture", DOCUMENTED), headers=JSON)))
