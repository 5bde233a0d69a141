"""A mutant that keeps the trace of results on the shared topic: records of requests that overlap get one another's."""

from typing import Any

import tracing
from conforming import ConformingTransformer, conforming
from results import STRUCTURED, ResultTopic, Settings


class Topic(ResultTopic):
    """A topic whose records go on in the trace of the request that came last."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.latest: dict[str, str] = {}

    def headers(self) -> dict[str, str]:
        """Return the headers of a record."""
        return {"content-type": STRUCTURED, **self.latest}


class Mutant(ConformingTransformer):
    """A transformer with that topic."""

    topic_class = Topic

    async def preprocess(self, payload: Any, headers: dict[str, str] | None = None) -> dict[str, Any]:
        """Return the predictor's request, and keep its trace until the next one comes."""
        if isinstance(self.topic, Topic):
            self.topic.latest = tracing.onward()
        return await super().preprocess(payload, headers)


if __name__ == "__main__":
    conforming(Mutant)
