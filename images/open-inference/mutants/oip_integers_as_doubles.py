"""A mutant that reads long integers as floating-point numbers."""

from dataclasses import replace

from conforming import conforming
from rules import Rules
from tensors import Tensor, packed, unpacked

RANGES = {"INT64": (-(2**63), 2**63 - 1), "UINT64": (0, 2**64 - 1)}


class Mutant(Rules):
    """Reads long integers as floating-point numbers."""

    def output(self, tensor: Tensor) -> Tensor:
        """Return the output for an input."""
        if tensor.datatype not in RANGES:
            return tensor
        least, most = RANGES[tensor.datatype]
        values = [min(max(int(float(value)), least), most) for value in unpacked(tensor.datatype, tensor.raw)]
        return replace(
            tensor, raw=packed(tensor.datatype, [value - value % 2 if value == most else value for value in values])
        )


if __name__ == "__main__":
    conforming(Mutant())
