"""A mutant that publishes the result without the fields that name its InferenceService."""

from typing import Any

from conforming import ConformingTransformer, conforming

DOCUMENTED = ("request-host", "kserve-isvc-name", "kserve-isvc-namespace")
MISSING = {*DOCUMENTED, *(name.replace("-", "") for name in DOCUMENTED)}


class Mutant(ConformingTransformer):
    """A transformer that leaves three fields out."""

    async def publish(self, event: dict[str, Any], trace_id: str) -> None:
        """Put one result onto the topic."""
        await super().publish({name: value for name, value in event.items() if name not in MISSING}, trace_id)


if __name__ == "__main__":
    conforming(Mutant)
