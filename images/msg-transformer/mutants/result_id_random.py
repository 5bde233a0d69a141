"""A mutant whose results have a fresh id each time, repeats of one result too."""

import uuid
from typing import Any

from conforming import ConformingTransformer, conforming


class Mutant(ConformingTransformer):
    """A transformer that forgets which event it answers."""

    async def publish(self, event: dict[str, Any], trace_id: str) -> None:
        """Put one result onto the topic."""
        await super().publish({**event, "id": str(uuid.uuid4())}, trace_id)


if __name__ == "__main__":
    conforming(Mutant)
