"""The Open Inference Protocol over REST: health, metadata, and what an inference request is answered with."""

import json

import pytest

from evidence.expectations import header, inferred, told
from fixtures import OpenInference, expect, mint
from suites.oracles.open_inference import DATATYPES, IDS, Tensor, limits, rest

MANY = 16
ROW = Tensor("INT32", [3, 1, 2])
GRID = Tensor("INT64", [1, 2, 3, 4, 5, 6], shape=[2, 3])
METADATA = [{"name": datatype.lower(), "datatype": datatype, "shape": [-1]} for datatype in DATATYPES]


@pytest.mark.requirement("OIP-HLT-001")
def test_a_live_server_says_so(open_inference: OpenInference) -> None:
    expect(told(open_inference.get("/v2/health/live"), {"live": True}))


@pytest.mark.requirement("OIP-HLT-002")
def test_a_ready_server_says_so(open_inference: OpenInference) -> None:
    expect(told(open_inference.get("/v2/health/ready"), {"ready": True}))


@pytest.mark.requirement("OIP-HLT-003")
def test_a_ready_model_says_so(open_inference: OpenInference) -> None:
    seen = open_inference.get(f"/v2/models/{open_inference.model}/ready")
    expect(told(seen, {"name": open_inference.model, "ready": True}))


@pytest.mark.requirement("OIP-MTD-001")
def test_a_server_names_itself_and_its_extensions(open_inference: OpenInference) -> None:
    fields = {"name": None, "version": None, "extensions": ["model_repository_extension"]}
    expect(told(open_inference.get("/v2"), fields))


@pytest.mark.requirement("OIP-MTD-002")
def test_a_model_tells_its_inputs_and_outputs(open_inference: OpenInference) -> None:
    seen = open_inference.get(f"/v2/models/{open_inference.model}")
    expect(told(seen, {"name": open_inference.model, "inputs": METADATA, "outputs": METADATA}))


@pytest.mark.requirement("OIP-INF-001")
@pytest.mark.parametrize("name", IDS.values(), ids=IDS)
def test_the_id_comes_back(open_inference: OpenInference, name: str) -> None:
    expect(inferred(open_inference.infer(rest(ROW, id=name)), [ROW.expected()], id=name))


@pytest.mark.requirement("OIP-INF-002")
def test_a_request_needs_no_id(open_inference: OpenInference) -> None:
    expect(inferred(open_inference.infer(rest(ROW, id=None)), [ROW.expected()], model=open_inference.model))


@pytest.mark.requirement("OIP-INF-003")
def test_outputs_are_described_whole(open_inference: OpenInference) -> None:
    scalar = Tensor("FP64", [0.5], shape=[])
    cube = Tensor("INT32", list(range(8)), shape=[2, 2, 2])
    tensors = [GRID, scalar, cube, Tensor("BOOL", [True, False], shape=[1, 2])]
    expect(inferred(open_inference.infer(rest(*tensors)), [tensor.expected() for tensor in tensors]))


@pytest.mark.requirement("OIP-INF-004")
def test_an_answer_is_json_by_its_media_type(open_inference: OpenInference) -> None:
    expect(header(open_inference.infer(rest(ROW)), "content-type", "application/json"))


@pytest.mark.requirement("OIP-INF-005")
def test_only_the_requested_outputs_come(open_inference: OpenInference) -> None:
    other = Tensor("BOOL", [True])
    body = rest(ROW, other, outputs=[{"name": other.called}])
    expect(inferred(open_inference.infer(body), [other.expected()]))


@pytest.mark.requirement("OIP-INF-006")
def test_parameters_that_mean_nothing_change_nothing(open_inference: OpenInference) -> None:
    parameters = {"text": "a", "number": 7, "flag": True}
    body = {"id": "1", "parameters": parameters, "inputs": [{**ROW.as_json(), "parameters": parameters}]}
    expect(inferred(open_inference.infer(json.dumps(body).encode()), [ROW.expected()]))


@pytest.mark.requirement("OIP-INF-007")
def test_nested_data_is_the_same_as_flat(open_inference: OpenInference) -> None:
    body = json.dumps({"id": "1", "inputs": [GRID.as_json([[1, 2, 3], [4, 5, 6]])]}).encode()
    expect(inferred(open_inference.infer(body), [GRID.expected()]))


@pytest.mark.requirement("OIP-INF-008")
def test_each_of_many_calls_gets_its_own_answer(open_inference: OpenInference) -> None:
    asked = [(mint(), Tensor("INT64", [place, -place])) for place in range(MANY)]
    exchanges = open_inference.infer_all([rest(tensor, id=name) for name, tensor in asked])
    expect(
        *(
            inferred(exchange, [tensor.expected()], id=name)
            for exchange, (name, tensor) in zip(exchanges, asked, strict=True)
        )
    )


@pytest.mark.requirement("OIP-INF-009")
def test_an_empty_batch_has_an_empty_answer(open_inference: OpenInference) -> None:
    empty = Tensor("FP32", [], shape=[0, 4])
    expect(inferred(open_inference.infer(rest(empty)), [empty.expected()]))


@pytest.mark.requirement("OIP-INF-010")
def test_a_media_type_may_name_its_charset(open_inference: OpenInference) -> None:
    headers = [("content-type", "Application/JSON; charset=utf-8")]
    expect(inferred(open_inference.infer(rest(ROW), headers), [ROW.expected()]))


@pytest.mark.requirement("OIP-TYP-001")
def test_booleans_and_small_integers_keep_their_limits(open_inference: OpenInference) -> None:
    tensors = limits("BOOL", "UINT8", "UINT16", "UINT32", "INT8", "INT16", "INT32")
    expect(inferred(open_inference.infer(rest(*tensors)), [tensor.expected() for tensor in tensors]))


@pytest.mark.requirement("OIP-TYP-002")
def test_integers_beyond_2_to_53_are_exact(open_inference: OpenInference) -> None:
    tensors = [*limits("INT64", "UINT64"), Tensor("INT64", [2**53 + 1, -(2**53) - 1], name="beyond")]
    expect(inferred(open_inference.infer(rest(*tensors)), [tensor.expected() for tensor in tensors]))


@pytest.mark.requirement("OIP-TYP-003")
def test_floats_keep_their_limits(open_inference: OpenInference) -> None:
    tensors = limits("FP32", "FP64")
    expect(inferred(open_inference.infer(rest(*tensors)), [tensor.expected() for tensor in tensors]))


@pytest.mark.requirement("OIP-TYP-004")
def test_text_keeps_its_characters(open_inference: OpenInference) -> None:
    (text,) = limits("BYTES")
    expect(inferred(open_inference.infer(rest(text)), [text.expected()]))


@pytest.mark.requirement("OIP-TYP-005")
def test_half_floats_in_json_are_right_or_refused(open_inference: OpenInference) -> None:
    (halves,) = limits("FP16")
    expect(inferred(open_inference.infer(rest(halves)), [halves.expected()], or_refused=True))
