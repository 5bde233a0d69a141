"""Destructive tests on a small node: the embedded platform's API says that it has two CPUs, and is watched."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from evidence.refs import ObjectRef
from fixtures.kube import run_objects
from fixtures.kube.client import KubeClient
from fixtures.plugin.turns import are_tight
from selftest import platforms
from selftest.fixtures import house
from selftest.warm.running import run_pytest

pytestmark = pytest.mark.skipif(
    shutil.which("kubectl") is None, reason="no kubectl on PATH: overlays are rendered by it"
)

pytest_plugins = ["pytester"]

DESTRUCTIVE = """
@pytest.mark.requirement("TST-ONE-001")
@pytest.mark.destructive
@pytest.mark.parametrize("case", [1, 2])
def test_{name}(pipeline, broker, case):
    pipeline("seldon-cifar10", "seldon-rest")
    expect(answered(broker.send(), 202))
"""

LATER = """
@pytest.mark.requirement("TST-ONE-001")
def test_later(broker):
    time.sleep(1)
    expect(answered(broker.send(), 202))
"""


@pytest.fixture
def kube(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[KubeClient]:
    """Yield a client of a platform whose one node has two CPUs, whatever this machine has."""
    with platforms.platform(tmp_path) as info:
        monkeypatch.setenv("KUBECONFIG", info["kubeconfig"])
        client = KubeClient(info["kubeconfig"])
        (node,) = client.list("v1", "Node")
        ref = ObjectRef("v1", "Node", None, node["metadata"]["name"])
        client.patch(ref, {"status": {"allocatable": {"cpu": "2"}}})
        yield client


@contextmanager
def watching(kube: KubeClient) -> Iterator[list[set[str]]]:
    """Yield the copies that were seen to stand, look by look."""
    seen: list[set[str]] = []
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.02):
            found = kube.list("v1", "Namespace", labels=f"{run_objects.MANAGED}={run_objects.OURS}")
            names = [one["metadata"]["name"] for one in found]
            seen.append({name for name in names if name.startswith(("touchstone-first-", "touchstone-second-"))})

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join(10)


def test_their_pipelines_stand_one_at_a_time_and_go_with_their_last_case(
    pytester: pytest.Pytester, kube: KubeClient
) -> None:
    house.build(pytester.path, DESTRUCTIVE.format(name="first"))
    (suite,) = (pytester.path / "suites").rglob("test_*.py")
    text = suite.read_text(encoding="utf-8")
    suite.with_name("test_other.py").write_text(text.replace("first", "second") + LATER, encoding="utf-8")
    (pytester.path / "manifests").symlink_to(house.ROOT / "manifests")
    options = ["--target", "cluster", "-n2", "--dist", "loadscope", "-p", "no:cacheprovider"]
    with watching(kube) as seen:
        result = run_pytest(pytester.path, "suites", *options)
    result.assert_outcomes(passed=5)
    result.stdout.fnmatch_lines(["warn*CPUs of the nodes*4 or more*2; destructive tests take turns*"])
    stood = sorted(set().union(*seen))
    assert len(stood) == 2, stood
    assert max(map(len, seen)) == 1, "two pipelines of destructive tests stood at once"


@pytest.mark.parametrize(("cpus", "tight"), [(2.0, True), (3.9, True), (4.0, False), (16.0, False), (None, True)])
def test_who_may_not_know_the_cpus_takes_turns(cpus: float | None, *, tight: bool) -> None:
    clients: Any = SimpleNamespace(run_info=SimpleNamespace(target=SimpleNamespace(cpus=cpus)))
    assert are_tight(clients) is tight
