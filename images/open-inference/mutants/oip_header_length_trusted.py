"""A mutant that takes the length of the JSON as the header says it."""

from conforming import conforming

from mutants.reading_binary import BinaryRules


class Mutant(BinaryRules):
    """Takes the length of the JSON as the header says it."""

    def length(self, header: str, body: bytes) -> int:
        """Return how long the JSON is."""
        length = int(header)
        memoryview(body)[length - 1]
        return length


if __name__ == "__main__":
    conforming(Mutant())
