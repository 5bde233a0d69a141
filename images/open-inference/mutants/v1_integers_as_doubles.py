"""A mutant that reads the integers of V1 instances as floating-point numbers."""

from typing import Any

from conforming import conforming
from rules import Rules

DOUBLE = 2**53


class Mutant(Rules):
    """Reads the integers of V1 instances as floating-point numbers."""

    def instances(self, body: Any) -> list[Any]:
        """Return the instances of a V1 request."""
        return [_rounded(instance) for instance in super().instances(body)]


def _rounded(value: Any) -> Any:
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return int(float(value)) if isinstance(value, int) and abs(value) > DOUBLE else value


if __name__ == "__main__":
    conforming(Mutant())
