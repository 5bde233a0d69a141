"""A worker: runs pytest in its copy of the checkout, one run after the other, each as a fork with its imports done.

It is `python -m mutation.worker PRELOAD FORGET`, in the root of the copy; standard input brings orders, standard output
takes answers. When standard input ends, everything ends: what runs then is killed with all that it has started.
"""

import gc
import importlib
import os
import resource
import select
import signal
import subprocess
import sys
import time

from mutation import descendants
from mutation.orders import Ended, Order

LOOK_EVERY = 0.05
WEIGH_EVERY = 0.25
COUNT_EVERY = 2.0
"""Seconds between two counts of memory where forks share much: a count takes milliseconds a process."""
KERNEL_WAITS = 10
"""Seconds of CPU time beyond a limit after which the kernel ends a process: by then the worker should have done so."""
READY = b"ready\n"


class Orders:
    """The orders on standard input, read without a buffer that would hide its end."""

    def __init__(self) -> None:
        self._rest = b""
        self.ended = False

    def next(self) -> Order | None:
        """Wait for an order; None: there will be none."""
        while b"\n" not in self._rest and not self.ended:
            self._read()
        line, _, self._rest = self._rest.partition(b"\n")
        return None if self.ended else Order.from_line(line)

    def wait(self, seconds: float) -> None:
        """Wait for a time, or until standard input has ended."""
        if not self.ended and select.select([0], [], [], seconds)[0]:
            self._read()

    def _read(self) -> None:
        got = os.read(0, 65536)
        self._rest += got
        self.ended = not got


class Memory:
    """The memory of a run: counted well where a quick count, which takes what forks share for each, says too much.

    Args:
        most: What the run may use, in bytes.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._counted: float | None = None
        self._own = 0

    def used(self, quickly: int, now: float) -> int:
        """Return the memory in use, in bytes.

        Args:
            quickly: The quick count, in bytes.
            now: The time, in seconds.
        """
        if quickly <= self._most:
            return quickly
        if self._counted is None or now - self._counted > COUNT_EVERY:
            self._counted, self._own = now, descendants.own_memory()
        return self._own


def run(order: Order, orders: Orders) -> Ended:
    """Run an order to its end, to a limit, or until standard input ends; nothing of it is left."""
    began = weighed = time.monotonic()
    memory = Memory(order.limits.memory)
    pid = os.fork()
    if pid == 0:
        _become(order)
    cpu, limit, status = 0.0, "", None
    while status is None and not limit and not orders.ended:
        orders.wait(LOOK_EVERY)
        done, code = os.waitpid(pid, os.WNOHANG)
        status = os.waitstatus_to_exitcode(code) if done else None
        now = time.monotonic()
        if now - weighed > WEIGH_EVERY:
            used, weighed = descendants.usage(), now
            cpu = max(cpu, used.cpu)
            amounts = {"wall": now - began, "cpu": used.cpu, "memory": memory.used(used.memory, now)}
            limit = next((name for name, amount in amounts.items() if amount > getattr(order.limits, name)), "")
    left = descendants.kill_all()
    return Ended(None if limit else status, limit if status is None else "", time.monotonic() - began, cpu, len(left))


def _become(order: Order) -> None:
    """Be pytest: this runs in the process that was forked for it."""
    descendants.end_with_parent()
    os.setsid()
    output = os.open(order.output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
    for number, opened in ((0, os.open(os.devnull, os.O_RDONLY)), (1, output), (2, output)):
        os.dup2(opened, number)
    seconds, most = int(order.limits.cpu) + KERNEL_WAITS, 2 * order.limits.memory
    # The kernel's limits count one process only; they hold for what eats faster than it is looked at.
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    from selftest.warm.becoming import ForkingPopen, become

    subprocess.Popen = ForkingPopen  # type: ignore[misc]  # what pytest starts forks too
    os._exit(become("pytest", order.arguments, dict(os.environ), ()))


def main(preload: str, forget: str) -> None:
    """Serve until standard input ends."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    descendants.adopt_orphans()
    answers = os.dup(1)
    os.dup2(2, 1)  # what a preloaded module prints is no answer
    importlib.import_module(preload)
    for name in [name for name in sys.modules if name == forget or name.startswith(f"{forget}.")]:
        del sys.modules[name]
    gc.collect()
    os.write(answers, READY)
    orders = Orders()
    while (order := orders.next()) is not None:
        os.write(answers, run(order, orders).to_line())


if __name__ == "__main__":
    main(*sys.argv[1:])
