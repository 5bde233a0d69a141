"""A mutant that has unsigned integers of one bit less."""

import struct
from dataclasses import replace

from conforming import conforming
from rules import Rules
from tensors import CODES, Tensor, packed, unpacked


class Mutant(Rules):
    """Has unsigned integers of one bit less."""

    def output(self, tensor: Tensor) -> Tensor:
        """Return the output for an input."""
        if not tensor.datatype.startswith("UINT"):
            return tensor
        most = 2 ** (8 * struct.calcsize(f"<{CODES[tensor.datatype]}") - 1) - 1
        values = [min(value, most) for value in unpacked(tensor.datatype, tensor.raw)]
        return replace(tensor, raw=packed(tensor.datatype, values))


if __name__ == "__main__":
    conforming(Mutant())
