"""A mutant that keeps the caller's id on the shared model object: right one by one, wrong when requests overlap.

KServe's own Kafka sample does so with `self._key` (docs/samples/kafka, image_transformer).
"""

from conforming import ConformingTransformer, conforming


class Mutant(ConformingTransformer):
    """A transformer whose next preprocess() overwrites the id that this request's postprocess() will read."""

    _trace_id: str | None = None

    def remember(self, trace_id: str | None) -> None:
        """Keep the caller's id, until the next request comes."""
        self._trace_id = trace_id

    def remembered(self) -> str | None:
        """Return the id of the latest request."""
        return self._trace_id


if __name__ == "__main__":
    conforming(Mutant)
