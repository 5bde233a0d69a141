"""A mutant that writes every answer twice, as two servers without a group do."""

from collections.abc import Sequence
from typing import Any

from conforming import Answer, ConformingServer, conforming


class Mutant(ConformingServer):
    """A Kafka server that answers two times."""

    async def answers(self, record: Any) -> Sequence[Answer]:
        """Return the answer to a request, twice."""
        return [*await super().answers(record)] * 2


if __name__ == "__main__":
    conforming(Mutant)
