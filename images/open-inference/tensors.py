"""Tensors of the Open Inference Protocol, read strictly and written again. It needs the standard library only.

A tensor's data is kept as the protocol's raw content: little-endian values in row-major order, and for BYTES each value
behind its length, four bytes.
"""

import math
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

CODES = {
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
"""The format of `struct` for each datatype of a fixed size."""
DATATYPES = (*CODES, "BYTES")
FLOATS = ("FP16", "FP32", "FP64")
CONTENTS = {
    "BOOL": "bool_contents",
    "UINT8": "uint_contents",
    "UINT16": "uint_contents",
    "UINT32": "uint_contents",
    "UINT64": "uint64_contents",
    "INT8": "int_contents",
    "INT16": "int_contents",
    "INT32": "int_contents",
    "INT64": "int64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}
"""The field of InferTensorContents for each datatype that has one."""
MOST_DELAY = 10.0


class RefusedError(ValueError):
    """A request that the protocol does not allow; the text says why."""


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


def packed(datatype: str, values: Sequence[Any]) -> bytes:
    """Return the raw content of values; each must be of the kind that the datatype has, and in its range.

    Raises:
        RefusedError: A value does not fit.
    """
    if datatype == "BYTES":
        contents = [value.encode() if isinstance(value, str) else value for value in values]
        if not all(isinstance(content, bytes) for content in contents):
            raise RefusedError("a value of BYTES is a string")
        return b"".join(struct.pack("<I", len(content)) + content for content in contents)
    for value in values:
        if isinstance(value, bool) != (datatype == "BOOL") or not isinstance(value, int | float):
            raise RefusedError(f"{value!r} is no {datatype}")
        if isinstance(value, float) and datatype not in FLOATS:
            raise RefusedError(f"{value!r} is no {datatype}")
    try:
        return struct.pack(f"<{len(values)}{CODES[datatype]}", *values)
    except (struct.error, OverflowError) as error:
        raise RefusedError(f"a value is out of the range of {datatype}: {error}") from error


def unpacked(datatype: str, raw: bytes) -> list[Any]:
    """Return the values of a raw content: numbers, booleans, or bytes.

    Raises:
        RefusedError: The content is cut off.
    """
    if datatype == "BYTES":
        return list(_contents(raw))
    code = CODES[datatype]
    count, rest = divmod(len(raw), struct.calcsize(f"<{code}"))
    if rest:
        raise RefusedError(f"{len(raw)} bytes are no whole number of values of {datatype}")
    return list(struct.unpack(f"<{count}{code}", raw))


def checked(tensor: Tensor) -> Tensor:
    """Return a tensor whose content has as many values as its shape.

    Raises:
        RefusedError: It has not.
    """
    count = len(unpacked(tensor.datatype, tensor.raw))
    if any(size < 0 for size in tensor.shape) or count != math.prod(tensor.shape):
        raise RefusedError(f"input {tensor.name}: shape {list(tensor.shape)} and {count} values disagree")
    return tensor


def flattened(data: Any, shape: Sequence[int]) -> list[Any]:
    """Return the values of flat lists, or of lists that are nested as the shape says, in row-major order.

    Raises:
        RefusedError: It is no list, or nested otherwise.
    """
    if not isinstance(data, list):
        raise RefusedError("data is a list")
    if not any(isinstance(item, list) for item in data):
        return data
    # Dimension by dimension: a request may have more of them than functions may call each other.
    rows = [data]
    for size in shape:
        if not all(isinstance(row, list) and len(row) == size for row in rows):
            raise RefusedError("data is nested otherwise than its shape")
        rows = [item for row in rows for item in row]
    return rows


def delay_of(parameters: Mapping[str, Any]) -> float:
    """Return how long the answer waits by the parameters of its request, in seconds."""
    delay = parameters.get("delay_ms", 0)
    return min(max(delay, 0) / 1000, MOST_DELAY) if isinstance(delay, int) else 0.0


def _contents(raw: bytes) -> Iterator[bytes]:
    place = 0
    while place < len(raw):
        if place + 4 > len(raw):
            raise RefusedError("a length of BYTES is cut off")
        (size,) = struct.unpack_from("<I", raw, place)
        place += 4
        if place + size > len(raw):
            raise RefusedError("a value of BYTES is cut off")
        yield raw[place : place + size]
        place += size
