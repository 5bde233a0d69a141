"""A mutant that answers under an id of its own."""

import uuid

from conforming import conforming
from rules import Rules


class Mutant(Rules):
    """Answers under an id of its own."""

    def answer_id(self, asked: str) -> str:
        """Return the id of an answer."""
        del asked
        return str(uuid.uuid4())


if __name__ == "__main__":
    conforming(Mutant())
