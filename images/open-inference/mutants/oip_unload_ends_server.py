"""A mutant that ends when its last model is unloaded."""

import os

from conforming import conforming
from repository import Repository


class Mutant(Repository):
    """Does not outlive its models."""

    def unload(self, name: str) -> None:
        """Unload a model."""
        super().unload(name)
        if not self._loaded:
            os._exit(0)


if __name__ == "__main__":
    conforming(models=Mutant)
