"""A mutant that writes an output into the buffer of the one before."""

from dataclasses import replace

from conforming import conforming
from rules import Rules
from tensors import Tensor


class Mutant(Rules):
    """Writes an output of several rows into the buffer of the one before."""

    def __init__(self) -> None:
        self.buffers: dict[tuple[str, str], Tensor] = {}

    def output(self, tensor: Tensor) -> Tensor:
        """Return the output for an input."""
        if len(tensor.shape) < 2 or 0 in tensor.shape:
            return tensor
        before = self.buffers.get((tensor.name, tensor.datatype), tensor)
        if len(before.raw) > len(tensor.raw):
            tensor = replace(before, raw=tensor.raw + before.raw[len(tensor.raw) :])
        self.buffers[tensor.name, tensor.datatype] = tensor
        return tensor


if __name__ == "__main__":
    conforming(Mutant())
