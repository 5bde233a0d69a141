"""A mutant that takes no request without an id."""

from conforming import conforming
from rules import Rules
from tensors import RefusedError


class Mutant(Rules):
    """Takes no request without an id."""

    async def before(self, request: str) -> str:
        """Return the id by which the answer to a request is made."""
        if not request:
            raise RefusedError("a request has an id")
        return request


if __name__ == "__main__":
    conforming(Mutant())
