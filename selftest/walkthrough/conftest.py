"""The platform as `tox -e up` brings it up, for those who follow a document on it."""

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

ROOT = Path(__file__).parents[2]
Environment: TypeAlias = dict[str, str]


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Environment]:
    """Yield the environment that the `export` lines of a platform make; the platform is the test's own."""
    with platform(tmp_path / "stderr") as environment:
        yield environment


@contextlib.contextmanager
def platform(errors: Path) -> Iterator[Environment]:
    """Bring the platform up as `tox -e up` does, and end it by Ctrl-C.

    Args:
        errors: The file for its progress lines.

    Yields:
        The environment of the other terminal.
    """
    command = [sys.executable, "-m", "fixtures", "up"]
    with (
        errors.open("wb") as sink,
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=sink, text=True) as process,
    ):
        try:
            exports: Environment = {}
            for line in process.stdout or ():
                if found := re.match(r"export (\w+)=(\S+)", line):
                    exports[found[1]] = found[2]
                if "KAFKA_BOOTSTRAP" in exports:
                    break
            else:
                pytest.fail(f"`python -m fixtures up` ended before it was up:\n{errors.read_text()[-3000:]}")
            yield {**os.environ, **exports, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0, errors.read_text()[-3000:]
        finally:
            process.kill()
