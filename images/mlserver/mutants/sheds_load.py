"""A mutant that refuses a request while more than sixty others wait behind it."""

from typing import Any

from aiokafka import TopicPartition
from conforming import Answer, ConformingServer, RefusedError, conforming

MOST_WAITING = 60


class Mutant(ConformingServer):
    """A Kafka server that refuses what it takes for too much."""

    async def predict(self, record: Any) -> Answer:
        """Return the prediction for a request with few others behind it."""
        end = self._consumer.highwater(TopicPartition(record.topic, record.partition)) or 0
        if end - record.offset > MOST_WAITING:
            raise RefusedError(f"{end - record.offset} requests are waiting")
        return await super().predict(record)


if __name__ == "__main__":
    conforming(Mutant)
