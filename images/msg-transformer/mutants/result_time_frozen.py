"""A mutant whose results all state one time, long ago."""

from typing import Any

from conforming import ConformingTransformer, conforming


class Mutant(ConformingTransformer):
    """A transformer with a template for a clock."""

    async def publish(self, event: dict[str, Any], trace_id: str) -> None:
        """Put one result onto the topic."""
        await super().publish({**event, "time": "2020-02-02T02:02:02Z"}, trace_id)


if __name__ == "__main__":
    conforming(Mutant)
