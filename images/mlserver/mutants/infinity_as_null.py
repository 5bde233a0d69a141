"""A mutant that writes null for an infinity, as orjson does."""

from typing import Any

import orjson
from conforming import ConformingServer, conforming


class Mutant(ConformingServer):
    """A Kafka server for whom an infinity is no number, and no error."""

    def written(self, response: dict[str, Any]) -> bytes:
        """Return a response as JSON, with null for what JSON cannot say."""
        return orjson.dumps(response, default=bytes.decode)


if __name__ == "__main__":
    conforming(Mutant)
