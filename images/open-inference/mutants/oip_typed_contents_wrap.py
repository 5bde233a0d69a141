"""A mutant that cuts typed contents to the bits of their datatype."""

from collections.abc import Sequence
from typing import Any

from conforming import conforming
from rules import Rules
from tensors import packed, unpacked

WIDE = {"INT8": "INT32", "INT16": "INT32", "UINT8": "UINT32", "UINT16": "UINT32"}
"""The datatype of the field that has the values of a narrower one."""


class Mutant(Rules):
    """Cuts typed contents to the bits of their datatype."""

    def typed(self, datatype: str, values: Sequence[Any]) -> bytes:
        """Return the raw content of typed contents of a gRPC request."""
        if datatype not in WIDE:
            return super().typed(datatype, values)
        size = int(datatype.lstrip("UINT")) // 8
        wide = [packed(WIDE[datatype], [value]) for value in values]
        return packed(datatype, [unpacked(datatype, raw[:size])[0] for raw in wide])


if __name__ == "__main__":
    conforming(Mutant())
