"""A mutant that leaves a picture out of a batch when it cannot read it."""

from typing import Any

from conforming import ConformingTransformer, conforming
from features import NotAnImageError


class Mutant(ConformingTransformer):
    """A transformer that answers those pictures of a batch that are some."""

    async def preprocess(self, payload: Any, headers: dict[str, str] | None = None) -> dict[str, Any]:
        """Return the predictor's request."""
        instances = payload.get("instances") if isinstance(payload, dict) else None
        if isinstance(instances, list) and len(instances) > 1:
            payload = {**payload, "instances": [each for each in instances if self._is_readable(each)]}
        return await super().preprocess(payload, headers)

    def _is_readable(self, instance: Any) -> bool:
        try:
            self.features(instance)
        except NotAnImageError:
            return False
        return True


if __name__ == "__main__":
    conforming(Mutant)
