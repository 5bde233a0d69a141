"""A mutant whose sums are all one too large."""

from typing import Any

from conforming import Answer, ConformingServer, conforming
from mlserver.types import InferenceResponse


class Mutant(ConformingServer):
    """A Kafka server that alters what the model has computed."""

    def answer(self, record: Any, response: InferenceResponse) -> Answer:
        """Return a prediction with other numbers."""
        for output in response.outputs:
            output.data.root = [number + 1 for number in output.data.root]
        return super().answer(record, response)


if __name__ == "__main__":
    conforming(Mutant)
