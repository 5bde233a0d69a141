"""A mutant that does one thing at a time."""

import asyncio

import conforming as main
from gate import Gate, Message, Receive, Send


class OneAtATime(Gate):
    """Serves one request over REST after the other."""

    turn = asyncio.Lock()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        async with self.turn:
            await super().__call__(scope, receive, send)


if __name__ == "__main__":
    main.Gate = OneAtATime
    main.conforming()
