"""A mutant whose results do not say that their data is JSON."""

from typing import Any

from conforming import ConformingTransformer, conforming


class Mutant(ConformingTransformer):
    """A transformer that leaves the media type out."""

    async def publish(self, event: dict[str, Any], trace_id: str) -> None:
        """Put one result onto the topic."""
        await super().publish({name: value for name, value in event.items() if name != "datacontenttype"}, trace_id)


if __name__ == "__main__":
    conforming(Mutant)
