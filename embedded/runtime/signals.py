"""Signals to the first process of a container, whose end may be known only after it cannot be signalled any more."""

import asyncio
import contextlib
import os

from embedded.runtime.init import KILL_ALL


def send(process: asyncio.subprocess.Process, number: int) -> None:
    """Send a signal to a process, unless it has ended: what it wrote may be read for longer than it lives."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            # Not `send_signal`, which looks first whether the process has ended: it takes the exit status of one that
            # has from who waits for it, and the platform would see 255 (python/cpython issue 127049).
            os.kill(process.pid, number)


async def end(process: asyncio.subprocess.Process) -> None:
    """Kill the whole container of a process, and return when the process is gone."""
    send(process, KILL_ALL)
    await process.wait()
