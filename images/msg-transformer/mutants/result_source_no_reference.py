"""A mutant whose results have a source that is no URI reference."""

from typing import Any

from conforming import ConformingTransformer, conforming


class Mutant(ConformingTransformer):
    """A transformer with a sentence for a source."""

    async def publish(self, event: dict[str, Any], trace_id: str) -> None:
        """Put one result onto the topic."""
        await super().publish({**event, "source": "the digits of <this service>"}, trace_id)


if __name__ == "__main__":
    conforming(Mutant)
