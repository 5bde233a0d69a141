"""A mutant that keeps the requests that wait by their ids."""

from typing import Any

from conforming import conforming
from rules import Rules


class Mutant(Rules):
    """Keeps the requests that wait by their ids."""

    def __init__(self) -> None:
        self.waiting: dict[str, Any] = {}

    def request(self, body: Any) -> dict[str, Any]:
        """Return a REST request."""
        asked = super().request(body)
        if not asked["id"] or "delay_ms" not in (asked.get("parameters") or ()):
            return asked
        return {**asked, "inputs": self.waiting.setdefault(asked["id"], asked["inputs"])}

    def answer_id(self, asked: str) -> str:
        """Return the id of an answer."""
        self.waiting.pop(asked, None)
        return super().answer_id(asked)


if __name__ == "__main__":
    conforming(Mutant())
