"""A mutant whose results have ids that follow from the id of their event alone, whatever its source."""

import uuid
from typing import Any

from cause import cause
from conforming import ConformingTransformer, conforming
from results import RESULT_IDS


class Mutant(ConformingTransformer):
    """A transformer that takes two events of one id for the same, though they come from two sources."""

    async def publish(self, event: dict[str, Any], trace_id: str) -> None:
        """Put one result onto the topic."""
        known = cause()
        name = event["id"] if known is None else str(uuid.uuid5(RESULT_IDS, known[1]))
        await super().publish({**event, "id": name}, trace_id)


if __name__ == "__main__":
    conforming(Mutant)
