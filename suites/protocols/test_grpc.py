"""The Open Inference Protocol over gRPC: health, metadata, tensors in both of their forms, and refusals."""

import math
import struct

import pytest

from evidence.expectations import call_ended, call_told, inferred
from fixtures import OpenInference, expect, mint
from suites.oracles.open_inference import (
    DATATYPES,
    IDS,
    MALFORMED_BYTES,
    Tensor,
    contents,
    input_of,
    limits,
    message,
    named,
    rest,
)
from suites.oracles.tensorflow import octets

MANY = 16
REFUSED = "INVALID_ARGUMENT"
PAIR = Tensor("INT32", [1, 2])
OTHER = Tensor("BOOL", [True])
METADATA = [{"name": datatype.lower(), "datatype": datatype, "shape": [-1]} for datatype in DATATYPES]
QUIET_NAN = {"FP16": b"\x01\x7e", "FP32": b"\x01\x00\xc0\x7f", "FP64": b"\x01\x00\x00\x00\x00\x00\xf8\x7f"}


@pytest.mark.requirement("OIP-GRP-001")
def test_server_and_model_are_live_and_ready(open_inference: OpenInference) -> None:
    live, ready = open_inference.call("ServerLive"), open_inference.call("ServerReady")
    model = open_inference.call("ModelReady", named(open_inference.model))
    expect(
        call_told(live, "ServerLiveResponse", {"live": True}),
        call_told(ready, "ServerReadyResponse", {"ready": True}),
        call_told(model, "ModelReadyResponse", {"ready": True}),
    )


@pytest.mark.requirement("OIP-GRP-002")
def test_a_server_names_itself_and_its_extensions(open_inference: OpenInference) -> None:
    fields = {"name": None, "version": None, "extensions": ["model_repository_extension"]}
    expect(call_told(open_inference.call("ServerMetadata"), "ServerMetadataResponse", fields))


@pytest.mark.requirement("OIP-GRP-003")
def test_a_model_tells_its_inputs_and_outputs(open_inference: OpenInference) -> None:
    call = open_inference.call("ModelMetadata", named(open_inference.model))
    fields = {"name": open_inference.model, "inputs": METADATA, "outputs": METADATA}
    expect(call_told(call, "ModelMetadataResponse", fields))


@pytest.mark.requirement("OIP-GRP-004")
@pytest.mark.parametrize("name", IDS.values(), ids=IDS)
def test_id_and_model_name_come_back(open_inference: OpenInference, name: str) -> None:
    model = open_inference.model
    call = open_inference.call("ModelInfer", message(PAIR, raw=False, model=model, id=name))
    expect(inferred(call, [PAIR.expected()], id=name, model=model))


@pytest.mark.requirement("OIP-GRP-005")
def test_typed_contents_keep_their_limits(open_inference: OpenInference) -> None:
    tensors = limits(*(datatype for datatype in DATATYPES if datatype != "FP16"))
    call = open_inference.call("ModelInfer", message(*tensors, raw=False, model=open_inference.model))
    expect(inferred(call, [tensor.expected() for tensor in tensors]))


@pytest.mark.requirement("OIP-GRP-006")
def test_raw_contents_keep_their_limits(open_inference: OpenInference) -> None:
    tensors = limits(*DATATYPES)
    call = open_inference.call("ModelInfer", message(*tensors, raw=True, model=open_inference.model))
    expect(inferred(call, [tensor.expected() for tensor in tensors]))


@pytest.mark.requirement("OIP-GRP-007")
def test_bytes_need_not_be_text(open_inference: OpenInference) -> None:
    tensor = Tensor("BYTES", [b"\xff\xfe", b"\x80", b""])
    messages = [message(tensor, raw=raw, model=open_inference.model) for raw in (False, True)]
    expect(*(inferred(call, [tensor.expected()]) for call in open_inference.call_all("ModelInfer", messages)))


@pytest.mark.requirement("OIP-GRP-008")
def test_nan_and_the_infinities_keep_their_bits(open_inference: OpenInference) -> None:
    codes = {"FP16": "e", "FP32": "f", "FP64": "d"}
    tensors = [
        Tensor(datatype, [*struct.unpack(f"<{codes[datatype]}", nan), math.inf, -math.inf])
        for datatype, nan in QUIET_NAN.items()
    ]
    call = open_inference.call("ModelInfer", message(*tensors, raw=True, model=open_inference.model))
    expect(inferred(call, [tensor.expected() for tensor in tensors]))


@pytest.mark.requirement("OIP-GRP-009")
def test_only_the_requested_outputs_come(open_inference: OpenInference) -> None:
    body = message(PAIR, OTHER, raw=False, model=open_inference.model, outputs=[OTHER.called])
    expect(inferred(open_inference.call("ModelInfer", body), [OTHER.expected()]))


@pytest.mark.requirement("OIP-GRP-010")
def test_an_empty_batch_has_an_empty_answer(open_inference: OpenInference) -> None:
    empty = Tensor("FP32", [], shape=[0, 4])
    call = open_inference.call("ModelInfer", message(empty, raw=True, model=open_inference.model))
    expect(inferred(call, [empty.expected()]))


@pytest.mark.requirement("OIP-GRP-011")
def test_each_of_many_calls_gets_its_own_answer(open_inference: OpenInference) -> None:
    asked = [(mint(), Tensor("INT64", [place, -place])) for place in range(MANY)]
    messages = [message(tensor, raw=False, model=open_inference.model, id=name) for name, tensor in asked]
    calls = open_inference.call_all("ModelInfer", messages)
    expect(*(inferred(call, [tensor.expected()], id=name) for call, (name, tensor) in zip(calls, asked, strict=True)))


@pytest.mark.requirement("OIP-GRP-012")
def test_rest_and_grpc_answer_alike(open_inference: OpenInference) -> None:
    tensors, asked = [Tensor("INT64", [2**53 + 1, -1, 0, 7], shape=[2, 2]), OTHER, *limits("FP32", "BYTES")], mint()
    exchange = open_inference.infer(rest(*tensors, id=asked))
    call = open_inference.call("ModelInfer", message(*tensors, raw=False, model=open_inference.model, id=asked))
    outputs = [tensor.expected() for tensor in tensors]
    expect(*(inferred(each, outputs, id=asked, model=open_inference.model) for each in (exchange, call)))


@pytest.mark.requirement("OIP-GRP-013")
def test_an_unknown_model_is_not_found(open_inference: OpenInference) -> None:
    unknown = "no-such-model"
    calls = [open_inference.call(method, named(unknown)) for method in ("ModelMetadata", "ModelReady")]
    calls.append(open_inference.call("ModelInfer", message(PAIR, raw=False, model=unknown)))
    expect(*(call_ended(call, "NOT_FOUND") for call in calls))


@pytest.mark.requirement("OIP-GRP-014")
def test_both_forms_of_data_at_once_are_refused(open_inference: OpenInference) -> None:
    body = message(PAIR, raw=False, model=open_inference.model) + octets(7, PAIR.raw)
    expect(call_ended(open_inference.call("ModelInfer", body), REFUSED))


@pytest.mark.requirement("OIP-GRP-015")
def test_raw_contents_for_some_inputs_only_are_refused(open_inference: OpenInference) -> None:
    body = message(PAIR, raw=True, model=open_inference.model) + octets(5, input_of(OTHER, None))
    expect(call_ended(open_inference.call("ModelInfer", body), REFUSED))


@pytest.mark.requirement("OIP-GRP-016")
def test_data_that_does_not_fill_its_shape_is_refused(open_inference: OpenInference) -> None:
    short = Tensor("INT32", [1, 2], shape=[3])
    messages = [message(short, raw=raw, model=open_inference.model) for raw in (False, True)]
    expect(*(call_ended(call, REFUSED) for call in open_inference.call_all("ModelInfer", messages)))


@pytest.mark.requirement("OIP-GRP-017")
def test_contents_of_another_datatype_are_refused(open_inference: OpenInference) -> None:
    floats = contents(Tensor("FP32", [1.0, 2.0]))
    body = octets(1, open_inference.model.encode()) + octets(5, input_of(PAIR, floats))
    expect(call_ended(open_inference.call("ModelInfer", body), REFUSED))


@pytest.mark.requirement("OIP-GRP-018")
def test_an_unknown_datatype_is_refused(open_inference: OpenInference) -> None:
    described = octets(1, b"x") + octets(2, b"INT33") + octets(5, contents(PAIR))
    body = octets(1, open_inference.model.encode()) + octets(5, described)
    expect(call_ended(open_inference.call("ModelInfer", body), REFUSED))


@pytest.mark.requirement("OIP-GRP-019")
def test_an_unknown_output_is_refused(open_inference: OpenInference) -> None:
    body = message(PAIR, raw=False, model=open_inference.model, outputs=["no-such-output"])
    expect(call_ended(open_inference.call("ModelInfer", body), REFUSED, "NOT_FOUND"))


@pytest.mark.requirement("OIP-GRP-020")
def test_bytes_that_are_framed_wrongly_are_refused(open_inference: OpenInference) -> None:
    described = octets(5, input_of(Tensor("BYTES", [], shape=[3]), None))
    bodies = [octets(1, open_inference.model.encode()) + described + octets(7, raw) for raw in MALFORMED_BYTES]
    expect(*(call_ended(call, REFUSED) for call in open_inference.call_all("ModelInfer", bodies)))
