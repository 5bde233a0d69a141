"""A mutant that gives the call to the predictor a request id of its own."""

import uuid

from conforming import ConformingTransformer, conforming


class Mutant(ConformingTransformer):
    """A transformer that begins every request anew."""

    def handed_on(self, headers: dict[str, str]) -> dict[str, str]:
        """Return the headers, with another request id."""
        return super().handed_on(headers) | {"x-request-id": str(uuid.uuid4())}


if __name__ == "__main__":
    conforming(Mutant)
