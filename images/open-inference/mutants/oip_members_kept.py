"""A mutant that does not clear the optional members of a request that it uses again."""

from typing import Any

from conforming import conforming
from rules import Rules

KEPT = ("id", "parameters")


class Mutant(Rules):
    """Does not clear the optional members of a request that it uses again, for inputs of the same names."""

    def __init__(self) -> None:
        self.pool: dict[str, dict[str, Any]] = {}

    def request(self, body: Any) -> dict[str, Any]:
        """Return a REST request."""
        asked = super().request(body)
        names = str([entry.get("name") for entry in asked["inputs"] if isinstance(entry, dict)])
        parameters = asked.get("parameters") or {}
        if not isinstance(parameters, dict) or "delay_ms" in parameters:
            return asked
        kept = self.pool.setdefault(names, {})
        kept |= {name: asked[name] for name in KEPT if asked.get(name)}
        return {**asked, **kept}


if __name__ == "__main__":
    conforming(Mutant())
