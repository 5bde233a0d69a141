"""A mutant that takes a body without a length for an empty one."""

from collections.abc import Mapping

from conforming import conforming
from rules import Rules


class Mutant(Rules):
    """Takes a body without a length for an empty one."""

    def body_of(self, headers: Mapping[str, str], body: bytes) -> bytes:
        """Return the JSON of a request."""
        return super().body_of(headers, body if "content-length" in headers else b"")


if __name__ == "__main__":
    conforming(Mutant())
