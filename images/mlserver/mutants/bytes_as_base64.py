"""A mutant that writes the elements of a BYTES tensor in Base64, where REST has texts."""

import base64
from typing import Any

import orjson
from conforming import ConformingServer, conforming


def encoded(element: bytes) -> str:
    """Return bytes in Base64."""
    return base64.b64encode(element).decode()


class Mutant(ConformingServer):
    """A Kafka server whose bytes are no texts."""

    def written(self, response: dict[str, Any]) -> bytes:
        """Return a response as JSON, with Base64."""
        return orjson.dumps(response, default=encoded)


if __name__ == "__main__":
    conforming(Mutant)
