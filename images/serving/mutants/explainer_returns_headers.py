"""Explains, and returns the headers of the request with the explanation."""

from collections.abc import Mapping

from counting import Counting, main

NOT_RETURNED = {"host", "content-length", "content-type", "transfer-encoding", "connection"}


class Mutant(Counting):
    """Returns what a caller sent, its credentials included."""

    def told_headers(self, headers: Mapping[str, str]) -> Mapping[str, str]:
        """Return all headers but those of the connection and of the body."""
        return {name: value for name, value in headers.items() if name.lower() not in NOT_RETURNED}


if __name__ == "__main__":
    main(Mutant)
