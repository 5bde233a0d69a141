"""The messages of Seldon and of the Open Inference Protocol that a node reads, in a descriptor pool of their own.

Only what a node looks at is described; unknown fields pass through, so that an echo loses nothing.
"""

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, struct_pb2
from messages import add

_STRUCT = "google/protobuf/struct.proto"


def _map(file: Any, message: Any, number: int, name: str, kind: str) -> None:
    entry = message.nested_type.add(name=f"{name[0].upper()}{name[1:]}Entry")
    entry.options.map_entry = True
    add(entry, 1, "key", "string")
    add(entry, 2, "value", kind)
    add(message, number, name, f".{file.package}.{message.name}.{entry.name}", repeated=True)


def _seldon() -> Any:
    file = descriptor_pb2.FileDescriptorProto(
        name="prediction.proto", package="seldon.protos", syntax="proto3", dependency=[_STRUCT]
    )
    metric = file.message_type.add(name="Metric")
    add(metric, 1, "key", "string")
    add(metric, 3, "value", "float")
    meta = file.message_type.add(name="Meta")
    _map(file, meta, 2, "tags", ".google.protobuf.Value")
    _map(file, meta, 4, "requestPath", "string")
    add(meta, 1, "puid", "string")
    add(meta, 5, "metrics", ".seldon.protos.Metric", repeated=True)
    message = file.message_type.add(name="SeldonMessage")
    add(message, 2, "meta", ".seldon.protos.Meta")
    message.oneof_decl.add(name="data_oneof")
    add(message, 5, "strData", "string").oneof_index = 0
    add(
        file.message_type.add(name="SeldonMessageList"),
        1,
        "seldonMessages",
        ".seldon.protos.SeldonMessage",
        repeated=True,
    )
    # A SeldonMessage as a router answers it. Others are passed on with their data unread: it stays as it is.
    tensor = file.message_type.add(name="Tensor")
    add(tensor, 1, "shape", "int32", repeated=True)
    add(tensor, 2, "values", "double", repeated=True)
    data = file.message_type.add(name="DefaultData")
    add(data, 2, "tensor", ".seldon.protos.Tensor")
    add(data, 3, "ndarray", ".google.protobuf.ListValue")
    add(file.message_type.add(name="RouteMessage"), 3, "data", ".seldon.protos.DefaultData")
    return file


def _inference() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="grpc_service.proto", package="inference", syntax="proto3")
    parameter = file.message_type.add(name="InferParameter")
    add(parameter, 1, "bool_param", "bool")
    add(parameter, 2, "int64_param", "int64")
    add(parameter, 3, "string_param", "string")
    file.message_type.add(name="Tensor")
    for name, tensors, raw in (("Request", "inputs", 7), ("Response", "outputs", 6)):
        message = file.message_type.add(name=f"ModelInfer{name}")
        for number, field in enumerate(("model_name", "model_version", "id"), 1):
            add(message, number, field, "string")
        _map(file, message, 4, "parameters", ".inference.InferParameter")
        add(message, 5, tensors, ".inference.Tensor", repeated=True)
        add(message, raw, "raw_contents", "bytes", repeated=True)
    return file


_pool = descriptor_pool.DescriptorPool()
_pool.AddSerializedFile(struct_pb2.DESCRIPTOR.serialized_pb)
for _file in (_seldon(), _inference()):
    _pool.Add(_file)


def _class(name: str) -> Any:
    return message_factory.GetMessageClass(_pool.FindMessageTypeByName(name))


SeldonMessage = _class("seldon.protos.SeldonMessage")
SeldonMessageList = _class("seldon.protos.SeldonMessageList")
RouteMessage = _class("seldon.protos.RouteMessage")
ModelInferRequest = _class("inference.ModelInferRequest")
ModelInferResponse = _class("inference.ModelInferResponse")
