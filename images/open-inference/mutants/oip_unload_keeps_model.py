"""A mutant whose models stay when they are unloaded."""

from conforming import conforming
from repository import Repository


class Mutant(Repository):
    """Keeps its models loaded."""

    def unload(self, name: str) -> None:
        """Unload a model."""
        if not self.has(name):
            super().unload(name)


if __name__ == "__main__":
    conforming(models=Mutant)
