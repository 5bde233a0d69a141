"""A mutant that is ready at once, and loads its model when it is first asked."""

import os
import time
from typing import Any

from fastapi import HTTPException
from obedient import Obedient
from predictor import serve


class Mutant(Obedient):
    """A predictor that has no model until LOADING_SECONDS after it was first asked."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._loading = float(os.environ.get("LOADING_SECONDS") or 0)
        self._loaded: float | None = None

    async def predict(
        self, payload: Any, headers: dict[str, str] | None = None, response_headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """Answer one V1 request.

        Raises:
            HTTPException: The model is not loaded yet (HTTP 404).
        """
        self._loaded = self._loaded or time.monotonic() + self._loading
        if time.monotonic() < self._loaded:
            raise HTTPException(404, "the model is not loaded yet")
        return await super().predict(payload, headers, response_headers)


if __name__ == "__main__":
    serve(Mutant)
