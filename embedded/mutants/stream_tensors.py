"""Mutants of what Seldon's Kafka server makes of the messages of a gRPC stream: types, tensors and raw bytes."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
from google.protobuf import json_format

from embedded.dataplane.cloudevents import Record
from embedded.mutants.hosts import STREAMS
from embedded.mutants.registry import divergence, mutant
from embedded.streaming import messages
from embedded.streaming.policies import StreamPolicies
from embedded.streaming.requests import (
    PROTO_NAME,
    NotARequestError,
    OtherTypeError,
    ServerDiesError,
    UndecodableError,
)

_COMMON = frozenset({1, 2, 3, 7, 9, 10})
"""DT_FLOAT, DT_DOUBLE, DT_INT32, DT_STRING, DT_INT64, DT_BOOL."""


def is_of_type(record: Record, name: str) -> bool:
    """Tell whether a record names one type, and this one."""
    return [value for header, value in record.headers if header == PROTO_NAME] == [name.encode()]


def rewriting(
    read: Callable[[Record], bytes], change: Callable[[Any], None], name: str = messages.PREDICT_REQUEST
) -> Callable[[Record], bytes]:
    """Return a reader that changes each message of a type before it is sent."""

    def rewriting_read(record: Record) -> bytes:
        request = read(record)
        if not is_of_type(record, name):
            return request
        message = messages.parsed(name, request)
        change(message)
        content: bytes = message.SerializeToString()
        return content

    return rewriting_read


@mutant(STREAMS, wraps="read_grpc")
def rare_types_dropped(honest: StreamPolicies) -> StreamPolicies:
    """Drop a request with a tensor of a type that is not among the six common ones."""

    def refuse(message: Any) -> None:
        if any(tensor.dtype not in _COMMON for tensor in message.inputs.values()):
            raise NotARequestError("a type that is not known")

    return replace(honest, read_grpc=rewriting(honest.read_grpc, refuse))


@mutant(STREAMS, wraps="read_grpc")
def scalars_dropped(honest: StreamPolicies) -> StreamPolicies:
    """Drop a request with a tensor without dimensions."""

    def refuse(message: Any) -> None:
        if any(not tensor.tensor_shape.dim for tensor in message.inputs.values()):
            raise NotARequestError("no dimensions")

    return replace(honest, read_grpc=rewriting(honest.read_grpc, refuse))


@mutant(STREAMS, wraps="read_grpc")
def floats_made_canonical(honest: StreamPolicies) -> StreamPolicies:
    """Write each float of a tensor anew: every NaN becomes the same one, and a negative zero the positive one."""

    def canonical(value: float) -> float:
        return math.nan if math.isnan(value) else value or 0.0

    def change(message: Any) -> None:
        for tensor in message.inputs.values():
            for values in (tensor.float_val, tensor.double_val):
                values[:] = [canonical(value) for value in values]

    return replace(honest, read_grpc=rewriting(honest.read_grpc, change))


@mutant(STREAMS, wraps="read_grpc")
def subnormals_flushed(honest: StreamPolicies) -> StreamPolicies:
    """Write subnormal numbers of a tensor as zero (processors that flush them)."""

    def change(message: Any) -> None:
        for tensor in message.inputs.values():
            for values, least in ((tensor.float_val, 2.0**-126), (tensor.double_val, 2.0**-1022)):
                values[:] = [0.0 if 0 < abs(value) < least else value for value in values]

    return replace(honest, read_grpc=rewriting(honest.read_grpc, change))


@mutant(STREAMS, wraps="read_grpc")
def strings_must_be_text(honest: StreamPolicies) -> StreamPolicies:
    """Drop a tensor of strings that are not UTF-8 (MLServer issue 1622: bytes read as text)."""

    def refuse(message: Any) -> None:
        try:
            for tensor in message.inputs.values():
                for value in tensor.string_val:
                    value.decode("utf-8")
        except UnicodeDecodeError as error:
            raise UndecodableError(str(error)) from error

    return replace(honest, read_grpc=rewriting(honest.read_grpc, refuse))


@mutant(STREAMS, wraps="read_grpc")
def infer_request_refused(honest: StreamPolicies) -> StreamPolicies:
    """Take a ModelInferRequest for no request (seldon-executor 1.17.1, seen; seldon-core issue 4789)."""

    def read_grpc(record: Record) -> bytes:
        request = honest.read_grpc(record)
        if is_of_type(record, messages.INFER_REQUEST):
            raise OtherTypeError("invalid type")
        return request

    return replace(honest, read_grpc=read_grpc)


@mutant(STREAMS, replaces="protocol")
def kfserving_as_seldon(honest: StreamPolicies) -> StreamPolicies:
    """Speak Seldon's protocol where `kfserving` is named, as with every unknown name (seldon-core rest/client.go)."""
    return replace(honest, protocol=lambda named: "seldon" if named == "kfserving" else named)


@mutant(STREAMS, wraps="read_grpc")
def raw_contents_lost(honest: StreamPolicies) -> StreamPolicies:
    """Lose `raw_input_contents` (read as another message of the protocol, where the field has another number)."""

    def change(message: Any) -> None:
        del message.raw_input_contents[:]

    return replace(honest, read_grpc=rewriting(honest.read_grpc, change, messages.INFER_REQUEST))


@mutant(STREAMS, wraps=("read_rest", "read_grpc"))
def seldon_kinds_lost(honest: StreamPolicies) -> StreamPolicies:
    """Lose `jsonData` and `binData` of a SeldonMessage (a reader that knows `data` and `strData`)."""
    kinds = ("jsonData", "binData")

    def change(message: Any) -> None:
        for name in kinds:
            message.ClearField(name)

    def read_rest(record: Record) -> bytes:
        request = honest.read_rest(record)
        value = orjson.loads(request)
        kept = {name: member for name, member in value.items() if name not in kinds}
        return request if kept == value else orjson.dumps(kept)

    read_grpc = rewriting(honest.read_grpc, change, messages.SELDON_MESSAGE)
    return replace(honest, read_rest=read_rest, read_grpc=read_grpc)


@mutant(STREAMS, wraps="read_grpc")
def seldon_unknown_fields_lost(honest: StreamPolicies) -> StreamPolicies:
    """Lose the fields of a later version of SeldonMessage."""
    return replace(
        honest,
        read_grpc=rewriting(honest.read_grpc, lambda message: message.DiscardUnknownFields(), messages.SELDON_MESSAGE),
    )


@mutant(STREAMS, wraps="read_grpc")
def seldon_not_finite_dropped(honest: StreamPolicies) -> StreamPolicies:
    """Drop an array or JSON with a number that is not finite, which JSON has not (protobuf struct.proto, Value)."""

    def refuse(message: Any) -> None:
        try:
            json_format.MessageToJson(message.data)
            json_format.MessageToJson(message.jsonData)
        except (ValueError, json_format.SerializeToJsonError) as error:
            raise NotARequestError(str(error)) from error

    return replace(honest, read_grpc=rewriting(honest.read_grpc, refuse, messages.SELDON_MESSAGE))


@divergence(STREAMS, wraps="read_grpc")
def executor_dies_on_other_type(honest: StreamPolicies) -> StreamPolicies:
    """End the process at another known type than a SeldonMessage (seldon-executor 1.17.1, protocol seldon, seen)."""

    def read_grpc(record: Record) -> bytes:
        try:
            return honest.read_grpc(record)
        except OtherTypeError as error:
            if str(error).endswith(messages.SELDON_MESSAGE):
                raise ServerDiesError(str(error)) from error
            raise

    return replace(honest, read_grpc=read_grpc)
