"""A mutant that answers the first 32 pictures of a batch."""

from typing import Any

from conforming import ConformingTransformer, conforming

MOST = 32


class Mutant(ConformingTransformer):
    """A transformer that leaves out what does not fit into a batch of its own."""

    async def preprocess(self, payload: Any, headers: dict[str, str] | None = None) -> dict[str, Any]:
        """Return the predictor's request."""
        instances = payload.get("instances") if isinstance(payload, dict) else None
        if isinstance(instances, list):
            payload = {**payload, "instances": instances[:MOST]}
        return await super().preprocess(payload, headers)


if __name__ == "__main__":
    conforming(Mutant)
