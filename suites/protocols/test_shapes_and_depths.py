"""The Open Inference Protocol: shapes that no data fills, numbers that fit no tensor, and JSON that is nested deeply.

Each test has a server of its own, which may die of what it is asked.
"""

import json
from typing import Any

import pytest

from evidence.expectations import call_ended, error_answered, inferred, told
from fixtures import OpenInference, expect, mint
from suites.oracles.open_inference import Tensor, input_of, message, rest
from suites.oracles.tensorflow import number, octets

REFUSED = "INVALID_ARGUMENT"
PAIR = Tensor("INT32", [1, 2])
GOOD = rest(PAIR)
SHAPES = [
    Tensor("INT32", [1, 2], shape=[-1]),
    Tensor("INT32", [1, 2], shape=[2, -1]),
    Tensor("INT32", [1, 2], shape=[-1, -2]),
    Tensor("INT32", [], shape=[2**32, 2**32]),
    Tensor("INT32", [1, 2], shape=[2**63 - 1, 2]),
]
"""Shapes that the data does not fill: of a negative size, or of more values than 64 bits count."""
TOO_LARGE = {"INT8": 300, "INT16": -(2**15) - 1, "UINT8": 2**8, "UINT16": 70_000}
"""A number for each datatype whose field in typed contents holds larger ones."""
DEEP = 100_000
CLOSED = "[" * DEEP + "]" * DEEP
BARE = ["[" * DEEP, CLOSED, '{"inputs":' * DEEP]
"""Deeply nested texts that are no JSON object."""
MANY = 900
"""So many dimensions that functions for each of them would call each other too often."""


def nested(**members: Any) -> bytes:
    """Return a request with members whose text `deep` stands for deeply nested JSON."""
    return json.dumps({"inputs": [PAIR.as_json()], **members}).replace('"deep"', CLOSED).encode()


WITHIN = [
    nested(inputs=[{**PAIR.as_json(), "data": "deep"}]),
    nested(parameters={"x": "deep"}),
    nested(extra="deep"),
    rest(Tensor("INT32", [7], shape=[1] * MANY)).replace(b"[7]", b"[" * MANY + b"7" + b"]" * MANY),
]
"""Requests with deeply nested JSON in one of their members, the last one of a shape that it fits."""


def beside(open_inference: OpenInference) -> OpenInference:
    """Return a server of the test's own."""
    return open_inference.another(f"echo-{mint()[:8]}")


def typed(server: OpenInference, datatype: str, value: int) -> bytes:
    """Return a ModelInferRequest of one tensor with a number in typed contents: int_contents 2 or uint_contents 4."""
    field = 4 if datatype.startswith("U") else 2
    described = input_of(Tensor(datatype, [0]), octets(field, number(0, value)[1:]))
    return octets(1, server.model.encode()) + octets(5, described)


@pytest.mark.requirement("OIP-ERR-005")
def test_a_shape_that_no_data_fills_is_refused(open_inference: OpenInference) -> None:
    server = beside(open_inference)
    control = server.infer(GOOD)
    expect(*(error_answered(server.infer(rest(tensor)), control=control) for tensor in SHAPES))


@pytest.mark.requirement("OIP-GRP-016")
def test_a_shape_that_no_data_fills_ends_a_call(open_inference: OpenInference) -> None:
    server = beside(open_inference)
    control = server.call("ModelInfer", message(PAIR, raw=False, model=server.model))
    messages = [message(tensor, raw=raw, model=server.model) for tensor in SHAPES for raw in (False, True)]
    expect(*(call_ended(server.call("ModelInfer", each), REFUSED, control=control) for each in messages))


@pytest.mark.requirement("OIP-ERR-012")
def test_a_shape_that_no_data_fills_stops_no_other_request(open_inference: OpenInference) -> None:
    server = beside(open_inference)
    call, control = message(PAIR, raw=False, model=server.model), server.infer(GOOD)
    before = server.call("ModelInfer", call)
    sent = [(server.infer(rest(tensor)), server.infer(GOOD)) for tensor in SHAPES]
    strange = [message(tensor, raw=True, model=server.model) for tensor in SHAPES]
    called = [(server.call("ModelInfer", each), server.call("ModelInfer", call)) for each in strange]
    expect(
        *(inferred(good, [PAIR.expected()], control=control) for _, good in sent),
        *(inferred(good, [PAIR.expected()], control=before) for _, good in called),
    )


@pytest.mark.requirement("OIP-GRP-015")
def test_more_raw_contents_than_inputs_are_refused(open_inference: OpenInference) -> None:
    body = message(PAIR, raw=True, model=open_inference.model)
    surplus = [body + octets(7, PAIR.raw), body + octets(7, b"")]
    expect(*(call_ended(call, REFUSED) for call in open_inference.call_all("ModelInfer", surplus)))


@pytest.mark.requirement("OIP-GRP-021")
def test_a_number_out_of_range_ends_a_call(open_inference: OpenInference) -> None:
    messages = [typed(open_inference, *each) for each in TOO_LARGE.items()]
    expect(*(call_ended(call, REFUSED) for call in open_inference.call_all("ModelInfer", messages)))


@pytest.mark.requirement("OIP-ERR-001")
def test_a_body_of_brackets_is_refused(open_inference: OpenInference) -> None:
    server = beside(open_inference)
    control = server.infer(GOOD)
    expect(*(error_answered(server.infer(body.encode()), control=control) for body in BARE))


@pytest.mark.requirement("OIP-ERR-013")
def test_deeply_nested_json_stops_no_other_request(open_inference: OpenInference) -> None:
    server = beside(open_inference)
    control = server.infer(GOOD)
    sent = [(server.infer(body), server.infer(GOOD)) for body in [*map(str.encode, BARE), *WITHIN]]
    expect(*(inferred(good, [PAIR.expected()], control=control) for _, good in sent))


@pytest.mark.requirement("OIP-ERR-013")
def test_deeply_nested_instances_stop_no_other_request(open_inference: OpenInference) -> None:
    server = beside(open_inference)
    path, bodies = f"/v1/models/{server.model}:predict", [*BARE, f'{{"instances": {CLOSED}}}']
    control = server.post(path, b'{"instances": [1]}')
    sent = [(server.post(path, body.encode()), server.post(path, b'{"instances": [7]}')) for body in bodies]
    expect(*(told(good, {"predictions": [7]}, control=control) for _, good in sent))
