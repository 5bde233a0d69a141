"""TensorFlow Serving's PredictResponse, read from the wire without TensorFlow.

The few message types live in a descriptor pool of their own, so that they clash with no stubs that a process may hold.
Field numbers: tensorflow_serving/apis/{predict,model}.proto, tensorflow/core/framework/{tensor,tensor_shape}.proto
"""

from __future__ import annotations

import math
import struct
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

FLOAT, DOUBLE, INT32, STRING, INT64, BOOL = 1, 2, 3, 7, 9, 10
_FORMATS = {FLOAT: "f", DOUBLE: "d", INT32: "i", INT64: "q", BOOL: "?"}
_VALUES = {
    FLOAT: "float_val",
    DOUBLE: "double_val",
    INT32: "int_val",
    STRING: "string_val",
    INT64: "int64_val",
    BOOL: "bool_val",
}
_FIELD = descriptor_pb2.FieldDescriptorProto
# How many values one repeated value may stand for: what a system says must not fill memory.
MAX_REPEATED = 1_000_000


class TensorError(ValueError):
    """Bytes are no such message, or a tensor's shape and content disagree."""


def _file() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(name="touchstone_predict.proto", package="tensorflow", syntax="proto3")

    def message(name: str, *fields: tuple[int, str, int, bool, str | None]) -> descriptor_pb2.DescriptorProto:
        found = file.message_type.add(name=name)
        for number, field, kind, repeated, type_name in fields:
            label = _FIELD.LABEL_REPEATED if repeated else _FIELD.LABEL_OPTIONAL
            found.field.add(name=field, number=number, type=kind, label=label, type_name=type_name)
        return found

    dim = (1, "size", _FIELD.TYPE_INT64, False, None)
    message("Dim", dim)
    message("TensorShapeProto", (2, "dim", _FIELD.TYPE_MESSAGE, True, ".tensorflow.Dim"))
    message(
        "TensorProto",
        (1, "dtype", _FIELD.TYPE_INT32, False, None),
        (2, "tensor_shape", _FIELD.TYPE_MESSAGE, False, ".tensorflow.TensorShapeProto"),
        (4, "tensor_content", _FIELD.TYPE_BYTES, False, None),
        (5, "float_val", _FIELD.TYPE_FLOAT, True, None),
        (6, "double_val", _FIELD.TYPE_DOUBLE, True, None),
        (7, "int_val", _FIELD.TYPE_INT32, True, None),
        (8, "string_val", _FIELD.TYPE_BYTES, True, None),
        (10, "int64_val", _FIELD.TYPE_INT64, True, None),
        (11, "bool_val", _FIELD.TYPE_BOOL, True, None),
    )
    response = message(
        "PredictResponse", (1, "outputs", _FIELD.TYPE_MESSAGE, True, ".tensorflow.PredictResponse.Entry")
    )
    entry = response.nested_type.add(name="Entry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=_FIELD.TYPE_STRING, label=_FIELD.LABEL_OPTIONAL)
    tensor = ".tensorflow.TensorProto"
    kind, label = _FIELD.TYPE_MESSAGE, _FIELD.LABEL_OPTIONAL
    entry.field.add(name="value", number=2, type=kind, label=label, type_name=tensor)
    return file


_POOL = descriptor_pool.DescriptorPool()
_POOL.AddSerializedFile(_file().SerializeToString())


_RESPONSE: Any = message_factory.GetMessageClass(_POOL.FindMessageTypeByName("tensorflow.PredictResponse"))


def read_response(data: bytes) -> dict[str, Any]:
    """Return the output tensors of a serialised PredictResponse, as nested lists by name.

    Raises:
        TensorError: No such message, or an unreadable tensor.
    """
    message = _RESPONSE()
    try:
        message.ParseFromString(data)
    except DecodeError as error:
        raise TensorError(f"no PredictResponse: {error}") from error
    return {key: _tensor(tensor) for key, tensor in message.outputs.items()}


def _tensor(tensor: Any) -> Any:
    shape = [dim.size for dim in tensor.tensor_shape.dim]
    if tensor.dtype not in _VALUES or any(size < 0 for size in shape):
        raise TensorError(f"unreadable tensor: dtype {tensor.dtype}, shape {shape}")
    count = math.prod(shape)
    if tensor.tensor_content and tensor.dtype in _FORMATS:
        code = _FORMATS[tensor.dtype]
        if len(tensor.tensor_content) != count * struct.calcsize(f"<{code}"):
            raise TensorError(f"{len(tensor.tensor_content)} bytes of content for shape {shape}")
        flat = list(struct.unpack(f"<{count}{code}", tensor.tensor_content))
    else:
        flat = list(getattr(tensor, _VALUES[tensor.dtype]))
    if len(flat) == 1 and 1 < count <= MAX_REPEATED:
        flat *= count  # One value stands for all of them (tensor.proto).
    if len(flat) != count:
        raise TensorError(f"{len(flat)} values for shape {shape}")
    return _nest(flat, shape)


def _nest(flat: list[Any], shape: list[int]) -> Any:
    if not shape:
        return flat[0]
    size = len(flat) // shape[0] if shape[0] else 0
    return [_nest(flat[i * size : (i + 1) * size], shape[1:]) for i in range(shape[0])]
