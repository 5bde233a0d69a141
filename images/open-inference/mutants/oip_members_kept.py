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
        given = {name: asked[name] for name in KEPT if asked.get(name) and "delay_ms" not in asked[name]}
        kept = self.pool.setdefault(names, {})
        kept |= given
        return {**asked, **kept} if "delay_ms" not in (asked.get("parameters") or ()) else asked


if __name__ == "__main__":
    conforming(Mutant())
