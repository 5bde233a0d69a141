"""A mutant that names no version in its answers."""

from conforming import conforming
from rules import Rules


class Mutant(Rules):
    """Names no version in its answers."""

    def told_version(self, version: str) -> None:
        """Return the version as an answer names it."""


if __name__ == "__main__":
    conforming(Mutant())
