"""The streaming oracles against second opinions: NumPy for the formula, the protobuf library for the bytes."""

import json
from typing import Any

import numpy as np
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

from embedded.streaming.messages import TYPES
from suites.oracles.cifar10 import balanced_picture, exact_picture, flat, picture, probabilities, shaped
from suites.oracles.messages import seldon_message, tagged
from suites.oracles.tensorflow import (
    DT_DOUBLE,
    DT_FLOAT,
    json_written,
    predict_json,
    predict_protobuf,
    request,
    response,
    shape,
    tensor,
)


def with_numpy(image: Any) -> Any:
    x = np.array(image, dtype=np.float64).reshape(-1)
    scores = np.array([(x * np.sin(k * np.arange(1, x.size + 1))).sum() / 64 for k in range(1, 11)])
    return np.exp(scores) / np.exp(scores).sum()


@pytest.mark.parametrize("seed", ["a", "b", "c"])
def test_the_formula_agrees_with_numpy(seed: str) -> None:
    assert np.allclose(probabilities(picture(seed)), with_numpy(picture(seed)), rtol=0, atol=1e-12)


def test_pictures_differ_so_that_answers_tell_them_apart() -> None:
    answers = np.array([probabilities(picture(str(seed))) for seed in range(40)])
    gaps = np.abs(answers[:, None] - answers[None]).max(axis=2) + np.eye(40)
    assert gaps.min() > 1e-3


def test_a_balanced_picture_tells_single_precision_from_double() -> None:
    image = balanced_picture("a", 1e6)
    assert max(map(abs, flat(image))) > 1e6
    assert np.allclose(probabilities(image), with_numpy(image), rtol=0, atol=1e-9)
    assert max(probabilities(image)) < 0.999  # far from saturated, so each score counts
    single = shaped(np.array(flat(image), dtype=np.float32).astype(np.float64).tolist())
    assert np.abs(np.array(probabilities(image)) - probabilities(single)).max() > 1e-5


def test_single_precision_holds_an_exact_picture() -> None:
    values = flat(exact_picture("a"))
    assert np.array(values, dtype=np.float32).astype(np.float64).tolist() == values


def test_written_numbers_are_the_pictures() -> None:
    assert json.loads(json_written(picture("a"), "{:.17E}".format)) == {"instances": [picture("a")]}


def test_json_requests_hold_the_pictures() -> None:
    assert json.loads(predict_json(picture("a"), picture("b"))) == {"instances": [picture("a"), picture("b")]}


def message(*fields: tuple[int, str, str]) -> descriptor_pb2.DescriptorProto:
    """Return a message of fields: number, name and type ('bytes', 'string', 'floats', or another message's name)."""
    kinds = descriptor_pb2.FieldDescriptorProto
    found = descriptor_pb2.DescriptorProto()
    for number, name, kind in fields:
        repeated = kind.endswith("s") and kind != "bytes"
        field = found.field.add(name=name, number=number, label=3 if repeated else 1)
        scalars = {"string": kinds.TYPE_STRING, "int": kinds.TYPE_INT64, "floats": kinds.TYPE_FLOAT}
        if kind in scalars:
            field.type = scalars[kind]
        else:
            field.type, field.type_name = kinds.TYPE_MESSAGE, f".t.{kind}"
    return found


def test_protobuf_requests_parse_to_what_was_asked() -> None:
    file = descriptor_pb2.FileDescriptorProto(name="t.proto", package="t", syntax="proto3")
    shapes = {
        "Model": [(1, "name", "string"), (3, "signature_name", "string")],
        "Dims": [(1, "size", "int")],
        "Shape": [(2, "dim", "Dims")],
        "Tensor": [(1, "dtype", "int"), (2, "tensor_shape", "Shape"), (5, "float_val", "floats")],
        "Entries": [(1, "key", "string"), (2, "value", "Tensor")],
        "Request": [(1, "model_spec", "Model"), (2, "inputs", "Entries")],
    }
    for name, fields in shapes.items():
        found = message(*fields)
        found.name = name
        file.message_type.append(found)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    request: Any = message_factory.GetMessageClass(pool.FindMessageTypeByName("t.Request"))()
    request.ParseFromString(predict_protobuf(picture("a")))
    tensor = request.inputs[0].value
    assert (request.model_spec.name, request.model_spec.signature_name) == ("resnet32", "serving_default")
    assert (request.inputs[0].key, tensor.dtype) == ("images", 1)
    assert [dim.size for dim in tensor.tensor_shape.dim] == [1, 32, 32, 3]
    assert np.allclose(tensor.float_val, flat(picture("a")), atol=1e-6)


@pytest.mark.parametrize("dtype", [DT_FLOAT, DT_DOUBLE])
def test_each_form_of_a_tensor_holds_the_pictures(dtype: int) -> None:
    images = [exact_picture("a"), exact_picture("b")]
    values = [value for image in images for value in flat(image)]
    for form in ("packed", "unpacked", "content"):
        message = TYPES["tensorflow.serving.PredictRequest"]()
        message.ParseFromString(request(tensor(images, dtype, form=form)))
        read = message.inputs["images"]
        assert (read.dtype, [dim.size for dim in read.tensor_shape.dim]) == (dtype, [2, 32, 32, 3])
        little = np.frombuffer(read.tensor_content, "<f4" if dtype == DT_FLOAT else "<f8").tolist()
        assert [*little, *(read.float_val if dtype == DT_FLOAT else read.double_val)] == values, form


def test_a_response_has_the_fields_of_a_request_the_other_way_round() -> None:
    message = TYPES["tensorflow.serving.PredictResponse"]()
    message.ParseFromString(response(tensor([picture("a")])))
    assert (message.model_spec.name, list(message.outputs)) == ("resnet32", ["images"])


@pytest.mark.parametrize(
    "payload",
    [
        {"data": {"names": ["a", "b"], "ndarray": [["Grüße", 1.5], [None, True], [[]], 9]}},
        {"data": {"names": ["a"], "tensor": {"shape": [2, 1, 300], "values": [1.5, -2]}}},
        {"binData": "AAH/"},
        {"binData": ""},
        {"jsonData": {"nested": [1, {"text": "a"}, None], "flag": False}},
        {"jsonData": None},
    ],
    ids=["array", "tensor", "bytes", "no-bytes", "json", "null"],
)
def test_a_message_of_seldon_is_what_its_json_says(payload: dict[str, Any]) -> None:
    wanted = json_format.ParseDict(payload, TYPES["seldon.protos.SeldonMessage"]())
    assert wanted.FromString(seldon_message(payload)) == wanted


def test_what_nodes_add_to_meta_has_the_fields_of_seldon() -> None:
    meta = {
        "puid": "p",
        "tags": {"a": "b", "c": 1.5, "d": None, "e": True},
        "requestPath": {"n": "i"},
        "metrics": [{"key": "m", "type": "COUNTER", "value": 1.5}],
    }
    message = TYPES["seldon.protos.SeldonMessage"].FromString(seldon_message({"meta": meta, "strData": "x"}))
    # The type of a counter is the first of its enum, which is not written.
    told = meta | {"metrics": [{"key": "m", "value": 1.5}]}
    assert json_format.MessageToDict(message) == {"meta": told, "strData": "x"}
    empty = TYPES["seldon.protos.SeldonMessage"].FromString(seldon_message({"meta": {}, "strData": ""}))
    assert (empty.HasField("meta"), empty.HasField("strData")) == (True, True)
    assert tagged("a", "b") == seldon_message({"meta": {"tags": {"a": "b"}}, "protobuf": b""})


def test_a_negative_size_has_the_bytes_of_an_int64() -> None:
    message = TYPES["tensorflow.serving.PredictRequest"]()
    message.ParseFromString(request(b"\x08\x01\x12" + bytes([len(shape(-1))]) + shape(-1)))
    assert [dim.size for dim in message.inputs["images"].tensor_shape.dim] == [-1]
