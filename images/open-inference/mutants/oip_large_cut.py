"""A mutant whose large answers lack their last element."""

from typing import Any

import orjson
from conforming import conforming
from rules import Rules
from tensors import Tensor, packed, unpacked

MOST_BYTES = 4 << 20


class Mutant(Rules):
    """Does not answer the last element of a large tensor, or of large instances."""

    def output(self, tensor: Tensor) -> Tensor:
        """Return the output for an input."""
        if len(tensor.raw) <= MOST_BYTES or len(tensor.shape) != 1:
            return super().output(tensor)
        values = unpacked(tensor.datatype, tensor.raw)[:-1]
        return Tensor(tensor.name, tensor.datatype, (len(values),), packed(tensor.datatype, values))

    def instances(self, body: Any) -> list[Any]:
        """Return the instances of a V1 request."""
        found = super().instances(body)
        return found[:-1] if len(orjson.dumps(found)) > MOST_BYTES else found


if __name__ == "__main__":
    conforming(Mutant())
