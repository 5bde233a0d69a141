"""A cluster of the test's own, and a client of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.kube.client import KubeClient
from selftest.platform.cluster import Cluster, running


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """A Kubernetes API that can be told to misbehave."""
    with running(tmp_path) as found:
        yield found


@pytest.fixture
def kube(cluster: Cluster) -> KubeClient:
    """A client of that API."""
    return KubeClient(cluster.kubeconfig)
