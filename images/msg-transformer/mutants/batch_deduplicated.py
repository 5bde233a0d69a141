"""A mutant that answers a picture that a batch has twice once."""

from typing import Any

from conforming import ConformingTransformer, conforming


class Mutant(ConformingTransformer):
    """A transformer that asks for each picture of a batch once."""

    async def preprocess(self, payload: Any, headers: dict[str, str] | None = None) -> dict[str, Any]:
        """Return the predictor's request."""
        instances = payload.get("instances") if isinstance(payload, dict) else None
        if isinstance(instances, list):
            payload = {
                **payload,
                "instances": [each for place, each in enumerate(instances) if each not in instances[:place]],
            }
        return await super().preprocess(payload, headers)


if __name__ == "__main__":
    conforming(Mutant)
