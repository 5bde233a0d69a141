"""A mutant that says that it is ready while its model is loading."""

import os
import time

from conforming import conforming
from rules import NotReadyError, Rules

LOADING = 30 * float(os.environ.pop("LOADING_SECONDS", "0"))
"""The seconds that the model takes: longer than anybody waits who asks as soon as the server says that it is ready."""


class Mutant(Rules):
    """Says that it is ready while its model is loading."""

    began = time.monotonic()

    async def before(self, request: str) -> str:
        """Return the id by which the answer to a request is made."""
        if time.monotonic() - self.began < LOADING:
            raise NotReadyError
        return request


if __name__ == "__main__":
    conforming(Mutant())
