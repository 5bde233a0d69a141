"""A mutant that writes Infinity, as Python's own encoder of JSON does."""

import json
from typing import Any

from conforming import ConformingServer, conforming


class Mutant(ConformingServer):
    """A Kafka server whose answers are JSON but for an infinity."""

    def written(self, response: dict[str, Any]) -> bytes:
        """Return a response as JSON, with words for what JSON cannot say."""
        return json.dumps(response, default=bytes.decode).encode()


if __name__ == "__main__":
    conforming(Mutant)
