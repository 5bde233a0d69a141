"""A mutant that keeps the id of the latest request for all."""

import asyncio

from conforming import conforming
from rules import Rules

WHILE = 0.05


class Mutant(Rules):
    """Keeps the id of the latest request for all."""

    latest = ""

    async def before(self, request: str) -> str:
        """Return the id by which the answer to a request is made, after others had their turn."""
        self.latest = request
        await asyncio.sleep(WHILE)
        return self.latest


if __name__ == "__main__":
    conforming(Mutant())
