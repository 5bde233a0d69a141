"""The Open Inference Protocol over REST: what cannot be answered is refused, with an error that says why."""

import json
import math
from typing import Any

import pytest

from evidence.expectations import Expectation, error_answered, inferred
from fixtures import OpenInference, expect
from suites.oracles.open_inference import Tensor, binary, rest

PAIR = Tensor("INT32", [1, 2])


def asking(**members: Any) -> bytes:
    """Return a request whose input has other members; None: it lacks one."""
    entry = {**PAIR.as_json(), **members}
    return json.dumps({"inputs": [{name: value for name, value in entry.items() if value is not None}]}).encode()


def refused(open_inference: OpenInference, *bodies: bytes) -> list[Expectation]:
    """Send requests, and return that each of them is refused, with an error that says why."""
    return [error_answered(open_inference.infer(body)) for body in bodies]


@pytest.mark.requirement("OIP-ERR-001")
def test_what_is_no_request_in_json_is_refused(open_inference: OpenInference) -> None:
    literals = asking(datatype="FP32").replace(b"[1, 2]", b"[NaN, Infinity]", 1)
    expect(*refused(open_inference, b'{"inputs": [', b"[1]", literals))


@pytest.mark.requirement("OIP-ERR-002")
def test_an_unknown_model_is_not_found(open_inference: OpenInference) -> None:
    path = "/v2/models/no-such-model"
    asked = open_inference.infer(rest(PAIR), model="no-such-model")
    expect(*(error_answered(seen, 404) for seen in (asked, *map(open_inference.get, (path, f"{path}/ready")))))


@pytest.mark.requirement("OIP-ERR-003")
def test_an_input_without_a_member_is_refused(open_inference: OpenInference) -> None:
    expect(*refused(open_inference, *(asking(**{member: None}) for member in ("name", "shape", "datatype", "data"))))


@pytest.mark.requirement("OIP-ERR-004")
def test_a_request_without_inputs_is_refused(open_inference: OpenInference) -> None:
    expect(*refused(open_inference, b'{"id": "1"}'))


@pytest.mark.requirement("OIP-ERR-005")
def test_data_that_does_not_fill_its_shape_is_refused(open_inference: OpenInference) -> None:
    expect(*refused(open_inference, *(asking(shape=shape) for shape in ([3], [1], [-2]))))


@pytest.mark.requirement("OIP-ERR-006")
def test_values_of_another_type_are_refused(open_inference: OpenInference) -> None:
    wrong = ("INT32", ["1", "2"]), ("INT32", [1.5, 2]), ("BOOL", ["false", "true"])
    expect(*refused(open_inference, *(asking(datatype=datatype, data=data) for datatype, data in wrong)))


@pytest.mark.requirement("OIP-ERR-007")
def test_a_number_out_of_range_is_refused(open_inference: OpenInference) -> None:
    wrong = ("INT8", "300"), ("UINT8", "-1"), ("FP32", "1e39"), ("FP64", "1e400"), ("FP64", "-1e400")
    bodies = [asking(datatype=datatype, data=[0, "?"]).replace(b'"?"', value.encode()) for datatype, value in wrong]
    expect(*refused(open_inference, *bodies))


@pytest.mark.requirement("OIP-ERR-008")
def test_an_unknown_datatype_is_refused(open_inference: OpenInference) -> None:
    expect(*refused(open_inference, asking(datatype="INT33")))


@pytest.mark.requirement("OIP-ERR-009")
def test_an_unknown_output_is_refused(open_inference: OpenInference) -> None:
    expect(*refused(open_inference, rest(PAIR, outputs=[{"name": "no-such-output"}])))


@pytest.mark.requirement("OIP-BIN-001")
def test_binary_data_is_read_rightly_or_refused(open_inference: OpenInference) -> None:
    tensors = PAIR, Tensor("FP16", [0.5, -2.0]), Tensor("BYTES", ["grüße".encode()])
    expect(
        *(inferred(open_inference.infer(*binary(tensor)), [tensor.expected()], or_refused=True) for tensor in tensors)
    )


@pytest.mark.requirement("OIP-BIN-002")
def test_binary_data_that_json_cannot_say_is_refused(open_inference: OpenInference) -> None:
    unsayable = Tensor("BYTES", [b"\xff\xfe"]), Tensor("FP32", [math.nan, math.inf]), Tensor("FP64", [-math.inf])
    expect(*(error_answered(open_inference.infer(*binary(tensor))) for tensor in unsayable))


@pytest.mark.requirement("OIP-BIN-003")
def test_binary_data_that_is_cut_off_is_refused(open_inference: OpenInference) -> None:
    expect(error_answered(open_inference.infer(*binary(Tensor("INT32", [7]), size=8))))
