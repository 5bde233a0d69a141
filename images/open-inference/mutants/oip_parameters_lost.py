"""A mutant that loses parameters on their way to the model."""

from typing import Any

from conforming import conforming
from rules import Rules


class Mutant(Rules):
    """Loses parameters on their way to the model, except the delay."""

    def parameters(self, given: Any) -> dict[str, Any]:
        """Return the parameters as the model sees them."""
        return {name: value for name, value in super().parameters(given).items() if name == "delay_ms"}


if __name__ == "__main__":
    conforming(Mutant())
