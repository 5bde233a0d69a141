"""A mutant whose first prediction takes seven seconds more, where the pod says that its model takes time to load."""

import asyncio
import os
from typing import Any

from predictor import Predictor, serve

SECONDS = 7.0


class Mutant(Predictor):
    """A predictor that is Ready before it is warm. Others are answered meanwhile."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._cold = "LOADING_SECONDS" in os.environ

    async def predict(
        self, payload: Any, headers: dict[str, str] | None = None, response_headers: dict[str, str] | None = None
    ) -> dict[str, list[int]]:
        """Answer one V1 request.

        Raises:
            InvalidInput: The request is wrong (HTTP 400).
        """
        cold, self._cold = self._cold, False
        if cold:
            await asyncio.sleep(SECONDS)
        return await super().predict(payload, headers, response_headers)


if __name__ == "__main__":
    serve(Mutant)
