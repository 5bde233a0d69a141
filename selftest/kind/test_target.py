"""The kind target: what it checks first, in which order it brings things up, and what it leaves behind."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from evidence.refs import ObjectRef
from fixtures.errors import KubeError, PlatformError, TargetError, UnknownNameError, UsageError
from fixtures.pipelines.description import read_all
from fixtures.platform.description.model import Artefact, Component
from fixtures.preflight.result import Preflight
from fixtures.reading.files import ROOT
from fixtures.targets.base import TargetOptions
from fixtures.targets.clusterrun import ClusterAccess, ClusterRun
from fixtures.targets.images import deployed
from fixtures.targets.kind import NODE_IMAGE, KindTarget
from selftest.kind.machine import Machine

PIPELINES = tuple(read_all(ROOT / "manifests" / "pipelines").values())
NEEDED = deployed(PIPELINES)
Make = Callable[..., KindTarget]
TWO_NODES = """\
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
nodes:
  - role: control-plane
  - role: worker
"""


@dataclass
class Platform:
    """A platform of two components, and what became of it."""

    where: str = "a test"
    workloads: Mapping[str, str] = field(default_factory=dict)
    workload_archives: tuple[Path, ...] = ()
    kind: str = "url"
    installed: list[dict[str, Any]] = field(default_factory=list)
    fails: str | None = None

    def components(self) -> tuple[Component, ...]:
        """Two, and one that is installed only for Brokers of class Lab."""
        artefact = Artefact(self.kind, "https://example.org/x", "x")  # type: ignore[arg-type]
        names = ("kafka", "knative-eventing")
        return (
            *(Component(name, "1", artefacts=(artefact,)) for name in names),
            Component("extra", "1", optional=True, broker_classes=("Lab",)),
        )

    def install(self, *_: object, **options: Any) -> None:
        """Load an archive, and succeed or not."""
        self.installed.append(options)
        options["load_images"]([Path("broker.tar")], ["broker:1"])
        if self.fails:
            raise PlatformError(self.fails)


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Platform:
    """Stands in the place of the real one."""
    made = Platform()
    monkeypatch.setattr("fixtures.platform.load", lambda: made, raising=False)
    monkeypatch.setattr("fixtures.platform.Bundle", None, raising=False)
    monkeypatch.setattr("fixtures.platform.install", made.install, raising=False)
    monkeypatch.setattr("fixtures.platform.plan", lambda source, **_: f"platform of {source.where}", raising=False)
    return made


@pytest.fixture
def options(tmp_path: Path, told: list[str], machine: Machine) -> TargetOptions:
    """Return a run of a cluster named house on a machine of stand-ins; all images are there."""
    folder = tmp_path / "run"
    folder.mkdir()
    monkey = {name: f"lab/{name}:1" for name in NEEDED}
    return TargetOptions(folder, say=told.append, kind_name="house", images=monkey, pipelines=PIPELINES)


@pytest.fixture
def target(options: TargetOptions, platform: Platform) -> Iterator[Make]:
    """Make a target; its options may differ."""
    made: list[KindTarget] = []

    def make(**changes: Any) -> KindTarget:
        made.append(KindTarget(replace(options, **changes)))
        return made[-1]

    yield make
    for one in made:
        one.stop()


def test_a_cluster_is_brought_up_in_order(machine: Machine, target: Make, platform: Platform, tmp_path: Path) -> None:
    config = tmp_path / "nodes.yaml"
    config.write_text(TWO_NODES)
    found = target(images={}, kind_config=config).prepare()
    steps = [
        *["docker build"] * len(NEEDED),
        "kind create",
        "kubectl --kubeconfig",
        *["kind load"] * 2,
    ]
    asides = {
        "docker version",
        "docker info",
        "docker buildx",
        "docker image",
        "kind version",
        "kind get",
        "kubectl version",
    }
    assert [" ".join(said.split()[:2]).partition("=")[0] for said in machine.said if said not in asides] == steps
    assert [call[3] for call in machine.calls("kind", "load", "image-archive")] == [str(Path("broker.tar").absolute())]
    (create,) = machine.calls("kind", "create")
    assert f"--image={NODE_IMAGE}" in create
    assert str(config) in create
    assert found.overlay == "kind"
    assert found.context == "kind-house"
    assert found.kubeconfig == str(tmp_path / "run" / "kubeconfig")
    assert found.images["probe"].startswith("touchstone/probe:")
    assert platform.installed[0]["only"] is None


@pytest.mark.parametrize(
    ("asked", "installed"),
    [
        ({"broker_class": "Lab"}, ["kafka", "knative-eventing", "extra"]),
        ({"broker_class": "Lab", "kafka": "theirs:9092"}, ["knative-eventing", "extra"]),
        ({"broker_class": "Kafka", "kafka": "theirs:9092"}, ["knative-eventing"]),
        ({"broker_class": "Other"}, None),
    ],
    ids=["its-class", "its-class-with-their-kafka", "their-kafka", "a-class-of-no-component"],
)
def test_the_class_of_brokers_brings_the_component_that_it_is_of(
    target: Make, platform: Platform, asked: dict[str, Any], installed: list[str] | None
) -> None:
    target(**asked).prepare()
    assert platform.installed[0]["only"] == installed


def test_given_images_are_not_built_and_loaded_only_from_here(machine: Machine, target: Make) -> None:
    machine.answer("docker", "image", "inspect", "--format", "{{.Id}}", "lab/serving:1", code=1)
    found = target().prepare()
    assert machine.calls("docker", "build") == []
    (load,) = machine.calls("kind", "load", "docker-image")
    assert set(load[3:-2]) == {f"lab/{name}:1" for name in NEEDED if name != "serving"}
    assert found.images["serving"] == "lab/serving:1"


def test_a_bundle_gives_workloads_and_their_archives(machine: Machine, target: Make, platform: Platform) -> None:
    platform.workloads = {name: f"bundled/{name}:1" for name in NEEDED}
    platform.workload_archives = (Path("workloads.tar"),)
    machine.answer("docker", "image", code=1)
    found = target(images={"probe": "mine:1"}).prepare()
    assert found.images["probe"] == "mine:1"
    assert found.images["serving"] == "bundled/serving:1"
    assert [Path(call[3]).name for call in machine.calls("kind", "load")] == ["workloads.tar", "broker.tar"]


def test_somebody_s_kafka_takes_the_place_of_ours(target: Make, platform: Platform) -> None:
    target(kafka="kafka.lab:9092").prepare()
    assert platform.installed[0]["only"] == ["knative-eventing"]


def test_a_build_that_fails_costs_no_cluster(machine: Machine, target: Make) -> None:
    machine.answer("docker", "build", code=1, err="ERROR: failed to solve: python:3.11-slim: not found\n")
    kind = target(images={})
    with pytest.raises(TargetError, match=r"(?s)cannot build image probe.*python:3.11-slim: not found"):
        kind.start()
    kind.stop()
    assert machine.calls("kind", "create") == []
    assert machine.calls("kind", "delete") == []


def test_what_a_failed_installation_leaves_is_saved_before_the_cluster_goes(
    machine: Machine, target: Make, platform: Platform, told: list[str]
) -> None:
    platform.fails = "kserve: waited 300 s in vain for its webhook"
    kind = target()
    with pytest.raises(PlatformError, match="its webhook"):
        kind.start()
    folder = kind.options.run_dir / "diagnostics" / "kind"
    assert (folder / "kind-version.txt").exists()
    assert told[-1] == f"logs of the nodes: {folder}"
    kind.stop()
    assert [call[1] for call in machine.calls("kind") if call[1] in {"export", "delete"}] == ["export", "delete"]
    assert machine.standing == []


def test_an_image_that_cannot_be_loaded_ends_the_start(machine: Machine, target: Make, platform: Platform) -> None:
    machine.answer("kind", "load", code=1, err="ERROR: failed to load image: ctr: content digest not found\n")
    kind = target()
    with pytest.raises(TargetError, match=r"(?s)cannot load images into kind cluster house.*content digest not found"):
        kind.start()
    assert platform.installed == []
    kind.stop()
    assert machine.standing == []


def test_a_cluster_that_runs_is_filled_and_left(machine: Machine, target: Make, platform: Platform) -> None:
    machine.clusters("house")
    kind = target()
    kind.prepare()
    assert len(platform.installed) == 1
    kind.stop()
    assert machine.standing == ["house"]


def test_keep_leaves_the_cluster(machine: Machine, target: Make, told: list[str]) -> None:
    kind = target(keep=True)
    kind.prepare()
    kind.stop()
    assert machine.standing == ["house"]
    assert "kind delete cluster --name house" in told[-1]


def test_stop_before_start_does_nothing(machine: Machine, target: Make) -> None:
    kind = target()
    kind.stop()
    assert kind.diagnostics() == "no kind cluster was begun"
    assert machine.calls() == []


def test_nodes_are_in_the_diagnostics(machine: Machine, target: Make) -> None:
    kind = target()
    asked = f"--kubeconfig={kind.options.run_dir / 'kubeconfig'}"
    machine.answer("kubectl", asked, code=1, err="The connection to the server 127.0.0.1:41234 was refused\n")
    with pytest.raises(TargetError, match="do not get Ready"):
        kind.start()
    assert "kind cluster house: its API does not answer: The connection to the server" in kind.diagnostics()


def test_the_check_asks_for_what_this_run_needs(machine: Machine, options: TargetOptions, platform: Platform) -> None:
    machine.lacks("helm")
    KindTarget.check(options)
    machine.answer("docker", "buildx", code=1)
    KindTarget.check(options)
    with pytest.raises(UsageError, match="BuildKit"):
        KindTarget.check(replace(options, images={}))
    platform.kind = "chart"
    with pytest.raises(UsageError, match="helm is not on PATH"):
        KindTarget.check(options)


def test_another_node_image_needs_no_certain_kind(machine: Machine, options: TargetOptions, platform: Platform) -> None:
    machine.answer("kind", "version", out="kind v0.20.0 go1.20 linux/amd64\n")
    with pytest.raises(UsageError, match=r"expected kind 0\.31 or later"):
        KindTarget.check(options)
    KindTarget.check(replace(options, kind_image="kindest/node:v1.27.3"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kind_name": "My_Cluster"}, "--kind-name 'My_Cluster': expected at most 49 small letters"),
        ({"kind_name": "x" * 50}, "at most 49"),
        ({"kafka": "mock"}, "--kafka on --target kind: expected HOST:PORT as pods reach it, got mock"),
    ],
)
def test_options_are_refused_before_anything_is_asked(
    machine: Machine, options: TargetOptions, platform: Platform, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        KindTarget.check(replace(options, **changes))
    with pytest.raises(UsageError, match=said):
        KindTarget.plan(replace(options, **changes))
    assert machine.calls() == []


def test_an_image_that_is_not_ours_is_refused(options: TargetOptions, platform: Platform) -> None:
    with pytest.raises(UnknownNameError, match="did you mean serving"):
        KindTarget.check(replace(options, images={"servin": "x"}))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nodes: [", ":2:1: no YAML: did not find expected node content"),
        ("kind: Kluster", "expected a document of kind Cluster"),
        ("kind: Cluster\napiVersion: v1", "expected apiVersion kind.x-k8s.io/v1alpha4, got 'v1'"),
        (TWO_NODES.replace("- role: worker", "- worker"), "expected nodes to be a list of nodes"),
        (TWO_NODES.replace("worker", "master"), "expected the roles control-plane and worker, got 'master'"),
        (TWO_NODES.replace("control-plane", "worker"), "at least one node of role control-plane, got 2 of role worker"),
    ],
)
def test_a_configuration_of_nodes_is_read_first(
    machine: Machine, options: TargetOptions, platform: Platform, text: str, said: str
) -> None:
    config = options.run_dir / "nodes.yaml"
    config.write_text(text)
    with pytest.raises(UsageError) as refusal:
        KindTarget.check(replace(options, kind_config=config))
    assert f"--kind-config {config}:" in str(refusal.value)
    assert said in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert machine.calls() == []


def test_images_of_the_configuration_are_not_overruled(machine: Machine, target: Make, tmp_path: Path) -> None:
    config = tmp_path / "nodes.yaml"
    config.write_text(TWO_NODES.replace("worker", "worker\n    image: kindest/node:v1.33.7"))
    target(kind_config=config).prepare()
    (create,) = machine.calls("kind", "create")
    assert not [word for word in create if word.startswith("--image")]


def test_a_mirror_has_the_images_of_nodes_and_builds_too(machine: Machine, target: Make) -> None:
    target(images={}, image_registry="mirror.lab:5000/eu").prepare()
    (create,) = machine.calls("kind", "create")
    assert f"--image=mirror.lab:5000/eu/{NODE_IMAGE}" in create
    build = machine.calls("docker", "build")[0]
    assert "BASE=mirror.lab:5000/eu/library/python:3.11-slim" in build
    assert "mirror.lab:5000/eu/touchstone/probe:" in " ".join(build)


def test_a_node_image_loaded_from_a_file_has_no_digest(
    machine: Machine, target: Make, monkeypatch: pytest.MonkeyPatch, platform: Platform, tmp_path: Path
) -> None:
    monkeypatch.setattr("fixtures.targets.kind.source_of", lambda _: platform)
    machine.answer("docker", "image", "inspect", "--format", "{{.Id}}", NODE_IMAGE, code=1)
    target(bundle=tmp_path).prepare()
    (create,) = machine.calls("kind", "create")
    assert f"--image={NODE_IMAGE.partition('@')[0]}" in create


def test_too_small_a_machine_is_told(
    machine: Machine, target: Make, told: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "instances").write_text("128\n")
    monkeypatch.setattr("fixtures.targets.tools.INOTIFY", tmp_path / "instances")
    machine.answer("docker", "info", out=f"2 {4 * 2**30}\n")
    target().prepare()
    assert told[0] == "docker 28.2.2 (2 CPUs, 4.0 GiB), kind v0.31.0 go1.25.5 linux/amd64"
    assert "expected 4 CPUs or more, Docker has 2" in told[1]
    assert "expected 7 GiB of memory or more, Docker has 4.0 GiB" in told[2]
    assert "fs.inotify.max_user_instances is 128" in told[3]


def test_the_plan_needs_no_program(
    machine: Machine, options: TargetOptions, platform: Platform, tmp_path: Path
) -> None:
    for program in ("docker", "kind", "kubectl", "helm"):
        machine.lacks(program)
    config = tmp_path / "nodes.yaml"
    config.write_text(TWO_NODES)
    said, possible = KindTarget.plan(replace(options, images={"probe": "lab/probe:1"}, kind_config=config))
    assert possible
    assert "kind cluster house; its kubeconfig stays in the run's folder" in said
    assert f"1 control-plane, 1 worker from {NODE_IMAGE}" in said
    assert "deleted at its end" in said
    assert "probe: lab/probe:1, given" in said
    assert "built from images/serving and loaded" in said
    assert "platform of a test" in said


class Services:
    """A cluster that has these Services, or refuses to say."""

    def __init__(self, names: set[str] | KubeError) -> None:
        self.names = names

    def get(self, ref: ObjectRef) -> dict[str, Any]:
        """Return one."""
        if isinstance(self.names, KubeError):
            raise self.names
        if f"{ref.namespace}/{ref.name}" not in self.names:
            raise KubeError("get", 404, "NotFound", "no such Service")
        return {}


@pytest.mark.parametrize(
    ("services", "described", "address"),
    [
        ({"database/kafka"}, {}, "kafka.database.svc.cluster.local:9092"),
        ({"database/kafka"}, {"kafka": {"bootstrap": "other:1"}}, "other:1"),
        (set(), {}, "default:9092"),
    ],
    ids=["documented", "the-platform-says", "the-broker-s-default"],
)
def test_a_platform_that_does_not_say_where_kafka_is_has_it_where_the_pipelines_look(
    target: Make, services: set[str], described: dict[str, Any], address: str
) -> None:
    made = target(keep=True)
    run = ClusterRun(made, made.prepare(), Services(services))  # type: ignore[arg-type]  # all that is asked of it
    found = Preflight(platform=described, broker_defaults={"bootstrap.servers": "default:9092"})
    assert run.kafka(found)["bootstrap"] == address


def test_a_refusal_to_say_where_kafka_is_stands(target: Make) -> None:
    access = ClusterAccess("kubeconfig", "kind-one", overlay="kind", has_documented_kafka=True)
    forbidding = Services(KubeError("get", 403, "Forbidden", "no"))
    with pytest.raises(KubeError, match="403"):
        ClusterRun(target(), access, forbidding).kafka(Preflight())  # type: ignore[arg-type]  # likewise


def test_topics_on_kind_have_one_replica_whatever_the_defaults_say(target: Make) -> None:
    made = target()
    run = ClusterRun(made, made.prepare(), Services(set()))  # type: ignore[arg-type]  # likewise
    assert run.replication({"default.topic.replication.factor": "3"}) == 1
