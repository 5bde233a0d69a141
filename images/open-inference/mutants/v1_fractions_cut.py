"""A mutant that cuts the fractions of V1 instances off, as an array of integers does."""

from typing import Any

from conforming import conforming
from rules import Rules


class Mutant(Rules):
    """Cuts the fractions of V1 instances off, as an array of integers does."""

    def instances(self, body: Any) -> list[Any]:
        """Return the instances of a V1 request."""
        return [_whole(instance) for instance in super().instances(body)]


def _whole(value: Any) -> Any:
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return int(value) if isinstance(value, float) else value


if __name__ == "__main__":
    conforming(Mutant())
