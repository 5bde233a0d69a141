"""A mutant that says the contrary of its health."""

from typing import Any

from conforming import conforming
from rules import Rules


class Mutant(Rules):
    """Says the contrary of its health."""

    def told(self, answer: dict[str, Any]) -> dict[str, Any]:
        """Return what is said of the server or of a model."""
        return {name: False if name in {"live", "ready"} else value for name, value in answer.items()}


if __name__ == "__main__":
    conforming(Mutant())
