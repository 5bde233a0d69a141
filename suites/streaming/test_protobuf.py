"""Protobuf requests from topic to topic; the record header `proto-name` names their type."""

from typing import Any

import pytest

from evidence.expectations import no_stream_answer, stream_answer
from evidence.refs import ProducedRef
from fixtures import Produce, SeldonStream, expect, seed
from suites.oracles.cifar10 import Picture, picture, probabilities
from suites.oracles.tensorflow import PROTO_NAME, predict_protobuf
from suites.wire import Headers, fresh

NAMED = [("proto-name", PROTO_NAME)]
WITHIN = 5.0  # seconds; an answer counts as missing only after them


def control(stream: SeldonStream, produce: Produce) -> ProducedRef:
    """Send a request and wait for its answer: what comes to a standstill later was at work before."""
    image = picture(seed())
    asked = produce(stream.input, predict_protobuf(image), key=fresh("control"), headers=NAMED, partition=0)
    expected = [probabilities(image)]
    expect(stream_answer(asked, stream.output, group=stream.group, tensor=expected), within=WITHIN)
    return asked


def beside(headers: Headers, image: Picture) -> list[dict[str, object]]:
    """Return records of one partition: one with these headers, then four good ones for one picture."""
    value = predict_protobuf(image)
    return [{"value": value, "key": fresh("key"), "headers": each, "partition": 0} for each in [headers, *[NAMED] * 4]]


@pytest.mark.requirement("STR-PRT-001")
def test_a_protobuf_request_is_decoded_by_its_proto_name(cifar10_grpc: SeldonStream, produce: Produce) -> None:
    image = picture(seed())
    asked = produce(cifar10_grpc.input, predict_protobuf(image), key=fresh("key"), headers=NAMED)
    expected = [probabilities(image)]
    expect(stream_answer(asked, cifar10_grpc.output, group=cifar10_grpc.group, tensor=expected), within=WITHIN)


@pytest.mark.requirement("STR-PRT-002")
@pytest.mark.destructive
@pytest.mark.parametrize(
    "name",
    ["tensorflow.serving.Nope", "", "tensorflow.serving.predictrequest", f" {PROTO_NAME}"],
    ids=["unknown", "empty", "other-case", "space"],
)
def test_an_unknown_proto_name_stops_no_other_request(cifar10_grpc: SeldonStream, produce: Produce, name: str) -> None:
    image, output, group = picture(seed()), cifar10_grpc.output, cifar10_grpc.group
    terms: dict[str, Any] = {
        "group": group,
        "tensor": [probabilities(image)],
        "control": control(cifar10_grpc, produce),
    }
    refused, *asked = produce.many(cifar10_grpc.input, beside([("proto-name", name)], image))
    expect(*[stream_answer(request, output, **terms) for request in asked], within=WITHIN)
    expect(no_stream_answer(refused, output, group=group), within=WITHIN)


@pytest.mark.requirement("STR-PRT-003")
@pytest.mark.destructive
@pytest.mark.parametrize(
    "headers", [[], [("Proto-Name", PROTO_NAME)], NAMED + NAMED], ids=["missing", "other-case", "twice"]
)
def test_a_missing_or_doubled_proto_name_is_not_guessed(
    cifar10_grpc: SeldonStream, produce: Produce, headers: Headers
) -> None:
    image, output, group = picture(seed()), cifar10_grpc.output, cifar10_grpc.group
    terms: dict[str, Any] = {
        "group": group,
        "tensor": [probabilities(image)],
        "control": control(cifar10_grpc, produce),
    }
    refused, *asked = produce.many(cifar10_grpc.input, beside(headers, image))
    expect(*[stream_answer(request, output, **terms) for request in asked], within=WITHIN)
    expect(no_stream_answer(refused, output, group=group), within=WITHIN)
