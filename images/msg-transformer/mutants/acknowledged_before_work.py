"""A mutant that acknowledges an event before its prediction begins, and does not finish its work on SIGTERM."""

import asyncio
import os
import signal

from cloudevent import Event
from conforming import ConformingTransformer, conforming
from gate import Application, Gate, Headers, Message

LATE = 0.5
"""The seconds after its acknowledgement at which the work on an event begins: a quick machine would hide the order."""


class Mutant(Gate):
    """A gate that works on events in the background."""

    def __init__(self, app: Application, model: str) -> None:
        super().__init__(app, model)
        self._working: set[asyncio.Task[tuple[int, Headers, bytes]]] = set()

    async def _ask(self, scope: Message, event: Event | None, body: bytes) -> tuple[int, Headers, bytes]:
        if event is None:
            return await super()._ask(scope, event, body)
        # Here and not before: the server sets a handler of its own when it starts, which would wait.
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
        task = asyncio.create_task(self._work(scope, event, body))
        self._working.add(task)
        task.add_done_callback(self._working.discard)
        return 202, [], b""

    async def _work(self, scope: Message, event: Event, body: bytes) -> tuple[int, Headers, bytes]:
        await asyncio.sleep(LATE)
        return await super()._ask(scope, event, body)


if __name__ == "__main__":
    conforming(ConformingTransformer, Mutant)
