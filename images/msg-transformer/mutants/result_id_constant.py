"""A mutant whose results all have one event id."""

from typing import Any

from conforming import ConformingTransformer, conforming


class Mutant(ConformingTransformer):
    """A transformer that makes its id once."""

    async def publish(self, event: dict[str, Any], trace_id: str) -> None:
        """Put one result onto the topic."""
        await super().publish({**event, "id": "result"}, trace_id)


if __name__ == "__main__":
    conforming(Mutant)
