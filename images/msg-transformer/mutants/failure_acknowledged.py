"""A mutant that answers a failed prediction with 200, and with no predictions."""

from typing import Any

from conforming import ConformingTransformer, conforming
from fastapi import HTTPException


class Mutant(ConformingTransformer):
    """A transformer that hides failures of the predictor."""

    async def predict(
        self, payload: Any, headers: dict[str, str] | None = None, response_headers: dict[str, str] | None = None
    ) -> Any:
        """Ask the predictor; a failure is an answer too."""
        try:
            return await super().predict(payload, headers, response_headers)
        except HTTPException:
            return {"predictions": []}


if __name__ == "__main__":
    conforming(Mutant)
