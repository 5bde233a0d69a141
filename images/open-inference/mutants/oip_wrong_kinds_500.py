"""A mutant that falls over members of another JSON type."""

from collections.abc import Mapping
from typing import Any

from conforming import conforming
from rules import Rules
from tensors import Tensor

KINDS: Mapping[str, type] = {"name": str, "datatype": str, "shape": list, "data": list, "id": str, "outputs": list}


class Mutant(Rules):
    """Falls over members of another JSON type."""

    def request(self, body: Any) -> dict[str, Any]:
        """Return a REST request."""
        if isinstance(body, dict) and body.get("inputs"):
            _read(body)
            _read({"outputs": [], **body["parameters"]} if body.get("parameters") else {})
            for entry in [*body["inputs"], *body.get("outputs", ())]:
                _read(entry.copy())
        return super().request(body)

    def tensor(self, entry: Any) -> Tensor:
        """Return an input of a REST request."""
        shape = entry.get("shape")
        if shape and not all(type(size) is int for size in shape):
            raise TypeError(shape)
        if entry.get("data") and isinstance(entry["data"][0], list) and len({len(row) for row in entry["data"]}) > 1:
            raise ValueError(entry["data"])
        return super().tensor(entry)


def _read(entry: Mapping[str, Any]) -> None:
    """Read the members of an entry as if they were what they should be.

    Raises:
        TypeError: One is of another kind.
    """
    for name, kind in KINDS.items():
        if name in entry and not isinstance(entry[name], kind):
            raise TypeError(name)


if __name__ == "__main__":
    conforming(Mutant())
