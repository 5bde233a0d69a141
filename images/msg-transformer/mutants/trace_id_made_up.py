"""A mutant that makes an id up where the caller gave none, and publishes a result that nobody waits for."""

import uuid
from typing import Any

from conforming import ConformingTransformer, conforming


class Mutant(ConformingTransformer):
    """A transformer that publishes every result."""

    def trace_id(self, payload: dict[str, Any]) -> str | None:
        """Return the caller's id, or one that nobody knows."""
        given = super().trace_id(payload)
        return str(uuid.uuid4()) if given is None else given


if __name__ == "__main__":
    conforming(Mutant)
