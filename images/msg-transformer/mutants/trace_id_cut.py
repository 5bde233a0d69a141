"""A mutant that keeps the first 1,024 characters of the caller's id."""

from typing import Any

from conforming import ConformingTransformer, conforming

MOST = 1024


class Mutant(ConformingTransformer):
    """A transformer with a column of that width in mind."""

    def trace_id(self, payload: dict[str, Any]) -> str | None:
        """Return the beginning of the caller's id."""
        given = super().trace_id(payload)
        return None if given is None else given[:MOST]


if __name__ == "__main__":
    conforming(Mutant)
