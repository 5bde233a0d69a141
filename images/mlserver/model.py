"""The model of the mlserver-kafka pipeline on MLServer's SDK: the sum of each row, in two versions.

Input `rows` is a matrix of numbers, output `sums` has a number for each row: version 1 adds the numbers, version 2
their squares. The request's parameter `pause` makes the answer wait for as many seconds: a model that takes its time.
"""

import asyncio

import numpy as np
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.errors import InferenceError
from mlserver.types import InferenceRequest, InferenceResponse

ROWS, SUMS = "rows", "sums"
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
        rows = next((tensor for tensor in payload.inputs if tensor.name == ROWS), None)
        if rows is None:
            raise InferenceError(f"expected an input {ROWS!r}, got {[tensor.name for tensor in payload.inputs]}")
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
