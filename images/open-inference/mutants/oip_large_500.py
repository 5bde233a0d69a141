"""A mutant that does not expect a large request."""

from typing import Any

import orjson
from conforming import conforming
from rules import Rules
from tensors import Tensor

MOST_BYTES = 4 << 20


class Mutant(Rules):
    """Ends a request with an internal error where it has a large tensor, or large instances."""

    def checked(self, tensor: Tensor) -> Tensor:
        """Return an input that its shape fits."""
        if len(tensor.raw) > MOST_BYTES:
            raise MemoryError("a buffer is too small")
        return super().checked(tensor)

    def instances(self, body: Any) -> list[Any]:
        """Return the instances of a V1 request."""
        found = super().instances(body)
        if len(orjson.dumps(found)) > MOST_BYTES:
            raise MemoryError("a buffer is too small")
        return found


if __name__ == "__main__":
    conforming(Mutant())
