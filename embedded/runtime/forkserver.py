"""An interpreter that has imported what takes long, and becomes containers by forking.

It runs as a file, `python forkserver.py CONTROL MODULE...`, in the environment of an image, and imports the modules.
CONTROL is a socket on which the platform sends two more for each container. Their other ends are at the container's
first process (`init.py`):

* `orders`: what is to be run, as texts with NUL behind each up to the end of the stream: the number of words of the
  command, that of variables, the folder, these words, and `NAME=VALUE` for each variable. Standard output and error
  travel with it.
* `life`: a line with the id of the process that was forked, and at its end a line with its exit status. In the other
  direction, numbers of signals, a byte each: SIGTERM for the process, SIGKILL for its whole group.

When init goes, its container is killed. When this program goes, all of them are (PR_SET_PDEATHSIG).

Only `python -m MODULE` is forked (`embedded.runtime.warm` chooses). At run time it is not a part of the `embedded`
package: it imports the standard library, and what it was told to.
"""

import contextlib
import ctypes
import gc
import importlib
import os
import runpy
import selectors
import signal
import socket
import sys
import types
from collections.abc import Iterator
from dataclasses import dataclass

PR_SET_PDEATHSIG = 1
OUTPUT = (1, 2)


@dataclass(frozen=True, slots=True)
class Order:
    """What a process is to be.

    Attributes:
        folder: Its current folder.
        command: `python`, `-m`, a module, and its arguments.
        environment: All of its environment.
    """

    folder: str
    command: list[str]
    environment: dict[str, str]

    @classmethod
    def read(cls, text: bytes) -> "Order | None":
        """Return what init has sent; None when it was cut off."""
        *texts, behind = os.fsdecode(text).split("\0")
        if behind or len(texts) < 3:
            return None
        words, variables, folder, *rest = texts
        count = int(words)
        if len(rest) != count + int(variables):
            return None
        return cls(folder, rest[:count], dict(variable.split("=", 1) for variable in rest[count:]))


def _take_order(orders: socket.socket) -> Order | None:
    """Take an order, and its standard output and error as our own; None: whoever would have sent it is gone."""
    text, descriptors, _, _ = socket.recv_fds(orders, 65536, len(OUTPUT))
    while more := orders.recv(65536):
        text += more
    if len(descriptors) < len(OUTPUT):
        return None
    for descriptor, number in zip(descriptors, OUTPUT, strict=True):
        os.dup2(descriptor, number)
        os.close(descriptor)
    return Order.read(text)


class ForkServer:
    """Forks until the platform closes its end.

    Args:
        control: The socket on which containers are asked for.
    """

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._selector = selectors.DefaultSelector()
        self._children: dict[int, socket.socket] = {}
        self._ended, self._wake = socket.socketpair()
        for end in (self._ended, self._wake):
            end.setblocking(False)  # noqa: FBT003 -- the standard library's signature
        self._selector.register(control, selectors.EVENT_READ)
        self._selector.register(self._ended, selectors.EVENT_READ)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake.fileno())

    def run(self) -> Order | None:
        """Serve; return in each process that was forked, with its order, and with None when all is over."""
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._control:
                    _, descriptors, _, _ = socket.recv_fds(self._control, 1, 2)
                    if len(descriptors) < 2:
                        self._kill_all()
                        return None
                    orders, life = (socket.socket(fileno=descriptor) for descriptor in descriptors)
                    if not _is_gone(life) and self._fork(life):
                        return self._begin(orders, life)
                    orders.close()
                elif key.fileobj is self._ended:
                    self._reap()
                else:
                    self._obey(key.data)

    def _fork(self, life: socket.socket) -> bool:
        """Make a process for a container; return whether this is that process."""
        child = os.fork()
        if not child:
            return True
        with contextlib.suppress(OSError):  # it may have done it, or ended, already
            os.setpgid(child, child)
        with contextlib.suppress(OSError):  # then init is gone, which the selector tells next
            life.sendall(f"{child}\n".encode())
        self._children[child] = life
        self._selector.register(life, selectors.EVENT_READ, child)
        return False

    def _begin(self, orders: socket.socket, life: socket.socket) -> Order:
        """Leave the server behind, and take the order; in the process that was forked."""
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        with contextlib.suppress(OSError):  # the server may have done it
            os.setpgid(0, 0)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._selector.close()
        for end in (self._control, self._ended, self._wake, life, *self._children.values()):
            end.close()
        with orders:
            order = _take_order(orders)
        if order is None:
            os._exit(1)
        return order

    def _obey(self, child: int) -> None:
        """Do what a container's init asks for; kill the container when its init is gone."""
        life = self._children.get(child)
        if life is None:
            return
        try:
            asked = life.recv(16)
        except OSError:
            asked = b""
        if not asked or signal.SIGKILL in asked:
            _kill_group(child)
        elif signal.SIGTERM in asked:
            os.kill(child, signal.SIGTERM)
        if not asked:
            self._selector.unregister(life)

    def _reap(self) -> None:
        """Kill what ended processes left behind, and tell their inits how they ended."""
        with contextlib.suppress(BlockingIOError):
            while self._ended.recv(512):
                pass
        for child in _ended_children():
            # Before it is reaped: until then nobody else can have this id.
            _kill_group(child)
            _, status = os.waitpid(child, 0)
            life = self._children.pop(child)
            with contextlib.suppress(KeyError):
                self._selector.unregister(life)
            code = os.waitstatus_to_exitcode(status)
            with life, contextlib.suppress(OSError):
                life.sendall(f"{code if code >= 0 else 128 - code}\n".encode())

    def _kill_all(self) -> None:
        for child in self._children:
            _kill_group(child)


def _is_gone(life: socket.socket) -> bool:
    """Tell whether the init of a container has gone before there was anything to run."""
    try:
        return life.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def _ended_children() -> Iterator[int]:
    while True:
        try:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        if ended is None:
            return
        yield ended.si_pid


def _kill_group(group: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def _become(order: Order) -> None:
    """Be what `python -m MODULE ARGUMENT...` would be, here and now; the interpreter then ends as always."""
    os.chdir(order.folder)
    os.environ.clear()
    os.environ.update(order.environment)
    shim = sys.modules["sitecustomize"]
    shim.install(order.environment["POD_IP"])
    _, _, module, *arguments = order.command
    sys.path.insert(0, str(os.getcwd()))  # noqa: PTH109 -- pathlib may not be needed by the workload
    sys.argv[:] = ["-m", *arguments]
    sys.modules["__main__"] = types.ModuleType("__main__")
    runpy._run_module_as_main(module)  # type: ignore[attr-defined]  # noqa: SLF001 -- this is what `-m` calls


def main() -> None:
    """Import, serve, and be what each order says."""
    del sys.path[0]  # the folder of this file is none of a workload's
    control = socket.socket(fileno=int(sys.argv[1]))
    for name in sys.argv[2:]:
        try:
            importlib.import_module(name)
        except ImportError as error:
            sys.exit(f"warm: cannot import {name}, which image.toml names: {error}")
    gc.collect()
    gc.freeze()
    order = ForkServer(control).run()
    if order is not None:
        _become(order)


if __name__ == "__main__":
    main()
