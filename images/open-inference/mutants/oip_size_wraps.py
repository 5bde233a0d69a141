"""A mutant that counts the values of a shape in 64 bits."""

import math

from conforming import conforming
from rules import Rules
from tensors import Tensor, unpacked


class Mutant(Rules):
    """Counts the values of a shape in 64 bits."""

    def checked(self, tensor: Tensor) -> Tensor:
        """Return an input that its shape fits."""
        fits = math.prod(tensor.shape) % 2**64 == len(unpacked(tensor.datatype, tensor.raw))
        return tensor if fits else super().checked(tensor)


if __name__ == "__main__":
    conforming(Mutant())
