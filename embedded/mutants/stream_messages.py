"""Mutants of what Seldon's Kafka server takes for a request, in JSON and in protobuf, and of what it makes of it."""

import json
import struct
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import orjson
from google.protobuf.message import DecodeError

from embedded.dataplane.cloudevents import Record
from embedded.mutants.hosts import STREAMS
from embedded.mutants.registry import mutant
from embedded.mutants.stream_tensors import is_of_type, rewriting
from embedded.streaming import messages
from embedded.streaming.models import ModelError
from embedded.streaming.policies import StreamPolicies
from embedded.streaming.requests import (
    PROTO_NAME,
    NotARequestError,
    OtherTypeError,
    ProtoNameError,
    UndecodableError,
    UnknownTypeError,
    decode,
)

_RESPONSE = "tensorflow.serving.PredictResponse"
_LARGE = 256 * 1024
_FRAMES = (4, 5, 6)  # a length; Confluent's magic byte and a schema's id, or gRPC's frame; the same with an index
_ITEM_SIZES = {1: 4, 2: 8}  # DT_FLOAT, DT_DOUBLE


def dropping(
    read: Callable[[Record], bytes],
    is_dropped: Callable[[Record, bytes], bool],
    error: type[Exception] = NotARequestError,
) -> Callable[[Record], bytes]:
    """Return a reader that also drops some requests, by record and request, or fails at them with another error."""

    def dropping(record: Record) -> bytes:
        request = read(record)
        if is_dropped(record, request):
            raise error("not read by a mutant")
        return request

    return dropping


def _is_predict(value: Any) -> bool:
    """Tell whether a JSON object is a request of TensorFlow Serving's, and not one of another protocol's."""
    columns = value.get("inputs")
    is_infer = isinstance(columns, list) and any(isinstance(each, dict) and "datatype" in each for each in columns)
    return "instances" in value or ("inputs" in value and not is_infer)


@mutant(STREAMS, wraps="read_rest")
def json_columns_dropped(honest: StreamPolicies) -> StreamPolicies:
    """Know no request but those with `instances`: the column format is dropped."""

    def has_columns(_record: Record, request: bytes) -> bool:
        value = orjson.loads(request)
        return _is_predict(value) and "instances" not in value

    return replace(honest, read_rest=dropping(honest.read_rest, has_columns))


@mutant(STREAMS, wraps="read_rest")
def json_found_by_bytes(honest: StreamPolicies) -> StreamPolicies:
    """Look for a request's first member in the bytes: what is JSON of another spelling is dropped."""

    def is_strange(_record: Record, request: bytes) -> bool:
        known = request.startswith((b'{"instances": [', b'{"inputs": '))
        return not known and _is_predict(orjson.loads(request))

    return replace(honest, read_rest=dropping(honest.read_rest, is_strange))


@mutant(STREAMS, wraps="read_rest")
def json_numbers_in_single_precision(honest: StreamPolicies) -> StreamPolicies:
    """Print the request anew, with numbers that went through 32 bits (the executor's chain prints anew, too)."""

    def single(value: Any) -> Any:
        if isinstance(value, list):
            return [single(item) for item in value]
        if isinstance(value, dict):
            return {name: single(item) for name, item in value.items()}
        return struct.unpack("<f", struct.pack("<f", value))[0] if isinstance(value, float) else value

    return replace(honest, read_rest=lambda record: json.dumps(single(orjson.loads(honest.read_rest(record)))).encode())


@mutant(STREAMS, wraps=("read_rest", "read_grpc"))
def large_requests_dropped(honest: StreamPolicies) -> StreamPolicies:
    """Drop requests of more than 256 KiB (seldon-core issue 5125: what is too large for a part is dropped unseen)."""

    def is_large(_record: Record, request: bytes) -> bool:
        return len(request) > _LARGE

    return replace(
        honest, read_rest=dropping(honest.read_rest, is_large), read_grpc=dropping(honest.read_grpc, is_large)
    )


@mutant(STREAMS, wraps=("read_rest", "read_grpc"))
def header_not_text_drops(honest: StreamPolicies) -> StreamPolicies:
    """Drop a record with a header that is null or not UTF-8 (MLServer 1.7.1, seen)."""

    def has_no_text(record: Record, _request: bytes) -> bool:
        try:
            for _, value in record.headers:
                if value is None:
                    return True
                value.decode("utf-8")
        except UnicodeDecodeError:
            return True
        return False

    return replace(
        honest, read_rest=dropping(honest.read_rest, has_no_text), read_grpc=dropping(honest.read_grpc, has_no_text)
    )


@mutant(STREAMS, wraps=("read_rest", "read_grpc", "ask"))
def garbage_passed_on(honest: StreamPolicies) -> StreamPolicies:
    """Write a value that cannot be decoded to the output as it is (the executor's router echoes, too, at -2)."""
    garbage: set[tuple[int | None, int]] = set()

    def passing(read: Callable[[Record], bytes]) -> Callable[[Record], bytes]:
        def passing_read(record: Record) -> bytes:
            try:
                return read(record)
            except UndecodableError:
                garbage.add((record.partition, record.offset))
                return record.value or b""

        return passing_read

    async def ask(record: Record, request: bytes, predict: Callable[[bytes], Awaitable[bytes]]) -> bytes:
        place = (record.partition, record.offset)
        return request if place in garbage else await honest.ask(record, request, predict)

    return replace(honest, read_rest=passing(honest.read_rest), read_grpc=passing(honest.read_grpc), ask=ask)


@mutant(STREAMS, wraps="ask")
def refused_request_answered(honest: StreamPolicies) -> StreamPolicies:
    """Answer a request that the model refuses with the prediction before (a buffer that is used again)."""
    latest: bytes | None = None

    async def ask(record: Record, request: bytes, predict: Callable[[bytes], Awaitable[bytes]]) -> bytes:
        nonlocal latest
        try:
            latest = await honest.ask(record, request, predict)
        except ModelError:
            if latest is None:
                raise
        return latest

    return replace(honest, ask=ask)


def _chained(value: bytes) -> bytes:
    """Return the request that a PredictResponse's bytes make when its outputs are taken for inputs.

    Raises:
        UndecodableError: The bytes are no PredictResponse.
    """
    try:
        response = messages.parsed(_RESPONSE, value)
    except DecodeError as error:
        raise UndecodableError(str(error)) from error
    request: Any = messages.new(messages.PREDICT_REQUEST)
    request.model_spec.CopyFrom(response.model_spec)
    for name, tensor in response.outputs.items():
        request.inputs[name].CopyFrom(tensor)
    content: bytes = request.SerializeToString()
    return content


@mutant(STREAMS, wraps="read_grpc")
def proto_name_ignored(honest: StreamPolicies) -> StreamPolicies:
    """Decode values as PredictResponse whatever `proto-name` says, and chain them; but those of other protocols.

    The executor does so: grpc/tensorflow/client.go:70.
    """
    others = (messages.SELDON_MESSAGE, messages.INFER_REQUEST)

    def read_grpc(record: Record) -> bytes:
        is_other = any(is_of_type(record, name) for name in others)
        return honest.read_grpc(record) if is_other else _chained(record.value or b"")

    return replace(honest, read_grpc=read_grpc)


@mutant(STREAMS, wraps="read_grpc")
def missing_proto_name_guessed(honest: StreamPolicies) -> StreamPolicies:
    """Assume PredictRequest when there is not exactly one `proto-name` (the executor has no default)."""

    def read_grpc(record: Record) -> bytes:
        try:
            return honest.read_grpc(record)
        except ProtoNameError:
            return decode(messages.PREDICT_REQUEST, record.value or b"")

    return replace(honest, read_grpc=read_grpc)


@mutant(STREAMS, wraps="read_grpc")
def predict_response_chained(honest: StreamPolicies) -> StreamPolicies:
    """Take a PredictResponse for a request, by its outputs (seldon-executor 1.17.1, seen)."""

    def read_grpc(record: Record) -> bytes:
        names = [value for name, value in record.headers if name == PROTO_NAME]
        return _chained(record.value or b"") if names == [_RESPONSE.encode()] else honest.read_grpc(record)

    return replace(honest, read_grpc=read_grpc)


@mutant(STREAMS, wraps="read_grpc")
def message_type_guessed(honest: StreamPolicies) -> StreamPolicies:
    """Take a value under the name PredictRequest for a PredictResponse where that makes more sense of it."""

    def read_grpc(record: Record) -> bytes:
        request = honest.read_grpc(record)
        if not is_of_type(record, messages.PREDICT_REQUEST):
            return request
        message = messages.parsed(messages.PREDICT_REQUEST, request)
        if any(tensor.dtype for tensor in message.inputs.values()):
            return request
        try:
            return _chained(record.value or b"")  # as it came: a message that is written again may lack a part
        except UndecodableError:
            return request

    return replace(honest, read_grpc=read_grpc)


@mutant(STREAMS, wraps="read_grpc")
def any_proto_name_is_a_request(honest: StreamPolicies) -> StreamPolicies:
    """Decode the value as PredictRequest, whatever the one `proto-name` says."""

    def read_grpc(record: Record) -> bytes:
        try:
            return honest.read_grpc(record)
        except (UnknownTypeError, OtherTypeError):
            return decode(messages.PREDICT_REQUEST, record.value or b"")

    return replace(honest, read_grpc=read_grpc)


@mutant(STREAMS, wraps="read_grpc")
def proto_name_case_folded(honest: StreamPolicies) -> StreamPolicies:
    """Compare the header's name without regard to case, as HTTP does."""

    def read_grpc(record: Record) -> bytes:
        folded = [(name.lower() if name.lower() == PROTO_NAME else name, value) for name, value in record.headers]
        return honest.read_grpc(replace(record, headers=folded))

    return replace(honest, read_grpc=read_grpc)


@mutant(STREAMS, wraps="read_grpc")
def framing_guessed(honest: StreamPolicies) -> StreamPolicies:
    """Decode what stands behind a length, a schema's id or a frame, where the whole value cannot be decoded."""

    def read_grpc(record: Record) -> bytes:
        try:
            return honest.read_grpc(record)
        except UndecodableError:
            if not is_of_type(record, messages.PREDICT_REQUEST):
                raise
            for size in _FRAMES:
                try:
                    return decode(messages.PREDICT_REQUEST, (record.value or b"")[size:])
                except UndecodableError:
                    continue
            raise

    return replace(honest, read_grpc=read_grpc)


@mutant(STREAMS, wraps="read_grpc")
def tensor_content_big_endian(honest: StreamPolicies) -> StreamPolicies:
    """Turn the bytes of each number in `tensor_content` round."""

    def turn(message: Any) -> None:
        for tensor in message.inputs.values():
            size, content = _ITEM_SIZES.get(tensor.dtype, 1), tensor.tensor_content
            if len(content) % size == 0:
                items = (content[start : start + size][::-1] for start in range(0, len(content), size))
                tensor.tensor_content = b"".join(items)

    return replace(honest, read_grpc=rewriting(honest.read_grpc, turn))


@mutant(STREAMS, wraps="read_grpc")
def unknown_fields_refused(honest: StreamPolicies) -> StreamPolicies:
    """Drop a message that has a field of a later version (a strict decoder)."""

    def refuse(message: Any) -> None:
        size = message.ByteSize()
        message.DiscardUnknownFields()
        if message.ByteSize() != size:
            raise UndecodableError("unknown fields")

    return replace(honest, read_grpc=rewriting(honest.read_grpc, refuse))


@mutant(STREAMS, wraps="read_grpc")
def empty_batch_dropped(honest: StreamPolicies) -> StreamPolicies:
    """Drop a request whose tensor has no elements."""

    def refuse(message: Any) -> None:
        if any(dim.size == 0 for tensor in message.inputs.values() for dim in tensor.tensor_shape.dim):
            raise NotARequestError("nothing to predict")

    return replace(honest, read_grpc=rewriting(honest.read_grpc, refuse))
