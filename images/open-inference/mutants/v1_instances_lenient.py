"""A mutant that takes what is no list of instances for an empty one, and others from their end."""

from typing import Any

from conforming import conforming
from rules import Rules
from tensors import RefusedError


class Mutant(Rules):
    """Takes what is no list of instances for an empty one, and others from their end."""

    def instances(self, body: Any) -> list[Any]:
        """Return the instances of a V1 request."""
        try:
            return super().instances(body)[::-1]
        except RefusedError:
            return []


if __name__ == "__main__":
    conforming(Mutant())
