"""A mutant that takes a dimension of -1 for whatever fits."""

import math
from dataclasses import replace

from conforming import conforming
from rules import Rules
from tensors import Tensor, unpacked


class Mutant(Rules):
    """Takes a dimension of -1 for whatever fits."""

    def checked(self, tensor: Tensor) -> Tensor:
        """Return an input that its shape fits."""
        if tensor.shape.count(-1) == 1:
            count, others = len(unpacked(tensor.datatype, tensor.raw)), -math.prod(tensor.shape)
            if others > 0 and count % others == 0:
                tensor = replace(tensor, shape=tuple(count // others if size == -1 else size for size in tensor.shape))
        return super().checked(tensor)


if __name__ == "__main__":
    conforming(Mutant())
