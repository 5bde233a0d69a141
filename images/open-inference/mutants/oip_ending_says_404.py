"""A mutant that forgets its model as soon as it is told to end, and listens for a while longer."""

import threading
from typing import Any

import uvicorn
from conforming import conforming
from repository import UnknownModelError
from rules import Rules

LISTENING = 1.0
"""Seconds for which it listens without its model."""
honest = uvicorn.Server.handle_exit


class Mutant(Rules):
    """Knows its model until it is told to end."""

    ending = False

    async def before(self, request: str) -> str:
        """Return the id by which the answer to a request is made."""
        if self.ending:
            raise UnknownModelError
        return request


def forget(server: uvicorn.Server, number: int, frame: Any) -> None:
    """Forget the model on a signal, and end later."""
    del frame
    Mutant.ending = True
    threading.Timer(LISTENING, honest, (server, number, None)).start()


if __name__ == "__main__":
    uvicorn.Server.handle_exit = forget
    conforming(Mutant())
