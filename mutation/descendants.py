"""The processes below this one: what they use, and their end. A process that is a parent of orphans loses none."""

import contextlib
import ctypes
import os
import re
import signal
import time
from dataclasses import dataclass
from pathlib import Path

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_PROPORTIONAL = re.compile(r"^Pss: +(\d+) kB$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Usage:
    """What some processes use together.

    Attributes:
        cpu: The CPU time, in seconds, with that of their children that have ended.
        memory: The resident memory, in bytes; what several of them share is counted for each.
    """

    cpu: float
    memory: int


def adopt_orphans() -> None:
    """Become the parent of every orphan further down."""
    _libc().prctl(PR_SET_CHILD_SUBREAPER, 1)


def end_with_parent() -> None:
    """Have the kernel kill this process when its parent ends."""
    _libc().prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def usage() -> Usage:
    """Return what all processes below this one use."""
    fields = _below(os.getpid()).values()
    ticks = sum(sum(map(int, values[11:15])) for values in fields)
    return Usage(ticks / _TICKS, sum(int(values[21]) for values in fields) * _PAGE)


def own_memory() -> int:
    """Return the resident memory of all processes below this one, in bytes; what several share is counted once.

    It takes milliseconds a process.
    """
    total = 0
    for pid in _below(os.getpid()):
        with contextlib.suppress(OSError):
            maps = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
            total += sum(int(size) << 10 for size in _PROPORTIONAL.findall(maps))
    return total


def kill_all(patience: float = 10.0) -> list[int]:
    """Kill all processes below this one and collect them; return those that still run after so many seconds."""
    end = time.monotonic() + patience
    while below := list(_below(os.getpid())):
        for pid in below:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if time.monotonic() > end:
            return below
        time.sleep(0.01)
    return []


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _below(pid: int) -> dict[int, list[str]]:
    """Return the fields of /proc/PID/stat from the third on, of all processes below one, by process id."""
    stats: dict[int, list[str]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            stats[int(stat.parent.name)] = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    children: dict[int, list[int]] = {}
    for child, values in stats.items():
        children.setdefault(int(values[1]), []).append(child)
    waiting, below = [pid], {}
    while waiting:
        for child in children.get(waiting.pop(), ()):
            below[child] = stats[child]
            waiting.append(child)
    return below
