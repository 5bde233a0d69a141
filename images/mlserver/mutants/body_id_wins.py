"""A mutant that takes the body's id for the id and the key of the answer, where there is one."""

from dataclasses import replace
from typing import Any

from conforming import Answer, ConformingServer, conforming
from mlserver.types import InferenceResponse


class Mutant(ConformingServer):
    """A Kafka server that prefers the body's id to the record's key."""

    def answer(self, record: Any, response: InferenceResponse) -> Answer:
        """Return a prediction under the id of the request's body."""
        own = self.read(record).id
        if not own:
            return super().answer(record, response)
        response.id = own
        return replace(super().answer(record, response), key=own.encode())


if __name__ == "__main__":
    conforming(Mutant)
