"""Seldon's protocol and the Open Inference Protocol from topic to topic, by models that answer what they are asked."""

import json
import struct
from collections.abc import Sequence
from typing import Any

import pytest

from evidence.expectations import Expectation, no_stream_answer, stream_answer
from evidence.refs import ProducedRef
from fixtures import Produce, SeldonStream, SeldonStreams, expect
from suites.oracles.messages import (
    INFER_REQUEST,
    INFER_RESPONSE,
    PREDICT_REQUEST,
    SELDON_MESSAGE,
    infer_request,
    infer_response,
    infer_tensor,
    numbered,
    tagged,
    typed,
)
from suites.oracles.tensorflow import number, octets
from suites.wire import fresh

WITHIN = 5.0  # seconds; an answer counts as missing only after them
GOOD = 6  # requests behind what is bad: a server that dies of it loses the next ones


def send(stream: SeldonStream, produce: Produce, *values: bytes | None, name: str | None = None) -> list[ProducedRef]:
    """Send values in one batch, in order, each under a key of its own; `name`: the type that they say they are."""
    headers = [] if name is None else [("proto-name", name)]
    records = [{"value": value, "key": fresh("key"), "headers": headers, "partition": 0} for value in values]
    return produce.many(stream.input, records)


def answered(
    stream: SeldonStream, asked: Sequence[ProducedRef], wanted: Sequence[Any], **terms: Any
) -> list[Expectation]:
    """Return the expectations that each request has its answer, as JSON."""
    terms = {"group": stream.group, **terms}
    return [stream_answer(one, stream.output, json=value, **terms) for one, value in zip(asked, wanted, strict=True)]


def told(
    stream: SeldonStream, asked: Sequence[ProducedRef], name: str, wanted: Sequence[bytes], **terms: Any
) -> list[Expectation]:
    """Return the expectations that each request has its answer, a message of a type."""
    terms = {"group": stream.group, **terms}
    pairs = zip(asked, wanted, strict=True)
    return [stream_answer(one, stream.output, message=(name, value), **terms) for one, value in pairs]


def unanswered(stream: SeldonStream, asked: Sequence[ProducedRef]) -> list[Expectation]:
    """Return the expectations that no request has an answer."""
    return [no_stream_answer(one, stream.output, group=stream.group) for one in asked]


def message(**body: Any) -> bytes:
    """Return a JSON body."""
    return json.dumps(body).encode()


def inferring(*tensors: tuple[str, list[int], list[Any]], **more: Any) -> bytes:
    """Return an inference request as JSON, of (datatype, shape, data)."""
    return message(inputs=[_tensor(number, *each) for number, each in enumerate(tensors)], **more)


def inferred(*tensors: tuple[str, list[int], list[Any]], **more: Any) -> dict[str, Any]:
    """Return the answer of a model that echoes to such a request."""
    outputs = [_tensor(number, *each) for number, each in enumerate(tensors)]
    return {"model_name": "echo", "outputs": outputs, **more}


def _tensor(number: int, datatype: str, sizes: list[int], data: list[Any]) -> dict[str, Any]:
    return {"name": f"x{number}", "datatype": datatype, "shape": sizes, "data": data}


PAYLOADS: list[dict[str, Any]] = [
    {"data": {"names": ["a", "b"], "ndarray": [[1.5, -2], [0, 3]]}},
    {"data": {"tensor": {"shape": [2, 2], "values": [1.5, -2, 0, 3]}}},
    {"data": {"ndarray": []}},
    {"binData": "AAH/"},
    {"jsonData": {"nested": [1, {"text": "Grüße, 東京"}, None, True]}},
    {"meta": {"tags": {"customer": "17"}}, "data": {"ndarray": [["text", 1]]}},
    {"jsonData": {"ticket": 2**53 + 1, "least": -(2**63)}},
]


@pytest.mark.requirement("STR-SLD-001")
def test_each_kind_of_payload_is_answered(echoes: SeldonStreams, produce: Produce) -> None:
    stream = echoes("echo-seldon-rest")
    asked = send(stream, produce, *[message(**payload) for payload in PAYLOADS], message(strData="Grüße"))
    expect(*answered(stream, asked, [*PAYLOADS, {"strData": "Grüße"}]), within=WITHIN)


@pytest.mark.requirement("STR-SLD-002")
def test_a_seldon_request_that_the_model_refuses_stops_no_other(echoes: SeldonStreams, produce: Produce) -> None:
    stream, good = echoes("echo-seldon-rest"), message(strData="good")
    [before] = send(stream, produce, good)
    expect(*answered(stream, [before], [{"strData": "good"}]), within=WITHIN)
    # Only 200 is an answer: also what is no error elsewhere.
    refused = [message(meta={"tags": {"status": status}}, strData="bad") for status in (201, 400, 404, 429, 500, 503)]
    asked = send(stream, produce, *refused, *[good] * GOOD)
    expect(*answered(stream, asked[len(refused) :], [{"strData": "good"}] * GOOD, control=before), within=WITHIN)
    expect(*unanswered(stream, asked[: len(refused)]), within=WITHIN)


@pytest.mark.requirement("STR-SLD-003")
def test_a_seldon_value_that_is_no_json_stops_no_other(echoes: SeldonStreams, produce: Produce) -> None:
    stream, good = echoes("echo-seldon-rest"), message(strData="good")
    [before] = send(stream, produce, good)
    expect(*answered(stream, [before], [{"strData": "good"}]), within=WITHIN)
    broken = [b"{", b"\xff\xfe", good[:-1], None]
    asked = send(stream, produce, *broken, *[good] * GOOD)
    expect(*answered(stream, asked[len(broken) :], [{"strData": "good"}] * GOOD, control=before), within=WITHIN)
    expect(*unanswered(stream, asked[: len(broken)]), within=WITHIN)


MESSAGES = [
    octets(5, "Grüße".encode()),
    octets(4, b"\x00\xff\xfe"),
    octets(6, octets(3, b"text")),
    octets(3, octets(1, b"a") + octets(2, octets(1, b"\x02") + octets(2, struct.pack("<2d", 1.5, -0.0)))),
    octets(3, octets(3, octets(1, b"\x11" + struct.pack("<d", 1.5)) + octets(1, octets(3, b"text")))),
    octets(3, octets(4, typed("INT64", [2**53 + 1], 1))),
    octets(7, octets(1, b"type.googleapis.com/a.B") + octets(2, b"\xff\xfe")),
    tagged("customer", "17") + octets(5, b"with meta"),
    octets(4, b""),
    octets(5, b""),
    b"",
]


@pytest.mark.requirement("STR-SLG-001")
def test_a_seldon_message_is_answered_with_one(echoes: SeldonStreams, produce: Produce) -> None:
    stream = echoes("echo-seldon-grpc")
    asked = send(stream, produce, *MESSAGES, name=SELDON_MESSAGE)
    expect(*told(stream, asked, SELDON_MESSAGE, MESSAGES), within=WITHIN)


@pytest.mark.requirement("STR-SLG-002")
def test_the_fields_of_later_versions_reach_the_model(echoes: SeldonStreams, produce: Produce) -> None:
    stream = echoes("echo-seldon-grpc")
    unknown = number(1000, 7) + octets(2**29 - 1, b"\xff\x00")
    values = [octets(5, b"text") + unknown, unknown + octets(5, b"text"), unknown]
    expect(*told(stream, send(stream, produce, *values, name=SELDON_MESSAGE), SELDON_MESSAGE, values), within=WITHIN)


def around(stream: SeldonStream, produce: Produce, bad: Sequence[bytes | None], name: str) -> list[Expectation]:
    """Send bad values of a type between good SeldonMessages, of which the first has been answered before.

    Returns:
        The expectations that the good ones behind are answered, and the bad ones not.
    """
    good = octets(5, b"good")
    before = send(stream, produce, good, name=SELDON_MESSAGE)
    expect(*told(stream, before, SELDON_MESSAGE, [good]), within=WITHIN)
    refused = send(stream, produce, *bad, name=name)
    behind = send(stream, produce, *[good] * GOOD, name=SELDON_MESSAGE)
    wanted = told(stream, behind, SELDON_MESSAGE, [good] * GOOD, control=before[0])
    return [*wanted, *unanswered(stream, refused)]


@pytest.mark.requirement("STR-SLG-003")
@pytest.mark.destructive
@pytest.mark.parametrize("name", [PREDICT_REQUEST, INFER_REQUEST], ids=["predict", "infer"])
def test_a_request_of_another_protocol_stops_no_seldon_message(
    echoes: SeldonStreams, produce: Produce, name: str
) -> None:
    expect(*around(echoes("echo-seldon-grpc"), produce, [b""], name), within=WITHIN)


@pytest.mark.requirement("STR-SLG-004")
def test_bytes_that_are_no_seldon_message_stop_no_other(echoes: SeldonStreams, produce: Produce) -> None:
    whole = octets(5, b"good")
    frames = [struct.pack(">I", len(whole)) + whole, struct.pack(">BI", 0, len(whole)) + whole]
    expect(
        *around(
            echoes("echo-seldon-grpc"),
            produce,
            [whole[:-1], b"\xff" * 8, octets(5, b"\xff\xfe"), message(strData="x"), *frames],
            SELDON_MESSAGE,
        ),
        within=WITHIN,
    )


@pytest.mark.requirement("STR-SLG-005")
def test_a_seldon_message_that_the_model_refuses_stops_no_other(echoes: SeldonStreams, produce: Produce) -> None:
    refused = numbered("status", 400) + octets(5, b"bad")
    expect(*around(echoes("echo-seldon-grpc"), produce, [refused] * 2, SELDON_MESSAGE), within=WITHIN)


TENSORS: list[tuple[str, list[int], list[Any]]] = [
    ("BOOL", [2], [True, False]),
    ("INT8", [2], [-128, 127]),
    ("UINT8", [2], [0, 255]),
    ("INT32", [2, 1], [-(2**31), 2**31 - 1]),
    ("FP32", [1, 2], [0.5, -2.25]),
    ("FP64", [2], [0.1, 1e30]),
    ("BYTES", [2], ["Grüße", ""]),
    ("INT64", [0], []),
    ("FP32", [1], [1.5]),
]


@pytest.mark.requirement("STR-INF-001")
def test_an_inference_request_is_answered_in_its_protocol(echoes: SeldonStreams, produce: Produce) -> None:
    stream = echoes("echo-v2-rest")
    described = {**_tensor(0, *TENSORS[0]), "parameters": {"content_type": "np"}}
    bodies = [*[inferring(each) for each in TENSORS], inferring(*TENSORS), message(inputs=[described])]
    wanted = [*[inferred(each) for each in TENSORS], inferred(*TENSORS), {"model_name": "echo", "outputs": [described]}]
    expect(*answered(stream, send(stream, produce, *bodies), wanted), within=WITHIN)
    # Six digits do not hold them, and single precision does not hold the first.
    exact: tuple[str, list[int], list[Any]] = ("FP64", [3], [0.1234567890123456, 1111111.5, 555557.5])
    asked = send(stream, produce, inferring(exact))
    expect(*answered(stream, asked, [inferred(exact)], spelled=True), within=WITHIN)


@pytest.mark.requirement("STR-INF-002")
def test_the_id_of_an_inference_request_is_that_of_its_answer(echoes: SeldonStreams, produce: Produce) -> None:
    stream, ids, tensor = echoes("echo-v2-rest"), ["a", "Grüße", "x" * 200], TENSORS[0]
    asked = send(stream, produce, *[inferring(tensor, id=each) for each in ids])
    expect(*answered(stream, asked, [inferred(tensor, id=each) for each in ids]), within=WITHIN)


@pytest.mark.requirement("STR-INF-006")
def test_the_older_name_of_the_protocol_means_the_same(echoes: SeldonStreams, produce: Produce) -> None:
    stream, tensors = echoes.another("echo-v2-rest", protocol="kfserving"), TENSORS[:3]
    asked = send(stream, produce, *map(inferring, tensors))
    expect(*answered(stream, asked, [inferred(each) for each in tensors]), within=WITHIN)


@pytest.mark.requirement("STR-INF-003")
def test_integers_beyond_double_precision_are_kept(echoes: SeldonStreams, produce: Produce) -> None:
    stream = echoes("echo-v2-rest")
    kinds = [("INT64", [3], [2**53 + 1, 2**63 - 1, -(2**63)]), ("UINT64", [1], [2**64 - 1])]
    tensors: list[tuple[str, list[int], list[Any]]] = [*kinds]
    expect(
        *answered(stream, send(stream, produce, *map(inferring, tensors)), [inferred(each) for each in tensors]),
        within=WITHIN,
    )


@pytest.mark.requirement("STR-INF-004")
@pytest.mark.destructive
@pytest.mark.parametrize("value", [b"[1]", b"5", b"null"], ids=["array", "number", "null"])
def test_json_that_is_no_object_stops_no_inference_request(
    echoes: SeldonStreams, produce: Produce, value: bytes
) -> None:
    stream, good, wanted = echoes("echo-v2-rest"), inferring(TENSORS[0]), inferred(TENSORS[0])
    [before] = send(stream, produce, good)
    expect(*answered(stream, [before], [wanted]), within=WITHIN)
    bad, *behind = send(stream, produce, value, *[good] * GOOD)
    expect(*answered(stream, behind, [wanted] * GOOD, control=before), within=WITHIN)
    expect(*unanswered(stream, [bad]), within=WITHIN)


@pytest.mark.requirement("STR-INF-005")
def test_an_inference_request_that_is_refused_stops_no_other(echoes: SeldonStreams, produce: Produce) -> None:
    stream, good, wanted = echoes("echo-v2-rest"), inferring(TENSORS[0]), inferred(TENSORS[0])
    [before] = send(stream, produce, good)
    expect(*answered(stream, [before], [wanted]), within=WITHIN)
    refused = [b"{}", message(instances=[1]), inferring(TENSORS[0], parameters={"status": 400}), good[:-1], b"", None]
    asked = send(stream, produce, *refused, *[good] * GOOD)
    expect(*answered(stream, asked[len(refused) :], [wanted] * GOOD, control=before), within=WITHIN)
    expect(*unanswered(stream, asked[: len(refused)]), within=WITHIN)


TYPED = [
    infer_tensor("x", "BOOL", [2], octets(1, b"\x01\x00")),
    infer_tensor("x", "INT32", [1], octets(2, number(0, -1)[1:])),
    infer_tensor("x", "INT64", [1], octets(3, number(0, 2**53 + 1)[1:])),
    infer_tensor("x", "UINT32", [1], octets(4, number(0, 2**32 - 1)[1:])),
    infer_tensor("x", "UINT64", [1], octets(5, number(0, 2**64 - 1)[1:])),
    infer_tensor("x", "FP32", [2], octets(6, b"\x00\x00\x00\x80\x01\x00\xc0\x7f")),
    infer_tensor("x", "FP64", [1], octets(7, struct.pack("<d", 5e-324))),
    infer_tensor("x", "BYTES", [2], octets(8, b"\xff\xfe") + octets(8, b"")),
    infer_tensor("x", "FP32", [0]),
    infer_tensor("x", "BOOL", [0]) + octets(4, octets(1, b"content_type") + octets(2, octets(3, b"np"))),
]


@pytest.mark.requirement("STR-IFG-001")
def test_an_inference_message_with_typed_contents_is_answered(echoes: SeldonStreams, produce: Produce) -> None:
    stream = echoes("echo-v2-grpc")
    asked = send(stream, produce, *map(infer_request, TYPED), infer_request(*TYPED), name=INFER_REQUEST)
    expect(*told(stream, asked, INFER_RESPONSE, [*map(infer_response, TYPED), infer_response(*TYPED)]), within=WITHIN)


@pytest.mark.requirement("STR-IFG-004")
def test_the_older_name_of_the_protocol_means_the_same_over_grpc(echoes: SeldonStreams, produce: Produce) -> None:
    stream, tensors = echoes.another("echo-v2-grpc", protocol="kfserving"), TYPED[:3]
    asked = send(stream, produce, *map(infer_request, tensors), name=INFER_REQUEST)
    expect(*told(stream, asked, INFER_RESPONSE, [*map(infer_response, tensors)]), within=WITHIN)


@pytest.mark.requirement("STR-IFG-002")
def test_raw_contents_reach_the_model_byte_for_byte(echoes: SeldonStreams, produce: Produce) -> None:
    stream = echoes("echo-v2-grpc")
    one, two = infer_tensor("x", "FP32", [2]), infer_tensor("y", "BYTES", [1])
    raws = [b"\x01\x00\xc0\x7f\x00\x00\x00\x80", struct.pack("<I", 2) + b"\xff\xfe"]
    asked = send(stream, produce, infer_request(one, two, raw=raws), name=INFER_REQUEST)
    expect(*told(stream, asked, INFER_RESPONSE, [infer_response(one, two, raw=raws)]), within=WITHIN)


@pytest.mark.requirement("STR-IFG-003")
def test_what_is_no_inference_message_stops_no_other(echoes: SeldonStreams, produce: Produce) -> None:
    stream, good, wanted = echoes("echo-v2-grpc"), infer_request(TYPED[0]), infer_response(TYPED[0])
    [before] = send(stream, produce, good, name=INFER_REQUEST)
    expect(*told(stream, [before], INFER_RESPONSE, [wanted]), within=WITHIN)
    refused = good + octets(4, octets(1, b"status") + octets(2, number(2, 400)))
    bad = [good[:-1], b"\xff" * 8, struct.pack(">BI", 0, len(good)) + good, refused, None]
    asked = send(stream, produce, *bad, *[good] * GOOD, name=INFER_REQUEST)
    expect(*told(stream, asked[len(bad) :], INFER_RESPONSE, [wanted] * GOOD, control=before), within=WITHIN)
    expect(*unanswered(stream, asked[: len(bad)]), within=WITHIN)
