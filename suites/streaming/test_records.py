"""Keys, headers and numbers of records: an answer is found by its key, and there is exactly one."""

from typing import Any

import pytest

from evidence.expectations import one_stream_answer, stream_answer, stream_key_kept
from fixtures import Produce, SeldonStream, expect, seed
from suites.oracles.cifar10 import picture, probabilities, sparse_picture
from suites.oracles.tensorflow import PROTO_NAME, predict_json, predict_protobuf
from suites.wire import fresh

WITHIN = 5.0  # seconds; an answer counts as missing only after them
NAMED = [("proto-name", PROTO_NAME)]
HEADERS: dict[str, list[tuple[str, str | bytes | None]]] = {
    "many": [(f"x-number-{number}", str(number)) for number in range(50)],
    "repeated": [("x-same", "1"), ("x-same", "2"), ("x-same", "2")],
    "empty": [("x-empty", "")],
    "null": [("x-null", None)],
    "text": [("x-text", "Grüße, 東京")],
    "binary": [("x-binary", b"\xff\xfe\x80")],
    "long": [("x-long", "a" * 4096)],
    "events": [("ce_id", "1"), ("ce_type", "touchstone.test"), ("traceparent", f"00-{'1' * 32}-{'2' * 16}-01")],
}


@pytest.mark.requirement("STR-KEY-002")
def test_keys_of_every_kind_are_kept(cifar10: SeldonStream, produce: Produce) -> None:
    image, unique = picture(seed()), fresh("key")
    keys = [
        "\x00" + unique,
        unique + "\x00",
        f" {unique} ",
        f'{{"id": "{unique}"}}',
        f"{unique}/%2F?&=\r\n",
        unique.ljust(256, "k"),
        unique.ljust(1024, "k"),
    ]
    asked = produce.many(cifar10.input, [{"value": predict_json(image), "key": key} for key in keys])
    terms: dict[str, Any] = {"group": cifar10.group, "json": {"predictions": [probabilities(image)]}}
    expect(*[stream_answer(each, cifar10.output, **terms) for each in asked], within=WITHIN)


@pytest.mark.requirement("STR-KEY-002")
def test_an_empty_key_is_a_key(cifar10: SeldonStream, produce: Produce) -> None:
    image = picture(seed())
    asked = produce(cifar10.input, predict_json(image), key="")
    terms: dict[str, Any] = {"group": cifar10.group, "json": {"predictions": [probabilities(image)]}}
    expect(stream_key_kept(asked, cifar10.output, **terms), within=WITHIN)


@pytest.mark.requirement("STR-CNT-002")
def test_each_of_many_requests_is_answered_once(cifar10: SeldonStream, produce: Produce) -> None:
    value = predict_json(sparse_picture(seed()))
    asked = produce.many(cifar10.input, [{"value": value, "key": fresh("key")} for _ in range(120)])
    expect(*[one_stream_answer(each, cifar10.output, group=cifar10.group) for each in asked], within=15.0)


@pytest.mark.requirement("STR-HDR-001")
def test_headers_beside_json_keep_nothing_from_its_answer(cifar10: SeldonStream, produce: Produce) -> None:
    image = picture(seed())
    records = [{"value": predict_json(image), "key": fresh(name), "headers": each} for name, each in HEADERS.items()]
    terms: dict[str, Any] = {"group": cifar10.group, "json": {"predictions": [probabilities(image)]}}
    asked = produce.many(cifar10.input, records)
    expect(*[stream_answer(each, cifar10.output, **terms) for each in asked], within=WITHIN)


@pytest.mark.requirement("STR-HDR-002")
def test_headers_beside_the_proto_name_keep_nothing_from_its_answer(
    cifar10_grpc: SeldonStream, produce: Produce
) -> None:
    image = picture(seed())
    other = {"after": [*NAMED, ("x-after", "1")], "other case": [("Proto-Name", "tensorflow.serving.Nope"), *NAMED]}
    headers = {name: [*each, *NAMED] for name, each in HEADERS.items()} | other
    records = [
        {"value": predict_protobuf(image), "key": fresh(name), "headers": each} for name, each in headers.items()
    ]
    asked = produce.many(cifar10_grpc.input, records)
    terms: dict[str, Any] = {"group": cifar10_grpc.group, "tensor": [probabilities(image)]}
    expect(*[stream_answer(each, cifar10_grpc.output, **terms) for each in asked], within=WITHIN)
