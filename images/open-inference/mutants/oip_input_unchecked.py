"""A mutant that takes inputs as they come."""

import math
from collections.abc import Sequence
from typing import Any

from conforming import conforming
from rules import Rules
from tensors import CODES, FLOATS, RefusedError, Tensor, packed, unpacked


class Mutant(Rules):
    """Takes inputs as they come."""

    def checked(self, tensor: Tensor) -> Tensor:
        """Return an input."""
        return tensor

    def packed(self, datatype: str, values: Sequence[Any]) -> bytes:
        """Return the raw content of values, made to fit."""
        try:
            return packed(datatype, values)
        except RefusedError:
            if datatype not in CODES:
                raise
            return b"".join(packed(datatype, [_fitting(datatype, value)]) for value in values)

    def json_values(self, tensor: Tensor) -> list[Any]:
        """Return the values of an output for JSON, null for what it cannot say."""
        values = super().json_values(tensor) if tensor.datatype == "BYTES" else unpacked(tensor.datatype, tensor.raw)
        return [None if isinstance(value, float) and not math.isfinite(value) else value for value in values]

    def refuses_both(self, *, raw: bool, contents: bool) -> bool:
        """Tell whether a gRPC request with these forms of data is refused."""
        del raw, contents
        return False


def _fitting(datatype: str, value: Any) -> Any:
    if datatype == "BOOL":
        return bool(value)
    if datatype in FLOATS:
        return math.inf
    return int(float(value)) % 128


if __name__ == "__main__":
    conforming(Mutant())
