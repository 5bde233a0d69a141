"""TensorFlow Serving predict requests, as JSON and as protobuf bytes written by hand from the message definitions.

Field numbers: tensorflow_serving/apis/{predict,model}.proto, tensorflow/core/framework/{tensor,tensor_shape}.proto.
"""

import json
import struct
from collections.abc import Callable, Sequence

from suites.oracles.cifar10 import COLOURS, SIDE, Picture, flat

PROTO_NAME = "tensorflow.serving.PredictRequest"
MODEL, SIGNATURE, INPUT = "resnet32", "serving_default", "images"
DT_FLOAT, DT_DOUBLE = 1, 2
CODES = {DT_FLOAT: "f", DT_DOUBLE: "d"}
TYPED_FIELDS = {DT_FLOAT: 5, DT_DOUBLE: 6}
CONTENT_FIELD = 4
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


def predict_json(*images: Picture) -> bytes:
    """Return a REST request in row format."""
    return json.dumps({"instances": list(images)}).encode()


def json_written(image: Picture, write: Callable[[float], str]) -> bytes:
    """Return a REST request in row format whose numbers are written by `write`."""
    rows = ("[" + ",".join(f"[{','.join(map(write, pixel))}]" for pixel in row) + "]" for row in image)
    return f'{{"instances": [[{",".join(rows)}]]}}'.encode()


def predict_protobuf(*images: Picture) -> bytes:
    """Return a PredictRequest for pictures, as most clients write it."""
    return request(tensor(images))


def request(tensor: bytes, *, model: bytes | None = None, name: str = INPUT) -> bytes:
    """Return a PredictRequest: model_spec 1, inputs 2 {key 1, value 2}.

    Args:
        tensor: The bytes of the TensorProto.
        model: The bytes of the ModelSpec; None: that of the model.
        name: The name of the input.
    """
    spec = model_spec() if model is None else model
    return octets(1, spec) + octets(2, octets(1, name.encode()) + octets(2, tensor))


def response(tensor: bytes, name: str = INPUT) -> bytes:
    """Return a PredictResponse, which has the fields of PredictRequest the other way round: outputs 1, model_spec 2."""
    return octets(1, octets(1, name.encode()) + octets(2, tensor)) + octets(2, model_spec())


def model_spec(name: str = MODEL, signature: str = SIGNATURE) -> bytes:
    """Return a ModelSpec: name 1, signature_name 3."""
    return octets(1, name.encode()) + octets(3, signature.encode())


def tensor(images: Sequence[Picture], dtype: int = DT_FLOAT, *, form: str = "packed") -> bytes:
    """Return a TensorProto: dtype 1, tensor_shape 2, and its values.

    Args:
        images: The pictures.
        dtype: DT_FLOAT or DT_DOUBLE.
        form: The form of the values: `packed`, `unpacked` (in the field of the type), or `content` (tensor_content).
    """
    values = [value for image in images for value in flat(image)]
    code = CODES[dtype]
    raw = struct.pack(f"<{len(values)}{code}", *values)
    if form == "unpacked":
        tag = _varint(TYPED_FIELDS[dtype] << 3 | (FIXED32 if dtype == DT_FLOAT else FIXED64))
        size = struct.calcsize(code)
        content = b"".join(tag + raw[start : start + size] for start in range(0, len(raw), size))
    else:
        content = octets(CONTENT_FIELD if form == "content" else TYPED_FIELDS[dtype], raw)
    return number(1, dtype) + octets(2, shape(len(images), SIDE, SIDE, COLOURS)) + content


def shape(*sizes: int) -> bytes:
    """Return a TensorShapeProto: dim 2 {size 1}."""
    return b"".join(octets(2, number(1, size)) for size in sizes)


def number(field: int, value: int) -> bytes:
    """Return a field with a number, as varint; a negative one has 64 bits."""
    return _varint(field << 3 | VARINT) + _varint(value % 2**64)


def octets(field: int, value: bytes) -> bytes:
    """Return a field with bytes, a text or a message."""
    return _varint(field << 3 | BYTES) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    low, rest = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + _varint(rest) if rest else bytes([low])
