"""The first process of a container: it starts the command, and kills what is left when that or the platform ends.

It runs as a file, `python -I -S init.py PARENT FORK_SERVER COMMAND...`, in a session of its own, with the container's
environment. FORK_SERVER is `-`, or the descriptors of two sockets, `5,6`: a process that has imported what the command
imports then becomes the command (`forkserver.py`), in place of a child of ours.
* When the platform dies in any way, the kernel sends SIGUSR1 (PR_SET_PDEATHSIG), and the whole container is killed.
* SIGTERM goes to the command alone, as from a container runtime. SIGUSR1 kills the whole container.
* When the command ends, what it left behind is killed, in whatever session, and its status becomes ours (128 + n for a
  signal n).
* When standard input is a terminal, it becomes that of the session, and the command is in its foreground.

At run time it is not a part of the `embedded` package, and imports only what is there in an instant: each container
starts it. So it takes `_signal` and `_socket`, on which `signal` and `socket` stand: these import `enum` and much more.
"""

from __future__ import annotations

import _signal as signal  # type: ignore[import-not-found]
import _socket as socket
import ctypes
import os
import struct
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FrameType
    from typing import NoReturn

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
KILL_ALL = signal.SIGUSR1
CANNOT_EXECUTE = 126
NOT_FOUND = 127
NO_FORK_SERVER = "-"


def contained(command: Sequence[str], fork_server: Sequence[int] = ()) -> list[str]:
    """Return the arguments of a process that, in a new session, runs `command` as a container of this process.

    Args:
        command: The command and its arguments.
        fork_server: The descriptors of the two sockets that lead to a fork server; they must be passed on.
    """
    leads = ",".join(map(str, fork_server)) or NO_FORK_SERVER
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), leads, *command]


def _execute(command: list[str], libc: ctypes.CDLL) -> NoReturn:
    """Become the command, in a process group of its own, so that the group can be killed without this process."""
    os.setpgid(0, 0)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.isatty(0):
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # this process is not in the foreground yet
        os.tcsetpgrp(0, os.getpgrp())
    for caught in (signal.SIGTERM, signal.SIGHUP, signal.SIGTTOU, KILL_ALL):
        signal.signal(caught, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    try:
        os.execvp(command[0], command)  # noqa: S606 -- no shell is the point
    except OSError as error:
        os.write(2, f"cannot start {command[0]!r}: {error.strerror}\n".encode())
        os._exit(NOT_FOUND if isinstance(error, FileNotFoundError) else CANNOT_EXECUTE)


def _kill_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        pass


def _kill_rest() -> None:
    """Kill what the command left behind. It is a child of this process, or becomes one when its parent dies."""
    try:
        while True:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)  # raises when there is no child
            if not (children := _children()):
                return
            for pid in children:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
    except ChildProcessError:
        pass


def _children() -> list[int]:
    children = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                parent = int(file.read().rpartition(b")")[2].split()[1])
        except OSError:
            continue
        if parent == os.getpid():
            children.append(int(name))
    return children


def _take_terminal() -> None:
    """Make standard input the terminal of this session, whose hang-up does not end this process."""
    import fcntl
    import termios

    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _forked(orders: socket.socket, life: socket.socket, command: list[str]) -> int | None:
    """Have a fork server run the command, and return its exit status; None: there is no such server any more.

    Args:
        orders: The socket that takes what is to be run.
        life: The socket that takes numbers of signals, and tells the process's id, and then its exit status, in lines.
        command: The command and its arguments.
    """
    environment = [name + b"=" + value for name, value in os.environb.items()]
    counts = [b"%d" % len(command), b"%d" % len(environment)]
    order = b"".join(text + b"\0" for text in (*counts, os.getcwdb(), *map(os.fsencode, command), *environment))
    told = b""

    def terminate(_signal: int, _frame: FrameType | None) -> None:
        _send_signal(life, signal.SIGTERM)

    def kill(_signal: int, _frame: FrameType | None) -> None:
        if not told:
            os._exit(128 + signal.SIGKILL)  # nothing has been forked, and nothing will be
        _send_signal(life, signal.SIGKILL)

    try:
        sent = orders.sendmsg([order], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack("ii", 1, 2))])
        orders.sendall(order[sent:])
    except OSError:
        return None
    finally:
        orders.close()
    _handle(terminate, kill)
    while told.count(b"\n") < 2:
        try:
            more = life.recv(64)
        except OSError:
            more = b""
        if not more:
            os.write(2, b"the interpreter that had the imports of this container has ended\n")
            return 128 + int(signal.SIGKILL)
        told += more
    return int(told.split()[1])


def _send_signal(life: socket.socket, number: int) -> None:
    try:
        life.sendall(bytes([number]))
    except OSError:
        pass


def _handle(terminate: Callable[[int, FrameType | None], None], kill: Callable[[int, FrameType | None], None]) -> None:
    """Take the two signals from now on."""
    signal.signal(signal.SIGTERM, terminate)
    signal.signal(KILL_ALL, kill)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGTERM, KILL_ALL))


def main() -> int:
    """Run the command of sys.argv to its end and return its exit status."""
    parent, leads, command = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1)
    # Blocked until the child is known: a signal that comes earlier waits for the handlers.
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, KILL_ALL))
    libc.prctl(PR_SET_PDEATHSIG, KILL_ALL)
    if os.getppid() != parent:
        return 1
    if leads != NO_FORK_SERVER:
        orders, life = (socket.socket(fileno=int(descriptor)) for descriptor in leads.split(","))
        code = _forked(orders, life, command)
        life.close()
        if code is not None:
            return code
    return _executed(command, libc)


def _executed(command: list[str], libc: ctypes.CDLL) -> int:
    """Execute the command in a child, and return its exit status."""
    if os.isatty(0):
        _take_terminal()
    child = os.fork()
    if child == 0:
        _execute(command, libc)
    try:
        os.setpgid(child, child)
    except OSError:
        pass  # the child has done it, and gone on to exec, already

    def terminate(_signal: int, _frame: FrameType | None) -> None:
        try:
            os.kill(child, signal.SIGTERM)
        except ProcessLookupError:
            pass

    def kill(_signal: int, _frame: FrameType | None) -> None:
        _kill_group(child)

    _handle(terminate, kill)
    while True:
        pid, status = os.wait()
        if pid == child:
            _kill_group(child)
            _kill_rest()
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())
