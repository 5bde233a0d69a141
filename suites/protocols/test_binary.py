"""The extension for binary data, which no server has to have: read rightly or refused, in requests and in answers."""

import pytest

from evidence.expectations import error_answered, inferred
from fixtures import OpenInference, expect
from suites.oracles.open_inference import HEADER_LENGTH, MALFORMED_BYTES, Tensor, binary, rest

PAIRS = Tensor("INT8", [1, 2], name="first"), Tensor("INT8", [3, 4], name="second")


@pytest.mark.requirement("OIP-BIN-004")
def test_bytes_that_are_framed_wrongly_are_refused(open_inference: OpenInference) -> None:
    three = Tensor("BYTES", [], shape=[3], name="x")
    asked = [binary(three, raw=raw, size=len(raw)) for raw in MALFORMED_BYTES]
    expect(*(error_answered(open_inference.infer(*one)) for one in asked))


@pytest.mark.requirement("OIP-BIN-005")
def test_each_input_has_its_own_binary_data(open_inference: OpenInference) -> None:
    exchanges = [open_inference.infer(*one) for one in (binary(*PAIRS), binary(PAIRS[1], plain=PAIRS[0]))]
    expect(*(inferred(one, [pair.expected() for pair in PAIRS], or_refused=True) for one in exchanges))


@pytest.mark.requirement("OIP-BIN-006")
def test_a_wrong_length_of_the_json_is_refused(open_inference: OpenInference) -> None:
    _, headers = binary(*PAIRS)
    lengths = 10**9, -1, "x", int(dict(headers)[HEADER_LENGTH]) - 1
    surplus = open_inference.infer(*binary(*PAIRS, raw=b"".join(pair.raw for pair in PAIRS) + b"\0"))
    expect(
        *(error_answered(open_inference.infer(*binary(*PAIRS, length=length))) for length in lengths),
        inferred(surplus, [pair.expected() for pair in PAIRS], or_refused=True),
    )


@pytest.mark.requirement("OIP-BIN-007")
def test_binary_outputs_are_binary_or_json(open_inference: OpenInference) -> None:
    outputs = [{"name": pair.called, "parameters": {"binary_data": True}} for pair in PAIRS]
    asked = rest(*PAIRS, parameters={"binary_data_output": True}), rest(*PAIRS, outputs=outputs)
    exchanges = [open_inference.infer(body) for body in asked]
    expect(*(inferred(one, [pair.expected() for pair in PAIRS]) for one in exchanges))
