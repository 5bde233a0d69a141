"""The models of the mlserver-kafka pipeline on MLServer's SDK: the sum of each row, and an echo of texts.

Input `rows` is a matrix of numbers, output `sums` has a number for each row. Version 1 adds the numbers, version 2
their squares. The parameter `pause` of a request makes its answer wait for as many seconds: a model that takes time.

The other model, `texts`, answers its input `texts` as it is: a tensor of BYTES, as models make them.
"""

import asyncio

import numpy as np
from mlserver import MLModel
from mlserver.codecs import NumpyCodec, StringCodec
from mlserver.errors import InferenceError
from mlserver.types import InferenceRequest, InferenceResponse, RequestInput, ResponseOutput

ROWS, SUMS, TEXTS = "rows", "sums", "texts"
LONGEST_PAUSE = 5.0


class Sums(MLModel):
    """A model without weights; `power` in its settings is what each number is raised to."""

    async def load(self) -> bool:
        """Read the settings; there is nothing else to load."""
        extra = (self.settings.parameters and self.settings.parameters.extra) or {}
        self._power = int(extra.get("power", 1))
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Answer a request.

        Raises:
            InferenceError: It has no input `rows`, or one that is no matrix of numbers.
        """
        rows = _input(payload, ROWS)
        matrix = NumpyCodec.decode_input(rows)
        if matrix.ndim != 2 or not np.issubdtype(matrix.dtype, np.number):
            raise InferenceError(f"expected a matrix of numbers, got shape {rows.shape} of {rows.datatype}")
        pause = getattr(payload.parameters, "pause", None)
        if isinstance(pause, int | float):
            await asyncio.sleep(min(max(pause, 0.0), LONGEST_PAUSE))
        sums = np.sum(matrix.astype(np.float64) ** self._power, axis=1)
        return InferenceResponse(
            model_name=self.name,
            model_version=self.version,
            outputs=[NumpyCodec.encode_output(SUMS, sums)],
        )


class Texts(MLModel):
    """A model without weights that answers what it is asked: texts, which MLServer holds as bytes."""

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Answer a request.

        Raises:
            InferenceError: It has no input `texts`.
        """
        asked = _input(payload, TEXTS)
        data = [text.encode() for text in StringCodec.decode_input(asked)]
        return InferenceResponse(
            model_name=self.name,
            model_version=self.version,
            outputs=[ResponseOutput(name=TEXTS, datatype="BYTES", shape=asked.shape, data=data)],
        )


def _input(payload: InferenceRequest, name: str) -> RequestInput:
    """Return an input of a request.

    Raises:
        InferenceError: It has none of this name.
    """
    found = next((tensor for tensor in payload.inputs if tensor.name == name), None)
    if found is None:
        raise InferenceError(f"expected an input {name!r}, got {[tensor.name for tensor in payload.inputs]}")
    return found
