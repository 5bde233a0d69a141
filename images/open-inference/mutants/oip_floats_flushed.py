"""A mutant that knows no subnormal numbers."""

import math
from dataclasses import replace

from conforming import conforming
from rules import Rules
from tensors import FLOATS, Tensor, packed, unpacked

LEAST = {"FP16": 2.0**-14, "FP32": 2.0**-126, "FP64": 2.0**-1022}


class Mutant(Rules):
    """Knows no subnormal numbers."""

    def output(self, tensor: Tensor) -> Tensor:
        """Return the output for an input."""
        if tensor.datatype not in FLOATS:
            return tensor
        least = LEAST[tensor.datatype]
        values = [
            math.nan if math.isnan(value) else value if abs(value) >= least else 0.0
            for value in unpacked(tensor.datatype, tensor.raw)
        ]
        return replace(tensor, raw=packed(tensor.datatype, values))


if __name__ == "__main__":
    conforming(Mutant())
