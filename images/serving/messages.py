"""The messages of TensorFlow Serving's Predict, described in code in a descriptor pool of their own.

There is no generated code, so nothing clashes with another package's. Field names and numbers are those of TensorFlow's
and TensorFlow Serving's proto files. PredictResponse numbers its fields the other way round than PredictRequest.
"""

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_FIELD = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    "bool": _FIELD.TYPE_BOOL,
    "bytes": _FIELD.TYPE_BYTES,
    "double": _FIELD.TYPE_DOUBLE,
    "float": _FIELD.TYPE_FLOAT,
    "int32": _FIELD.TYPE_INT32,
    "int64": _FIELD.TYPE_INT64,
    "string": _FIELD.TYPE_STRING,
}
_DATA_TYPES = ["INVALID", "FLOAT", "DOUBLE", "INT32", "UINT8", "INT16", "INT8", "STRING", "COMPLEX64", "INT64", "BOOL"]


def add(message: Any, number: int, name: str, kind: str, *, repeated: bool = False) -> Any:
    """Add a field; `kind` is a scalar's name, `enum .x.Y` or `.x.Y` for a message."""
    label = _FIELD.LABEL_REPEATED if repeated else _FIELD.LABEL_OPTIONAL
    field = message.field.add(name=name, number=number, label=label)
    if kind in _SCALARS:
        field.type = _SCALARS[kind]
    else:
        *enum, field.type_name = kind.split()
        field.type = _FIELD.TYPE_ENUM if enum else _FIELD.TYPE_MESSAGE
    return field


def _tensors(file: Any, message: Any, number: int, name: str) -> None:
    """Add a `map<string, TensorProto>`, which on the wire is a repeated entry message."""
    entry = message.nested_type.add(name=f"{name.capitalize()}Entry")
    entry.options.map_entry = True
    add(entry, 1, "key", "string")
    add(entry, 2, "value", ".tensorflow.TensorProto")
    add(message, number, name, f".{file.package}.{message.name}.{entry.name}", repeated=True)


def _wrappers() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="wrappers.proto", package="google.protobuf", syntax="proto3")
    add(file.message_type.add(name="Int64Value"), 1, "value", "int64")
    return file


def _tensorflow() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="tensor.proto", package="tensorflow", syntax="proto3")
    types = file.enum_type.add(name="DataType")
    for number, name in enumerate(_DATA_TYPES):
        types.value.add(name=f"DT_{name}", number=number)
    shape = file.message_type.add(name="TensorShapeProto")
    dimension = shape.nested_type.add(name="Dim")
    add(dimension, 1, "size", "int64")
    add(dimension, 2, "name", "string")
    add(shape, 2, "dim", ".tensorflow.TensorShapeProto.Dim", repeated=True)
    add(shape, 3, "unknown_rank", "bool")
    tensor = file.message_type.add(name="TensorProto")
    add(tensor, 1, "dtype", "enum .tensorflow.DataType")
    add(tensor, 2, "tensor_shape", ".tensorflow.TensorShapeProto")
    add(tensor, 3, "version_number", "int32")
    add(tensor, 4, "tensor_content", "bytes")
    add(tensor, 5, "float_val", "float", repeated=True)
    add(tensor, 6, "double_val", "double", repeated=True)
    add(tensor, 7, "int_val", "int32", repeated=True)
    add(tensor, 8, "string_val", "bytes", repeated=True)
    add(tensor, 10, "int64_val", "int64", repeated=True)
    add(tensor, 11, "bool_val", "bool", repeated=True)
    return file


def _serving() -> Any:
    file = descriptor_pb2.FileDescriptorProto(
        name="predict.proto",
        package="tensorflow.serving",
        syntax="proto3",
        dependency=["wrappers.proto", "tensor.proto"],
    )
    model = file.message_type.add(name="ModelSpec")
    model.oneof_decl.add(name="version_choice")
    add(model, 1, "name", "string")
    add(model, 2, "version", ".google.protobuf.Int64Value").oneof_index = 0
    add(model, 3, "signature_name", "string")
    add(model, 4, "version_label", "string").oneof_index = 0
    request = file.message_type.add(name="PredictRequest")
    add(request, 1, "model_spec", ".tensorflow.serving.ModelSpec")
    _tensors(file, request, 2, "inputs")
    add(request, 3, "output_filter", "string", repeated=True)
    response = file.message_type.add(name="PredictResponse")
    _tensors(file, response, 1, "outputs")
    add(response, 2, "model_spec", ".tensorflow.serving.ModelSpec")
    return file


_pool = descriptor_pool.DescriptorPool()
for _file in (_wrappers(), _tensorflow(), _serving()):
    _pool.Add(_file)

PredictRequest: Any = message_factory.GetMessageClass(
    _pool.FindMessageTypeByName("tensorflow.serving.PredictRequest"),
)
PredictResponse: Any = message_factory.GetMessageClass(
    _pool.FindMessageTypeByName("tensorflow.serving.PredictResponse"),
)
DT_FLOAT, DT_DOUBLE = 1, 2


def type_name(number: int) -> str:
    """Return the name of a DataType, or its number when it has none here."""
    return f"DT_{_DATA_TYPES[number]}" if 0 <= number < len(_DATA_TYPES) else str(number)
