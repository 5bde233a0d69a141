"""A mutant that compares media types letter by letter."""

from collections.abc import Mapping

from conforming import conforming
from rules import Rules
from tensors import RefusedError


class Mutant(Rules):
    """Compares media types letter by letter."""

    def body_of(self, headers: Mapping[str, str], body: bytes) -> bytes:
        """Return the JSON of a request."""
        if headers.get("content-type") != "application/json":
            raise RefusedError("the media type is application/json")
        return super().body_of(headers, body)


if __name__ == "__main__":
    conforming(Mutant())
