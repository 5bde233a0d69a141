"""The platform as `tox -e up` brings it up, for those who follow a document on it."""

import contextlib
import os
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from fixtures.waiting import wait_until
from selftest.warm.running import Running

ROOT = Path(__file__).parents[2]
Environment: TypeAlias = dict[str, str]


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Environment]:
    """Yield the environment that the `export` lines of a platform make; the platform is the test's own."""
    with platform(tmp_path / "stderr") as environment:
        yield environment


@contextlib.contextmanager
def platform(errors: Path, *options: str) -> Iterator[Environment]:
    """Bring the platform up as `tox -e up` does, and end it by Ctrl-C.

    Args:
        errors: The file for its progress lines.
        options: The options of `up`.

    Yields:
        The environment of the other terminal.
    """
    output = errors.with_name(f"{errors.name}.stdout")
    process = Running([sys.executable, "-m", "fixtures", "up", *options], cwd=ROOT, output=output, errors=errors)

    def exports() -> Environment | None:
        if process.poll() is not None:
            pytest.fail(f"`python -m fixtures up` ended before it was up:\n{errors.read_text()[-3000:]}")
        found = dict(re.findall(r"^export (\w+)=(\S+)\n", output.read_text(), re.MULTILINE))
        return found if "KAFKA_BOOTSTRAP" in found else None

    try:
        found = wait_until(exports, 110, lambda: f"the platform to be up\n{errors.read_text()[-3000:]}")
        yield {**os.environ, **found, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0, errors.read_text()[-3000:]
    finally:
        process.kill()
