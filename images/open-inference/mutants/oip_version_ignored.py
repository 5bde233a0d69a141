"""A mutant that has its default version answer, whichever is asked for."""

from conforming import conforming
from rules import Rules


class Mutant(Rules):
    """Has its default version answer, whichever is asked for."""

    def version(self, asked: str) -> str:
        """Return the version that answers."""
        del asked
        return self.versions[0]


if __name__ == "__main__":
    conforming(Mutant())
