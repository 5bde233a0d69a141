"""A mutant whose results have the type of requests, which a Broker routes to the same Trigger: a loop."""

from typing import Any

from conforming import ConformingTransformer, conforming


class Mutant(ConformingTransformer):
    """A transformer that copies the documented type of requests."""

    async def publish(self, event: dict[str, Any], trace_id: str) -> None:
        """Put one result onto the topic."""
        await super().publish({**event, "type": "prediction-request-udf-attr"}, trace_id)


if __name__ == "__main__":
    conforming(Mutant)
