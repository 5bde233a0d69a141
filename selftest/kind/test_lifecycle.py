"""A cluster is created, watched, loaded and deleted; one that was there is used and left; nothing of ours stays."""

import json
import os
import signal
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fixtures.errors import TargetError
from fixtures.reading.files import ROOT
from fixtures.targets import kindlifecycle
from fixtures.targets.kindlifecycle import Lifecycle
from fixtures.waiting import wait_until
from selftest.kind.machine import Machine

Make = Callable[..., Lifecycle]
IMAGE = "kindest/node:v1.34.3"
PULL = (
    'ERROR: failed to create cluster: failed to pull image "kindest/node:v1.34.3": command "docker pull" failed with'
    " error: exit status 1\nCommand Output: toomanyrequests: You have reached your pull rate limit.\n"
)
ONE_NODE = {"metadata": {"name": "house-control-plane"}}


def not_ready(message: str) -> str:
    """Return what kubectl says of a node whose network never came up."""
    conditions = [
        {"type": "MemoryPressure", "status": "False", "reason": "KubeletHasSufficientMemory", "message": "enough"},
        {"type": "Ready", "status": "False", "reason": "KubeletNotReady", "message": message},
    ]
    return json.dumps({"items": [{**ONE_NODE, "status": {"conditions": conditions}}]})


def test_a_cluster_is_created_and_deleted(
    machine: Machine, lifecycle: Make, told: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    cluster = lifecycle()
    config = tmp_path / "nodes.yaml"
    cluster.up(IMAGE, config)
    assert machine.standing == ["house"]
    (create,) = machine.calls("kind", "create")
    assert {"--name=house", f"--image={IMAGE}", f"--kubeconfig={cluster.kubeconfig}"} <= set(create)
    assert create[-2:] == ["--config", str(config)]
    cluster.wait_ready()
    (waited,) = machine.calls("kubectl")
    assert waited[1:6] == [
        f"--kubeconfig={cluster.kubeconfig}",
        "--context=kind-house",
        "wait",
        "--for=condition=Ready",
        "nodes",
    ]
    cluster.end(keep=False)
    assert machine.standing == []
    assert not cluster.kubeconfig.exists()
    assert not list(tmp_path.rglob(".pytest-kind"))
    assert any("house created after" in line for line in told)
    assert any("house deleted after" in line for line in told)


def test_the_end_is_idempotent(machine: Machine, lifecycle: Make) -> None:
    cluster = lifecycle()
    cluster.end(keep=False)
    assert machine.calls() == []
    cluster.up(IMAGE, None)
    cluster.end(keep=False)
    cluster.end(keep=False)
    assert len(machine.calls("kind", "delete")) == 1


def test_why_a_creation_failed_is_in_the_message(machine: Machine, lifecycle: Make) -> None:
    machine.answer("kind", "create", code=1, err=PULL)
    cluster = lifecycle()
    with pytest.raises(
        TargetError, match=r"(?s)cannot create kind cluster house: exit code 1.*pull rate limit.*--kind-image REF"
    ):
        cluster.up(IMAGE, None)
    assert cluster.export_logs() is None
    cluster.end(keep=True)
    # It never came up, so there is nothing to keep; kind may have left a part of it.
    assert len(machine.calls("kind", "delete")) == 1


def test_a_node_that_is_not_ready_is_told_with_its_conditions(machine: Machine, lifecycle: Make) -> None:
    machine.answer("kubectl", code=1, once=True, err="error: timed out waiting for the condition on nodes/x\n")
    machine.answer("kubectl", out=not_ready("cni plugin not initialized"))
    cluster = lifecycle()
    cluster.up(IMAGE, None)
    with pytest.raises(TargetError) as failure:
        cluster.wait_ready()
    said = str(failure.value)
    assert "timed out waiting for the condition" in said
    assert "house-control-plane: Ready=False KubeletNotReady: cni plugin not initialized" in said
    assert "MemoryPressure" not in said
    assert cluster.export_logs() == cluster.kubeconfig.parent / "diagnostics" / "kind"
    cluster.end(keep=False)
    assert machine.standing == []


def test_a_cluster_that_runs_is_used_and_left(machine: Machine, lifecycle: Make, told: list[str]) -> None:
    machine.clusters("other", "house")
    cluster = lifecycle()
    cluster.up(IMAGE, Path("nodes.yaml"))
    cluster.wait_ready()
    assert cluster.kubeconfig.read_text().startswith("apiVersion")
    cluster.end(keep=False)
    assert machine.calls("kind", "create") == []
    assert machine.calls("kind", "delete") == []
    assert machine.standing == ["other", "house"]
    assert told[0] == "kind cluster house exists: used as it is, and left standing; nodes.yaml is not applied to it"


def test_a_cluster_that_is_stopped_is_told(machine: Machine, lifecycle: Make) -> None:
    machine.clusters("house")
    machine.answer("docker", "inspect", out="/house-control-plane exited\n")
    cluster = lifecycle()
    with pytest.raises(TargetError, match=r"house-control-plane is exited.*kind delete cluster --name house"):
        cluster.up(IMAGE, None)
    cluster.end(keep=False)
    assert machine.standing == ["house"]


def test_a_cluster_without_nodes_is_told(machine: Machine, lifecycle: Make) -> None:
    machine.clusters("house")
    machine.answer("kind", "get", "nodes")
    with pytest.raises(TargetError, match="exists, but it has no nodes: stopped or half-created"):
        lifecycle().up(IMAGE, None)


def test_a_half_created_cluster_is_told(machine: Machine, lifecycle: Make) -> None:
    machine.clusters("house")
    machine.answer("kind", "export", "kubeconfig", code=1, err="ERROR: cat: /etc/kubernetes/admin.conf: No such file\n")
    cluster = lifecycle()
    with pytest.raises(TargetError, match=r"no kubeconfig \(ERROR: cat: .*admin.conf.*half-created"):
        cluster.up(IMAGE, None)
    cluster.end(keep=False)
    assert machine.standing == ["house"]


def test_a_cluster_of_somebody_quicker_is_not_deleted(machine: Machine, lifecycle: Make) -> None:
    machine.clusters("house")
    # Neither our look nor pytest-kind's sees it yet: it comes into being right after.
    machine.answer("kind", "get", "clusters")
    cluster = lifecycle()
    with pytest.raises(TargetError, match="already exist for a cluster with the name"):
        cluster.up(IMAGE, None)
    cluster.end(keep=False)
    assert machine.calls("kind", "delete") == []


def test_two_runs_do_not_share_a_cluster(machine: Machine, lifecycle: Make) -> None:
    first, second, third = lifecycle(), lifecycle(), lifecycle("garden")
    first.up(IMAGE, None)
    with pytest.raises(TargetError, match=r"another run on this machine uses the kind cluster house.*--kind-name"):
        second.up(IMAGE, None)
    second.end(keep=False)
    assert machine.standing == ["house"]
    third.up(IMAGE, None)
    first.end(keep=False)
    second.up(IMAGE, None)
    assert machine.standing == ["garden", "house"]


def test_a_kept_cluster_stands_and_its_owner_is_told_how_to_delete_it(
    machine: Machine, lifecycle: Make, told: list[str]
) -> None:
    cluster = lifecycle()
    cluster.up(IMAGE, None)
    cluster.end(keep=True)
    assert machine.standing == ["house"]
    assert cluster.kubeconfig.exists()
    assert "`kind delete cluster --name house`" in told[-1]
    assert str(cluster.kubeconfig) in told[-1]


@pytest.mark.parametrize("answer", [{"code": 1, "err": "ERROR: failed to delete nodes: daemon is gone\n"}, {}])
def test_a_cluster_that_cannot_be_deleted_is_told_with_the_command(
    machine: Machine, lifecycle: Make, answer: dict[str, Any]
) -> None:
    machine.answer("kind", "delete", **answer)
    cluster = lifecycle()
    cluster.up(IMAGE, None)
    why = "daemon is gone" if answer else "lists it still"
    with pytest.raises(TargetError, match=f"(?s)delete it by hand with `kind delete cluster --name house`.*{why}"):
        cluster.end(keep=False)


def test_a_deletion_that_hangs_is_given_up(machine: Machine, lifecycle: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kindlifecycle, "DELETE_DEADLINE", 1.5)
    machine.answer("kind", "delete", sleep=60)
    cluster = lifecycle()
    cluster.up(IMAGE, None)
    with pytest.raises(TargetError, match=r"(?s)by hand.*not done within 1.5 s"):
        cluster.end(keep=False)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let this process be interrupted as by a terminal, also where SIGINT is ignored: in a worker, or behind `&`."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("moment", ["get", "create"])
def test_an_interrupt_while_it_is_created_leaves_nothing(machine: Machine, lifecycle: Make, moment: str) -> None:
    machine.answer("kind", "create", sleep=60) if moment == "create" else machine.answer("kind", "get", sleep=5)
    cluster = lifecycle()

    def interrupt() -> None:
        wait_until(lambda: machine.calls("kind", moment), 10, "kind to be called")
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        cluster.up(IMAGE, None)
    thread.join()
    cluster.end(keep=True)
    assert len(machine.calls("kind", "delete")) == (1 if moment == "create" else 0)


def test_what_a_killed_run_was_creating_is_taken_back(machine: Machine, tmp_path: Path) -> None:
    machine.answer("kind", "create", sleep=60)
    options = [f"--kind={machine.folder / 'kind'}", f"--kubectl={machine.folder / 'kubectl'}"]
    argv = ["create", "--name=house", f"--kubeconfig={tmp_path / 'kubeconfig'}", *options]
    with subprocess.Popen(
        [sys.executable, "-m", "fixtures.targets.kindcluster", *argv],
        stdin=subprocess.PIPE,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        start_new_session=True,
    ) as process:
        wait_until(lambda: machine.calls("kind", "create"), 10, "kind to be called")
        assert process.stdin
        process.stdin.close()  # as when whoever started it dies, of SIGKILL even
        assert process.wait(10) != 0
    assert [call[1] for call in machine.calls("kind")] == ["get", "create", "delete"]


def test_images_are_loaded_by_their_references(machine: Machine, lifecycle: Make) -> None:
    cluster = lifecycle()
    cluster.up(IMAGE, None)
    cluster.load([])
    cluster.load(["touchstone/probe:0.1.0", "lab/serving:1"])
    # In one call: what several share goes over once.
    assert [call[1:] for call in machine.calls("kind", "load")] == [
        ["load", "docker-image", "touchstone/probe:0.1.0", "lab/serving:1", "--name", "house"]
    ]


def test_why_an_image_was_not_loaded_is_in_the_message(machine: Machine, lifecycle: Make) -> None:
    machine.answer("kind", "load", code=1, err='ERROR: image: "touchstone/probe:0.1.0" not present locally\n')
    cluster = lifecycle()
    cluster.up(IMAGE, None)
    with pytest.raises(
        TargetError, match=r'(?s)cannot load images into kind cluster house.*"touchstone/probe:0.1.0" not'
    ):
        cluster.load(["touchstone/probe:0.1.0"])


def archive(path: Path, config: str, *tags: str) -> Path:
    """As `docker save` writes it, without the layers."""
    manifest = path.with_suffix(".json")
    manifest.write_text(json.dumps([{"Config": config, "RepoTags": list(tags), "Layers": []}]))
    with tarfile.open(path, "w") as tar:
        tar.add(manifest, "manifest.json")
    return path


def test_archives_are_loaded_but_for_those_that_all_nodes_have(
    machine: Machine, lifecycle: Make, tmp_path: Path, told: list[str]
) -> None:
    machine.clusters("house")
    held = {"images": [{"id": "sha256:aa", "repoTags": ["docker.io/apache/kafka:4.1.0"]}]}
    machine.answer("docker", "exec", "house-control-plane", "crictl", "images", out=json.dumps(held))
    there = archive(tmp_path / "kafka.tar", "aa.json", "apache/kafka:4.1.0")
    moved = archive(tmp_path / "moved.tar", "blobs/sha256/bb", "apache/kafka:4.1.0")
    renamed = archive(tmp_path / "renamed.tar", "blobs/sha256/aa", "quay.io/kafka:4.1.0")
    unreadable = tmp_path / "unreadable.tar"
    unreadable.write_bytes(b"no tar")
    cluster = lifecycle()
    cluster.up(IMAGE, None)
    cluster.load_archives([there, moved, renamed, unreadable], [])
    loaded = [Path(call[3]).name for call in machine.calls("kind", "load", "image-archive")]
    assert loaded == ["moved.tar", "renamed.tar", "unreadable.tar"]
    assert "kafka.tar: on all nodes already" in told


def test_nodes_of_our_own_are_not_asked_what_they_have(machine: Machine, lifecycle: Make, tmp_path: Path) -> None:
    cluster = lifecycle()
    cluster.up(IMAGE, None)
    cluster.load_archives([archive(tmp_path / "kafka.tar", "aa.json", "apache/kafka:4.1.0")])
    assert machine.calls("docker", "exec") == []
    assert len(machine.calls("kind", "load", "image-archive")) == 1
