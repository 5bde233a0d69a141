"""A mutant that publishes every result twice, as a redelivery after a late answer does."""

import uuid
from typing import Any

from conforming import ConformingTransformer, conforming


class Mutant(ConformingTransformer):
    """A transformer that publishes two events with different ids for one request."""

    async def publish(self, event: dict[str, Any], trace_id: str) -> None:
        """Put one result onto the topic twice."""
        await super().publish(event, trace_id)
        await super().publish({**event, "id": str(uuid.uuid4())}, trace_id)


if __name__ == "__main__":
    conforming(Mutant)
