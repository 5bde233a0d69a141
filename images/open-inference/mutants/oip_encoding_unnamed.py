"""A mutant that compresses answers, and does not say so."""

import gzip
from collections.abc import Mapping
from typing import Any

from conforming import conforming
from rules import Rules

LARGE = 1024


class Mutant(Rules):
    """Compresses large answers for who accepts that, and does not say so."""

    def written(self, asked: Mapping[str, str], answer: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
        """Return the body of an answer, and further headers for it."""
        body, headers = super().written(asked, answer)
        compressed = "gzip" in asked.get("accept-encoding", "") and len(body) > LARGE
        return (gzip.compress(body) if compressed else body), headers


if __name__ == "__main__":
    conforming(Mutant())
