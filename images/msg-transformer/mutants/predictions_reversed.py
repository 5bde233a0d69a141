"""A mutant that answers several pictures in the reverse order."""

from typing import Any

from conforming import ConformingTransformer, conforming


class Mutant(ConformingTransformer):
    """A transformer that reverses the list of predictions."""

    async def postprocess(
        self, result: Any, headers: dict[str, str] | None = None, response_headers: dict[str, str] | None = None
    ) -> Any:
        """Publish and return the result."""
        reversed_result = {**result, "predictions": result["predictions"][::-1]}
        return await super().postprocess(reversed_result, headers, response_headers)


if __name__ == "__main__":
    conforming(Mutant)
