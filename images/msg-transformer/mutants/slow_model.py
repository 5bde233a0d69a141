"""A mutant that takes five seconds more for every prediction."""

import asyncio
from typing import Any

from conforming import ConformingTransformer, conforming

SECONDS = 5.0


class Mutant(ConformingTransformer):
    """A transformer that waits before it asks the predictor."""

    async def predict(
        self, payload: Any, headers: dict[str, str] | None = None, response_headers: dict[str, str] | None = None
    ) -> Any:
        """Ask the predictor, late."""
        await asyncio.sleep(SECONDS)
        return await super().predict(payload, headers, response_headers)


if __name__ == "__main__":
    conforming(Mutant)
