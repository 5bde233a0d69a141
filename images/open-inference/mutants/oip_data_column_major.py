"""A mutant that reads a matrix by its columns."""

from typing import Any

from conforming import conforming
from rules import Rules
from tensors import Tensor


class Mutant(Rules):
    """Reads a matrix by its columns."""

    def tensor(self, entry: Any) -> Tensor:
        """Return an input of a REST request."""
        data = entry.get("data") if isinstance(entry, dict) else None
        if data and isinstance(data, list) and all(isinstance(row, list) for row in data):
            columns = [value for column in zip(*data, strict=False) for value in column]
            return super().tensor({**entry, "data": columns})
        return super().tensor(entry)


if __name__ == "__main__":
    conforming(Mutant())
