"""A machine of stand-ins, and the life of a cluster on it."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures.targets.kindlifecycle import Lifecycle
from selftest.kind.machine import Machine

UNUSED = Path(__file__).with_name("unused")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Return a healthy machine: nothing but its stand-ins is on PATH."""
    made = Machine(tmp_path / "bin")
    monkeypatch.setenv("PATH", str(made.folder))
    # Half of what a start of pytest-kind takes is the import of what it does for others.
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(UNUSED), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for name in ("DOCKER_HOST", "KIND_EXPERIMENTAL_PROVIDER", "TOUCHSTONE_BASE_IMAGE"):
        monkeypatch.delenv(name, raising=False)
    return made


@pytest.fixture
def told() -> list[str]:
    """Return the lines of progress."""
    return []


@pytest.fixture
def lifecycle(machine: Machine, tmp_path: Path, told: list[str]) -> Callable[..., Lifecycle]:
    """Make the life of a cluster named house."""

    def make(name: str = "house") -> Lifecycle:
        folder = tmp_path / "run"
        folder.mkdir(exist_ok=True)
        return Lifecycle(name, machine.tools(), folder, told.append)

    return make
