"""A mutant that says that a model is loaded, and does not load it."""

from conforming import conforming
from repository import Repository


class Mutant(Repository):
    """Loads nothing again."""

    def load(self, name: str) -> None:
        """Load a model."""
        if name not in self._names:
            super().load(name)


if __name__ == "__main__":
    conforming(models=Mutant)
