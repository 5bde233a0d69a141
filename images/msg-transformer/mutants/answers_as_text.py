"""A mutant that answers direct calls JSON, and calls it plain text."""

from conforming import ConformingTransformer, conforming
from gate import Gate, Headers


class Mutant(Gate):
    """A gate that knows only one media type."""

    def plain_headers(self, headers: Headers) -> Headers:
        """Return the headers of the answer to a request that is not an event."""
        others = [(name, value) for name, value in super().plain_headers(headers) if name != b"content-type"]
        return [*others, (b"content-type", b"text/plain; charset=utf-8")]


if __name__ == "__main__":
    conforming(ConformingTransformer, Mutant)
