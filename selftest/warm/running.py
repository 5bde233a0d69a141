"""Commands in processes of their own that need not import anything first.

A command of ours takes half a second to import what it stands on, and a pytest with its probe takes two: most of what a
test of it costs. Here it is the fork of a server that has imported all that already, and done nothing else. It has a
process id, an environment, a current folder, files and an end of its own, as if started by its command line. A test of
how a process is started, or of what it has from its parent, starts the real thing.
"""

import contextlib
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from pathlib import Path
from typing import cast

import pytest

from common.files import UMASK
from fixtures.processes.children import Child
from fixtures.reading.files import ROOT

_CONTEXT = multiprocessing.get_context("forkserver")


class Running:
    """A command that runs, with the words of subprocess.Popen.

    Args:
        argv: The command line: this interpreter, `-m`, a module and its arguments.
        cwd: The current folder of the command.
        output: The file for what it prints; standard error too, where there is no other file for that.
        errors: The file for standard error.
        env: The whole environment; this process's own if None.
        prepare: What the new process calls first; it can be pickled.
        leader: Whether it leads a session of its own, and has a pipe as its standard input: `stdin`.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        cwd: Path,
        output: Path,
        errors: Path | None = None,
        env: Mapping[str, str] | None = None,
        prepare: Callable[[], object] | None = None,
        leader: bool = False,
    ) -> None:
        interpreter, switch, *words = argv
        assert (interpreter, switch) == (sys.executable, "-m"), argv
        _ensure_server()
        umask = os.umask(0o077)
        os.umask(umask)
        environment = dict(os.environ if env is None else env)
        errors = errors or output
        for file in (output, errors):
            file.touch()
        order = _Order(words, str(cwd), umask, environment, str(output), str(errors), prepare, None)
        self.stdin: Connection | None = None
        if leader:
            given, self.stdin = _CONTEXT.Pipe(duplex=False)
            order = replace(order, leads=given)
        self._argv = list(argv)
        self._process = _CONTEXT.Process(target=_command, args=(order,), daemon=True)
        self._process.start()
        if order.leads is not None:
            order.leads.close()

    @property
    def pid(self) -> int:
        """The id of the process."""
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """The exit code once it has ended; a signal as a negative number."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """Return the exit code if it has ended."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end and return the exit code.

        Raises:
            subprocess.TimeoutExpired: It still runs after so many seconds.
        """
        self._process.join(timeout)
        code = self._process.exitcode
        if code is None:
            raise subprocess.TimeoutExpired(self._argv, timeout or 0.0)
        return code

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal if it runs."""
        if self._process.exitcode is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)


class WarmChild(Child):
    """A child of the suite, as a fork: with its log, its info file and its pipe."""

    def start(self) -> None:
        """Start the process; it is not up yet."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *_python_path()]), **self.env}
        umask = partial(os.umask, UMASK)
        running = Running(self.argv, cwd=ROOT, output=self.log, env=environment, prepare=umask, leader=True)
        self.process = cast("subprocess.Popen[bytes]", running)


def run(
    argv: Sequence[str],
    *,
    cwd: Path = ROOT,
    env: Mapping[str, str] | None = None,
    prepare: Callable[[], object] | None = None,
    timeout: float | None = None,
) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end, as subprocess.run does with the output captured as text.

    Args:
        argv: The command line: this interpreter, `-m`, a module and its arguments.
        cwd: The current folder of the command.
        env: The whole environment; this process's own if None.
        prepare: What the new process calls first; it can be pickled.
        timeout: Seconds until it is killed; without them pytest's own guard ends the test, and this the command.

    Raises:
        subprocess.TimeoutExpired: It took longer.
    """
    with tempfile.TemporaryDirectory() as folder:
        output, errors = Path(folder, "output"), Path(folder, "errors")
        command = Running(argv, cwd=cwd, output=output, errors=errors, env=env, prepare=prepare)
        try:
            code = command.wait(timeout)
        finally:
            command.kill()
        return subprocess.CompletedProcess(list(argv), code, output.read_text("utf-8"), errors.read_text("utf-8"))


def run_pytest(folder: Path, *options: str) -> pytest.RunResult:
    """Run pytest in a folder, as `pytester.runpytest_subprocess` does.

    Args:
        folder: The current folder of the run.
        options: The words behind `python -m pytest`.
    """
    began = time.monotonic()
    env = {**os.environ, "HOME": str(folder), "PYTHONPATH": os.pathsep.join([str(folder), *_python_path()])}
    done = run([sys.executable, "-m", "pytest", f"--basetemp={folder / 'basetemp'}", *options], cwd=folder, env=env)
    lines = done.stdout.splitlines(), done.stderr.splitlines()
    for line in (*lines[0], *lines[1]):
        print(line)  # noqa: T201  # pytest shows it where the test fails
    return pytest.RunResult(done.returncode, *lines, duration=time.monotonic() - began)


def _python_path() -> list[str]:
    return list(filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep)))


def _ensure_server() -> None:
    """Start the server of this process, once; it ends with it, and knows nothing of the test that asks first."""
    _CONTEXT.set_forkserver_preload(["selftest.warm.preloaded"])
    with pytest.MonkeyPatch.context() as patch, contextlib.chdir(ROOT):
        patch.setenv("PYTHONPATH", str(ROOT))
        forkserver.ensure_running()


@dataclass(frozen=True)
class _Order:
    """What the forked process has to be: it travels to the server."""

    words: Sequence[str]
    cwd: str
    umask: int
    environment: Mapping[str, str]
    output: str
    errors: str
    prepare: Callable[[], object] | None
    leads: Connection | None
    """Standard input of a session's leader."""


def _command(order: _Order) -> None:
    """Be the command: this runs in the process that was forked for it."""
    from selftest.warm.becoming import ForkingPopen, become

    os.chdir(order.cwd)
    os.umask(order.umask)
    appended = os.O_WRONLY | os.O_APPEND
    for number, path, how in ((0, os.devnull, os.O_RDONLY), (1, order.output, appended), (2, order.errors, appended)):
        opened = os.open(path, how)
        os.dup2(opened, number)
        os.close(opened)
    if order.leads is not None:
        os.setsid()
        os.dup2(order.leads.fileno(), 0)
    if order.prepare is not None:
        order.prepare()
    subprocess.Popen = ForkingPopen  # type: ignore[misc]
    os._exit(become(order.words[0], order.words[1:], order.environment, ()))
