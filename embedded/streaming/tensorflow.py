"""TensorFlow Serving's predict messages in a descriptor pool of their own.

There is no generated code: two packages that carry the same `.proto` cannot live in one process. The messages have only
the fields that Predict needs; unknown fields pass through.
"""

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message

_Field = descriptor_pb2.FieldDescriptorProto

_SCALARS = {
    "bool": _Field.TYPE_BOOL,
    "bytes": _Field.TYPE_BYTES,
    "double": _Field.TYPE_DOUBLE,
    "float": _Field.TYPE_FLOAT,
    "int32": _Field.TYPE_INT32,
    "int64": _Field.TYPE_INT64,
    "string": _Field.TYPE_STRING,
    "uint32": _Field.TYPE_UINT32,
    "uint64": _Field.TYPE_UINT64,
}

# "name number type", `*` for repeated; a type with a dot is a message. The enum DataType is an int32 here: same wire.
_MESSAGES: dict[str, dict[str, str]] = {
    "google.protobuf": {"Int64Value": "value 1 int64"},
    "tensorflow": {
        "Dim": "size 1 int64; name 2 string",
        "TensorShapeProto": "dim 2 *.tensorflow.Dim; unknown_rank 3 bool",
        "TensorProto": (
            "dtype 1 int32; tensor_shape 2 .tensorflow.TensorShapeProto; version_number 3 int32; "
            "tensor_content 4 bytes; float_val 5 *float; double_val 6 *double; int_val 7 *int32; string_val 8 *bytes; "
            "int64_val 10 *int64; "
            "bool_val 11 *bool; half_val 13 *int32; uint32_val 16 *uint32; uint64_val 17 *uint64"
        ),
    },
    "tensorflow.serving": {
        "ModelSpec": (
            "name 1 string; version 2 .google.protobuf.Int64Value; signature_name 3 string; version_label 4 string"
        ),
        "PredictRequest": "model_spec 1 .tensorflow.serving.ModelSpec; inputs 2 map; output_filter 3 *string",
        "PredictResponse": "outputs 1 map; model_spec 2 .tensorflow.serving.ModelSpec",
    },
}


def _pool() -> descriptor_pool.DescriptorPool:
    pool = descriptor_pool.DescriptorPool()
    before: list[str] = []
    for package, messages in _MESSAGES.items():
        file = descriptor_pb2.FileDescriptorProto(
            name=f"{package}.proto", package=package, syntax="proto3", dependency=before
        )
        for name, fields in messages.items():
            message = file.message_type.add(name=name)
            for item in fields.split("; "):
                _add(package, message, *item.split(" "))
        pool.Add(file)
        before.append(file.name)
    return pool


def _add(package: str, message: descriptor_pb2.DescriptorProto, name: str, number: str, kind: str) -> None:
    label = _Field.LABEL_OPTIONAL
    if kind.startswith("*"):
        label, kind = _Field.LABEL_REPEATED, kind[1:]
    field = message.field.add(name=name, number=int(number), label=label)
    if kind == "map":
        entry = message.nested_type.add(name=f"{name.capitalize()}Entry")
        entry.options.map_entry = True
        _add(package, entry, "key", "1", "string")
        _add(package, entry, "value", "2", ".tensorflow.TensorProto")
        field.label = _Field.LABEL_REPEATED
        kind = f".{package}.{message.name}.{entry.name}"
    if kind.startswith("."):
        field.type, field.type_name = _Field.TYPE_MESSAGE, kind
    else:
        field.type = _SCALARS[kind]


_POOL = _pool()
TYPES: dict[str, Any] = {
    f"tensorflow.serving.{name}": message_factory.GetMessageClass(
        _POOL.FindMessageTypeByName(f"tensorflow.serving.{name}")
    )
    for name in ("PredictRequest", "PredictResponse")
}
"""Message classes by full name, as `proto-name` gives it: exact, case-sensitive."""

PREDICT_REQUEST = "tensorflow.serving.PredictRequest"


def new(name: str) -> Message:
    """Return an empty message of a type.

    Raises:
        KeyError: The type is not one of `TYPES`.
    """
    message: Message = TYPES[name]()
    return message
