"""A mutant that takes the second event of one trace for a repetition of the first, and publishes no result of it.

An event that is delivered again is none: its result has the id that it had before, where results are valid CloudEvents.
"""

from typing import Any

from conforming import ConformingTransformer, conforming
from results import CLOUDEVENTS, Settings


class Mutant(ConformingTransformer):
    """A transformer that tells repeats by the trace, and not by the event."""

    def __init__(self, name: str, settings: Settings) -> None:
        super().__init__(name, settings)
        self._published: dict[str, str] = {}
        self._has_ids = settings.form == CLOUDEVENTS

    async def publish(self, event: dict[str, Any], trace_id: str) -> None:
        """Put the result of a trace's first event onto the topic."""
        if not self._has_ids or self._published.setdefault(trace_id, event["id"]) == event["id"]:
            await super().publish(event, trace_id)


if __name__ == "__main__":
    conforming(Mutant)
