"""A mutant that makes rows of V1 instances that are objects, as one that keeps them in a table does."""

from typing import Any

from conforming import conforming
from rules import Rules


class Mutant(Rules):
    """Makes rows of V1 instances that are objects, as one that keeps them in a table does."""

    def instances(self, body: Any) -> list[Any]:
        """Return the instances of a V1 request."""
        return [
            list(instance.values()) if isinstance(instance, dict) else instance for instance in super().instances(body)
        ]


if __name__ == "__main__":
    conforming(Mutant())
