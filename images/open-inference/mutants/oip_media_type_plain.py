"""A mutant that calls its JSON plain text."""

from conforming import conforming
from rules import Rules


class Mutant(Rules):
    """Calls its JSON plain text."""

    content_type = "text/plain"


if __name__ == "__main__":
    conforming(Mutant())
