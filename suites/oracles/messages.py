"""Messages of Seldon's protocol and of the Open Inference Protocol, and tensors of every type, written by hand.

Field numbers: seldon-core proto/prediction.proto; open-inference-protocol grpc service; tensorflow/core/framework
tensor.proto and types.proto.
"""

import base64
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from suites.oracles.tensorflow import model_spec, number, octets, request, shape

SELDON_MESSAGE = "seldon.protos.SeldonMessage"
INFER_REQUEST, INFER_RESPONSE = "inference.ModelInferRequest", "inference.ModelInferResponse"
PREDICT_REQUEST, PREDICT_RESPONSE = "tensorflow.serving.PredictRequest", "tensorflow.serving.PredictResponse"

GOLDEN = bytes.fromhex("0a070a016d1202080312170a0178121208011204120208022a080000c03f000000c0")
"""The PredictRequest that TensorFlow's own stubs write for model m, version 3, and x = float [1.5, -2]."""
GOLDEN_ANSWER = bytes.fromhex("0a170a0178121208011204120208022a080000c03f000000c012070a016d12020803")
"""The PredictResponse of a model that echoes: the same fields, of which PredictResponse has the numbers reversed."""

TYPES = {
    "FLOAT": 1,
    "DOUBLE": 2,
    "INT32": 3,
    "UINT8": 4,
    "INT16": 5,
    "INT8": 6,
    "STRING": 7,
    "COMPLEX64": 8,
    "INT64": 9,
    "BOOL": 10,
    "QINT8": 11,
    "BFLOAT16": 14,
    "UINT16": 17,
    "COMPLEX128": 18,
    "HALF": 19,
    "UINT32": 22,
    "UINT64": 23,
}
"""The numbers of TensorFlow's types."""
_VARINTS = {"INT32": 7, "UINT8": 7, "INT16": 7, "INT8": 7, "QINT8": 7, "UINT16": 7, "INT64": 10, "BOOL": 11}
_VARINTS |= {"HALF": 13, "BFLOAT16": 13, "UINT32": 16, "UINT64": 17}
_FIXED = {"FLOAT": (5, "f"), "DOUBLE": (6, "d"), "COMPLEX64": (9, "f"), "COMPLEX128": (12, "d")}


def typed(kind: str, values: Sequence[int | float], *sizes: int) -> bytes:
    """Return a TensorProto with its values in the field of its type; a complex number is two values."""
    head = number(1, TYPES[kind]) + octets(2, shape(*sizes))
    if kind in _FIXED:
        field, code = _FIXED[kind]
        return head + octets(field, struct.pack(f"<{len(values)}{code}", *values))
    packed = b"".join(number(0, int(value))[1:] for value in values)  # the varint without its tag of one byte
    return head + octets(_VARINTS[kind], packed)


def bits(kind: str, raw: bytes, *sizes: int) -> bytes:
    """Return a TensorProto of floats with these bits in the field of its type."""
    return number(1, TYPES[kind]) + octets(2, shape(*sizes)) + octets(_FIXED[kind][0], raw)


def content(kind: str, raw: bytes, *sizes: int) -> bytes:
    """Return a TensorProto with these bytes in `tensor_content`."""
    return number(1, TYPES[kind]) + octets(2, shape(*sizes)) + octets(4, raw)


def strings(values: Sequence[bytes], *sizes: int) -> bytes:
    """Return a TensorProto of strings, which are any bytes."""
    return number(1, TYPES["STRING"]) + octets(2, shape(*sizes)) + b"".join(octets(8, value) for value in values)


def asked(tensor: bytes) -> bytes:
    """Return a PredictRequest with one tensor."""
    return request(tensor, model=model_spec("echo"), name="x")


def echoed(tensor: bytes) -> bytes:
    """Return the PredictResponse of a model that echoes one tensor: outputs 1, model_spec 2."""
    return octets(1, octets(1, b"x") + octets(2, tensor)) + octets(2, model_spec("echo"))


def asked_of(tensors: Mapping[str, bytes]) -> bytes:
    """Return a PredictRequest with tensors by their names: model_spec 1, inputs 2."""
    return octets(1, model_spec("echo")) + b"".join(octets(2, _entry(name, each)) for name, each in tensors.items())


def echoed_of(tensors: Mapping[str, bytes]) -> bytes:
    """Return the PredictResponse of a model that echoes tensors by their names."""
    return b"".join(octets(1, _entry(name, each)) for name, each in tensors.items()) + octets(2, model_spec("echo"))


def _entry(name: str, tensor: bytes) -> bytes:
    return octets(1, name.encode()) + octets(2, tensor)


def infer_tensor(name: str, datatype: str, sizes: Sequence[int], contents: bytes = b"") -> bytes:
    """Return a tensor of the Open Inference Protocol: name 1, datatype 2, shape 3 (packed), contents 5."""
    dims = b"".join(number(0, size)[1:] for size in sizes)
    whole = octets(1, name.encode()) + octets(2, datatype.encode()) + octets(3, dims)
    return whole + (octets(5, contents) if contents else b"")


def infer_request(*tensors: bytes, raw: Sequence[bytes] = (), id_: str = "r1") -> bytes:
    """Return a ModelInferRequest: model_name 1, id 3, inputs 5, raw_input_contents 7."""
    head = octets(1, b"echo") + octets(3, id_.encode())
    return head + b"".join(octets(5, each) for each in tensors) + b"".join(octets(7, each) for each in raw)


def infer_response(*tensors: bytes, raw: Sequence[bytes] = (), id_: str = "r1") -> bytes:
    """Return the ModelInferResponse of a model that echoes: model_name 1, id 3, outputs 5, raw_output_contents 6."""
    head = octets(1, b"echo") + octets(3, id_.encode())
    return head + b"".join(octets(5, each) for each in tensors) + b"".join(octets(6, each) for each in raw)


def tagged(name: str, text: str) -> bytes:
    """Return the `meta` of a SeldonMessage with one tag: meta 2 {tags 2 {key 1, value 2 {string_value 3}}}."""
    return octets(2, octets(2, octets(1, name.encode()) + octets(2, octets(3, text.encode()))))


def numbered(name: str, value: float) -> bytes:
    """Return the `meta` of a SeldonMessage with one tag that is a number: {number_value 2}."""
    tag = b"\x11" + struct.pack("<d", value)
    return octets(2, octets(2, octets(1, name.encode()) + octets(2, tag)))


def seldon_message(payload: Mapping[str, Any]) -> bytes:
    """Return the SeldonMessage that Seldon's protocol has in JSON: meta 2, data 3, binData 4, strData 5 or jsonData 6.

    Args:
        payload: The message in JSON: a text, an array, a tensor, bytes or JSON, with or without `meta`. Metrics are
            counters; an object with `protobuf` has the bytes of its payload there.
    """
    meta = octets(2, _meta(payload["meta"])) if "meta" in payload else b""
    if "protobuf" in payload:
        return meta + bytes(payload["protobuf"])
    if "binData" in payload:
        return meta + octets(4, base64.b64decode(payload["binData"]))
    if "strData" in payload:
        return meta + octets(5, payload["strData"].encode())
    if "jsonData" in payload:
        return meta + octets(6, _value(payload["jsonData"]))
    data = payload["data"]
    names = b"".join(octets(1, name.encode()) for name in data.get("names", ()))
    if "ndarray" in data:
        return meta + octets(3, names + octets(3, _list(data["ndarray"])))
    sizes = b"".join(number(0, size)[1:] for size in data["tensor"]["shape"])
    values = struct.pack(f"<{len(data['tensor']['values'])}d", *data["tensor"]["values"])
    return meta + octets(3, names + octets(2, octets(1, sizes) + octets(2, values)))


def _meta(meta: Mapping[str, Any]) -> bytes:
    """Return the `meta` of a SeldonMessage: puid 1, tags 2, requestPath 4, metrics 5 {key 1, value 3}."""

    def entries(field: int, members: Mapping[str, Any], write: Callable[[Any], bytes]) -> list[bytes]:
        return [octets(field, octets(1, name.encode()) + octets(2, write(each))) for name, each in members.items()]

    puid = [octets(1, meta["puid"].encode())] if "puid" in meta else []
    metrics = [
        octets(5, octets(1, metric["key"].encode()) + b"\x1d" + struct.pack("<f", metric["value"]))
        for metric in meta.get("metrics", ())
    ]
    path = entries(4, meta.get("requestPath", {}), str.encode)
    return b"".join([*puid, *entries(2, meta.get("tags", {}), _value), *path, *metrics])


def _value(value: Any) -> bytes:
    """Return a google.protobuf.Value: null 1, number 2, string 3, bool 4, struct 5 {fields 1}, list 6 {values 1}."""
    match value:
        case None:
            return number(1, 0)
        case bool():
            return number(4, value)
        case int() | float():
            return b"\x11" + struct.pack("<d", value)
        case str():
            return octets(3, value.encode())
        case dict():
            fields = (octets(1, name.encode()) + octets(2, _value(each)) for name, each in value.items())
            return octets(5, b"".join(octets(1, field) for field in fields))
        case _:
            return octets(6, _list(value))


def _list(values: Sequence[Any]) -> bytes:
    return b"".join(octets(1, _value(value)) for value in values)
