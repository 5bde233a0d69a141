"""A mutant that repeats a failed prediction by itself, before the Broker does."""

from typing import Any

from conforming import ConformingTransformer, conforming
from fastapi import HTTPException


class Mutant(ConformingTransformer):
    """A transformer with a retry of its own."""

    async def predict(
        self, payload: Any, headers: dict[str, str] | None = None, response_headers: dict[str, str] | None = None
    ) -> Any:
        """Ask the predictor, once more if it fails."""
        try:
            return await super().predict(payload, headers, response_headers)
        except HTTPException:
            return await super().predict(payload, headers, response_headers)


if __name__ == "__main__":
    conforming(Mutant)
