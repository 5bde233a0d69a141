"""A mutant that takes BYTES for ASCII."""

from dataclasses import replace

from conforming import conforming
from rules import Rules
from tensors import Tensor, packed, unpacked


class Mutant(Rules):
    """Takes BYTES for ASCII."""

    def output(self, tensor: Tensor) -> Tensor:
        """Return the output for an input."""
        if tensor.datatype != "BYTES":
            return tensor
        values = [
            bytes(octet if octet < 128 else ord("?") for octet in value) for value in unpacked("BYTES", tensor.raw)
        ]
        return replace(tensor, raw=packed("BYTES", values))


if __name__ == "__main__":
    conforming(Mutant())
