"""A mutant whose results name their maker as the flow's documentation does, with hyphens."""

from typing import Any

from conforming import ConformingTransformer, conforming

HYPHENATED = {
    "requesthost": "request-host",
    "kserveisvcname": "kserve-isvc-name",
    "kserveisvcnamespace": "kserve-isvc-namespace",
}


class Mutant(ConformingTransformer):
    """A transformer with the documented names."""

    async def publish(self, event: dict[str, Any], trace_id: str) -> None:
        """Put one result onto the topic."""
        also = {HYPHENATED[name]: value for name, value in event.items() if name in HYPHENATED}
        await super().publish({**event, **also}, trace_id)


if __name__ == "__main__":
    conforming(Mutant)
