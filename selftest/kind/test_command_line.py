"""`pytest suites --target kind` from outside: without Docker, with a plan only, interrupted, and whole.

The whole run has the embedded platform's API in the place of a kind cluster's: the stand-in of kind hands it out.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from fixtures.pipelines.description import read_all
from fixtures.reading.files import ROOT
from fixtures.targets.base import TargetOptions
from fixtures.targets.embedded import EmbeddedTarget
from fixtures.targets.images import deployed
from fixtures.waiting import wait_until
from selftest.kind.machine import Machine
from selftest.warm.running import Running
from selftest.warm.running import run as run_command

PIPELINES = tuple(read_all(ROOT / "manifests" / "pipelines").values())
ONE_TEST = "suites/eventing/test_filters.py"
BUNDLE = """\
format = 1

[workloads]
{workloads}

[[component]]
name = "marker"
version = "1"
manifests = ["marker.yaml"]
"""
MARKER = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: marker, namespace: kube-public}
data: {installed: "yes"}
"""


def command(folder: Path, *options: str) -> list[str]:
    asked = ["--target", "kind", "--kind-name", "house", "--out", str(folder / "out"), "-p", "no:cacheprovider"]
    return [sys.executable, "-m", "pytest", *asked, *options]


def run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return run_command(command(folder, *options), timeout=60)


def test_without_docker_it_ends_at_once_in_one_line(machine: Machine, tmp_path: Path) -> None:
    machine.lacks("docker")
    done = run(tmp_path, "suites", "-n", "2", "--dist", "loadscope")
    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 1
    assert "docker is not on PATH: install Docker Engine" in done.stderr
    assert done.stdout == ""
    assert not (tmp_path / "out").exists()


def test_the_plan_is_printed_on_any_machine(machine: Machine, tmp_path: Path) -> None:
    for program in ("docker", "kind", "kubectl", "helm"):
        machine.lacks(program)
    done = run(tmp_path, "suites", "-n", "2", "--dry-run")
    assert done.returncode == 0, done.stderr
    for expected in (
        "kind cluster house",
        "images/probe",
        "cert-manager",
        "knative-eventing",
        "wait ",
        "cluster-admin",
    ):
        assert expected in done.stdout
    assert not (tmp_path / "out").exists()


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """Return a bundle by hand: one object, and images that need no Docker."""
    folder = tmp_path / "bundle"
    folder.mkdir()
    workloads = "\n".join(f'{name} = "touchstone/{name}:bundled"' for name in deployed(PIPELINES))
    (folder / "bundle.toml").write_text(BUNDLE.format(workloads=workloads))
    (folder / "marker.yaml").write_text(MARKER)
    return folder


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=["ctrl-c", "sigterm", "sigkill"]
)
def test_an_interrupt_while_the_cluster_is_created_leaves_none(
    machine: Machine, tmp_path: Path, bundle: Path, number: signal.Signals
) -> None:
    machine.answer("kind", "create", sleep=60)
    machine.clusters("other")
    log = tmp_path / "log"
    process = Running(command(tmp_path, "suites", "-n0", "--bundle", str(bundle)), cwd=ROOT, output=log)
    try:
        wait_until(lambda: machine.calls("kind", "create"), 30, log.read_text)
        process.send_signal(number)
        assert process.wait(60) != 0
    finally:
        process.kill()
    wait_until(lambda: machine.calls("kind", "delete"), 10, "kind to be told to delete the cluster")
    wait_until(lambda: machine.standing == ["other"], 10, "kind to have deleted the cluster")
    assert len(machine.calls("kind", "delete")) == 1
    assert ("nothing is left of kind cluster house" in log.read_text()) == (number != signal.SIGKILL)


@pytest.fixture
def cluster(tmp_path: Path, machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddedTarget]:
    """Yield the embedded platform, as the cluster that kind says it has created; kubectl is the real one."""
    monkeypatch.undo()
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("a whole run needs kubectl")
    machine.lacks("kubectl")
    folder = tmp_path / "platform"
    folder.mkdir()
    target = EmbeddedTarget(TargetOptions(folder))
    try:
        info = target.start()
        found = yaml.safe_load(Path(info.kubeconfig or "").read_text())
        machine.kubeconfig(found["clusters"][0]["cluster"], found["users"][0]["user"])
        monkeypatch.setenv("PATH", f"{machine.folder}{os.pathsep}{os.environ['PATH']}")
        yield target
    finally:
        target.stop()


@pytest.mark.timeout(600)  # a fresh clone builds the probe's image here
@pytest.mark.usefixtures("cluster")
def test_a_whole_run_on_a_cluster_of_its_own(machine: Machine, tmp_path: Path, bundle: Path) -> None:
    options = [ONE_TEST, "-n0", "-k", "exact", "--bundle", str(bundle)]
    done = run_command(command(tmp_path, *options), timeout=500)
    assert done.returncode == 0, done.stdout + done.stderr
    steps = ["created", "nodes Ready", "5 images loaded", "marker 1: up", "platform installed"]
    steps += ["a run is possible", " passed", "kind cluster house deleted"]
    places = [done.stdout.find(step) for step in steps]
    assert -1 not in places
    assert places[:-2] == sorted(places[:-2])
    assert machine.standing == []
    (folder,) = [path for path in (tmp_path / "out").iterdir() if not path.is_symlink()]
    report = json.loads((folder / "report.json").read_text())
    assert re.search(r'"name": ?"kind"', json.dumps(report))
    assert not (folder / "kubeconfig").exists()
