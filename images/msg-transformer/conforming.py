"""The transformer with a strict CloudEvents gate before it: `python -m conforming --model_name mnist`.

The released KServe accepts invalid events and answers some valid ones wrongly; this entry point answers all of them as
the specifications ask. It is the honest system that the mutants change.
"""

from typing import Any

import httpx
import tracing
from fastapi import HTTPException
from gate import Gate
from kserve import model_server
from kserve.errors import InvalidInput
from model import Transformer, serve

HANDED_ON = ("authorization", "x-b3-traceid", "x-request-id")
"""The headers of a request that the SDK hands on to the predictor."""


class ConformingTransformer(Transformer):
    """A transformer that distinguishes faults of the caller from faults of the predictor, and ends no trace."""

    async def predict(
        self, payload: Any, headers: dict[str, str] | None = None, response_headers: dict[str, str] | None = None
    ) -> Any:
        """Ask the predictor.

        Raises:
            InvalidInput: The predictor refused the request (HTTP 400); the caller should not repeat it.
            HTTPException: The predictor failed, or is not reached (HTTP 502); a repetition may help.
        """
        try:
            return await super().predict(payload, headers, response_headers)
        except httpx.HTTPStatusError as error:
            if 400 <= error.response.status_code < 500:
                raise InvalidInput("the predictor refuses these instances") from error
            raise HTTPException(502, f"the predictor answers {error.response.status_code}") from error
        except httpx.TransportError as error:
            raise HTTPException(502, "the predictor is not reached") from error

    async def _http_predict(
        self, payload: Any, headers: dict[str, str] | None = None, response_headers: dict[str, str] | None = None
    ) -> Any:
        """Ask the predictor as the SDK does, with other headers."""
        return await self._http_client.infer(
            self.predictor_config.predictor_base_url,
            model_name=self.name,
            data=payload,
            headers={"content-type": "application/json", **self.handed_on(headers or {})},
            response_headers=response_headers,
        )

    def handed_on(self, headers: dict[str, str]) -> dict[str, str]:
        """Return the headers of a request, and of its trace, that go with the call to the predictor."""
        return {name: headers[name] for name in HANDED_ON if name in headers} | tracing.onward()


def conforming(transformer: type[Transformer] = ConformingTransformer, gate: type[Gate] = Gate) -> None:
    """Serve until SIGTERM."""
    model_server.app.add_middleware(gate, model=model_server.args.model_name)
    serve(transformer)


if __name__ == "__main__":
    conforming()
