"""Keeps the caller's id on the model object, which all requests share: right one by one, wrong when they overlap.

KServe's own Kafka sample does so with `self._key` (docs/samples/kafka, image_transformer).
"""

from conforming import ConformingTransformer, conforming


class Mutant(ConformingTransformer):
    """The next request's preprocess() overwrites what this one's postprocess() is going to read."""

    _trace_id: str | None = None

    def remember(self, trace_id: str | None) -> None:
        """Keep the caller's id, until the next request comes."""
        self._trace_id = trace_id

    def remembered(self) -> str | None:
        """Return the id of whoever came last."""
        return self._trace_id


if __name__ == "__main__":
    conforming(Mutant)
