"""The predict messages of TensorFlow Serving, of Seldon and of the Open Inference Protocol, in a pool of their own.

There is no generated code: two packages that carry the same `.proto` cannot live in one process. The messages have only
the fields that a prediction needs; unknown fields pass through.
"""

from typing import Any

from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory, struct_pb2
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

# "name number type", `*` for repeated; a type with a dot is a message; `map` alone is a map of tensors, `map:TYPE` of
# others, `?` for a part of the message's oneof. Enums are int32 here: same wire.
_MESSAGES: dict[str, dict[str, str]] = {
    "google.protobuf": {"Int64Value": "value 1 int64"},
    "tensorflow": {
        "Dim": "size 1 int64; name 2 string",
        "TensorShapeProto": "dim 2 *.tensorflow.Dim; unknown_rank 3 bool",
        "TensorProto": (
            "dtype 1 int32; tensor_shape 2 .tensorflow.TensorShapeProto; version_number 3 int32; "
            "tensor_content 4 bytes; float_val 5 *float; double_val 6 *double; int_val 7 *int32; string_val 8 *bytes; "
            "scomplex_val 9 *float; int64_val 10 *int64; bool_val 11 *bool; dcomplex_val 12 *double; "
            "half_val 13 *int32; uint32_val 16 *uint32; uint64_val 17 *uint64"
        ),
    },
    "tensorflow.serving": {
        "ModelSpec": (
            "name 1 string; version 2 .google.protobuf.Int64Value; signature_name 3 string; version_label 4 string"
        ),
        "PredictRequest": "model_spec 1 .tensorflow.serving.ModelSpec; inputs 2 map; output_filter 3 *string",
        "PredictResponse": "outputs 1 map; model_spec 2 .tensorflow.serving.ModelSpec",
    },
    "seldon.protos": {
        "Tensor": "shape 1 *int32; values 2 *double",
        "DefaultData": (
            "names 1 *string; tensor 2 ?.seldon.protos.Tensor; ndarray 3 ?.google.protobuf.ListValue; "
            "tftensor 4 ?.tensorflow.TensorProto"
        ),
        "Status": "code 1 int32; info 2 string; reason 3 string; status 4 int32",
        "Metric": "key 1 string; type 2 int32; value 3 float; tags 4 map:string",
        "Meta": (
            "puid 1 string; tags 2 map:.google.protobuf.Value; routing 3 map:int32; requestPath 4 map:string; "
            "metrics 5 *.seldon.protos.Metric"
        ),
        "SeldonMessage": (
            "status 1 .seldon.protos.Status; meta 2 .seldon.protos.Meta; data 3 ?.seldon.protos.DefaultData; "
            "binData 4 ?bytes; strData 5 ?string; jsonData 6 ?.google.protobuf.Value; "
            "customData 7 ?.google.protobuf.Any"
        ),
        "SeldonMessageList": "seldonMessages 1 *.seldon.protos.SeldonMessage",
    },
    "inference": {
        "InferParameter": "bool_param 1 ?bool; int64_param 2 ?int64; string_param 3 ?string",
        "InferTensorContents": (
            "bool_contents 1 *bool; int_contents 2 *int32; int64_contents 3 *int64; uint_contents 4 *uint32; "
            "uint64_contents 5 *uint64; fp32_contents 6 *float; fp64_contents 7 *double; bytes_contents 8 *bytes"
        ),
        "Tensor": (
            "name 1 string; datatype 2 string; shape 3 *int64; parameters 4 map:.inference.InferParameter; "
            "contents 5 .inference.InferTensorContents"
        ),
        "RequestedOutput": "name 1 string; parameters 2 map:.inference.InferParameter",
        "ModelInferRequest": (
            "model_name 1 string; model_version 2 string; id 3 string; parameters 4 map:.inference.InferParameter; "
            "inputs 5 *.inference.Tensor; outputs 6 *.inference.RequestedOutput; raw_input_contents 7 *bytes"
        ),
        "ModelInferResponse": (
            "model_name 1 string; model_version 2 string; id 3 string; parameters 4 map:.inference.InferParameter; "
            "outputs 5 *.inference.Tensor; raw_output_contents 6 *bytes"
        ),
    },
}


def _pool() -> descriptor_pool.DescriptorPool:
    pool = descriptor_pool.DescriptorPool()
    before: list[str] = []
    for known in (struct_pb2, any_pb2):
        pool.AddSerializedFile(known.DESCRIPTOR.serialized_pb)
        before.append(known.DESCRIPTOR.name)
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
    if kind.startswith("?"):
        if not message.oneof_decl:
            message.oneof_decl.add(name="one")
        field.oneof_index, kind = 0, kind[1:]
    if kind.startswith("map"):
        entry = message.nested_type.add(name=f"{name[0].upper()}{name[1:]}Entry")
        entry.options.map_entry = True
        _add(package, entry, "key", "1", "string")
        _add(package, entry, "value", "2", kind.partition(":")[2] or ".tensorflow.TensorProto")
        field.label = _Field.LABEL_REPEATED
        kind = f".{package}.{message.name}.{entry.name}"
    if kind.startswith("."):
        field.type, field.type_name = _Field.TYPE_MESSAGE, kind
    else:
        field.type = _SCALARS[kind]


PREDICT_REQUEST, PREDICT_RESPONSE = "tensorflow.serving.PredictRequest", "tensorflow.serving.PredictResponse"
SELDON_MESSAGE, SELDON_LIST = "seldon.protos.SeldonMessage", "seldon.protos.SeldonMessageList"
INFER_REQUEST, INFER_RESPONSE = "inference.ModelInferRequest", "inference.ModelInferResponse"

_POOL = _pool()
TYPES: dict[str, Any] = {
    name: message_factory.GetMessageClass(_POOL.FindMessageTypeByName(name))
    for name in (PREDICT_REQUEST, PREDICT_RESPONSE, SELDON_MESSAGE, SELDON_LIST, INFER_REQUEST, INFER_RESPONSE)
}
"""Message classes by full name, as `proto-name` gives it: exact, case-sensitive."""


def new(name: str) -> Message:
    """Return an empty message of a type.

    Raises:
        KeyError: The type is not one of `TYPES`.
    """
    message: Message = TYPES[name]()
    return message


def parsed(name: str, content: bytes) -> Any:
    """Return the message of a type that some bytes are.

    Raises:
        KeyError: The type is not one of `TYPES`.
        DecodeError: They are no such message.
    """
    message = new(name)
    message.ParseFromString(content)
    return message
