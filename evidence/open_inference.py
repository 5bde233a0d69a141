"""Answers of the Open Inference Protocol, read from JSON and from protobuf into one form.

A tensor's data is kept as the protocol's raw content, little-endian, so that values compare bit by bit, whatever form
they came in.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from google.protobuf.message import DecodeError

from common import jsontext
from evidence.codings import CodingError, unpacked
from evidence.open_inference_messages import CONTENTS, MESSAGES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CODES: Final[Mapping[str, str]] = {
    "BOOL": "?",
    "UINT8": "B",
    "UINT16": "H",
    "UINT32": "I",
    "UINT64": "Q",
    "INT8": "b",
    "INT16": "h",
    "INT32": "i",
    "INT64": "q",
    "FP16": "e",
    "FP32": "f",
    "FP64": "d",
}
HEADER_LENGTH: Final = "inference-header-content-length"
MOST_BYTES: Final = 16 << 20
_FLOATS = frozenset({"FP16", "FP32", "FP64"})
_CONTENT_OF = {datatype: name for name, _, datatypes in CONTENTS for datatype in datatypes}


class AnswerError(ValueError):
    """Bytes are no such answer; the text says what is wrong."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """A named tensor.

    Attributes:
        raw: The raw content.
    """

    name: str
    datatype: str
    shape: tuple[int, ...]
    raw: bytes


@dataclass(frozen=True, slots=True)
class InferAnswer:
    """An answer to an inference request.

    Attributes:
        version: The version of the model as it stands in the answer, whatever JSON it is; None: there is none.
        parameters: The parameters of the answer, whatever JSON they are.
        output_parameters: The parameters of each output that has any, by its name.
    """

    id: str
    model: str
    outputs: tuple[Tensor, ...]
    version: Any = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    output_parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def read_rest(headers: Sequence[Sequence[str]], body: bytes) -> InferAnswer:
    """Return the answer that a REST server gave, in JSON or with binary data behind it, and encoded as its headers say.

    Raises:
        AnswerError: It is none.
    """
    named = {name.lower(): value.strip() for name, value in headers}
    body = _decoded(named.get("content-encoding", "identity").lower(), body)
    length = named.get(HEADER_LENGTH)
    if length is None:
        return read_json(body)
    if not length.isdigit() or int(length) > len(body):
        raise AnswerError(f"{HEADER_LENGTH} {length!r} of {len(body)} bytes")
    return read_json(body[: int(length)], body[int(length) :])


def read_json(body: bytes, binary: bytes = b"") -> InferAnswer:
    """Return the answer that a REST server gave; `binary`: what stands behind its JSON.

    Raises:
        AnswerError: It is none.
    """
    try:
        value = jsontext.parse(body)
    except ValueError as error:
        raise AnswerError(str(error)) from error
    if not isinstance(value, dict) or not isinstance(value.get("outputs"), list):
        raise AnswerError("an object with outputs, a list, is expected")
    if not isinstance(value.get("model_name"), str) or not isinstance(value.get("id", ""), str):
        raise AnswerError("model_name is a string, and so is id where there is one")
    rest = memoryview(binary)
    outputs = []
    for entry in value["outputs"]:
        size = _binary_size(entry, len(rest))
        outputs.append(_json_tensor(entry, None if size is None else bytes(rest[:size])))
        rest = rest[size or 0 :]
    if rest:
        raise AnswerError(f"{len(rest)} bytes behind the outputs")
    return InferAnswer(
        value.get("id", ""),
        value["model_name"],
        tuple(outputs),
        value.get("model_version"),
        _json_parameters(value),
        {entry["name"]: given for entry in value["outputs"] if (given := _json_parameters(entry))},
    )


def read_message(data: bytes) -> InferAnswer:
    """Return the answer that a gRPC server gave: a ModelInferResponse.

    Raises:
        AnswerError: It is none.
    """
    message = _parsed("ModelInferResponse", data)
    raw = list(message.raw_output_contents)
    if raw and len(raw) != len(message.outputs):
        raise AnswerError(f"{len(message.outputs)} outputs and {len(raw)} raw_output_contents")
    outputs = [_output(output, raw[place] if raw else None) for place, output in enumerate(message.outputs)]
    return InferAnswer(
        message.id,
        message.model_name,
        tuple(outputs),
        message.model_version or None,
        _parameters(message),
        {output.name: given for output in message.outputs if (given := _parameters(output))},
    )


def fields_of(kind: str, data: bytes) -> dict[str, Any]:
    """Return the fields of a small message as JSON, those without a value too.

    Args:
        kind: The name of the message, like `ServerLiveResponse`.
        data: Its bytes.

    Raises:
        AnswerError: It is no such message.
    """
    fields: dict[str, Any] = _plain(_parsed(kind, data))
    return fields


def packed(datatype: str, values: Sequence[Any]) -> bytes:
    """Return the raw content of values of a datatype.

    Raises:
        AnswerError: A value is not of the datatype, or out of its range.
    """
    if datatype == "BYTES":
        if not all(isinstance(value, str | bytes) for value in values):
            raise AnswerError("a value of BYTES is a string")
        contents = [value.encode() if isinstance(value, str) else value for value in values]
        return b"".join(struct.pack("<I", len(content)) + content for content in contents)
    if datatype not in CODES:
        raise AnswerError(f"unknown datatype {datatype!r}")
    for value in values:
        fits = isinstance(value, int | float) if datatype in _FLOATS else isinstance(value, int)
        if not fits or isinstance(value, bool) != (datatype == "BOOL"):
            raise AnswerError(f"{value!r} is no {datatype}")
    try:
        return struct.pack(f"<{len(values)}{CODES[datatype]}", *values)
    except (struct.error, OverflowError) as error:
        raise AnswerError(f"a value is out of the range of {datatype}: {error}") from error


def shown(tensor: Tensor) -> str:
    """Return a tensor in words, for messages."""
    return f"{tensor.name} {tensor.datatype} {list(tensor.shape)} {_values(tensor.datatype, tensor.raw)}"


def _values(datatype: str, raw: bytes) -> str:
    code = CODES.get(datatype)
    if code is None or len(raw) % struct.calcsize(f"<{code}"):
        return repr(raw)
    return repr([value for (value,) in struct.iter_unpack(f"<{code}", raw)])


def _decoded(encoding: str, body: bytes) -> bytes:
    """Return a body without its content encoding."""
    if encoding == "identity":
        return body
    if encoding != "gzip":
        raise AnswerError(f"content-encoding {encoding!r}, which nobody asked for")
    try:
        return unpacked(encoding, body, MOST_BYTES)
    except CodingError as error:
        raise AnswerError(str(error)) from error


def _binary_size(entry: Any, most: int) -> int | None:
    """Return how many bytes of binary data an output has; None: it has its data in JSON."""
    if not isinstance(entry, dict) or "data" in entry:
        return None
    size = _json_parameters(entry).get("binary_data_size")
    if type(size) is not int or not 0 <= size <= most:
        raise AnswerError(f"binary_data_size {size!r} with {most} bytes left")
    return size


def _json_tensor(entry: Any, raw: bytes | None) -> Tensor:
    if not isinstance(entry, dict) or (raw is None and not isinstance(entry.get("data"), list)):
        raise AnswerError("an output is an object with data, a list")
    name, datatype, shape = entry.get("name"), entry.get("datatype"), entry.get("shape")
    if not isinstance(name, str) or not isinstance(datatype, str) or not isinstance(shape, list):
        raise AnswerError("an output has name and datatype, strings, and shape, a list")
    if not all(type(size) is int for size in shape):
        raise AnswerError(f"output {name}: a shape is a list of integers")
    return Tensor(name, datatype, tuple(shape), packed(datatype, _flat(entry["data"])) if raw is None else raw)


def _json_parameters(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    given = entry.get("parameters") or {}
    if not isinstance(given, dict):
        raise AnswerError("parameters are an object")
    return given


def _parameters(message: Any) -> Mapping[str, Any]:
    """Return the parameters of a message; one of a kind that the protocol does not have is None."""
    pairs = [(entry.key, entry.value, entry.value.WhichOneof("parameter_choice")) for entry in message.parameters]
    return {name: kind and getattr(value, kind) for name, value, kind in pairs}


def _flat(data: list[Any]) -> list[Any]:
    """Return the values of lists within lists, in row-major order; how deep they go was bounded by their reader."""
    flat: list[Any] = []
    for value in data:
        if isinstance(value, list):
            flat += _flat(value)
        else:
            flat.append(value)
    return flat


def _output(output: Any, raw: bytes | None) -> Tensor:
    if raw is None:
        field = _CONTENT_OF.get(output.datatype)
        raw = packed(output.datatype, list(getattr(output.contents, field)) if field else [])
    return Tensor(output.name, output.datatype, tuple(output.shape), raw)


def _parsed(kind: str, data: bytes) -> Any:
    message = MESSAGES[kind]()
    try:
        message.ParseFromString(data)
    except DecodeError as error:
        raise AnswerError(f"no {kind}: {error}") from error
    return message


def _plain(message: Any) -> Any:
    if not hasattr(message, "DESCRIPTOR"):
        return message
    plain: dict[str, Any] = {}
    for each in message.DESCRIPTOR.fields:
        value = getattr(message, each.name)
        plain[each.name] = list(map(_plain, value)) if each.is_repeated else _plain(value)
    return plain
