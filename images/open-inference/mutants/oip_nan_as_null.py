"""A mutant that writes numbers that JSON does not have as null."""

import math
from typing import Any

from conforming import conforming
from tensors import FLOATS, Tensor, unpacked

from mutants.reading_binary import BinaryRules


class Mutant(BinaryRules):
    """Writes numbers that JSON does not have as null."""

    def json_values(self, tensor: Tensor) -> list[Any]:
        """Return the values of an output for JSON."""
        if tensor.datatype not in FLOATS:
            return super().json_values(tensor)
        return [value if math.isfinite(value) else None for value in unpacked(tensor.datatype, tensor.raw)]


if __name__ == "__main__":
    conforming(Mutant())
