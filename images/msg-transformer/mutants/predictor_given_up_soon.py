"""A mutant that gives a predictor up that has not answered after five seconds."""

import asyncio
from typing import Any

from conforming import ConformingTransformer, conforming
from fastapi import HTTPException

SECONDS = 5.0


class Mutant(ConformingTransformer):
    """A transformer whose patience is that of an HTTP client by default."""

    async def predict(
        self, payload: Any, headers: dict[str, str] | None = None, response_headers: dict[str, str] | None = None
    ) -> Any:
        """Ask the predictor, for five seconds."""
        try:
            async with asyncio.timeout(SECONDS):
                return await super().predict(payload, headers, response_headers)
        except TimeoutError as error:
            raise HTTPException(504, "the predictor does not answer in time") from error


if __name__ == "__main__":
    conforming(Mutant)
