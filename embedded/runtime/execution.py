"""Commands that clients run in a container (`kubectl exec`): its environment, folder and address, streams of their own.

A command is contained as the container is (`init.py`): when it ends, its client goes, its container ends or the
platform ends, whatever it started is killed. Nothing is buffered beyond a pipe: who does not read, stops the writer.
"""

import asyncio
import contextlib
import errno
import os
import shutil
import termios
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from embedded.api.errors import ApiError
from embedded.api.remotecommand import STDERR, STDOUT, ExecQuery, internal_error
from embedded.runtime.containers import Container
from embedded.runtime.environment import Launch, Names, UnresolvedError, replace_names
from embedded.runtime.init import contained
from embedded.runtime.process import Command

PIECE = 32 * 1024
END_OF_TRANSMISSION = b"\x04"


class _Executed(Command):
    """A command that a client has started."""

    async def wait(self) -> int:
        """Return the exit status."""
        return await asyncio.shield(self.ended)

    async def end(self) -> None:
        """Kill the command with all that it started; return once it is gone."""
        self.kill()
        await self.wait()


class Piped(_Executed):
    """A command with pipes: standard input, output and error, each where the client asks for it."""

    async def read(self, stream: Literal[1, 2]) -> bytes:
        """Return a piece of standard output or error; empty at its end."""
        source = self._process.stderr if stream == STDERR else self._process.stdout
        return await source.read(PIECE) if source is not None else b""

    async def write(self, data: bytes) -> None:
        """Write to standard input."""
        if (target := self._process.stdin) is not None:
            with contextlib.suppress(ConnectionError, RuntimeError):  # the command has closed it
                target.write(data)
                await target.drain()

    async def close_input(self) -> None:
        """End standard input."""
        if self._process.stdin is not None:
            self._process.stdin.close()

    def resize(self, width: int, height: int) -> None:
        """Do nothing: there is no terminal."""


class InTerminal(_Executed):
    """A command on a pseudo terminal, which is its standard input, output and error.

    Args:
        process: The started command.
        terminal: The descriptor of the terminal's other end, which is closed with the command.
    """

    def __init__(self, process: asyncio.subprocess.Process, terminal: int) -> None:
        super().__init__(process)
        self._terminal = terminal
        self._open = True

    async def read(self, stream: Literal[1, 2]) -> bytes:
        """Return a piece of what the terminal shows; empty once no process has the terminal."""
        loop = asyncio.get_running_loop()
        while self._open and stream == STDOUT:
            try:
                return os.read(self._terminal, PIECE)
            except BlockingIOError:
                await _ready(self._terminal, loop.add_reader, loop.remove_reader)
            except OSError as error:
                if error.errno != errno.EIO:
                    raise
                return b""
        return b""

    async def write(self, data: bytes) -> None:
        """Type into the terminal."""
        loop = asyncio.get_running_loop()
        left = memoryview(data)
        while left and self._open:
            try:
                left = left[os.write(self._terminal, left) :]
            except BlockingIOError:
                await _ready(self._terminal, loop.add_writer, loop.remove_writer)
            except OSError as error:
                if error.errno != errno.EIO:
                    raise
                return

    async def close_input(self) -> None:
        """Type what ends the input of a terminal."""
        await self.write(END_OF_TRANSMISSION)

    def resize(self, width: int, height: int) -> None:
        """Set the size of the terminal."""
        if self._open:
            termios.tcsetwinsize(self._terminal, (height, width))

    async def end(self) -> None:
        """Kill the command, and close the terminal."""
        try:
            await super().end()
        finally:
            if self._open:
                self._open = False
                os.close(self._terminal)


async def _ready(descriptor: int, add: Callable[..., object], remove: Callable[[int], object]) -> None:
    """Wait until a descriptor can be read or written."""
    ready = asyncio.Event()
    add(descriptor, ready.set)
    try:
        await ready.wait()
    finally:
        remove(descriptor)


async def execute(container: Container | None, names: Names, query: ExecQuery) -> Piped | InTerminal:
    """Start a command in a container.

    Raises:
        ApiError: The container does not run, or the command cannot be found; the text is a kubelet's.
    """
    launched = container.launched if container else None
    if container is None or launched is None:
        if container is not None and "terminated" in container.status()["state"]:
            raise _refused("container is in CONTAINER_EXITED state")
        raise internal_error(f'unable to upgrade connection: container not found ("{query.container}")')
    try:
        command = [launched.mounts.replace(part) for part in replace_names(query.command, names)]
    except UnresolvedError as error:
        raise _refused(str(error)) from error
    _check(command[0], launched)
    starting = asyncio.create_task(_start(launched, command, query))
    try:
        running = await asyncio.shield(starting)
    except asyncio.CancelledError:  # the client has gone: a process that was started must be known
        await (await starting).end()
        raise
    if container.launched is not launched:
        await running.end()
        raise _refused("container is in CONTAINER_EXITED state")
    container.accompany(running)
    return running


def _check(program: str, launched: Launch) -> None:
    """Look for the program as the container would, and refuse in the words of its runtime.

    Raises:
        ApiError: There is no such program, or it cannot be executed.
    """
    if "/" in program:
        path: Path | None = launched.folder / program
        missing = f"stat {program}: no such file or directory"
    else:
        on_path = shutil.which(program, path=launched.environment["PATH"])
        path, missing = Path(on_path) if on_path else None, "executable file not found in $PATH"
    why = missing if path is None or not path.exists() else ""
    if path is not None and not why and (path.is_dir() or not os.access(path, os.X_OK)):
        why = "is a directory" if path.is_dir() else "permission denied"
    if why:
        raise _refused(f'failed to start exec: unable to start container process: exec: "{program}": {why}')


def _refused(why: str) -> ApiError:
    # Twice, as it reaches a client: the kubelet's error and the API server's.
    return internal_error(f"Internal error occurred: error executing command in container: {why}")


async def _start(launched: Launch, command: list[str], query: ExecQuery) -> Piped | InTerminal:
    if not query.tty:
        pipe, null = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
        wanted = [pipe if stream else null for stream in (query.stdin, query.stdout, query.stderr)]
        return Piped(await _spawn(launched, command, wanted))
    terminal, inside = os.openpty()
    try:
        os.set_blocking(terminal, False)
        environment = {"TERM": "xterm"} | launched.environment
        return InTerminal(await _spawn(launched, command, [inside] * 3, environment), terminal)
    except BaseException:
        os.close(terminal)
        raise
    finally:
        os.close(inside)


async def _spawn(
    launched: Launch, command: list[str], streams: list[int], environment: dict[str, str] | None = None
) -> asyncio.subprocess.Process:
    stdin, stdout, stderr = streams
    try:
        return await asyncio.create_subprocess_exec(
            *contained(command),
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            cwd=launched.folder,
            env=environment or launched.environment,
            limit=PIECE,
            start_new_session=True,
        )
    except OSError as error:
        raise _refused(f"{launched.folder}: {error.strerror}") from error
