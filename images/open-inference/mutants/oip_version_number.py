"""A mutant that names versions by numbers."""

from conforming import conforming
from rules import Rules


class Mutant(Rules):
    """Names versions by numbers."""

    def told_version(self, version: str) -> int:
        """Return the version as an answer names it."""
        return int(version)


if __name__ == "__main__":
    conforming(Mutant())
