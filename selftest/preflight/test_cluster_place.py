"""What the cluster target makes of what preflight found, without a cluster."""

from pathlib import Path
from typing import Any

import pytest

from fixtures.errors import ProbeError, TargetError
from fixtures.preflight.result import MISSING, Preflight, PreflightRow
from fixtures.targets.base import TargetOptions
from fixtures.targets.cluster import ClusterTarget
from fixtures.targets.clusterrun import ClusterAccess, ClusterRun

OWN = {"bootstrap.servers": "own:9092", "default.topic.replication.factor": "3"}
TOLD = {"kafka": {"kind": "apache", "bootstrap": "told:9092", "version": "4.1", "topics": None}}


class Kube:
    """Makes nothing, and remembers what it was asked to make."""

    def __init__(self) -> None:
        self.made: list[str] = []

    def create(self, manifest: Any) -> None:
        """Remember it."""
        self.made.append(manifest["metadata"]["name"])


def run_on(folder: Path, monkeypatch: pytest.MonkeyPatch, found: Preflight, **options: Any) -> ClusterRun:
    access = ClusterAccess("kubeconfig", None, "cluster", images={"probe": "p:1"})
    target = ClusterTarget(TargetOptions(folder, say=lambda _: None, **options))
    monkeypatch.setattr(ClusterRun, "examine", lambda _: found)
    return ClusterRun(target, access, Kube())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "platform", "bootstrap"),
    [
        ({"kafka": "given:9092"}, TOLD, "given:9092"),
        ({}, TOLD, "told:9092"),
        ({}, {}, "own:9092"),
    ],
    ids=["given", "told", "own"],
)
def test_kafka_is_where_the_best_source_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: Any, platform: Any, bootstrap: str
) -> None:
    found = Preflight(platform=platform, broker_defaults=OWN)
    info = run_on(tmp_path, monkeypatch, found, **options).start()
    assert (info.kafka or {})["bootstrap"] == info.settings.kafka == bootstrap
    assert info.settings.replication == 3


def test_a_kafka_that_nobody_knows_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TargetError, match=r"where is Kafka.* give --kafka HOST:PORT"):
        run_on(tmp_path, monkeypatch, Preflight()).start()


def test_where_no_run_is_possible_nothing_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = PreflightRow("rights on secrets", "create", "not allowed to create", MISSING, "run")
    found = Preflight(rows=[row], platform=TOLD, blocked="rights on secrets: not allowed to create")
    cluster = run_on(tmp_path, monkeypatch, found)
    with pytest.raises(TargetError, match=r"preflight: no run is possible: rights on secrets"):
        cluster.start()
    assert cluster.kube.made == []  # type: ignore[attr-defined]
    assert "not allowed to create" in (tmp_path / "preflight.json").read_text()
    cluster.stop()


def test_instruments_stand_in_a_namespace_of_the_run_or_in_the_one_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = run_on(tmp_path, monkeypatch, Preflight(platform=TOLD))
    cluster.start()
    assert cluster.kube.made == [cluster.probe_namespace] == [f"touchstone-probe-{cluster.run}"]  # type: ignore[attr-defined]
    confined = run_on(tmp_path, monkeypatch, Preflight(platform=TOLD), namespace="team")
    assert confined.start().settings.namespace == confined.probe_namespace == "team"
    assert confined.kube.made == []  # type: ignore[attr-defined]


class Client:
    """A probe whose Kafka answers or not."""

    def __init__(self, trouble: str = "") -> None:
        self._trouble = trouble

    def offsets(self, scope: str, topic: str) -> None:
        """Answer, or not."""
        del scope, topic
        if self._trouble:
            raise ProbeError(self._trouble)


def test_kafka_is_asked_from_the_pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = run_on(tmp_path, monkeypatch, Preflight(platform=TOLD))
    cluster.start()
    record = cluster.settle(Client())[0]  # type: ignore[arg-type]
    assert record["record"] == "preflight"
    assert record["rows"][-1]["found"] == "answers"
    with pytest.raises(TargetError, match=r"Kafka does not answer to a pod in touchstone-probe-.*: SASL"):
        cluster.settle(Client("SASL authentication error"))  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["three", "0", ""])
def test_a_number_of_replicas_that_is_none_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    found = Preflight(platform=TOLD, broker_defaults={"default.topic.replication.factor": text})
    with pytest.raises(TargetError, match=r"default.topic.replication.factor: expected a number"):
        run_on(tmp_path, monkeypatch, found).start()
