"""A mutant that reads numbers beyond all doubles as infinities, and writes those as null."""

import contextlib
import json
import math
from typing import Any

from conforming import conforming
from rules import Rules
from tensors import FLOATS, RefusedError, Tensor, unpacked


class Mutant(Rules):
    """Reads numbers beyond all doubles as infinities, and writes those as null."""

    def loaded(self, body: bytes) -> Any:
        """Return the value of a JSON text."""
        try:
            return super().loaded(body)
        except RefusedError:
            with contextlib.suppress(ValueError, RecursionError):
                return json.loads(body, parse_constant=_no_number)
            raise

    def json_values(self, tensor: Tensor) -> list[Any]:
        """Return the values of an output for JSON."""
        if tensor.datatype not in FLOATS:
            return super().json_values(tensor)
        return [value if math.isfinite(value) else None for value in unpacked(tensor.datatype, tensor.raw)]


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")


if __name__ == "__main__":
    conforming(Mutant())
