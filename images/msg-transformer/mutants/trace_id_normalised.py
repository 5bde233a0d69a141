"""A mutant that brings the caller's id into one form of Unicode, and cuts the spaces off its ends."""

import unicodedata
from typing import Any

from conforming import ConformingTransformer, conforming


class Mutant(ConformingTransformer):
    """A transformer that keeps ids as a search index does."""

    def trace_id(self, payload: dict[str, Any]) -> str | None:
        """Return the caller's id in the form NFKC."""
        given = super().trace_id(payload)
        return None if given is None else unicodedata.normalize("NFKC", given).strip()


if __name__ == "__main__":
    conforming(Mutant)
