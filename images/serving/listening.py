"""Serves gRPC and REST on one address until the process is told to end."""

import asyncio
import os
import signal
import sys
from collections.abc import Coroutine, Iterable
from typing import Any

import grpc
from aiohttp import web

MOST_BYTES = 64 << 20


def run(program: str, serving: Coroutine[Any, Any, None]) -> None:
    """Run what `serve` returns to its end; a port that is taken is told on stderr, under the program's name.

    Raises:
        SystemExit: A port is taken.
    """
    try:
        asyncio.run(serving)
    except OSError as error:
        sys.exit(f"{program}: {error}")


async def serve(
    name: str,
    *,
    rpc_port: int = 0,
    handlers: Iterable[grpc.GenericRpcHandler] = (),
    rest_port: int,
    application: web.Application,
    grace: float,
) -> None:
    """Serve on the pod's address until SIGTERM or SIGINT; a port of 0 is not opened.

    Args:
        name: The name of what is served, for the log.
        rpc_port: The port of gRPC.
        handlers: The methods of gRPC.
        rest_port: The port of REST.
        application: The resources of REST.
        grace: The seconds that calls under way get at the end.

    Raises:
        OSError: A port is taken.
    """
    address = os.environ.get("POD_IP") or "0.0.0.0"  # noqa: S104 - a container listens on all of its own addresses
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    rpc = grpc.aio.server(options=[("grpc.max_receive_message_length", MOST_BYTES), ("grpc.so_reuseport", 0)])
    rpc.add_generic_rpc_handlers(tuple(handlers))
    rest = web.AppRunner(application, access_log=None)
    await rest.setup()
    try:
        if rpc_port:
            try:
                rpc.add_insecure_port(f"{address}:{rpc_port}")
            except RuntimeError as error:
                raise OSError(f"cannot listen on {address}:{rpc_port}: {error}") from error
            await rpc.start()
        if rest_port:
            await web.TCPSite(rest, address, rest_port).start()
        print(f"{name}: gRPC on {address}:{rpc_port}, REST on {address}:{rest_port}", flush=True)
        await ended.wait()
    finally:
        await rpc.stop(grace)
        await rest.cleanup()
