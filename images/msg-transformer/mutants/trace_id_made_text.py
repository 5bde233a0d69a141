"""A mutant that writes an id which is no text as one."""

from typing import Any

from conforming import ConformingTransformer, conforming


class Mutant(ConformingTransformer):
    """A transformer that takes a number for an id, and an empty one for none."""

    def trace_id(self, payload: dict[str, Any]) -> str | None:
        """Return the caller's id, or how Python writes it."""
        given = payload.get(self.settings.trace_key)
        return super().trace_id({self.settings.trace_key: str(given)} if given not in (None, "") else payload)


if __name__ == "__main__":
    conforming(Mutant)
