"""A mutant whose records do not say that they hold an event."""

from conforming import ConformingTransformer, conforming
from results import ResultTopic


class Topic(ResultTopic):
    """A topic without that header."""

    def headers(self) -> dict[str, str]:
        """Return the headers of a record but one."""
        return {name: value for name, value in super().headers().items() if name != "content-type"}


class Mutant(ConformingTransformer):
    """A transformer with that topic."""

    topic_class = Topic


if __name__ == "__main__":
    conforming(Mutant)
