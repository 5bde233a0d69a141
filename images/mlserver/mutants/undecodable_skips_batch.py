"""A mutant that goes on at the end of the topic after a value that it cannot decode."""

from collections.abc import Sequence
from typing import Any

from conforming import Answer, ConformingServer, conforming


class Mutant(ConformingServer):
    """A Kafka server that loses what it has read together with a bad value."""

    async def answers(self, record: Any) -> Sequence[Answer]:
        """Return the answer to a request; pass over all that is there behind an unreadable one."""
        try:
            self.read(record)
        except Exception:  # noqa: BLE001 -- whatever makes a value unreadable
            await self._consumer.seek_to_end()
        return await super().answers(record)


if __name__ == "__main__":
    conforming(Mutant)
