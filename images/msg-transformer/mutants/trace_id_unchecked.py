"""A mutant that takes anything for the caller's id, and fails where it is no text."""

from typing import Any

from conforming import ConformingTransformer, conforming


class Mutant(ConformingTransformer):
    """A transformer that trusts its callers."""

    def trace_id(self, payload: dict[str, Any]) -> str | None:
        """Return what stands in the place of the caller's id."""
        given: str | None = payload.get(self.settings.trace_key)
        return given


if __name__ == "__main__":
    conforming(Mutant)
