"""A mutant that takes as many raw contents as there are inputs, and looks at no more."""

from collections.abc import Sequence

from conforming import conforming
from rules import Rules


class Mutant(Rules):
    """Takes as many raw contents as there are inputs, and looks at no more."""

    def raw(self, inputs: int, contents: Sequence[bytes]) -> Sequence[bytes]:
        """Return the raw contents of the inputs of a gRPC request, of which there are so many."""
        return super().raw(inputs, contents[:inputs])


if __name__ == "__main__":
    conforming(Mutant())
