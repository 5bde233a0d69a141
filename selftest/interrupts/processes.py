"""All processes that a command has started, also those whose parent has died, and the ports that they listen at."""

import contextlib
import ctypes
import os
import signal
from collections.abc import Iterable
from pathlib import Path

from fixtures.processes.children import process_alive

PR_SET_CHILD_SUBREAPER = 36
LISTENS = "0A"
NAMES = {
    "worker": ("import sys;exec(eval(sys.stdin.readline()))",),
    "platform": ("-m", "embedded", "up"),
    "kafka": ("-m", "embedded.kafka.mock"),
    "probe": ("-m", "fixtures.probe"),
}
POD = "embedded/runtime/init.py"


def adopt_orphans() -> None:
    """Become the parent of every orphan further down, so that none escapes `descendants`."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1)


def descendants() -> dict[int, int]:
    """Return the parents of all processes below this one that run, by process id."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            parents[int(stat.parent.name)] = int(fields[1])
    below: dict[int, int] = {}
    ours, grown = {os.getpid()}, True
    while grown:
        fresh = {pid: parent for pid, parent in parents.items() if parent in ours and pid not in ours}
        ours |= set(fresh)
        below |= fresh
        grown = bool(fresh)
    return {pid: parent for pid, parent in below.items() if process_alive(pid)}


def collect_zombies(keep: int) -> None:
    """Wait for adopted children that have ended; the child `keep` is left to whoever waits for it."""
    for pid, parent in _zombies():
        if parent == os.getpid() and pid != keep:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)


def _zombies() -> list[tuple[int, int]]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
            if state == "Z":
                found.append((int(stat.parent.name), int(parent)))
    return found


def command_line(pid: int) -> list[str]:
    """Return a process's command line; empty when it is gone."""
    try:
        return [os.fsdecode(word) for word in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[:-1]]
    except OSError:
        return []


def find(receiver: str, tox: int) -> int | None:
    """Return a process of a command by its part in it.

    Args:
        receiver: `tox`, `command` (what tox runs), `worker`, `platform`, `kafka`, `probe` or `pod`.
        tox: The process id of tox.
    """
    if receiver == "tox":
        return tox if process_alive(tox) else None
    for pid, parent in sorted(descendants().items()):
        words = command_line(pid)
        if receiver == "command":
            if parent == tox:
                return pid
        elif receiver == "pod":
            if any(word.endswith(POD) for word in words):
                return pid
        elif _contains(words, NAMES[receiver]):
            return pid
    return None


def _contains(words: list[str], part: tuple[str, ...]) -> bool:
    return any(tuple(words[begin : begin + len(part)]) == part for begin in range(len(words)))


def listening(pids: Iterable[int]) -> set[str]:
    """Return the sockets at which processes listen, by inode."""
    inodes = {line.split()[9] for line in _sockets() if line.split()[3] == LISTENS}
    held: set[str] = set()
    for pid in pids:
        for link in Path(f"/proc/{pid}/fd").glob("*"):
            with contextlib.suppress(OSError):
                held.add(str(link.readlink()).removeprefix("socket:[").rstrip("]"))
    return inodes & held


def still_listening(inodes: set[str]) -> set[str]:
    """Return which of these sockets are still listened at, by whomever."""
    return inodes & {line.split()[9] for line in _sockets() if line.split()[3] == LISTENS}


def _sockets() -> list[str]:
    return [line for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]


def kill(pids: Iterable[int]) -> None:
    """End processes at once."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
