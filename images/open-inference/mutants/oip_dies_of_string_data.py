"""A mutant that does not survive data that is a string."""

import os
from typing import Any

from conforming import conforming
from rules import Rules
from tensors import Tensor


class Mutant(Rules):
    """Does not survive data that is a string."""

    def tensor(self, entry: Any) -> Tensor:
        """Return an input of a REST request."""
        if isinstance(entry, dict) and isinstance(entry.get("data"), str):
            os._exit(1)
        return super().tensor(entry)


if __name__ == "__main__":
    conforming(Mutant())
