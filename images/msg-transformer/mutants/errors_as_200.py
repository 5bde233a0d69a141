"""Answers direct calls that failed with 200 and an error in the body."""

from conforming import ConformingTransformer, conforming
from gate import Gate


class Mutant(Gate):
    """Knows one status."""

    def plain_status(self, status: int) -> int:
        """Return the status of an answer to a request that is no event."""
        del status
        return 200


if __name__ == "__main__":
    conforming(ConformingTransformer, Mutant)
