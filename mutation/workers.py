"""The other side of a worker: starts it in a copy of the checkout, gives it orders, and ends it."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Self

from fixtures.errors import TouchstoneError
from fixtures.processes.parent import PARENT
from mutation.orders import Ended, Order
from mutation.tree import Tree
from mutation.worker import READY

CACHE = "TOUCHSTONE_CACHE"
LOG = "worker.log"
PATIENCE = 20.0


class WorkerError(TouchstoneError):
    """A worker did not start, or ended by itself."""


class Worker:
    """A worker with its copy of the checkout.

    Args:
        tree: The copy; it is made here.
        outputs: The folder for what its runs print and report.
    """

    def __init__(self, tree: Tree, outputs: Path) -> None:
        self.tree = tree
        self.outputs = outputs
        self._process: subprocess.Popen[bytes] | None = None
        self._ready = False

    def start(self) -> Self:
        """Make the copy and start the process; it gets ready by itself."""
        self.tree.make()
        self.outputs.mkdir(parents=True)
        project = self.tree.project
        cache = os.environ.get(CACHE) or str(project.root / ".touchstone")
        env = {**os.environ, "PYTHONPATH": str(self.tree.root), "PYTHONDONTWRITEBYTECODE": "1", CACHE: cache}
        env.pop(PARENT, None)  # its runs end with it
        with (self.outputs / LOG).open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "mutation.worker", project.preload, project.forget],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=self.tree.root,
                env=env,
                start_new_session=True,
            )
        return self

    def wait_until_ready(self) -> None:
        """Wait until it has imported everything.

        Raises:
            WorkerError: It ended.
        """
        if self._line() != READY:
            raise self._gone()
        self._ready = True

    def run(self, order: Order) -> Ended:
        """Have an order carried out.

        Raises:
            WorkerError: The worker ended, perhaps since it was closed meanwhile.
        """
        if self._process is None or self._process.stdin is None:
            raise self._gone()
        try:
            self._process.stdin.write(order.to_line())
            self._process.stdin.flush()
            return Ended.from_line(self._line())
        except (OSError, ValueError) as error:
            raise self._gone() from error

    def ask_to_end(self) -> None:
        """Have it end, with what it runs, and do not wait. Idempotent; another thread may wait for an answer of it."""
        if self._process is None:
            return
        if not self._ready:
            self._process.kill()  # it imports, hears nothing, and has started nothing
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):  # it is gone already
                self._process.stdin.close()

    def close(self) -> None:
        """End it, and wait for that. Idempotent."""
        if self._process is None:
            return
        self.ask_to_end()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _line(self) -> bytes:
        if self._process is None or self._process.stdout is None or self._process.stdout.closed:
            return b""
        return self._process.stdout.readline()

    def _gone(self) -> WorkerError:
        log = self.outputs / LOG
        said = log.read_text(encoding="utf-8", errors="replace")[-2000:] if log.exists() else ""
        return WorkerError(f"a worker of the mutants ended: expected an answer, got none\n{said}")
