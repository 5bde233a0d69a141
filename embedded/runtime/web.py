"""The start of the platform's HTTP servers, with a clear message when a port is taken."""

import errno
import logging
from collections.abc import Coroutine
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

LOOPBACK = "127.0.0.1"


class _BrokenRequests(logging.Filter):
    """A filter for aiohttp's log records about requests that are not HTTP: they hold a traceback and the header."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


def keep_broken_requests_out_of_the_log() -> None:
    """Keep invalid requests out of the log of all servers: the sender gets 400, and a header may hold a token."""
    logging.getLogger("aiohttp.server").addFilter(_BrokenRequests())


class PortTakenError(Exception):
    """A port on which somebody else listens."""


async def listen(
    app: web.Application, port: int, what: str, option: str, *, follows_caller: bool = False
) -> tuple[web.AppRunner, int]:
    """Serve `app` on loopback (port 0: any free one); return the runner, to be cleaned up, and the port.

    `follows_caller`: whether the work for a caller who has left ends, as a proxy closes the connection behind it.

    Raises:
        PortTakenError: The port is taken; the text names the listener `what` and the `option` to choose another.
    """
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5, handler_cancellation=follows_caller)
    await runner.setup()
    try:
        await web.TCPSite(runner, LOOPBACK, port).start()
    except OSError as error:
        await runner.cleanup()
        if error.errno in {errno.EADDRINUSE, errno.EACCES}:
            raise _taken(error, port, what, option) from error
        raise
    return runner, int(runner.addresses[0][1])


async def listening(starting: Coroutine[Any, Any, str], port: int, what: str, option: str) -> str:
    """Await a server's start and return its URL.

    Raises:
        PortTakenError: The port is taken.
    """
    try:
        return await starting
    except OSError as error:
        raise _taken(error, port, what, option) from error


def _taken(error: OSError, port: int, what: str, option: str) -> PortTakenError:
    return PortTakenError(
        f"cannot listen on {LOOPBACK}:{port} for {what}: {error.strerror}. Choose another one with {option}, 0 for any."
    )
