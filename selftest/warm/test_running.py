"""A command that is a fork is what it would be as a fresh interpreter: its words, place, files, signals and end."""

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from fixtures.waiting import wait_until
from selftest.warm.running import Running, run, run_pytest

Started = Callable[..., "subprocess.CompletedProcess[str]"]

SAYS = """
import json, os, resource, signal, sys, tempfile, threading
print(json.dumps({
    "argv": sys.argv[1:],
    "name": __name__,
    "cwd": os.getcwd(),
    "path": sys.path[0],
    "env": dict(os.environ),
    "umask": os.umask(0),
    "temporary": tempfile.gettempdir(),
    "files": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
    "open": len(os.listdir("/proc/self/fd")),
    "threads": threading.active_count(),
    "signals": [signal.getsignal(number) is expected for number, expected in (
        (signal.SIGINT, signal.default_int_handler), (signal.SIGTERM, signal.SIG_DFL), (signal.SIGCHLD, signal.SIG_DFL),
        (signal.SIGPIPE, signal.SIG_IGN))],
}))
print("to the user", file=sys.stderr)
"""
ENDS = {
    "returns": ("pass", 0),
    "exits": ("import sys; sys.exit(7)", 7),
    "says-why": ("import sys; sys.exit('because')", 1),
    "raises": ("raise ValueError('because')", 1),
    "is-interrupted": ("raise KeyboardInterrupt('because')", -2),
    "is-killed": ("import os; os.kill(os.getpid(), 9)", -9),
}


def command(folder: Path, code: str, *words: str) -> list[str]:
    """Return the command line of a module that does what is given; it can be imported in the folder."""
    (folder / "says.py").write_text(code, encoding="utf-8")
    return [sys.executable, "-m", "says", *words]


def cold(argv: list[str], cwd: Path, env: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    limit = partial(resource.setrlimit, resource.RLIMIT_NOFILE, (400, 400))
    return subprocess.run(argv, cwd=cwd, env=env, capture_output=True, text=True, check=False, preexec_fn=limit)


def warm(argv: list[str], cwd: Path, env: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return run(argv, cwd=cwd, env=env, prepare=partial(resource.setrlimit, resource.RLIMIT_NOFILE, (400, 400)))


@pytest.mark.parametrize("started", [cold, warm], ids=["interpreter", "fork"])
def test_it_is_what_its_command_line_makes_it(tmp_path: Path, started: Started) -> None:
    environment = {"PATH": "/nowhere", "ONE": "1", "LC_CTYPE": "C.UTF-8", "TMPDIR": str(tmp_path)}
    before = os.umask(0o027)
    try:
        done = started(command(tmp_path, SAYS, "--one", "two"), tmp_path, environment)
    finally:
        os.umask(before)
    assert done.returncode == 0
    assert done.stderr == "to the user\n"
    assert json.loads(done.stdout) == {
        "argv": ["--one", "two"],
        "name": "__main__",
        "cwd": str(tmp_path),
        "path": str(tmp_path),
        "env": environment,
        "umask": 0o027,
        "temporary": str(tmp_path),
        "files": 400,
        "open": 4,
        "threads": 1,
        "signals": [True] * 4,
    }


@pytest.mark.parametrize("started", [cold, warm], ids=["interpreter", "fork"])
@pytest.mark.parametrize(("code", "status"), ENDS.values(), ids=ENDS)
def test_it_ends_as_the_interpreter_does(tmp_path: Path, started: Started, code: str, status: int) -> None:
    done = started(command(tmp_path, code), tmp_path, dict(os.environ))
    assert done.returncode == status
    assert ("because" in done.stderr) is ("because" in code)
    assert ("Traceback" in done.stderr) is ("raise" in code)


@pytest.mark.parametrize("started", [cold, warm], ids=["interpreter", "fork"])
def test_in_a_copy_of_the_project_it_runs_the_code_of_the_copy(tmp_path: Path, started: Started) -> None:
    (tmp_path / "fixtures").mkdir()
    (tmp_path / "fixtures" / "__init__.py").write_text("")
    (tmp_path / "fixtures" / "errors.py").write_text("WHOSE = 'the copy'\n")
    done = started(
        command(tmp_path, "import fixtures.errors; print(fixtures.errors.WHOSE)"), tmp_path, dict(os.environ)
    )
    assert done.stdout == "the copy\n", done.stderr


IN_A_WORKER = """
import os, pathlib
import conftest

def test_it():
    lines = [pathlib.Path(f"/proc/{pid}/cmdline").read_text() for pid in (os.getpid(), os.getppid())]
    pathlib.Path("said").write_text(f"{lines[0] == lines[1]} {conftest.PROCESS == os.getpid()}")
"""


def test_a_worker_of_pytest_that_it_starts_is_a_fork_that_imports_the_tests_itself(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\npythonpath = .\naddopts = -p no:pytest-kind\n")
    (tmp_path / "conftest.py").write_text("import os\nPROCESS = os.getpid()\n")
    (tmp_path / "test_it.py").write_text(IN_A_WORKER)
    run_pytest(tmp_path, "-n1", "-p", "no:cacheprovider").assert_outcomes(passed=1)
    assert (tmp_path / "said").read_text() == "True True"


def test_a_signal_reaches_it_and_one_that_does_not_end_is_killed(tmp_path: Path) -> None:
    code = "import time; print('up'); time.sleep(60)"
    running = Running(command(tmp_path, code), cwd=tmp_path, output=tmp_path / "log")
    wait_until((tmp_path / "log").read_text, 20, "a word")
    with pytest.raises(subprocess.TimeoutExpired):
        running.wait(0.1)
    running.send_signal(signal.SIGINT)
    assert running.wait(10) == -signal.SIGINT
    assert "KeyboardInterrupt" in (tmp_path / "log").read_text()
    with pytest.raises(subprocess.TimeoutExpired):
        run(command(tmp_path, code), cwd=tmp_path, timeout=0.2)


def test_a_leader_ends_with_its_input_and_leads_its_session(tmp_path: Path) -> None:
    code = "import os, sys; print(os.getsid(0) == os.getpid(), flush=True); sys.stdin.read()"
    running = Running(command(tmp_path, code), cwd=tmp_path, output=tmp_path / "log", leader=True)
    wait_until((tmp_path / "log").read_text, 10, "a word")
    assert running.poll() is None
    assert running.stdin is not None
    running.stdin.close()
    assert running.wait(10) == 0
    assert (tmp_path / "log").read_text() == "True\n"


def test_a_probe_that_it_starts_has_no_imports_to_do_and_ends_with_its_input(tmp_path: Path) -> None:
    code = (
        "import pathlib, subprocess, sys, time\n"
        "from fixtures.processes.children import python_module\n"
        "argv = python_module('fixtures.probe', '--history', 'h', '--info', 'info', '--until-eof')\n"
        "with subprocess.Popen(argv, stdin=subprocess.PIPE) as probe:\n"
        "    while not pathlib.Path('info').exists(): time.sleep(0.01)\n"
        "    print(open(f'/proc/{probe.pid}/cmdline').read() == open('/proc/self/cmdline').read())\n"
        "    probe.stdin.close()\n"
        "sys.exit(probe.returncode)\n"
    )
    root = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root), "TOUCHSTONE_TOKEN": "t"}
    done = run(command(tmp_path, code), cwd=tmp_path, env=environment)
    assert (done.returncode, done.stdout.splitlines()[-1:]) == (0, ["True"]), done.stderr
