"""One run of a container's command: a session of processes, its log, its end."""

import asyncio
import signal
from collections.abc import Sequence

from embedded.runtime import signals
from embedded.runtime.environment import Launch
from embedded.runtime.init import KILL_ALL, contained
from embedded.runtime.logs import CHUNK, RunLog
from embedded.runtime.warm import Leads


class Command:
    """A contained command, whatever its streams are. No process of it outlives `ended` or the platform."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.ended: asyncio.Task[int] = asyncio.create_task(process.wait())

    def kill(self) -> None:
        """Kill the command with all that it started."""
        signals.send(self._process, KILL_ALL)


class Run:
    """A started command, made by `start`. No process of it outlives `ended` or the platform."""

    def __init__(self, process: asyncio.subprocess.Process, log: RunLog) -> None:
        self._process = process
        self.log = log
        self.ended: asyncio.Task[int] = asyncio.create_task(self._pump())

    @property
    def pid(self) -> int:
        """The id of the container's first process (`init.py`)."""
        return self._process.pid

    def terminate(self) -> None:
        """Ask the command to end (SIGTERM, to it alone)."""
        signals.send(self._process, signal.SIGTERM)

    def kill(self) -> None:
        """End everything in the container at once."""
        signals.send(self._process, KILL_ALL)

    async def stop(self, grace: float) -> int:
        """Send SIGTERM, and SIGKILL after `grace` seconds; return the exit status, 128 + n for a signal."""
        self.terminate()
        await asyncio.wait([self.ended], timeout=grace)
        self.kill()
        return await asyncio.shield(self.ended)

    async def _pump(self) -> int:
        output = self._process.stdout
        if output is None:
            raise AssertionError("standard output was asked for as a pipe")
        try:
            while chunk := await output.read(CHUNK):
                self.log.write(chunk)
            return await self._process.wait()
        finally:
            self.log.close()


async def start(launch: Launch, log: RunLog, leads: Leads | None = None) -> Run:
    """Execute a container's command in a session of its own.

    A command that does not exist is no error here: the run ends with 127 and says so in its log.

    Args:
        launch: What is executed.
        log: The log of the run.
        leads: What leads to a fork server that becomes the command; None: an interpreter is started.
    """
    if leads is None:
        return Run(await spawn(launch, launch.argv), log)
    try:
        return Run(await spawn(launch, launch.argv, (leads.orders.fileno(), leads.life.fileno())), log)
    finally:
        leads.close()


async def spawn(launch: Launch, command: Sequence[str], fork_server: Sequence[int] = ()) -> asyncio.subprocess.Process:
    """Start a command in a container's folder and environment, in a new session, with its output piped."""
    return await asyncio.create_subprocess_exec(
        *contained(command, fork_server),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=launch.folder,
        env=launch.environment,
        pass_fds=fork_server,
        start_new_session=True,
    )  # fmt: skip
