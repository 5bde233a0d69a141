"""The reading of images from JSON and TensorProtos, with the checks and messages of TensorFlow Serving."""

from math import prod
from typing import Any

import numpy as np
from messages import DT_DOUBLE, DT_FLOAT, type_name
from network import SHAPE
from numpy.typing import NDArray

INPUT, OUTPUT, SIGNATURE = "images", "probabilities", "serving_default"
_DTYPES = {DT_FLOAT: np.dtype("<f4"), DT_DOUBLE: np.dtype("<f8")}


class InvalidArgumentError(ValueError):
    """A request that cannot be computed: HTTP 400, gRPC INVALID_ARGUMENT."""


def from_rows(instances: Any) -> NDArray[np.float64]:
    """Read REST's row format: a list of images, or of objects that name the input.

    Raises:
        InvalidArgumentError: The value has another form.
    """
    if not isinstance(instances, list) or not instances:
        raise InvalidArgumentError("JSON Value: the 'instances' must be a list with at least one element")
    if all(isinstance(instance, dict) for instance in instances):
        if any(set(instance) != {INPUT} for instance in instances):
            raise InvalidArgumentError(f"Failed to process element: every instance must have the one key '{INPUT}'")
        instances = [instance[INPUT] for instance in instances]
    return _images(instances)


def from_columns(inputs: Any) -> NDArray[np.float64]:
    """Read REST's column format: a batch of images, or an object that names it.

    Raises:
        InvalidArgumentError: The value has another form.
    """
    if isinstance(inputs, dict):
        if set(inputs) != {INPUT}:
            raise InvalidArgumentError(f"Missing named input or unexpected ones: '{INPUT}' is the one that there is")
        inputs = inputs[INPUT]
    return _images(inputs)


def _images(values: Any) -> NDArray[np.float64]:
    try:
        images = np.array(values)
    except ValueError as error:
        raise InvalidArgumentError("Encountered list at unexpected size: the images' shapes differ") from error
    if images.dtype.kind not in "fiu":
        raise InvalidArgumentError("JSON Value: an image consists of numbers")
    return _shaped(images)


def from_tensor(inputs: Any) -> NDArray[np.float64]:
    """Read the inputs of a PredictRequest.

    Raises:
        InvalidArgumentError: The input has another name, type or shape, or fewer values than its shape.
    """
    if set(inputs) != {INPUT}:
        sent = ", ".join(sorted(inputs)) or "none"
        raise InvalidArgumentError(f"input size does not match signature: sent {{{sent}}}, expected {{{INPUT}}}")
    tensor = inputs[INPUT]
    dtype = _DTYPES.get(tensor.dtype)
    if dtype is None:
        raise InvalidArgumentError(f"Expects arg[0] to be float but {type_name(tensor.dtype)} is provided")
    shape = [dimension.size for dimension in tensor.tensor_shape.dim]
    if tensor.tensor_shape.unknown_rank or any(size < 0 for size in shape):
        raise InvalidArgumentError("The tensor's shape must be fully known")
    if tensor.tensor_content:
        if len(tensor.tensor_content) != prod(shape) * dtype.itemsize:
            raise InvalidArgumentError("Invalid tensor_content: its length does not match the shape")
        values = np.frombuffer(tensor.tensor_content, dtype)
    else:
        values = np.array(tensor.float_val if tensor.dtype == DT_FLOAT else tensor.double_val, dtype)
        if len(values) != prod(shape):
            raise InvalidArgumentError(f"The tensor has {len(values)} values, its shape {prod(shape)}")
    return _shaped(values.reshape(shape))


def _shaped(images: NDArray[Any]) -> NDArray[np.float64]:
    if images.ndim != 4 or images.shape[1:] != SHAPE:
        raise InvalidArgumentError(f"input must be 4-dimensional [batch,32,32,3], not {list(images.shape)}")
    if not np.isfinite(images).all():
        raise InvalidArgumentError("input must be finite")
    return images.astype(np.float64)
