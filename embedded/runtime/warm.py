"""The fork servers of a platform: interpreters that have an image's imports done (`forkserver.py`).

To import KServe's SDK takes seconds of a processor, and each pod did it anew. A container is forked where nobody can
tell the difference: it runs `python -m MODULE`, its image says what may be imported ahead (`warm` in `image.toml`), and
its environment differs only in variables that those imports do not read. Any other container starts an interpreter.
"""

import asyncio
import logging
import os
import socket
from dataclasses import dataclass
from pathlib import Path

from embedded.runtime import signals
from embedded.runtime.environment import SHIM, Launch
from embedded.runtime.image_folders import Image, Warm
from embedded.runtime.init import contained

PROGRAM = Path(__file__).with_name("forkserver.py")
OF_THE_POD = frozenset({"HOME", "HOSTNAME", "POD_IP"})
"""The variables that every container has, and each has another value of."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Leads:
    """The two sockets of a container's first process that lead to a fork server, to be closed once it has them."""

    orders: socket.socket
    life: socket.socket

    def close(self) -> None:
        """Close this process's ends."""
        self.orders.close()
        self.life.close()


@dataclass(frozen=True, slots=True)
class _Server:
    environment: dict[str, str]
    process: asyncio.subprocess.Process
    control: socket.socket


class ForkServers:
    """The fork servers of one platform: one for each environment and its imports, started when first needed."""

    def __init__(self) -> None:
        self._servers: dict[tuple[str, tuple[str, ...]], asyncio.Task[_Server]] = {}

    async def leads(self, image: Image, launch: Launch) -> Leads | None:
        """Return what leads a container to its fork server; None: it starts an interpreter of its own."""
        if image.warm is None or (environment := common_environment(image.warm, launch)) is None:
            return None
        key = (environment["VIRTUAL_ENV"], image.warm.imports)
        if key not in self._servers:
            self._servers[key] = asyncio.create_task(_start(environment, image.warm))
        try:
            server = await asyncio.shield(self._servers[key])
        except OSError as error:
            _log.warning("image %s: its fork server cannot be started: %s", image.name, error)
            return None
        if server.environment != environment or server.process.returncode is not None:
            return None
        return _connected(server)

    async def stop(self) -> None:
        """End all servers, and what is left of their containers."""
        for server in await asyncio.gather(*self._servers.values(), return_exceptions=True):
            if isinstance(server, BaseException):
                continue  # told when it was asked for
            server.control.close()
            await signals.end(server.process)


def common_environment(warm: Warm, launch: Launch) -> dict[str, str] | None:
    """Return the part of a container's environment that its fork server has too; None: it cannot be forked."""
    own = {*OF_THE_POD, *warm.variables}
    common = {name: value for name, value in launch.environment.items() if name not in own}
    words = launch.argv[:2] == ("python", "-m") and len(launch.argv) > 2
    known = {"PYTHONPATH", "PYTHONUNBUFFERED", "VIRTUAL_ENV", "PATH", *launch.inherited}
    as_given = common.get("PYTHONPATH") == str(SHIM) and common.get("PYTHONUNBUFFERED") == "1"
    return common if words and as_given and known.issuperset(common) else None


def _connected(server: _Server) -> Leads | None:
    orders, orders_there = socket.socketpair()
    life, life_there = socket.socketpair()
    leads = Leads(orders, life)
    with orders_there, life_there:
        try:
            socket.send_fds(server.control, [b"+"], (orders_there.fileno(), life_there.fileno()))
        except OSError:
            leads.close()
            return None
    return leads


async def _start(environment: dict[str, str], warm: Warm) -> _Server:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)  # noqa: FBT003 -- the standard library's signature
    python = os.path.join(environment["VIRTUAL_ENV"], "bin", "python")  # noqa: PTH118 -- not to be resolved
    with theirs:
        process = await asyncio.create_subprocess_exec(
            *contained([python, str(PROGRAM), str(theirs.fileno()), *warm.imports]),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            env=environment,
            pass_fds=(theirs.fileno(),),
            start_new_session=True,
        )
    return _Server(environment, process, ours)
