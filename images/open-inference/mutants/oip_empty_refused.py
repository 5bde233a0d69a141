"""A mutant that takes no empty batch."""

from typing import Any

from conforming import conforming
from rules import Rules
from tensors import RefusedError, Tensor


class Mutant(Rules):
    """Takes no empty batch."""

    def checked(self, tensor: Tensor) -> Tensor:
        """Return an input that its shape fits."""
        if 0 in tensor.shape:
            raise RefusedError("an empty batch")
        return super().checked(tensor)

    def instances(self, body: Any) -> list[Any]:
        """Return the instances of a V1 request."""
        if not (found := super().instances(body)):
            raise RefusedError("no instances")
        return found


if __name__ == "__main__":
    conforming(Mutant())
