"""A mutant whose records have no key."""

from collections.abc import Mapping
from typing import Any

from conforming import ConformingTransformer, conforming
from results import ResultTopic


class Topic(ResultTopic):
    """A topic that spreads its records over the partitions."""

    async def publish(self, event: Mapping[str, Any], key: str | None) -> None:
        """Publish one event without its key."""
        del key
        await super().publish(event, None)


class Mutant(ConformingTransformer):
    """A transformer with that topic."""

    topic_class = Topic


if __name__ == "__main__":
    conforming(Mutant)
