"""A mutant that returns the headers of a request for an explanation."""

from collections.abc import Mapping

from conforming import conforming
from rules import Rules

OWN = ("content-type", "content-length", "host", "connection")


class Mutant(Rules):
    """Returns the headers of a request for an explanation."""

    def explained_headers(self, asked: Mapping[str, str]) -> dict[str, str]:
        """Return headers for the answer."""
        return {name: value for name, value in asked.items() if name not in OWN}


if __name__ == "__main__":
    conforming(Mutant())
