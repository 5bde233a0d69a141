"""A mutant that answers an event with one of the same type, which a broker routes to the same Trigger: a loop.

Seen in KServe before CE_TYPE (kserve#1923) and in Knative (eventing#7356).
"""

from cloudevent import Event
from conforming import ConformingTransformer, conforming
from gate import Gate


class Mutant(Gate):
    """A gate that copies the request's type."""

    def attributes(self, event: Event) -> dict[str, str]:
        """Return the attributes of the answer to `event`."""
        return {**super().attributes(event), "type": event.attributes["type"]}


if __name__ == "__main__":
    conforming(ConformingTransformer, Mutant)
