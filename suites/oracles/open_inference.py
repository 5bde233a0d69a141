"""Requests of the Open Inference Protocol: JSON, and protobuf bytes written by hand from the message definitions.

Field numbers: open_inference_grpc.proto of kserve/open-inference-protocol.
"""

import hashlib
import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from suites.oracles.tensorflow import number, octets

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
DATATYPES = (*CODES, "BYTES")
INTEGERS = ("UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64")
CONTENT_FIELDS = {
    "BOOL": 1,
    "INT8": 2,
    "INT16": 2,
    "INT32": 2,
    "INT64": 3,
    "UINT8": 4,
    "UINT16": 4,
    "UINT32": 4,
    "UINT64": 5,
    "FP32": 6,
    "FP64": 7,
}
BYTES_FIELD = 8
HEADER_LENGTH = "inference-header-content-length"
IDS = {
    "uuid": "0f6c9d2e-5b41-4a53-9d0e-7c1f0a8e6b32",
    "not-ascii": "Grüße, 東京 \U0001f600",
    "nearly-a-number": "007",
    "long": "x" * 1024,
}
"""Ids, most of which a careless server changes, by what they are."""

MALFORMED_BYTES = (
    b"\x00\x00\x00\x80abc",
    b"\x01\x00",
    b"\x01\x00\x00\x00a" * 3 + b"\x00",
    b"\x01\x00\x00\x00a" * 2,
)
"""Contents of no tensor of three BYTES: a length of 2^31, half a length, a byte too many, two values."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor as a test asks for it.

    Attributes:
        values: The values, flat: numbers, booleans, or bytes for BYTES.
        shape: The shape; None: one dimension, as long as the values.
        name: The name; empty: that of the datatype in small letters.
        parameters: The parameters; None: it has none.
    """

    datatype: str
    values: Sequence[Any]
    shape: Sequence[int] | None = None
    name: str = ""
    parameters: Mapping[str, Any] | None = None

    @property
    def called(self) -> str:
        """The name that it has in a request."""
        return self.name or self.datatype.lower()

    @property
    def sizes(self) -> list[int]:
        """The shape that it has in a request."""
        return [len(self.values)] if self.shape is None else list(self.shape)

    @property
    def raw(self) -> bytes:
        """The raw content: little-endian, and each of BYTES behind its length."""
        if self.datatype == "BYTES":
            return b"".join(struct.pack("<I", len(value)) + value for value in self.values)
        return struct.pack(f"<{len(self.values)}{CODES[self.datatype]}", *self.values)

    def expected(self) -> Mapping[str, Any]:
        """Return the output that answers it, as `inferred` takes it."""
        more = {} if self.parameters is None else {"parameters": dict(self.parameters)}
        return {"name": self.called, "datatype": self.datatype, "shape": self.sizes, "raw": self.raw, **more}

    def digested(self) -> Mapping[str, Any]:
        """Return the output that answers it, as `answered_whole` takes it: its content by its digest."""
        sha256 = hashlib.sha256(self.raw).hexdigest()
        return {"name": self.called, "datatype": self.datatype, "shape": self.sizes, "sha256": sha256}

    def as_json(self, data: Any = None) -> dict[str, Any]:
        """Return the input of a REST request; `data`: in the place of its values."""
        values = [value.decode() if isinstance(value, bytes) else value for value in self.values]
        entry = {"name": self.called, "datatype": self.datatype, "shape": self.sizes}
        more = {} if self.parameters is None else {"parameters": dict(self.parameters)}
        return {**entry, **more, "data": values if data is None else data}


def binary(
    *tensors: Tensor,
    plain: Tensor | None = None,
    raw: bytes | None = None,
    size: int | None = None,
    length: object = None,
) -> tuple[bytes, list[tuple[str, str]]]:
    """Return body and headers of a request by the extension for binary data.

    Args:
        tensors: The tensors whose data is binary.
        plain: A tensor before them, with its data in JSON; None: there is none.
        raw: The binary data; None: that of the tensors.
        size: The size of each tensor's data as the request says it, in bytes; None: that which it has.
        length: The length of the JSON as the header says it; None: that which it has.
    """
    described = [
        {
            "name": tensor.called,
            "datatype": tensor.datatype,
            "shape": tensor.sizes,
            "parameters": {"binary_data_size": len(tensor.raw) if size is None else size},
        }
        for tensor in tensors
    ]
    head = json.dumps({"inputs": [*([plain.as_json()] if plain else []), *described]}).encode()
    data = b"".join(tensor.raw for tensor in tensors) if raw is None else raw
    said = len(head) if length is None else length
    return head + data, [("content-type", "application/octet-stream"), (HEADER_LENGTH, str(said))]


def limits(*datatypes: str) -> list[Tensor]:
    """Return a tensor of each datatype with its lowest and its highest value, and what lies next to nothing."""
    return [Tensor(datatype, _LIMITS[datatype]) for datatype in datatypes]


def _integers(datatype: str) -> list[int]:
    bits = 8 * struct.calcsize(f"<{CODES[datatype]}")
    signed = datatype.startswith("INT")
    lowest, highest = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    return [lowest, lowest + 1, 0, 1, highest - 1, highest]


_LIMITS: Mapping[str, Sequence[Any]] = {
    "BOOL": [True, False],
    **{datatype: _integers(datatype) for datatype in INTEGERS},
    # The largest, the least normal and the least subnormal number, and a zero with a sign.
    "FP16": [65504.0, -65504.0, 2.0**-14, 2.0**-24, -0.0, 0.5],
    "FP32": [2.0**128 - 2.0**104, 2.0**104 - 2.0**128, 2.0**-126, 2.0**-149, -0.0, 0.1],
    "FP64": [1.7976931348623157e308, -1.7976931348623157e308, 2.0**-1022, 5e-324, -0.0, 0.1],
    "BYTES": ["grüße".encode(), b"", b"\x00", "\U0001f600".encode()],
}


def rest(*tensors: Tensor, **members: Any) -> bytes:
    """Return a REST request; `members`: those of it beside its inputs, None for one that it lacks."""
    request = {"id": "1", **members, "inputs": [tensor.as_json() for tensor in tensors]}
    return json.dumps({name: value for name, value in request.items() if value is not None}).encode()


def message(*tensors: Tensor, raw: bool, model: str, **members: Any) -> bytes:
    """Return a ModelInferRequest.

    Args:
        tensors: The inputs.
        raw: Whether their data goes into raw_input_contents, and not into their contents.
        model: The name of the model.
        members: The `id` of the request and the `version` of the model, texts, the names of `outputs` that it asks for,
            and the `parameters` of the request.
    """
    inputs = b"".join(octets(5, _input(tensor, raw=raw)) for tensor in tensors)
    parameters = b"".join(octets(4, _entry(*pair)) for pair in members.get("parameters", {}).items())
    version = octets(2, members["version"].encode()) if "version" in members else b""
    outputs = b"".join(octets(6, octets(1, name.encode())) for name in members.get("outputs", ()))
    data = b"".join(octets(7, tensor.raw) for tensor in tensors) if raw else b""
    id_ = octets(3, members.get("id", "1").encode())
    return octets(1, model.encode()) + version + id_ + parameters + inputs + outputs + data


def contents(tensor: Tensor) -> bytes:
    """Return InferTensorContents with the values in the field of their datatype."""
    if tensor.datatype == "BYTES":
        return b"".join(octets(BYTES_FIELD, value) for value in tensor.values)
    field = CONTENT_FIELDS[tensor.datatype]
    if tensor.datatype in {"FP32", "FP64"}:
        return octets(field, tensor.raw)
    # A packed field is its numbers as varints, each without a key of its own.
    return octets(field, b"".join(number(0, value)[1:] for value in tensor.values))


def input_of(tensor: Tensor, content: bytes | None) -> bytes:
    """Return InferInputTensor with these contents; None: without any."""
    shape = b"".join(number(3, size) for size in tensor.sizes)
    described = octets(1, tensor.called.encode()) + octets(2, tensor.datatype.encode()) + shape
    described += b"".join(octets(4, _entry(*pair)) for pair in (tensor.parameters or {}).items())
    return described if content is None else described + octets(5, content)


def named(name: str, version: str = "") -> bytes:
    """Return ModelReadyRequest or ModelMetadataRequest: name 1, version 2."""
    return octets(1, name.encode()) + (octets(2, version.encode()) if version else b"")


def _entry(name: str, value: int | str) -> bytes:
    """Return an entry of parameters: key 1, value 2, an InferParameter of bool 1, int64 2 or string 3."""
    if isinstance(value, str):
        return octets(1, name.encode()) + octets(2, octets(3, value.encode()))
    return octets(1, name.encode()) + octets(2, number(1 if isinstance(value, bool) else 2, value))


def _input(tensor: Tensor, *, raw: bool) -> bytes:
    return input_of(tensor, None if raw else contents(tensor))
