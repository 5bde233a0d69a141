"""A mutant that answers failed direct calls with 200 and an error in the body."""

from conforming import ConformingTransformer, conforming
from gate import Gate


class Mutant(Gate):
    """A gate that knows only the status 200."""

    def plain_status(self, status: int) -> int:
        """Return the status of the answer to a request that is not an event."""
        del status
        return 200


if __name__ == "__main__":
    conforming(ConformingTransformer, Mutant)
