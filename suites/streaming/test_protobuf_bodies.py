"""PredictRequests in all their forms: the model gets the same tensor, and what is no request stops no other."""

import struct
from typing import Any

import pytest

from evidence.expectations import (
    Expectation,
    no_prediction,
    no_stream_answer,
    offset_after_answer,
    stream_answer,
)
from evidence.refs import ProducedRef
from fixtures import Produce, SeldonStream, expect, seed
from suites.oracles.cifar10 import Picture, exact_picture, flat, picture, probabilities
from suites.oracles.tensorflow import (
    DT_DOUBLE,
    DT_FLOAT,
    MODEL,
    PROTO_NAME,
    model_spec,
    number,
    octets,
    predict_json,
    predict_protobuf,
    request,
    response,
    shape,
    tensor,
)
from suites.wire import fresh

WITHIN = 5.0  # seconds; an answer counts as missing only after them
GOOD = 6  # requests behind what is bad: a server that dies of it loses the next ones
DT_INT32, DT_STRING, DT_HALF = 3, 7, 19


def send(
    stream: SeldonStream, produce: Produce, *values: bytes | None, name: str = PROTO_NAME, good: Picture | None = None
) -> list[ProducedRef]:
    """Send values in one batch under one proto-name, each under a key of its own; behind them requests for `good`."""
    rows = [(value, name) for value in values]
    rows += [(predict_protobuf(good), PROTO_NAME)] * GOOD if good is not None else []
    records = [
        {"value": value, "key": fresh("key"), "headers": [("proto-name", named)], "partition": 0}
        for value, named in rows
    ]
    return produce.many(stream.input, records)


def answers(stream: SeldonStream, asked: list[ProducedRef], expected: Any, **terms: Any) -> list[Expectation]:
    """Return the expectations that each request has this answer."""
    return [stream_answer(each, stream.output, group=stream.group, tensor=expected, **terms) for each in asked]


def control(stream: SeldonStream, produce: Produce) -> ProducedRef:
    """Send a request and wait for its answer: what comes to a standstill later was at work before."""
    image = picture(seed())
    [asked] = send(stream, produce, predict_protobuf(image))
    expect(*answers(stream, [asked], [probabilities(image)]), within=WITHIN)
    return asked


@pytest.mark.requirement("STR-PRT-004")
def test_a_tensor_is_read_from_each_of_its_fields(cifar10_grpc: SeldonStream, produce: Produce) -> None:
    image = exact_picture(seed())
    forms = [(dtype, form) for dtype in (DT_FLOAT, DT_DOUBLE) for form in ("packed", "unpacked", "content")]
    asked = send(cifar10_grpc, produce, *[request(tensor([image], dtype, form=form)) for dtype, form in forms])
    expect(*answers(cifar10_grpc, asked, [probabilities(image)]), within=WITHIN)


def refused_by_the_model(image: Picture) -> list[bytes]:
    """Return PredictRequests that the model cannot compute."""
    values = octets(5, struct.pack("<3072f", *flat(image)))
    four = shape(1, 32, 32, 3)
    good = tensor([image])
    return [
        b"",
        octets(1, model_spec()),
        request(number(1, DT_INT32) + octets(2, four) + octets(7, bytes(3072))),
        request(number(1, DT_STRING) + octets(2, shape()) + octets(8, b"picture")),
        request(number(1, DT_HALF) + octets(2, four) + octets(4, bytes(6144))),
        request(number(1, 999) + octets(2, four) + values),
        request(octets(2, four) + values),
        request(number(1, DT_FLOAT) + octets(5, struct.pack("<f", 0.5))),
        request(number(1, DT_FLOAT) + octets(2, shape(32, 32, 3)) + values),
        request(number(1, DT_FLOAT) + octets(2, shape(2, 32, 32, 3)) + values),
        request(number(1, DT_FLOAT) + octets(2, shape(-1, 32, 32, 3)) + values),
        request(number(1, DT_FLOAT) + octets(2, number(3, 1)) + values),
        request(number(1, DT_FLOAT) + octets(2, four) + octets(4, bytes(12287))),
        request(good, name="photos"),
        request(good) + octets(2, octets(1, b"photos") + octets(2, good)),
        request(good, model=model_spec("no-such-model")),
        request(good, model=model_spec(MODEL, "no-such-signature")),
        request(good, model=model_spec() + octets(2, number(1, 7))),
        request(good) + octets(3, b"no-such-output"),
    ]


@pytest.mark.requirement("STR-PRT-005")
def test_a_request_that_the_model_refuses_stops_no_other(cifar10_grpc: SeldonStream, produce: Produce) -> None:
    image, before = picture(seed()), control(cifar10_grpc, produce)
    refused = refused_by_the_model(image)
    asked = send(cifar10_grpc, produce, *refused, good=image)
    bad, good = asked[: len(refused)], asked[len(refused) :]
    expect(*answers(cifar10_grpc, good, [probabilities(image)], control=before), within=WITHIN)
    expect(*[no_prediction(each, cifar10_grpc.output, group=cifar10_grpc.group) for each in bad], within=WITHIN)


@pytest.mark.requirement("STR-PRT-006")
def test_fields_of_any_order_and_of_later_versions_do_no_harm(cifar10_grpc: SeldonStream, produce: Produce) -> None:
    image = exact_picture(seed())
    good = tensor([image])
    spec, entry = octets(1, model_spec()), octets(2, octets(1, b"images") + octets(2, good))
    unknown = number(1000, 1) + octets(2**29 - 1, b"\xff\x00") + b"\xc5\x3e" + bytes(4) + b"\xc1\x3e" + bytes(8)
    asked = send(
        cifar10_grpc,
        produce,
        spec + entry + unknown,
        unknown + spec + entry,
        octets(1, model_spec() + unknown) + entry,
        spec + octets(2, octets(1, b"images") + octets(2, good + unknown)),
        entry + spec,
        spec + octets(2, octets(2, good) + octets(1, b"images")),
        octets(1, octets(1, b"other")) + spec + entry,
        spec + octets(2, octets(1, b"images") + octets(2, number(1, DT_FLOAT))) + entry,
    )
    expect(*answers(cifar10_grpc, asked, [probabilities(image)]), within=WITHIN)


@pytest.mark.requirement("STR-PRT-007")
@pytest.mark.destructive
def test_bytes_that_are_no_message_are_not_answered(cifar10_grpc: SeldonStream, produce: Produce) -> None:
    image, before = picture(seed()), control(cifar10_grpc, produce)
    whole = predict_protobuf(image)
    garbage = [
        *[whole[:length] for length in (1, 2, 20, 40, 100, len(whole) // 2, len(whole) - 1)],
        whole + b"\x0a",
        struct.pack(">I", len(whole)) + whole,
        struct.pack(">BI", 0, len(whole)) + whole,
        struct.pack(">BI", 0, 7) + whole,
        struct.pack(">BIB", 0, 7, 0) + whole,
        predict_json(image),
        b"\xff" * 64,
        b"\x80" * 11 + b"\x01",
        octets(1, octets(1, b"\xff\xfe")),
    ]
    asked = send(cifar10_grpc, produce, *garbage, good=image)
    bad, good = asked[: len(garbage)], asked[len(garbage) :]
    expect(*answers(cifar10_grpc, good, [probabilities(image)], control=before), within=WITHIN)
    expect(*[no_stream_answer(each, cifar10_grpc.output, group=cifar10_grpc.group) for each in bad], within=WITHIN)


@pytest.mark.requirement("STR-PRT-008")
def test_bytes_of_another_message_are_not_answered(cifar10_grpc: SeldonStream, produce: Produce) -> None:
    image, before = picture(seed()), control(cifar10_grpc, produce)
    other = [response(tensor([image])), octets(5, b"text of a SeldonMessage"), number(9, 9)]
    asked = send(cifar10_grpc, produce, *other, good=image)
    bad, good = asked[: len(other)], asked[len(other) :]
    expect(*answers(cifar10_grpc, good, [probabilities(image)], control=before), within=WITHIN)
    expect(*[no_prediction(each, cifar10_grpc.output, group=cifar10_grpc.group) for each in bad], within=WITHIN)


@pytest.mark.requirement("STR-PRT-009")
@pytest.mark.destructive
@pytest.mark.parametrize(
    "name",
    ["seldon.protos.SeldonMessage", "inference.ModelInferRequest", "tensorflow.serving.RegressionRequest"],
    ids=["seldon", "v2", "regression"],
)
def test_a_request_of_another_type_stops_no_other(cifar10_grpc: SeldonStream, produce: Produce, name: str) -> None:
    image, before = picture(seed()), control(cifar10_grpc, produce)
    bad, *good = send(cifar10_grpc, produce, predict_protobuf(image), name=name, good=image)
    expect(*answers(cifar10_grpc, good, [probabilities(image)], control=before), within=WITHIN)
    expect(no_prediction(bad, cifar10_grpc.output, group=cifar10_grpc.group), within=WITHIN)


@pytest.mark.requirement("STR-PRT-010")
def test_a_response_is_no_request(cifar10_grpc: SeldonStream, produce: Produce) -> None:
    image = picture(seed())
    name = PROTO_NAME.replace("Request", "Response")
    bad, *good = send(cifar10_grpc, produce, response(tensor([image])), name=name, good=image)
    expect(*answers(cifar10_grpc, good, [probabilities(image)]), within=WITHIN)
    expect(no_prediction(bad, cifar10_grpc.output, group=cifar10_grpc.group), within=WITHIN)


@pytest.mark.requirement("STR-PRT-011")
@pytest.mark.destructive
def test_a_null_value_stops_no_other_request(cifar10_grpc: SeldonStream, produce: Produce) -> None:
    image, before = picture(seed()), control(cifar10_grpc, produce)
    null, *good = send(cifar10_grpc, produce, None, good=image)
    expect(*answers(cifar10_grpc, good, [probabilities(image)], control=before), within=WITHIN)
    expect(no_prediction(null, cifar10_grpc.output, group=cifar10_grpc.group), within=WITHIN)


@pytest.mark.requirement("STR-PRT-012")
def test_an_empty_batch_has_an_empty_answer(cifar10_grpc: SeldonStream, produce: Produce) -> None:
    asked = send(cifar10_grpc, produce, request(tensor([])), request(tensor([], DT_DOUBLE, form="content")))
    expect(*answers(cifar10_grpc, asked, []), within=WITHIN)


@pytest.mark.requirement("STR-PRT-013")
def test_a_request_of_nearly_kafkas_limit_is_answered(cifar10_grpc: SeldonStream, produce: Produce) -> None:
    image, count = picture(seed()), 75
    asked = send(cifar10_grpc, produce, predict_protobuf(*[image] * count))
    expect(*answers(cifar10_grpc, asked, [probabilities(image)] * count), within=WITHIN)


@pytest.mark.requirement("STR-PRT-014")
def test_requests_in_work_at_once_are_answered_under_their_keys(cifar10_grpc: SeldonStream, produce: Produce) -> None:
    images = [picture(seed()) for _ in range(12)]
    asked = send(cifar10_grpc, produce, *[predict_protobuf(image) for image in images])
    pairs = zip(asked, images, strict=True)
    wanted = [each for one, image in pairs for each in answers(cifar10_grpc, [one], [probabilities(image)])]
    expect(*wanted, within=WITHIN)


@pytest.mark.requirement("STR-OFF-002")
def test_offsets_are_committed_after_the_answers(cifar10_grpc: SeldonStream, produce: Produce) -> None:
    # Many, so that commits ahead of the answers stand long enough to be seen: reading the topic so far takes a second.
    asked = send(cifar10_grpc, produce, *[predict_protobuf(picture(seed()))] * 48)
    expect(offset_after_answer(asked, cifar10_grpc.output, group=cifar10_grpc.group))
