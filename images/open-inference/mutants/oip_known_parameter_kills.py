"""A mutant that does not survive a content type that it has no codec for."""

import os
from typing import Any

from conforming import conforming
from rules import Rules


class Mutant(Rules):
    """Does not survive a content type that it has no codec for."""

    def parameters(self, given: Any) -> dict[str, Any]:
        """Return the parameters as the model sees them."""
        if isinstance(given, dict) and "content_type" in given:
            os._exit(1)
        return super().parameters(given)


if __name__ == "__main__":
    conforming(Mutant())
