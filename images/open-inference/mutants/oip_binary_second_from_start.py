"""A mutant that reads all binary data from the same place."""

from conforming import conforming

from mutants.reading_binary import BinaryRules


class Mutant(BinaryRules):
    """Reads all binary data from the same place, right behind the JSON."""

    def following(self, length: int, end: int) -> int:
        """Return where the next binary data begins."""
        del end
        return length


if __name__ == "__main__":
    conforming(Mutant())
