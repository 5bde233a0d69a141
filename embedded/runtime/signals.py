"""Signals to the first process of a container, whose end may be known only after it cannot be signalled any more."""

import asyncio
import contextlib

from embedded.runtime.init import KILL_ALL


def send(process: asyncio.subprocess.Process, number: int) -> None:
    """Send a signal to a process, unless it has ended: what it wrote may be read for longer than it lives."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(number)


async def end(process: asyncio.subprocess.Process) -> None:
    """Kill the whole container of a process, and return when the process is gone."""
    send(process, KILL_ALL)
    await process.wait()
