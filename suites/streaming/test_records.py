"""Keys, headers and numbers of records: an answer is found by its key, and there is exactly one."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from evidence.expectations import Expectation, one_stream_answer, stream_answer, stream_key_kept
from fixtures import Produce, SeldonStream, expect, seed
from suites.oracles.cifar10 import picture, probabilities, sparse_picture
from suites.oracles.tensorflow import PROTO_NAME, predict_json, predict_protobuf
from suites.wire import fresh

WITHIN = 15.0  # seconds; of many requests that a failed test leaves, the last is answered in half of them
NAMED: list[tuple[str, str | bytes | None]] = [("proto-name", PROTO_NAME)]
Headers = Sequence[tuple[str, str | bytes | None]]
HEADERS: dict[str, Headers] = {
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
    expect(*[one_stream_answer(each, cifar10.output, group=cifar10.group) for each in asked], within=WITHIN)


def beside_json(stream: SeldonStream, produce: Produce, headers: Mapping[str, Headers]) -> list[Expectation]:
    """Send a JSON request with each of several headers; return the expectations of its answer."""
    image = picture(seed())
    records = [{"value": predict_json(image), "key": fresh(name), "headers": each} for name, each in headers.items()]
    terms: dict[str, Any] = {"group": stream.group, "json": {"predictions": [probabilities(image)]}}
    return [stream_answer(each, stream.output, **terms) for each in produce.many(stream.input, records)]


def beside_proto_name(stream: SeldonStream, produce: Produce, headers: Mapping[str, Headers]) -> list[Expectation]:
    """Send a protobuf request with each of several headers, behind one with none that must be answered first.

    Args:
        stream: The stream.
        produce: The function that writes records.
        headers: The headers of each request beside the proto-name, by the beginning of its key.

    Returns:
        The expectation that each is answered.
    """
    image = picture(seed())
    records: list[dict[str, Any]] = [
        {"value": predict_protobuf(image), "key": fresh(name), "headers": each, "partition": 0}
        for name, each in {"control": NAMED, **headers}.items()
    ]
    terms: dict[str, Any] = {"group": stream.group, "tensor": [probabilities(image)]}
    [before] = produce.many(stream.input, records[:1])
    expect(stream_answer(before, stream.output, **terms), within=WITHIN)
    asked = produce.many(stream.input, records[1:])
    return [stream_answer(each, stream.output, control=before, **terms) for each in asked]


@pytest.mark.requirement("STR-HDR-001")
def test_headers_beside_json_keep_nothing_from_its_answer(cifar10: SeldonStream, produce: Produce) -> None:
    expect(*beside_json(cifar10, produce, HEADERS), within=WITHIN)


@pytest.mark.requirement("STR-HDR-002")
def test_headers_beside_the_proto_name_keep_nothing_from_its_answer(
    cifar10_grpc: SeldonStream, produce: Produce
) -> None:
    other = {"after": [*NAMED, ("x-after", "1")], "other case": [("Proto-Name", "tensorflow.serving.Nope"), *NAMED]}
    headers = {name: [*each, *NAMED] for name, each in HEADERS.items()} | other
    expect(*beside_proto_name(cifar10_grpc, produce, headers), within=WITHIN)


UNSPEAKABLE: dict[str, Headers] = {
    "space": [("a b", "1")],
    "nameless": [("", "1")],
    "foreign": [("ü", "1")],
    "control": [("x-control", "\x02")],
    "line": [("x-line", "1\r\nx-injected: 1")],
    "nul": [("x-nul", "a\x00b")],
}
"""Headers that Kafka keeps and HTTP has no way to say, by their name or by their value."""


@pytest.mark.requirement("STR-HDR-013")
def test_headers_that_http_cannot_say_keep_no_json_from_its_answer(cifar10: SeldonStream, produce: Produce) -> None:
    # Over gRPC a name with a colon belongs to the call (STR-HDR-015).
    expect(*beside_json(cifar10, produce, {"path": [(":path", "/nowhere")], **UNSPEAKABLE}), within=WITHIN)


@pytest.mark.requirement("STR-HDR-014")
@pytest.mark.destructive
def test_headers_that_http_cannot_say_keep_no_message_from_its_answer(
    cifar10_grpc: SeldonStream, produce: Produce
) -> None:
    headers = {name: [*each, *NAMED] for name, each in UNSPEAKABLE.items()}
    expect(*beside_proto_name(cifar10_grpc, produce, headers), within=WITHIN)
