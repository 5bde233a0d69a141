"""A mutant that publishes the result without the caller's id, so that nobody can tell whose it is."""

from typing import Any

from conforming import ConformingTransformer, conforming


class Mutant(ConformingTransformer):
    """A transformer that drops the key that REQUEST_TRACE_KEY names."""

    async def publish(self, event: dict[str, Any], trace_id: str) -> None:
        """Put one result onto the topic."""
        kept = {name: value for name, value in event.items() if name != self.settings.trace_key}
        await super().publish(kept, trace_id)


if __name__ == "__main__":
    conforming(Mutant)
