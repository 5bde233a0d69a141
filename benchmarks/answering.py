"""A program of its own: answers 202 to every request at once, cheaper than anybody can ask. It prints its port."""

import asyncio
from typing import cast

import httptools
import uvloop

from fixtures.processes.parent import end_with_parent

ANSWER = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"


class Answering(asyncio.Protocol):
    """One connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)
        self._parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        """Read requests."""
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        """Answer a request that has come to its end (callback of the parser)."""
        self._transport.write(ANSWER)


async def serve() -> None:
    """Answer until the process ends."""
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - the program's one word to who started it
    await server.serve_forever()


if __name__ == "__main__":
    end_with_parent()
    uvloop.run(serve())
