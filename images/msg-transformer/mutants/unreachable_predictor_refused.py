"""A mutant that takes a predictor which is not reached for a wrong request."""

from typing import Any

from conforming import ConformingTransformer, conforming
from fastapi import HTTPException
from kserve.errors import InvalidInput


class Mutant(ConformingTransformer):
    """A transformer that blames its caller."""

    async def predict(
        self, payload: Any, headers: dict[str, str] | None = None, response_headers: dict[str, str] | None = None
    ) -> Any:
        """Ask the predictor."""
        try:
            return await super().predict(payload, headers, response_headers)
        except HTTPException as error:
            if "not reached" in str(error.detail):
                raise InvalidInput("the predictor is not reached") from error
            raise


if __name__ == "__main__":
    conforming(Mutant)
