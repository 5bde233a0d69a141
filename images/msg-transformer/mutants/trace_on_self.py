"""A mutant that keeps the trace on the shared model object: requests that overlap go on in one another's traces."""

import asyncio
from typing import Any

from conforming import ConformingTransformer, conforming


class Mutant(ConformingTransformer):
    """A transformer that asks the predictor in the trace of the request that came last."""

    _latest: dict[str, str]

    async def _http_predict(
        self, payload: Any, headers: dict[str, str] | None = None, response_headers: dict[str, str] | None = None
    ) -> Any:
        self._latest = super().handed_on(headers or {})
        await asyncio.sleep(0.02)  # whoever looks something up first lets others in between
        return await super()._http_predict(payload, headers, response_headers)

    def handed_on(self, headers: dict[str, str]) -> dict[str, str]:
        """Return the headers of the latest request."""
        del headers
        return self._latest


if __name__ == "__main__":
    conforming(Mutant)
