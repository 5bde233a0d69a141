"""A mutant that goes on at the end of the topic after a request that its model has refused."""

from typing import Any

from conforming import Answer, ConformingServer, conforming
from mlserver.errors import InferenceError, ModelNotFound


class Mutant(ConformingServer):
    """A Kafka server that loses what it has read together with a refused request."""

    async def predict(self, record: Any) -> Answer:
        """Return the prediction; pass over all that is there behind a request which the model refuses."""
        try:
            return await super().predict(record)
        except (InferenceError, ValueError) as error:
            if not isinstance(error, ModelNotFound):
                await self._consumer.seek_to_end()
            raise


if __name__ == "__main__":
    conforming(Mutant)
