"""A mutant that gives parameters the type that their text looks like."""

from typing import Any

from conforming import conforming
from rules import Rules


class Mutant(Rules):
    """Gives parameters the type that their text looks like."""

    def parameters(self, given: Any) -> dict[str, Any]:
        """Return the parameters as the model sees them."""
        return {name: _retyped(value) for name, value in super().parameters(given).items()}


def _retyped(value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    return int(value) if isinstance(value, str) and value.isdigit() else value


if __name__ == "__main__":
    conforming(Mutant())
