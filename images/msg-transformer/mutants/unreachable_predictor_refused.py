"""A mutant that takes a predictor which ends in the middle of a call for a wrong request."""

from typing import Any

import httpx
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
            # Not one that refuses connections: it may still begin again when the next test asks.
            if isinstance(error.__cause__, httpx.ReadError | httpx.RemoteProtocolError):
                raise InvalidInput("the predictor ended the connection") from error
            raise


if __name__ == "__main__":
    conforming(Mutant)
