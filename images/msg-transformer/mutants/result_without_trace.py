"""A mutant whose records do not say to which trace they belong."""

from conforming import ConformingTransformer, conforming
from results import STRUCTURED, ResultTopic


class Topic(ResultTopic):
    """A topic whose records have one header."""

    def headers(self) -> dict[str, str]:
        """Return the headers of a record, the trace left out."""
        return {"content-type": STRUCTURED}


class Mutant(ConformingTransformer):
    """A transformer with that topic."""

    topic_class = Topic


if __name__ == "__main__":
    conforming(Mutant)
