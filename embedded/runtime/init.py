"""The first process of a container: it starts the command, and kills what is left when that or the platform ends.

It runs as a file, `python -I -S init.py PARENT COMMAND...`, in a session of its own, with the container's environment.
* When the platform dies in any way, the kernel sends SIGUSR1 (PR_SET_PDEATHSIG), and the whole container is killed.
* SIGTERM goes to the command alone, as from a container runtime. SIGUSR1 kills the whole container.
* When the command ends, what it left behind is killed, and its status becomes ours (128 + n for a signal n).

At run time it is not a part of the `embedded` package and imports only the standard library, so that it starts fast.
"""

import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
KILL_ALL = signal.SIGUSR1
CANNOT_EXECUTE = 126
NOT_FOUND = 127


def contained(command: Sequence[str]) -> list[str]:
    """Return the arguments of a process that, in a new session, runs `command` as a container of this process."""
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), *command]


def _execute(command: list[str], libc: ctypes.CDLL) -> NoReturn:
    """Become the command, in a process group of its own, so that the group can be killed without this process."""
    os.setpgid(0, 0)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    for caught in (signal.SIGTERM, KILL_ALL):
        signal.signal(caught, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    try:
        os.execvp(command[0], command)  # noqa: S606 -- no shell is the point
    except OSError as error:
        os.write(2, f"cannot start {command[0]!r}: {error.strerror}\n".encode())
        os._exit(NOT_FOUND if isinstance(error, FileNotFoundError) else CANNOT_EXECUTE)


def _kill_group(group: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def main() -> int:
    """Run the command of sys.argv to its end and return its exit status."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1)
    # Blocked until the child is known: a signal that comes earlier waits for the handlers.
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, KILL_ALL))
    libc.prctl(PR_SET_PDEATHSIG, KILL_ALL)
    if os.getppid() != parent:
        return 1
    child = os.fork()
    if child == 0:
        _execute(command, libc)
    with contextlib.suppress(OSError):  # the child may have done it, and gone on to exec, already
        os.setpgid(child, child)

    def terminate(_signal: int, _frame: FrameType | None) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGTERM)

    def kill(_signal: int, _frame: FrameType | None) -> None:
        _kill_group(child)

    signal.signal(signal.SIGTERM, terminate)
    signal.signal(KILL_ALL, kill)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGTERM, KILL_ALL))
    while True:
        pid, status = os.wait()
        if pid == child:
            _kill_group(child)
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())
