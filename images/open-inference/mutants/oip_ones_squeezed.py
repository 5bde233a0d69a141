"""A mutant that answers without the dimensions of size one, where there are several dimensions."""

from dataclasses import replace

from conforming import conforming
from rules import Rules
from tensors import Tensor


class Mutant(Rules):
    """Answers without the dimensions of size one, as a model does that squeezes its batch."""

    def output(self, tensor: Tensor) -> Tensor:
        """Return the output for an input."""
        if len(tensor.shape) < 2:
            return tensor
        return replace(tensor, shape=tuple(size for size in tensor.shape if size != 1) or (1,))


if __name__ == "__main__":
    conforming(Mutant())
