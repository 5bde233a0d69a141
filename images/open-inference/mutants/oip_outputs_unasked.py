"""A mutant that does not read which outputs are requested."""

from collections.abc import Sequence

from conforming import conforming
from rules import Rules
from tensors import Tensor


class Mutant(Rules):
    """Does not read which outputs are requested."""

    def requested(self, outputs: Sequence[Tensor], names: Sequence[str]) -> list[Tensor]:
        """Return all outputs."""
        del names
        return list(outputs)


if __name__ == "__main__":
    conforming(Mutant())
