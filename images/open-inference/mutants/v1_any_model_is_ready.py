"""A mutant that says of any model that it is ready, in V1."""

from typing import Any

from conforming import conforming
from rules import Rules


class Mutant(Rules):
    """Says of any model that it is ready, in V1."""

    def told_unknown(self, model: str) -> dict[str, Any] | None:
        """Return what V1 says of the status of a model that is not there."""
        return {"name": model, "ready": True}


if __name__ == "__main__":
    conforming(Mutant())
