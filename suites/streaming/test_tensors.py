"""Tensors of every type and form reach a model as they were sent: it answers them, and they are the same bit by bit."""

import struct
from collections.abc import Sequence

import pytest

from evidence.expectations import Expectation, stream_answer
from fixtures import GeneratedRecords, Produce, SeldonStream, SeldonStreams, expect
from suites.oracles import messages as m
from suites.tensors import (
    DOUBLE_NAN,
    DOUBLE_PAYLOAD,
    MINUS_NAN,
    PAYLOAD_NAN,
    QUIET_NAN,
    SIZES,
    bursts,
)
from suites.wire import fresh

WITHIN = 5.0  # seconds; an answer counts as missing only after them


def same(stream: SeldonStream, produce: Produce, tensors: Sequence[bytes]) -> list[Expectation]:
    """Send a request for each tensor, all in one batch; return the expectations that each is answered as it is."""
    headers = [("proto-name", m.PREDICT_REQUEST)]
    values = [m.asked(tensor) for tensor in tensors]
    asked = produce.many(stream.input, [{"value": value, "key": fresh("key"), "headers": headers} for value in values])
    return [
        stream_answer(one, stream.output, group=stream.group, message=(m.PREDICT_RESPONSE, m.echoed(tensor)))
        for one, tensor in zip(asked, tensors, strict=True)
    ]


TYPED = {
    **{kind: m.typed(kind, [1.5, -2.25], 2) for kind in ("FLOAT", "DOUBLE")},
    **{kind: m.typed(kind, [1.5, -2.25], 1) for kind in ("COMPLEX64", "COMPLEX128")},
    **{kind: m.typed(kind, [0, 127], 2) for kind in ("UINT8", "UINT16", "HALF", "BFLOAT16", "QINT8")},
    **{kind: m.typed(kind, [-1, 127], 2) for kind in ("INT8", "INT16")},
    "INT32": m.typed("INT32", [-(2**31), 2**31 - 1], 2),
    "INT64": m.typed("INT64", [-(2**63), 2**53 + 1], 2),
    "UINT32": m.typed("UINT32", [2**32 - 1], 1),
    "UINT64": m.typed("UINT64", [2**64 - 1], 1),
    "BOOL": m.typed("BOOL", [1, 0], 2),
}


@pytest.mark.requirement("STR-TNS-001")
def test_a_tensor_of_each_type_is_kept_in_the_field_of_its_type(echoes: SeldonStreams, produce: Produce) -> None:
    expect(*same(echoes("echo-tensorflow-grpc"), produce, list(TYPED.values())), within=WITHIN)


@pytest.mark.requirement("STR-TNS-002")
def test_a_tensor_of_each_type_is_kept_as_bytes(echoes: SeldonStreams, produce: Produce) -> None:
    tensors = [m.content(kind, bytes(range(1, 2 * size + 1)), 2) for kind, size in SIZES.items()]
    expect(*same(echoes("echo-tensorflow-grpc"), produce, tensors), within=WITHIN)


@pytest.mark.requirement("STR-TNS-003")
def test_a_scalar_is_a_tensor_without_dimensions(echoes: SeldonStreams, produce: Produce) -> None:
    tensors = [m.typed("FLOAT", [1.5]), m.typed("INT64", [7]), m.content("DOUBLE", bytes(8)), m.strings([b"one"])]
    expect(*same(echoes("echo-tensorflow-grpc"), produce, tensors), within=WITHIN)


@pytest.mark.requirement("STR-TNS-004")
def test_a_tensor_without_elements_keeps_its_shape(echoes: SeldonStreams, produce: Produce) -> None:
    tensors = [m.typed("FLOAT", [], 0), m.typed("INT64", [], 2, 0, 3), m.content("DOUBLE", b"", 0, 4), m.strings([], 0)]
    expect(*same(echoes("echo-tensorflow-grpc"), produce, tensors), within=WITHIN)


@pytest.mark.requirement("STR-TNS-005")
def test_zeros_of_either_sign_and_every_nan_are_kept(echoes: SeldonStreams, produce: Produce) -> None:
    singles = struct.pack("<6I", QUIET_NAN, PAYLOAD_NAN, MINUS_NAN, 0x80000000, 0x7F800000, 0xFF800000)
    doubles = struct.pack("<4Q", DOUBLE_NAN, DOUBLE_PAYLOAD, 1 << 63, 0x7FF << 52)
    tensors = [m.bits("FLOAT", singles, 6), m.bits("DOUBLE", doubles, 4)]
    tensors += [m.content("FLOAT", singles, 6), m.content("DOUBLE", doubles, 4)]
    expect(*same(echoes("echo-tensorflow-grpc"), produce, tensors), within=WITHIN)


@pytest.mark.requirement("STR-TNS-006")
def test_subnormal_numbers_are_kept(echoes: SeldonStreams, produce: Produce) -> None:
    tensors = [
        m.bits("FLOAT", struct.pack("<3I", 1, 0x007FFFFF, 0x80000001), 3),
        m.bits("DOUBLE", struct.pack("<3Q", 1, (1 << 52) - 1, 1 << 63 | 1), 3),
    ]
    expect(*same(echoes("echo-tensorflow-grpc"), produce, tensors), within=WITHIN)


@pytest.mark.requirement("STR-TNS-007")
def test_strings_are_any_bytes(echoes: SeldonStreams, produce: Produce) -> None:
    tensors = [m.strings([b"\xff\xfe", b"", "Grüße".encode(), b"\x00"], 4), m.strings([b"x" * 4096], 1)]
    expect(*same(echoes("echo-tensorflow-grpc"), produce, tensors), within=WITHIN)


@pytest.mark.requirement("STR-TNS-008")
def test_the_golden_message_is_answered_field_by_field(echoes: SeldonStreams, produce: Produce) -> None:
    stream = echoes("echo-tensorflow-grpc")
    asked = produce(stream.input, m.GOLDEN, key=fresh("golden"), headers=[("proto-name", m.PREDICT_REQUEST)])
    wanted = (m.PREDICT_RESPONSE, m.GOLDEN_ANSWER)
    expect(stream_answer(asked, stream.output, group=stream.group, message=wanted), within=WITHIN)


@pytest.mark.requirement("STR-TNS-010")
def test_each_of_several_inputs_reaches_the_model(echoes: SeldonStreams, produce: Produce) -> None:
    stream = echoes("echo-tensorflow-grpc")
    named = {"x": TYPED["FLOAT"], "y": TYPED["INT64"], "Grüße": m.strings([b"\xff"], 1)}
    asked = produce(stream.input, m.asked_of(named), key=fresh("key"), headers=[("proto-name", m.PREDICT_REQUEST)])
    wanted = (m.PREDICT_RESPONSE, m.echoed_of(named))
    expect(stream_answer(asked, stream.output, group=stream.group, message=wanted), within=WITHIN)


@pytest.mark.requirement("STR-TNS-009")
def test_any_tensor_is_kept_bit_by_bit(
    echoes: SeldonStreams, produce: Produce, generated_records: GeneratedRecords
) -> None:
    stream, generated = echoes("echo-tensorflow-grpc"), generated_records
    generated(bursts(), lambda tensors: lambda: same(stream, produce, tensors), examples=2)
