"""A predictor that fails as it is told: `python -m obedient`, for the requirements about a failing predictor.

Its orders are described in `orders`. All other pictures are digits, and read as ever.
"""

import asyncio
import os
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

from fastapi import HTTPException
from kserve.errors import InvalidInput
from orders import COUNT, EXIT, FAIL, LEAVE, REFUSE, SAY, SHOW, TENTH, WAIT, Order, order
from predictor import Predictor, serve
from typing_extensions import override

SHOWN = ("traceparent", "tracestate", "x-request-id")
"""The headers that SHOW answers with, where the call has them; no others, as they may be secret."""


class Obedient(Predictor):
    """A predictor of digits that counts orders and obeys them."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._asked: Counter[bytes] = Counter()

    @override
    async def predict(
        self, payload: Any, headers: dict[str, str] | None = None, response_headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """Obey the order in the first instance, if there is one; else classify.

        Raises:
            InvalidInput: The request is wrong, or an order says so (HTTP 400).
            HTTPException: An order says so.
        """
        instances = payload.get("instances") if isinstance(payload, dict) else None
        asked = order(instances[0]) if isinstance(instances, list) and instances else None
        if asked is None:
            return await super().predict(payload, headers, response_headers)
        return await self._obey(asked, headers or {})

    async def _obey(self, asked: Order, headers: Mapping[str, str]) -> dict[str, Any]:
        if asked.kind == COUNT:
            return {"predictions": [self._asked[asked.token]]}
        if asked.kind == EXIT:
            os._exit(1)
        self._asked[asked.token] += 1
        number = self._asked[asked.token]
        answer: dict[str, Any] = {"predictions": [number]}
        if asked.kind in (SAY, SHOW):
            answer = {"predictions": [int.from_bytes(asked.token[:7])]}
        if asked.kind == SHOW:
            answer |= {name: headers[name] for name in SHOWN if name in headers}
        if number > asked.times:
            return answer
        if asked.kind in (FAIL, SHOW):
            raise HTTPException(500 + asked.argument, f"asking {number} fails, as ordered")
        if asked.kind == REFUSE:
            raise InvalidInput(f"asking {number} is refused, as ordered")
        if asked.kind == WAIT:
            await asyncio.sleep(asked.argument * TENTH)
        return {**answer, "order": "exit"} if asked.kind == LEAVE else answer


def load(environment: Mapping[str, str]) -> None:
    """Take as long as a large model would: LOADING_SECONDS, before anything listens."""
    time.sleep(float(environment.get("LOADING_SECONDS") or 0))


if __name__ == "__main__":
    load(os.environ)
    serve(Obedient)
