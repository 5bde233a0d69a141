"""Start and stop of the platform's own HTTP servers, and a clear word when a port is taken."""

import errno
import logging
from collections.abc import Coroutine
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

LOOPBACK = "127.0.0.1"


class _BrokenRequests(logging.Filter):
    """Passes all but what aiohttp logs, with a traceback and the header, of a request that is no HTTP."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


def keep_broken_requests_out_of_the_log() -> None:
    """Have no server of this process log them: the sender gets 400, and a header may hold a token."""
    logging.getLogger("aiohttp.server").addFilter(_BrokenRequests())


class PortTakenError(Exception):
    """Somebody listens where we should."""


async def listen(app: web.Application, port: int, what: str, option: str) -> tuple[web.AppRunner, int]:
    """Serve `app` on loopback; port 0 takes a free one. Returns the runner (clean it up) and the port.

    Raises:
        PortTakenError: the text names `what` it is for and the command line `option` that chooses another port.
    """
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
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
    """Await a server's start; a taken port becomes a clear word. Raises PortTakenError."""
    try:
        return await starting
    except OSError as error:
        raise _taken(error, port, what, option) from error


def _taken(error: OSError, port: int, what: str, option: str) -> PortTakenError:
    return PortTakenError(
        f"cannot listen on {LOOPBACK}:{port} for {what}: {error.strerror}. Choose another one with {option}, 0 for any."
    )
