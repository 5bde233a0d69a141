"""A mutant that takes an empty batch for a request without one."""

from typing import Any

from conforming import ConformingTransformer, conforming
from kserve.errors import InvalidInput


class Mutant(ConformingTransformer):
    """A transformer that wants a picture."""

    async def preprocess(self, payload: Any, headers: dict[str, str] | None = None) -> dict[str, Any]:
        """Return the predictor's request.

        Raises:
            InvalidInput: The request is wrong, or has no picture.
        """
        if isinstance(payload, dict) and payload.get("instances") == []:
            raise InvalidInput("expected at least one instance")
        return await super().preprocess(payload, headers)


if __name__ == "__main__":
    conforming(Mutant)
