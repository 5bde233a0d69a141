"""JSON requests from topic to topic: each is answered once, correctly and under its key, whatever else arrives."""

from typing import Any

import pytest

from evidence.expectations import offset_after_answer, one_stream_answer, stream_answer, stream_key_kept
from evidence.refs import ProducedRef
from fixtures import Produce, SeldonStream, expect, seed
from suites.oracles.cifar10 import Picture, picture, probabilities
from suites.oracles.tensorflow import predict_json
from suites.wire import fresh

WITHIN = 5.0  # seconds; an answer counts as missing only after them
DEEP = 100_000  # arrays in each other: more than functions of a parser may call each other


def answer(image: Picture) -> dict[str, list[list[float]]]:
    """Return the answer to a request with one picture."""
    return {"predictions": [probabilities(image)]}


def control(stream: SeldonStream, produce: Produce) -> ProducedRef:
    """Send a request and wait for its answer: what comes to a standstill later was at work before."""
    image = picture(seed())
    asked = produce(stream.input, predict_json(image), key=fresh("control"), partition=0)
    expect(stream_answer(asked, stream.output, group=stream.group, json=answer(image)), within=WITHIN)
    return asked


def beside(value: bytes, image: Picture) -> list[dict[str, object]]:
    """Return records of one partition: the bad value, then eight good requests for one picture."""
    good = predict_json(image)
    return [{"value": each, "key": fresh("key"), "partition": 0} for each in [value, *[good] * 8]]


@pytest.mark.requirement("STR-JSN-001")
def test_a_json_request_is_answered_with_its_predictions(cifar10: SeldonStream, produce: Produce) -> None:
    first, second = picture(seed()), picture(seed())
    asked = produce(cifar10.input, predict_json(first, second), key=fresh("key"))
    expected = {"predictions": [probabilities(first), probabilities(second)]}
    expect(stream_answer(asked, cifar10.output, group=cifar10.group, json=expected), within=WITHIN)


@pytest.mark.requirement("STR-JSN-002")
def test_requests_in_work_at_once_are_answered_under_their_keys(cifar10: SeldonStream, produce: Produce) -> None:
    images = [picture(seed()) for _ in range(12)]
    asked = produce.many(cifar10.input, [{"value": predict_json(image), "key": fresh("key")} for image in images])
    expect(
        *[
            stream_answer(request, cifar10.output, group=cifar10.group, json=answer(image))
            for request, image in zip(asked, images, strict=True)
        ],
        within=WITHIN,
    )


@pytest.mark.requirement("STR-JSN-003")
@pytest.mark.destructive
@pytest.mark.parametrize(
    "value",
    [b"[1]", b"5", b"null", b'"text"', b"[" * DEEP + b"]" * DEEP],
    ids=["array", "number", "null", "text", "deep-array"],
)
def test_json_that_is_no_object_stops_no_other_request(cifar10: SeldonStream, produce: Produce, value: bytes) -> None:
    image, before = picture(seed()), control(cifar10, produce)
    _, *asked = produce.many(cifar10.input, beside(value, image))
    terms: dict[str, Any] = {"group": cifar10.group, "json": answer(image), "control": before}
    expect(*[stream_answer(request, cifar10.output, **terms) for request in asked], within=WITHIN)


@pytest.mark.requirement("STR-JSN-004")
@pytest.mark.destructive
@pytest.mark.parametrize(
    "value",
    [b"\xff\xfe\x00", b'{"instances": [', b"", b"[" * DEEP],
    ids=["no-text", "broken", "empty", "brackets"],
)
def test_a_value_that_cannot_be_decoded_stops_no_other_request(
    cifar10: SeldonStream, produce: Produce, value: bytes
) -> None:
    image, before = picture(seed()), control(cifar10, produce)
    _, *asked = produce.many(cifar10.input, beside(value, image))
    terms: dict[str, Any] = {"group": cifar10.group, "json": answer(image), "control": before}
    expect(*[stream_answer(request, cifar10.output, **terms) for request in asked], within=WITHIN)


@pytest.mark.requirement("STR-KEY-001")
@pytest.mark.parametrize(
    "key", [b"customer-17", "Grüße €".encode(), b"\xff\x00\xfe", None], ids=["text", "utf8", "bytes", "none"]
)
def test_an_answer_has_the_key_of_its_request(cifar10: SeldonStream, produce: Produce, key: bytes | None) -> None:
    image = picture(seed())
    asked = produce(cifar10.input, predict_json(image), key=key)
    expect(stream_key_kept(asked, cifar10.output, group=cifar10.group, json=answer(image)), within=WITHIN)


@pytest.mark.requirement("STR-CNT-001")
def test_a_request_is_answered_once(cifar10: SeldonStream, produce: Produce) -> None:
    asked = produce(cifar10.input, predict_json(picture(seed())), key=fresh("key"))
    expect(one_stream_answer(asked, cifar10.output, group=cifar10.group), within=WITHIN)


@pytest.mark.requirement("STR-OFF-001")
def test_offsets_are_committed_after_the_answers(cifar10: SeldonStream, produce: Produce) -> None:
    # Many and large, so that a commit ahead of the answers stands long enough to be seen.
    values = [predict_json(*[picture(seed()) for _ in range(2)]) for _ in range(16)]
    asked = produce.many(cifar10.input, [{"value": value, "key": fresh("key")} for value in values])
    expect(offset_after_answer(asked, cifar10.output, group=cifar10.group))
