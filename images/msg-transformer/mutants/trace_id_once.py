"""A mutant that takes the second event of one trace for a repetition of the first, and publishes no result of it."""

from typing import Any

from conforming import ConformingTransformer, conforming
from results import Settings


class Mutant(ConformingTransformer):
    """A transformer that tells repeats by the trace, and not by the event."""

    def __init__(self, name: str, settings: Settings) -> None:
        super().__init__(name, settings)
        self._published: set[str] = set()

    async def publish(self, event: dict[str, Any], trace_id: str) -> None:
        """Put the first result of a trace onto the topic."""
        if trace_id not in self._published:
            self._published.add(trace_id)
            await super().publish(event, trace_id)


if __name__ == "__main__":
    conforming(Mutant)
