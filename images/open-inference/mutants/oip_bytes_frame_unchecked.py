"""A mutant that does not check the lengths in the content of BYTES."""

from typing import Any

from conforming import conforming
from tensors import Tensor

from mutants.reading_binary import BinaryRules


class Mutant(BinaryRules):
    """Does not check the lengths in the content of BYTES."""

    def checked(self, tensor: Tensor) -> Tensor:
        """Return an input that its shape fits."""
        return tensor if tensor.datatype == "BYTES" else super().checked(tensor)

    def values(self, datatype: str, raw: bytes) -> list[Any]:
        """Return the values of binary data, as far as they go."""
        if datatype != "BYTES":
            return super().values(datatype, raw)
        found = []
        while raw:
            end = 4 + int.from_bytes(raw[:4], "little")
            found.append(raw[4:end])
            raw = raw[end:]
        return found


if __name__ == "__main__":
    conforming(Mutant())
