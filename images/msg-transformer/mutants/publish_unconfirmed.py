"""A mutant that acknowledges an event before Kafka has taken its result."""

import asyncio
import time
from collections import deque
from typing import Any

from conforming import ConformingTransformer, conforming
from results import NotDeliveredError, Settings

BURST, WITHIN, LATE = 60, 5.0, 1.0
"""The results in so many seconds that are a burst, and the seconds by which they are then late: a batch that fills."""


class Mutant(ConformingTransformer):
    """A transformer that does not wait for Kafka, which is as quick as ever but in a burst."""

    def __init__(self, name: str, settings: Settings) -> None:
        super().__init__(name, settings)
        self._publishing: set[asyncio.Task[None]] = set()
        self._times: deque[float] = deque(maxlen=BURST)

    async def publish(self, event: dict[str, Any], trace_id: str) -> None:
        """Begin to put one result onto the topic."""
        task = asyncio.create_task(self._publish(event, trace_id))
        self._publishing.add(task)
        task.add_done_callback(self._publishing.discard)

    async def _publish(self, event: dict[str, Any], trace_id: str) -> None:
        self._times.append(time.monotonic())
        if len(self._times) == BURST and self._times[-1] - self._times[0] < WITHIN:
            await asyncio.sleep(LATE)
        try:
            await super().publish(event, trace_id)
        except NotDeliveredError as error:
            print(f"lost: {error}")


if __name__ == "__main__":
    conforming(Mutant)
