"""A mutant that answers with tensors of one dimension."""

import math
from dataclasses import replace

from conforming import conforming
from rules import Rules
from tensors import Tensor


class Mutant(Rules):
    """Answers with tensors of one dimension."""

    def output(self, tensor: Tensor) -> Tensor:
        """Return the output for an input."""
        return replace(tensor, shape=(math.prod(tensor.shape),))


if __name__ == "__main__":
    conforming(Mutant())
