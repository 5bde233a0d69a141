"""A mutant that leaves the name of server and model out of their metadata."""

from typing import Any

from conforming import conforming
from rules import Rules


class Mutant(Rules):
    """Leaves the name of server and model out of their metadata."""

    def told(self, answer: dict[str, Any]) -> dict[str, Any]:
        """Return what is said of the server or of a model."""
        return answer if "ready" in answer or "name" not in answer else {**answer, "name": ""}


if __name__ == "__main__":
    conforming(Mutant())
