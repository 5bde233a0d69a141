"""A mutant that takes white space away from the ends of a key."""

from dataclasses import replace
from typing import Any

from conforming import Answer, ConformingServer, conforming
from mlserver.types import InferenceResponse


class Mutant(ConformingServer):
    """A Kafka server that trims keys."""

    def answer(self, record: Any, response: InferenceResponse) -> Answer:
        """Return a prediction under a trimmed key."""
        honest = super().answer(record, response)
        return replace(honest, key=None if honest.key is None else honest.key.strip(b" \r\n"))


if __name__ == "__main__":
    conforming(Mutant)
