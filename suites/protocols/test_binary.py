"""The extension for binary data, which no server has to have: read rightly or refused, in requests and in answers."""

import json

import pytest

from evidence.expectations import error_answered, inferred
from fixtures import OpenInference, expect
from suites.oracles.open_inference import MALFORMED_BYTES, Tensor, rest

LENGTH = "inference-header-content-length"
PAIRS = Tensor("INT8", [1, 2], name="first"), Tensor("INT8", [3, 4], name="second")


def request(*tensors: Tensor, plain: Tensor | None = None) -> tuple[bytes, bytes]:
    """Return the JSON of a request and the binary data behind it; `plain`: a first tensor with its data in JSON."""
    described = [
        {
            "name": tensor.called,
            "datatype": tensor.datatype,
            "shape": tensor.sizes,
            "parameters": {"binary_data_size": len(tensor.raw)},
        }
        for tensor in tensors
    ]
    inputs = [*([plain.as_json()] if plain else []), *described]
    return json.dumps({"inputs": inputs}).encode(), b"".join(tensor.raw for tensor in tensors)


def headers(length: object) -> list[tuple[str, str]]:
    """Return the headers of such a request."""
    return [("content-type", "application/octet-stream"), (LENGTH, str(length))]


@pytest.mark.requirement("OIP-BIN-004")
def test_bytes_that_are_framed_wrongly_are_refused(open_inference: OpenInference) -> None:
    entry = {"name": "x", "datatype": "BYTES", "shape": [3]}
    sizes = [{"parameters": {"binary_data_size": len(raw)}} for raw in MALFORMED_BYTES]
    heads = [json.dumps({"inputs": [{**entry, **size}]}).encode() for size in sizes]
    asked = zip(heads, MALFORMED_BYTES, strict=True)
    expect(*(error_answered(open_inference.infer(head + raw, headers(len(head)))) for head, raw in asked))


@pytest.mark.requirement("OIP-BIN-005")
def test_each_input_has_its_own_binary_data(open_inference: OpenInference) -> None:
    asked = request(*PAIRS), request(PAIRS[1], plain=PAIRS[0])
    exchanges = [open_inference.infer(head + raw, headers(len(head))) for head, raw in asked]
    expect(*(inferred(one, [pair.expected() for pair in PAIRS], or_refused=True) for one in exchanges))


@pytest.mark.requirement("OIP-BIN-006")
def test_a_wrong_length_of_the_json_is_refused(open_inference: OpenInference) -> None:
    head, raw = request(*PAIRS)
    lengths = 10**9, -1, "x", len(head) - 1
    surplus = open_inference.infer(head + raw + b"\0", headers(len(head)))
    expect(
        *(error_answered(open_inference.infer(head + raw, headers(length))) for length in lengths),
        inferred(surplus, [pair.expected() for pair in PAIRS], or_refused=True),
    )


@pytest.mark.requirement("OIP-BIN-007")
def test_binary_outputs_are_binary_or_json(open_inference: OpenInference) -> None:
    outputs = [{"name": pair.called, "parameters": {"binary_data": True}} for pair in PAIRS]
    asked = rest(*PAIRS, parameters={"binary_data_output": True}), rest(*PAIRS, outputs=outputs)
    exchanges = [open_inference.infer(body) for body in asked]
    expect(*(inferred(one, [pair.expected() for pair in PAIRS]) for one in exchanges))
