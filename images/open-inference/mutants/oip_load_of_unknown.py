"""A mutant that has whatever model it is told to load."""

from conforming import conforming
from repository import Repository


class Mutant(Repository):
    """Loads a model of any name."""

    def load(self, name: str) -> None:
        """Load a model."""
        self._loaded.add(name)


if __name__ == "__main__":
    conforming(models=Mutant)
