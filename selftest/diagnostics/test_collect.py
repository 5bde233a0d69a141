"""What is read and written for a failure, against clusters that answer, refuse, hang, lie and are not there."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from fixtures.diagnostics import collect as collecting
from fixtures.diagnostics.collect import SUMMARY, DiagnosedTest, collect
from fixtures.diagnostics.folder import Folder
from selftest.diagnostics.cluster import CRASHING, READY, UNPULLED, FakeApi, FakeProbe, obj, pod

EVENTING = "/apis/eventing.knative.dev/v1/namespaces/flow"
INTERNAL = "/apis/internal.kafka.eventing.knative.dev/v1alpha1/namespaces/flow"
CORE = "/api/v1/namespaces/flow"
NOT_READY = {"conditions": [{"type": "Ready", "status": "False", "reason": "Lost", "message": "no topic"}]}
BROKER = obj(
    "Broker",
    "b",
    spec={"config": {"kind": "ConfigMap", "namespace": "knative-eventing", "name": "kafka-broker-config"}},
    status={"annotations": {"default.topic": "topic-b"}, **NOT_READY},
)
TRIGGER = obj(
    "Trigger",
    "t",
    spec={"broker": "b"},
    status={"annotations": {"group.id": "group-t"}, "conditions": [{"type": "Ready", "status": "True"}]},
)
WARNING = obj("Event", "e", type="Warning", reason="BackOff", message="again", lastTimestamp="2026-01-01T00:00:09Z")
OFFSETS = {"begin": {"0": 0}, "end": {"0": 9}, "committed": {"0": 4}}


def flow(**more: Any) -> FakeApi:
    """Return a flow with a Broker that is not ready, a pod that crashes, one that never began, and a controller."""
    lists: dict[str, Any] = {
        f"{EVENTING}/brokers": [BROKER],
        f"{EVENTING}/triggers": [TRIGGER],
        f"{INTERNAL}/consumergroups": 404,
        f"{CORE}/pods": [pod("fine", READY), pod("unpulled", UNPULLED, phase="Pending"), pod("crashing", CRASHING)],
        f"{CORE}/services": 403,
        f"{CORE}/configmaps": [obj("ConfigMap", "c", data={"sasl.password": "hunter22", "plain": "shown"})],
        f"{CORE}/events": [WARNING],
        "/api/v1/namespaces/knative-eventing/pods": [pod("controller", READY)],
        "/api/v1/namespaces/knative-eventing/configmaps/kafka-broker-config": {"data": {"bootstrap.servers": "k:9092"}},
        **more.pop("lists", {}),
    }
    logs = {
        ("fine", "main"): b"all is well\n",
        ("crashing", "main"): b"new run\n",
        ("crashing", "main", "previous"): b"\x1b[31mTraceback <b>\xff password=hunter22\n",
        ("controller", "main"): b"cannot create topic\n",
    }
    return FakeApi(lists, logs, **more)


def case(**more: Any) -> DiagnosedTest:
    return DiagnosedTest("suites/e/test_x.py::test_y", "delivered: fail", namespaces=("flow",), since=12.0, **more)


def taken(tmp_path: Path, api: FakeApi | None, *, seconds: float = 10.0, **more: Any) -> tuple[list[str], str]:
    files = collect(api, FakeProbe({"topic-b": OFFSETS}), case(**more), Folder(tmp_path), seconds)
    return files, (tmp_path / SUMMARY).read_text(encoding="utf-8")


def test_everything_is_written_that_there_is(tmp_path: Path) -> None:
    files, summary = taken(tmp_path, flow())
    assert files == [
        "summary.md",
        "objects/brokers.yaml",
        "objects/triggers.yaml",
        "objects/pods.yaml",
        "objects/configmaps.yaml",
        "events.txt",
        "logs/flow/crashing/main.txt",
        "logs/flow/crashing/main.previous.txt",
        "logs/flow/fine/main.txt",
        "logs/knative-eventing/controller/main.txt",
        "objects/broker-configs.yaml",
        "kafka.txt",
    ]
    assert sorted(files) == sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())
    for said in (
        "    delivered: fail\n",
        "- `Broker flow/b`\n  - `Ready=False: Lost: no topic`\n",
        "- `Pod flow/crashing`\n  - `container main waits: CrashLoopBackOff: back-off 40s`\n",
        "  - `container main was restarted 3 times, last with exit code 137: OOMKilled`\n",
        "- `Pod flow/unpulled`\n  - `phase Pending`\n  - `container main waits: ImagePullBackOff: ",
        "    2026-01-01T00:00:09 Warning BackOff ",
        "    topic-b: 1 partitions, 9 records; group group-t lags 5 behind (Trigger flow/t)\n",
        "    last complaint of the probe's Kafka clients: 1 of 1 brokers is down\n",
        "- `consumergroups of flow`: `this cluster has no such kind`\n",
        "- `services of flow`: `HTTP 403 Forbidden: this is refused (403)`\n",
        "Of 1 Broker, 1 Trigger, 4 Pods, 1 ConfigMap.",
        "- [logs/flow/crashing/main.previous.txt](logs/flow/crashing/main.previous.txt)",
    ):
        assert said in summary
    assert "`Pod flow/fine`" not in summary
    assert "`Trigger flow/t`" not in summary


def test_secrets_are_not_asked_for_and_not_written(tmp_path: Path) -> None:
    api = flow()
    taken(tmp_path, api)
    assert not [path for path in api.asked if "secrets" in path]
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"hunter22" not in written
    assert b"\x1b" not in written
    assert list(yaml.safe_load_all((tmp_path / "objects" / "configmaps.yaml").read_text())) == [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "c", "namespace": "flow"},
            "data": {"sasl.password": "(redacted)", "plain": "shown"},
        }
    ]


def test_logs_are_read_since_the_beginning_but_of_what_is_not_well_in_whole(tmp_path: Path) -> None:
    api = flow()
    taken(tmp_path, api)
    asked = {path.split("/")[-2]: path for path in api.asked if "/log?" in path and "previous" not in path}
    assert "sinceSeconds=17" in asked["fine"]  # and a margin for clocks that differ
    assert "sinceSeconds=17" in asked["controller"]
    assert "sinceSeconds" not in asked["crashing"]
    assert "unpulled" not in asked
    assert all("limitBytes=" in path and "tailLines=" in path for path in asked.values())


def test_of_a_list_that_goes_on_this_is_said(tmp_path: Path) -> None:
    page = {"metadata": {"continue": "token"}, "items": [WARNING]}
    _, summary = taken(tmp_path, flow(lists={f"{CORE}/events": page}))
    assert "- `events of flow`: `there are more than the 1 that were read`" in summary


def test_a_brokers_config_elsewhere_is_read_too(tmp_path: Path) -> None:
    api = flow()
    taken(tmp_path, api)
    assert "bootstrap.servers: k:9092" in (tmp_path / "objects" / "broker-configs.yaml").read_text()


def test_as_little_is_read_as_was_asked_for(tmp_path: Path) -> None:
    api = flow()
    files, _ = taken(tmp_path, api, logs=False, kafka=False, controllers=())
    assert not [path for path in api.asked if "/log?" in path or "knative-eventing/pods" in path]
    assert not [file for file in files if file.startswith(("logs", "kafka"))]


def test_an_api_that_is_gone_is_said_in_one_line(tmp_path: Path) -> None:
    files, summary = taken(tmp_path, flow(dead=True))
    assert files == [SUMMARY]
    assert summary.count("connection refused") == 1
    assert "The Kubernetes API does not answer, so nothing could be read" in summary
    assert "No objects were read." in summary


def test_without_an_api_the_reason_is_kept(tmp_path: Path) -> None:
    _, summary = taken(tmp_path, None)
    assert "    delivered: fail\n" in summary


@pytest.mark.parametrize(
    ("hanging", "there", "lost"),
    [
        (("/version",), [], "The Kubernetes API does not answer"),
        (("inferenceservices",), ["logs/flow/fine/main.txt", "kafka.txt"], "`inferenceservices of flow`: `not read"),
        (("crashing/log",), ["logs/flow/fine/main.txt", "kafka.txt"], "logs/flow/crashing/main.txt"),
        (("/",), [], "The Kubernetes API does not answer"),
    ],
    ids=["all", "one-kind", "one-log", "everything"],
)
def test_what_hangs_costs_its_own_part_and_the_time_that_there_is(
    tmp_path: Path, hanging: tuple[str, ...], there: list[str], lost: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collecting, "LIVELINESS", 0.5)
    api = flow(hanging=hanging)
    files, summary = taken(tmp_path, api, seconds=2.5)
    api.never.set()
    assert api.in_vain == 0, "it did not wait for what hangs"
    assert set(there) <= set(files)
    assert lost in summary


def test_a_kafka_that_hangs_keeps_no_log_waiting(tmp_path: Path) -> None:
    api = flow()

    class Hanging(FakeProbe):
        def offsets(self, scope: str, topic: str, group: str = "") -> dict[str, Any]:
            api.never.wait(60)
            return super().offsets(scope, topic, group)

    many = tuple(f"topic-{number}" for number in range(20))
    files = collect(api, Hanging({}), case(topics=many), Folder(tmp_path), 1.5)
    api.never.set()
    assert "logs/flow/fine/main.txt" in files
    assert "`topic topic-0, group none" in (tmp_path / SUMMARY).read_text()


def test_an_interrupt_ends_it_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    api = flow(hanging=("/pods",))

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(collecting, "at_once", interrupted)
    with pytest.raises(KeyboardInterrupt):
        taken(tmp_path, api)
    assert api.in_vain == 0, "it did not wait for what hangs"
    assert (tmp_path / SUMMARY).exists()


HOSTILE: list[Any] = [
    None,
    7,
    "x",
    [],
    {},
    {"metadata": None},
    {"metadata": {"name": "../../x"}, "spec": 5, "status": []},
]


def test_a_cluster_that_answers_nonsense_is_no_error(tmp_path: Path) -> None:
    api = flow()
    for path in list(api.lists):
        api.lists[path] = HOSTILE
    taken(tmp_path, api)
    outside = [path for path in tmp_path.parent.iterdir() if path != tmp_path and path.name == "x"]
    assert outside == []


def test_a_crowd_of_pods_is_bounded(tmp_path: Path) -> None:
    pods = [pod(f"p{number}", READY) for number in range(200)]
    api = flow(lists={f"{CORE}/pods": [*pods, pod("crashing", CRASHING)]})
    api.logs |= {(f"p{number}", "main"): b"a line\n" * 50_000 for number in range(200)}
    files, summary = taken(tmp_path, api)
    logs = [file for file in files if file.startswith("logs/")]
    assert logs[0] == "logs/flow/crashing/main.txt"
    assert len(logs) <= collecting.MOST_LOGS
    assert "no room: 60 logs are read for a failure" in summary
    assert "no room: the files of a failure are bounded" in summary
    assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) < 10 << 20


def test_hostile_words_are_text_in_the_summary(tmp_path: Path) -> None:
    evil = "</code><script>alert(1)</script> ``` \x1b[31m [x](javascript:alert(1))"
    broker = obj("Broker", evil, status={"conditions": [{"type": evil, "status": "False", "message": evil}]})
    api = flow(lists={f"{EVENTING}/brokers": [broker]})
    collect(api, None, DiagnosedTest(evil, f"{evil}\n\n{evil}", namespaces=("flow",)), Folder(tmp_path), 10.0)
    for line in (tmp_path / SUMMARY).read_text().splitlines():
        if "script" in line:
            # In a code span, or in an indented block: Markdown takes neither for its own.
            assert line.startswith("    ") or line.partition("`")[2].endswith("`"), line
            assert "script" not in line.partition("`")[0] or line.startswith("    ")
    assert "\x1b" not in (tmp_path / SUMMARY).read_text()
