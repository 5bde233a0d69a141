"""A mutant that fails where it cannot read what an event's data is, as if a repetition could help."""

from conforming import ConformingTransformer, conforming
from gate import Gate


class Mutant(Gate):
    """A gate that takes an unknown media type for a fault of its own."""

    def refusal(self, status: int) -> int:
        """Return the status of the answer to a request whose event is refused."""
        return 500 if status == 415 else super().refusal(status)


if __name__ == "__main__":
    conforming(ConformingTransformer, Mutant)
