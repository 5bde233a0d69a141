"""TensorFlow Serving predict requests, as JSON and as protobuf bytes written by hand from the message definitions.

Field numbers: tensorflow_serving/apis/{predict,model}.proto, tensorflow/core/framework/{tensor,tensor_shape}.proto.
"""

import json
import struct

from suites.oracles.cifar10 import COLOURS, SIDE, Picture, flat

PROTO_NAME = "tensorflow.serving.PredictRequest"
MODEL, SIGNATURE, INPUT = "resnet32", "serving_default", "images"
DT_FLOAT = 1
VARINT, BYTES = 0, 2


def predict_json(*images: Picture) -> bytes:
    """Return a REST request in row format."""
    return json.dumps({"instances": list(images)}).encode()


def predict_protobuf(image: Picture) -> bytes:
    """Return a PredictRequest: model_spec 1 {name 1, signature_name 3}, inputs 2 {key 1, value 2}."""
    model = _bytes(1, MODEL.encode()) + _bytes(3, SIGNATURE.encode())
    entry = _bytes(1, INPUT.encode()) + _bytes(2, _tensor(image))
    return _bytes(1, model) + _bytes(2, entry)


def _tensor(image: Picture) -> bytes:
    """Return a TensorProto: dtype 1, tensor_shape 2 {dim 2 {size 1}}, float_val 5 (packed)."""
    shape = b"".join(_bytes(2, _number(1, size)) for size in (1, SIDE, SIDE, COLOURS))
    values = flat(image)
    return _number(1, DT_FLOAT) + _bytes(2, shape) + _bytes(5, struct.pack(f"<{len(values)}f", *values))


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3 | VARINT) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | BYTES) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    low, rest = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + _varint(rest) if rest else bytes([low])
