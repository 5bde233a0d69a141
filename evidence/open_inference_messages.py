"""The messages of the Open Inference Protocol over gRPC, as far as answers need them.

The few types live in a descriptor pool of their own, so that they clash with no stubs that a process may hold. Field
numbers: open_inference_grpc.proto of kserve/open-inference-protocol.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_FIELD = descriptor_pb2.FieldDescriptorProto
_TEXT, _BYTES, _BOOL, _INT64 = _FIELD.TYPE_STRING, _FIELD.TYPE_BYTES, _FIELD.TYPE_BOOL, _FIELD.TYPE_INT64
CONTENTS = (
    ("bool_contents", _BOOL, ("BOOL",)),
    ("int_contents", _FIELD.TYPE_INT32, ("INT8", "INT16", "INT32")),
    ("int64_contents", _INT64, ("INT64",)),
    ("uint_contents", _FIELD.TYPE_UINT32, ("UINT8", "UINT16", "UINT32")),
    ("uint64_contents", _FIELD.TYPE_UINT64, ("UINT64",)),
    ("fp32_contents", _FIELD.TYPE_FLOAT, ("FP32",)),
    ("fp64_contents", _FIELD.TYPE_DOUBLE, ("FP64",)),
    ("bytes_contents", _BYTES, ("BYTES",)),
)
"""Field of InferTensorContents, its type, and the datatypes that use it."""
_PARAMETER_KINDS = (
    (1, "bool_param", _BOOL),
    (2, "int64_param", _INT64),
    (3, "string_param", _TEXT),
    (4, "double_param", _FIELD.TYPE_DOUBLE),
    (5, "uint64_param", _FIELD.TYPE_UINT64),
)


def _file() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(name="touchstone_inference.proto", package="inference", syntax="proto3")

    def message(name: str, *fields: tuple[int, str, Any], repeated: Sequence[str] = ()) -> None:
        made = file.message_type.add(name=name)
        for number, field, kind in fields:
            label = _FIELD.LABEL_REPEATED if field in repeated else _FIELD.LABEL_OPTIONAL
            is_message = isinstance(kind, str)
            made.field.add(
                name=field,
                number=number,
                label=label,
                type=_FIELD.TYPE_MESSAGE if is_message else kind,
                type_name=f".inference.{kind}" if is_message else None,
            )

    message("ServerLiveResponse", (1, "live", _BOOL))
    message("ServerReadyResponse", (1, "ready", _BOOL))
    message("ModelReadyResponse", (1, "ready", _BOOL))
    server = (1, "name", _TEXT), (2, "version", _TEXT), (3, "extensions", _TEXT)
    message("ServerMetadataResponse", *server, repeated=["extensions"])
    message("TensorMetadata", (1, "name", _TEXT), (2, "datatype", _TEXT), (3, "shape", _INT64), repeated=["shape"])
    message(
        "ModelMetadataResponse",
        (1, "name", _TEXT),
        (2, "versions", _TEXT),
        (3, "platform", _TEXT),
        (4, "inputs", "TensorMetadata"),
        (5, "outputs", "TensorMetadata"),
        repeated=["versions", "inputs", "outputs"],
    )
    contents = [(number, name, kind) for number, (name, kind, _) in enumerate(CONTENTS, start=1)]
    message("InferTensorContents", *contents, repeated=[name for name, _, _ in CONTENTS])
    message("InferParameter", *_PARAMETER_KINDS)
    _as_choice(file.message_type[-1])
    tensor = (1, "name", _TEXT), (2, "datatype", _TEXT), (3, "shape", _INT64), (5, "contents", "InferTensorContents")
    parameters = 4, "parameters", "ParametersEntry"
    message("ParametersEntry", (1, "key", _TEXT), (2, "value", "InferParameter"))
    message("InferOutputTensor", *tensor, parameters, repeated=["shape", "parameters"])
    message(
        "ModelInferResponse",
        (1, "model_name", _TEXT),
        (2, "model_version", _TEXT),
        (3, "id", _TEXT),
        parameters,
        (5, "outputs", "InferOutputTensor"),
        (6, "raw_output_contents", _BYTES),
        repeated=["parameters", "outputs", "raw_output_contents"],
    )
    return file


def _as_choice(made: descriptor_pb2.DescriptorProto) -> None:
    """Make the fields of a message those of one choice."""
    made.oneof_decl.add(name="parameter_choice")
    for kind in made.field:
        kind.oneof_index = 0


_POOL = descriptor_pool.DescriptorPool()
_POOL.AddSerializedFile(_file().SerializeToString())
MESSAGES: Final[Mapping[str, Any]] = {
    made.name: message_factory.GetMessageClass(_POOL.FindMessageTypeByName(f"inference.{made.name}"))
    for made in _file().message_type
}
