"""A mutant that does not survive JSON that is nested deeply."""

import os
from typing import Any

from conforming import conforming
from rules import Rules

DEEP = b"[" * 10_000


class Mutant(Rules):
    """Does not survive JSON that is nested deeply."""

    def loaded(self, body: bytes) -> Any:
        """Return the value of a JSON text."""
        if DEEP in body:
            os._exit(1)
        return super().loaded(body)


if __name__ == "__main__":
    conforming(Mutant())
