"""A cluster of the test's own and a client of it, a machine of stand-ins, a web server."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.kube.client import KubeClient
from selftest.kind.machine import Machine
from selftest.platform.cluster import Cluster, running
from selftest.platform.web import Web


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """Yield a Kubernetes API that can be told to misbehave."""
    with running(tmp_path) as found:
        yield found


@pytest.fixture
def kube(cluster: Cluster) -> KubeClient:
    """Return a client of that API."""
    return KubeClient(cluster.kubeconfig)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Return a machine with nothing on its PATH but stand-ins, and a docker that pulls and saves."""
    made = Machine(tmp_path / "bin")
    docker = Path(__file__).with_name("saving_docker.py").read_text(encoding="utf-8")
    (made.folder / "docker").write_text(f"#!{sys.executable} -IS\n{docker}", encoding="utf-8")
    monkeypatch.setenv("PATH", str(made.folder))
    return made


@pytest.fixture
def web() -> Iterator[Web]:
    """Yield a web server on loopback, empty."""
    with Web() as found:
        yield found


@pytest.fixture
def told() -> list[str]:
    """Return the lines of progress."""
    return []
