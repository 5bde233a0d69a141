"""A mutant that does not know the version that it lists."""

from conforming import conforming
from rules import Rules, UnknownVersionError


class Mutant(Rules):
    """Does not know the version that it lists."""

    def version(self, asked: str) -> str:
        """Return the version that answers."""
        if asked:
            raise UnknownVersionError
        return super().version(asked)


if __name__ == "__main__":
    conforming(Mutant())
