"""A mutant that acknowledges an event before Kafka has taken its result."""

import asyncio
from typing import Any

from conforming import ConformingTransformer, conforming
from results import NotDeliveredError, Settings


class Mutant(ConformingTransformer):
    """A transformer that does not wait for Kafka."""

    def __init__(self, name: str, settings: Settings) -> None:
        super().__init__(name, settings)
        self._publishing: set[asyncio.Task[None]] = set()

    async def publish(self, event: dict[str, Any], trace_id: str) -> None:
        """Begin to put one result onto the topic."""
        task = asyncio.create_task(self._publish(event, trace_id))
        self._publishing.add(task)
        task.add_done_callback(self._publishing.discard)

    async def _publish(self, event: dict[str, Any], trace_id: str) -> None:
        try:
            await super().publish(event, trace_id)
        except NotDeliveredError as error:
            print(f"lost: {error}")


if __name__ == "__main__":
    conforming(Mutant)
