"""Answers in protobuf, compared field by field: in TensorFlow Serving's, Seldon's and the Open Inference Protocol.

Two messages are the same when their bytes are the same once both were read and written again in one order: the floats
keep all their bits then, and the fields of later versions count. The types live in a descriptor pool of their own, so
that they clash with no stubs that a process may hold. Field numbers: tensorflow/core/framework/tensor.proto,
tensorflow_serving/apis/predict.proto; seldon-core proto/prediction.proto; open-inference-protocol grpc.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory, struct_pb2
from google.protobuf.message import DecodeError

PREDICT_RESPONSE = "tensorflow.serving.PredictResponse"
SELDON_MESSAGE = "seldon.protos.SeldonMessage"
INFER_RESPONSE = "inference.ModelInferResponse"

_FIELD = descriptor_pb2.FieldDescriptorProto
_KINDS = {
    "bool": _FIELD.TYPE_BOOL,
    "bytes": _FIELD.TYPE_BYTES,
    "double": _FIELD.TYPE_DOUBLE,
    "float": _FIELD.TYPE_FLOAT,
    "int32": _FIELD.TYPE_INT32,
    "int64": _FIELD.TYPE_INT64,
    "string": _FIELD.TYPE_STRING,
    "uint32": _FIELD.TYPE_UINT32,
    "uint64": _FIELD.TYPE_UINT64,
}
# By type: `number: kind`, a list for a repeated field, a pair ("map", kind) for a map with texts as keys, `?kind` for a
# part of the message's oneof. A kind is one of the above or the name of a message. Names of fields do not matter on
# the wire, so they are made of the numbers.
_TYPES: dict[str, dict[int, Any]] = {
    "google.protobuf.Int64Value": {1: "int64"},
    "tensorflow.Dim": {1: "int64", 2: "string"},
    "tensorflow.TensorShapeProto": {2: ["tensorflow.Dim"], 3: "bool"},
    "tensorflow.TensorProto": {
        1: "int32",
        2: "tensorflow.TensorShapeProto",
        3: "int32",
        4: "bytes",
        5: ["float"],
        6: ["double"],
        7: ["int32"],
        8: ["bytes"],
        9: ["float"],
        10: ["int64"],
        11: ["bool"],
        12: ["double"],
        13: ["int32"],
        16: ["uint32"],
        17: ["uint64"],
    },
    "tensorflow.serving.ModelSpec": {1: "string", 2: "google.protobuf.Int64Value", 3: "string", 4: "string"},
    PREDICT_RESPONSE: {1: ("map", "tensorflow.TensorProto"), 2: "tensorflow.serving.ModelSpec"},
    "seldon.protos.Tensor": {1: ["int32"], 2: ["double"]},
    "seldon.protos.DefaultData": {
        1: ["string"],
        2: "?seldon.protos.Tensor",
        3: "?google.protobuf.ListValue",
        4: "?tensorflow.TensorProto",
    },
    "seldon.protos.Status": {1: "int32", 2: "string", 3: "string", 4: "int32"},
    "seldon.protos.Metric": {1: "string", 2: "int32", 3: "float", 4: ("map", "string")},
    "seldon.protos.Meta": {
        1: "string",
        2: ("map", "google.protobuf.Value"),
        3: ("map", "int32"),
        4: ("map", "string"),
        5: ["seldon.protos.Metric"],
    },
    SELDON_MESSAGE: {
        1: "seldon.protos.Status",
        2: "seldon.protos.Meta",
        3: "?seldon.protos.DefaultData",
        4: "?bytes",
        5: "?string",
        6: "?google.protobuf.Value",
        7: "?google.protobuf.Any",
    },
    "inference.InferParameter": {1: "?bool", 2: "?int64", 3: "?string"},
    "inference.InferTensorContents": {
        1: ["bool"],
        2: ["int32"],
        3: ["int64"],
        4: ["uint32"],
        5: ["uint64"],
        6: ["float"],
        7: ["double"],
        8: ["bytes"],
    },
    "inference.InferOutputTensor": {
        1: "string",
        2: "string",
        3: ["int64"],
        4: ("map", "inference.InferParameter"),
        5: "inference.InferTensorContents",
    },
    INFER_RESPONSE: {
        1: "string",
        2: "string",
        3: "string",
        4: ("map", "inference.InferParameter"),
        5: ["inference.InferOutputTensor"],
        6: ["bytes"],
    },
}
NAMES = (PREDICT_RESPONSE, SELDON_MESSAGE, INFER_RESPONSE)
"""The types of answers, by full name."""


class MessageError(ValueError):
    """Bytes are no message of a type."""


def _pool() -> descriptor_pool.DescriptorPool:
    pool = descriptor_pool.DescriptorPool()
    for known in (struct_pb2, any_pb2):
        pool.AddSerializedFile(known.DESCRIPTOR.serialized_pb)
    before = [struct_pb2.DESCRIPTOR.name, any_pb2.DESCRIPTOR.name]
    for full, fields in _TYPES.items():
        package, _, name = full.rpartition(".")
        file = descriptor_pb2.FileDescriptorProto(
            name=f"touchstone/{full}.proto", package=package, syntax="proto3", dependency=before
        )
        message = file.message_type.add(name=name)
        for number, kind in fields.items():
            _add(message, full, number, kind)
        pool.Add(file)
        before.append(file.name)
    return pool


def _add(message: descriptor_pb2.DescriptorProto, full: str, number: int, kind: Any) -> None:
    field = message.field.add(name=f"f{number}", number=number, label=_FIELD.LABEL_OPTIONAL)
    if isinstance(kind, list):
        (kind,) = kind
        field.label = _FIELD.LABEL_REPEATED
    elif isinstance(kind, tuple):
        entry = message.nested_type.add(name=f"F{number}Entry")
        entry.options.map_entry = True
        for place, member in enumerate(("string", kind[1]), 1):
            part = entry.field.add(name=("key", "value")[place - 1], number=place, label=_FIELD.LABEL_OPTIONAL)
            _type(part, member)
        field.label = _FIELD.LABEL_REPEATED
        kind = f"{full}.{entry.name}"
    elif kind.startswith("?"):
        if not message.oneof_decl:
            message.oneof_decl.add(name="one")
        field.oneof_index, kind = 0, kind[1:]
    _type(field, kind)


def _type(field: descriptor_pb2.FieldDescriptorProto, kind: str) -> None:
    if kind in _KINDS:
        field.type = _KINDS[kind]
    else:
        field.type, field.type_name = _FIELD.TYPE_MESSAGE, f".{kind}"


_POOL = _pool()
_CLASSES: dict[str, Any] = {name: message_factory.GetMessageClass(_POOL.FindMessageTypeByName(name)) for name in NAMES}


def canonical(name: str, data: bytes) -> bytes:
    """Return the bytes of a message in the one order: those of equal messages are equal.

    Args:
        name: The full name of the type, one of `NAMES`.
        data: The bytes of the message.

    Raises:
        MessageError: The bytes are no message of the type.
    """
    message = _CLASSES[name]()
    try:
        message.ParseFromString(data)
    except DecodeError as error:
        raise MessageError(f"no {name}: {error}") from error
    content: bytes = message.SerializeToString(deterministic=True)
    return content


def texts_of_tags(data: bytes) -> dict[str, str]:
    """Return those tags in the `meta` of a SeldonMessage that are texts; none where the bytes are no such message."""
    message = _CLASSES[SELDON_MESSAGE]()
    try:
        message.ParseFromString(data)
    except DecodeError:
        return {}
    return {name: tag.string_value for name, tag in message.f2.f2.items() if tag.HasField("string_value")}
