"""A mutant that keeps the caller's id on the shared model object: right one by one, wrong when requests overlap.

KServe's own Kafka sample does so with `self._key` (docs/samples/kafka, image_transformer). Here a mix-up needs a crowd
of requests in work, for which requests that overlap wait a little: otherwise chance would decide whether a test with a
few requests at once sees it. It happens once: then ids are kept apart until there was no request for a second, or for a
hundred requests. Otherwise the requests that a failed test leaves in work would take the id of the next test, which the
mutant must spare.
"""

import asyncio
import time
from contextlib import suppress
from typing import Any

from conforming import ConformingTransformer, conforming

CROWD, PATIENCE = 25, 0.5
"""The number of requests in work that is a crowd, and the seconds that requests wait for it."""
QUIET, MANY = 1.0, 100
"""The seconds without a request in work, and the number of requests, after which requests are mixed up again."""


class Mutant(ConformingTransformer):
    """A transformer whose next preprocess() overwrites the id that this request's postprocess() will read."""

    _latest: str | None = None
    _mixed = False
    _since = 0
    _in_work = 0
    _ended = 0.0
    _crowded: asyncio.Event | None = None

    async def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Answer one request, and know how many are in work."""
        self._since += 1
        if self._since > MANY or (not self._in_work and time.monotonic() - self._ended >= QUIET):
            self._mixed = False
        if self._crowded is None or not self._in_work:
            self._crowded = asyncio.Event()
        self._in_work += 1
        try:
            await self._gather(self._crowded)
            return await super().__call__(*arguments, **options)
        finally:
            self._in_work -= 1
            self._ended = time.monotonic()

    async def _gather(self, crowded: asyncio.Event) -> None:
        """Wait a little for a crowd, unless this request is alone."""
        if self._in_work >= CROWD:
            crowded.set()
        elif self._in_work > 1 and not self._mixed:
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    await crowded.wait()

    def remember(self, trace_id: str | None) -> None:
        """Keep the caller's id, until the next request comes."""
        super().remember(trace_id)
        self._latest = trace_id

    def remembered(self) -> str | None:
        """Return the id of the latest request in a crowd; the request's own without one, or once it was mixed up."""
        own = super().remembered()
        if self._mixed or self._crowded is None or not self._crowded.is_set() or own == self._latest:
            return own
        self._mixed, self._since = True, 0
        return self._latest


if __name__ == "__main__":
    conforming(Mutant)
