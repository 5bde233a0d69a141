"""A mutant whose results do not say in which trace their request was made."""

from typing import Any

from conforming import ConformingTransformer, conforming


class Mutant(ConformingTransformer):
    """A transformer that keeps no extension of the event."""

    def result(self, trace_id: str, data: Any, host: str) -> dict[str, Any]:
        """Return the event with a result, without its attribute traceparent."""
        return {name: value for name, value in super().result(trace_id, data, host).items() if name != "traceparent"}


if __name__ == "__main__":
    conforming(Mutant)
