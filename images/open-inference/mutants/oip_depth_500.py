"""A mutant that reads JSON by functions that call each other, and falls over one that is nested deeply."""

import json
from contextlib import suppress
from typing import Any

from conforming import conforming
from rules import Rules


class Mutant(Rules):
    """Reads JSON by functions that call each other, and falls over one that is nested deeply."""

    def loaded(self, body: bytes) -> Any:
        """Return the value of a JSON text."""
        with suppress(ValueError):  # what is no JSON is refused as ever
            json.loads(body)
        return super().loaded(body)


if __name__ == "__main__":
    conforming(Mutant())
