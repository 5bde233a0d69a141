"""A mutant that takes no parameters."""

from typing import Any

from conforming import conforming
from rules import Rules
from tensors import RefusedError


class Mutant(Rules):
    """Takes no parameters."""

    def loaded(self, body: bytes) -> Any:
        """Return the value of a JSON text."""
        value = super().loaded(body)
        if isinstance(value, dict) and "parameters" in value:
            raise RefusedError("unknown member parameters")
        return value


if __name__ == "__main__":
    conforming(Mutant())
