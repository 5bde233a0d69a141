"""A mutant whose results state the time of their event, where it has one."""

from typing import Any

from cause import attribute
from conforming import ConformingTransformer, conforming


class Mutant(ConformingTransformer):
    """A transformer that takes over what it knows of the event, its time included."""

    async def publish(self, event: dict[str, Any], trace_id: str) -> None:
        """Put one result onto the topic."""
        await super().publish({**event, "time": attribute("time") or event["time"]}, trace_id)


if __name__ == "__main__":
    conforming(Mutant)
