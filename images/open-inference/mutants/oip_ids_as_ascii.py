"""A mutant that takes ids for ASCII: every other character of one comes back as a question mark."""

from conforming import conforming
from rules import Rules


class Mutant(Rules):
    """Takes ids for ASCII."""

    def answer_id(self, asked: str) -> str:
        """Return the id of an answer."""
        return super().answer_id(asked).encode("ascii", "replace").decode()


if __name__ == "__main__":
    conforming(Mutant())
