"""The streaming oracles against second opinions: NumPy for the formula, the protobuf library for the bytes."""

import json
from typing import Any

import numpy as np
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from suites.oracles.cifar10 import flat, picture, probabilities
from suites.oracles.tensorflow import predict_json, predict_protobuf


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
