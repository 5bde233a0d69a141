"""The cluster target from outside, on the embedded platform's API: what a run makes, finds and leaves there."""

import json
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from evidence.run_names import run_hash
from fixtures.kube import run_objects
from fixtures.kube.client import KubeClient
from fixtures.preflight.rights import WRITTEN, rights
from fixtures.waiting import wait_until
from selftest import platforms
from selftest.fixtures import house
from selftest.histories import read
from selftest.warm.running import Running, run_pytest
from selftest.warm.running import run as run_command

pytestmark = [
    pytest.mark.skipif(shutil.which("kubectl") is None, reason="no kubectl on PATH: overlays are rendered by it"),
    pytest.mark.timeout(300),  # a platform and whole runs on it: minutes on a busy machine
]

pytest_plugins = ["pytester"]

TESTS = """
@pytest.mark.requirement("TST-ONE-001")
def test_passes(broker):
    trigger = broker.trigger()
    expect(delivered(broker.send(), to=trigger))

@pytest.mark.requirement("TST-ONE-001")
def test_knows_where_it_is(broker, request):
    run_info = request.config.stash[CLIENTS].run_info
    names = [broker.namespace, run_info.target.name, run_info.hash, broker.url]
    (request.config.rootpath / "seen").write_text(" ".join(names))
    event = broker.send()
    expect(answered(event, 202))
"""
WHOLE = """
from evidence.expectations import gone
from fixtures.plugin.deletion import whole_namespace
@pytest.mark.requirement("TST-ONE-001")
def test_deletes_a_whole_namespace(whole_namespace, kube):
    _, namespace = whole_namespace()
    kube.delete(namespace, check=True)
    expect(gone(namespace))
"""
AHEAD = """
@pytest.mark.requirement("TST-ONE-001")
def test_waits_for_the_next_ones_broker(broker, kube):
    brokers = lambda: kube._client.list("eventing.knative.dev/v1", "Broker", broker.namespace)
    wait_until(lambda: len(brokers()) >= 2, 60, "a Broker for a test that has not begun")
    expect(answered(broker.send(), 202))

@pytest.mark.requirement("TST-ONE-001")
def test_finds_its_broker_made(broker):
    expect(answered(broker.send(), 202))
"""
FAILS = """
@pytest.mark.requirement("TST-ONE-001")
def test_fails(broker):
    expect(answered(broker.send(), 500))
"""
WAITS = """
@pytest.mark.requirement("TST-ONE-001")
def test_waits(broker, request):
    (request.config.rootpath / "waiting").write_text("")
    time.sleep(60)
"""


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Kubeconfig of a platform of the module's own."""
    with platforms.platform(tmp_path_factory.mktemp("platform")) as info:
        yield info["kubeconfig"]


@pytest.fixture
def kube(platform: str, monkeypatch: pytest.MonkeyPatch) -> KubeClient:
    """Return a client of it, and $KUBECONFIG."""
    monkeypatch.setenv("KUBECONFIG", platform)
    return KubeClient(platform)


RECORDER = """
import urllib3

opened = urllib3.PoolManager.urlopen

def urlopen(self, method, url, *args, **options):
    with (Path(__file__).parent / "calls").open("a") as file:
        file.write(f"{method} {url}\\n")
    return opened(self, method, url, *args, **options)

urllib3.PoolManager.urlopen = urlopen
"""
VERBS = {"POST": "create", "PATCH": "patch", "PUT": "update", "DELETE": "delete", "GET": "get"}


def record(folder: Path) -> None:
    """Let a house write down what it asks of the API."""
    conftest = folder / "conftest.py"
    conftest.write_text(conftest.read_text() + RECORDER, encoding="utf-8")


def used(folder: Path) -> set[tuple[str, str, str | None]]:
    """Verb, resource and namespace of every recorded call, as an API server authorises it."""
    found = set()
    for line in (folder / "calls").read_text().splitlines():
        method, _, url = line.partition(" ")
        parts = urlsplit(url)
        words = parts.path.strip("/").split("/")
        rest = words[2:] if words[0] == "api" else words[3:]
        if not rest or rest[0].startswith("selfsubject"):
            continue  # what everybody may: discovery, versions, asking for one's own rights
        place = rest[1] if rest[0] == "namespaces" and len(rest) > 2 else None
        resource, *name = rest[2:] if place else rest
        part = f"/{name[1]}" if len(name) > 1 else ""
        verb = VERBS[method] if name or method != "GET" else "watch" if "watch=" in parts.query else "list"
        found.add((verb, resource + part, place))
        if verb == "patch" and "force=" in parts.query:
            found.add(("create", resource + part, place))  # a server-side apply of what is not there needs both
    return found


def granted(namespace: str | None, own: set[str]) -> set[tuple[str, str, str | None]]:
    """Return what the table gives, where the run's own namespaces are these."""
    found = set()
    for right, place in rights(namespace):
        places: set[str | None] = {None} if right.cluster else {place} if place else {None, *own}
        found |= {(verb, right.resource, one) for verb in right.verbs for one in places}
    return found


def ours(kube: KubeClient) -> list[str]:
    found = kube.list("v1", "Namespace", labels=f"{run_objects.MANAGED}={run_objects.OURS}")
    return [one["metadata"]["name"] for one in found]


def everything_in(kube: KubeClient, namespace: str) -> list[str]:
    kinds = [*run_objects.KINDS, ("v1", "Secret"), ("apps/v1", "Deployment"), ("networking.k8s.io/v1", "NetworkPolicy")]
    return [
        f"{kind} {one['metadata']['name']}"
        for api_version, kind in kinds
        for one in kube.list(api_version, kind, namespace)
    ]


def test_a_run_makes_namespaces_of_its_own_and_leaves_none(pytester: pytest.Pytester, kube: KubeClient) -> None:
    house.build(pytester.path, TESTS + WHOLE)
    (pytester.path / "manifests").symlink_to(house.ROOT / "manifests")
    record(pytester.path)
    result = run_pytest(pytester.path, "suites", "--target", "cluster", "-n0", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=3)
    asked = used(pytester.path)
    own = {place for _, _, place in asked if place and place.startswith("touchstone-")}
    assert {resource for verb, resource, _ in asked if verb == "create"} >= {"brokers", "services/proxy", "namespaces"}
    assert asked - granted(None, own) == set()
    # No selected test uses a pipeline: none is deployed.
    assert [place for place in own if not place.startswith(("touchstone-probe-", "touchstone-it-"))] == []
    namespace, target, run, url = (pytester.path / "seen").read_text().split()
    assert target == "cluster"
    assert namespace == f"touchstone-it-{run}-main-1"
    assert url.startswith("http://kafka-broker-ingress.knative-eventing.svc.cluster.local/")
    assert ours(kube) == []
    folder = house.run_folder(pytester.path)
    found = json.loads((folder / "preflight.json").read_text())
    assert {"what": "Kafka, from a pod", "found": "answers"}.items() <= found["rows"][-1].items()
    assert "preflight" in [record["record"] for record in read(folder / "history.ndjson")]
    result.stdout.fnmatch_lines(["ok*kind Broker*served*", "a run is possible"])


def test_the_broker_of_a_test_is_made_while_the_one_before_runs(pytester: pytest.Pytester, kube: KubeClient) -> None:
    house.build(pytester.path, "from fixtures.waiting import wait_until\n" + AHEAD)
    run_pytest(pytester.path, "suites", "--target", "cluster", "-n0", "-p", "no:cacheprovider").assert_outcomes(
        passed=2
    )
    assert kube.list("eventing.knative.dev/v1", "Broker") == []


def test_a_run_in_one_namespace_makes_none_and_leaves_nothing_in_it(
    pytester: pytest.Pytester, kube: KubeClient
) -> None:
    kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}})
    before = everything_in(kube, "team")
    house.build(pytester.path, TESTS + FAILS)
    options = ["--target", "cluster", "--namespace", "team", "-n0", "-p", "no:cacheprovider"]
    record(pytester.path)
    run_pytest(pytester.path, "suites", *options).assert_outcomes(passed=2, failed=1)
    asked, may = used(pytester.path), granted("team", {"team"})
    assert asked - may == set()
    unused = {(verb, resource) for verb, resource, place in may - asked if place == "team"}
    needless = sorted(" ".join(right) for right in unused - set(NOT_IN_THIS_RUN))
    assert not needless, f"rights that no path needs: {needless}"
    assert (pytester.path / "seen").read_text().split()[0] == "team"
    assert ours(kube) == []
    assert everything_in(kube, "team") == before


def test_an_interrupted_run_leaves_nothing_either(tmp_path: Path, kube: KubeClient) -> None:
    house.build(tmp_path, WAITS)
    argv = [sys.executable, "-m", "pytest", "suites", "--target", "cluster", "-n0", "-p", "no:cacheprovider"]
    run = Running(argv, cwd=tmp_path, output=tmp_path / "out")
    try:
        wait_until((tmp_path / "waiting").exists, 90, (tmp_path / "out").read_text)
        assert ours(kube) != []
        run.send_signal(signal.SIGINT)
        run.wait(60)
    finally:
        run.kill()
        run.wait()
    assert ours(kube) == [], (tmp_path / "out").read_text()


OTHERS = {
    "inferenceservices": "the requirements of KServe",
    "seldondeployments": "the requirements of Seldon Core",
}
NOT_IN_THIS_RUN = {
    ("get", "brokers"): "a test reads what it changed",
    ("get", "triggers"): "a test reads what it changed",
    ("get", "pods"): "whether a pod of an InferenceService goes",
    ("watch", "deployments"): "whether a change of an InferenceService is rolled out",
    ("patch", "brokers"): "a test changes one",
    ("patch", "triggers"): "a test changes one",
    ("get", "configmaps"): "a pipeline takes over nothing that is there",
    ("patch", "services"): "a pipeline's door is applied",
    ("get", "services"): "one whose creation was not answered is looked at before it is removed",
    ("get", "deployments"): "one whose pod is not made says why",
    ("patch", "secrets"): "with --kafka-properties the credentials stand beside a Broker's configuration",
    **{(verb, resource): why for verb in WRITTEN for resource, why in OTHERS.items()},
}
"""Rights that this small run has no use for, and what has."""


def documented(command: str) -> str:
    """Return the line of docs/clusters.md that begins so, without its comment."""
    lines = (house.ROOT / "docs" / "clusters.md").read_text(encoding="utf-8").splitlines()
    return next(line for line in lines if line.startswith(command)).partition(" #")[0].strip()


@pytest.mark.parametrize("confined", [None, "team-killed"], ids=["namespaces-of-its-own", "one-namespace"])
def test_what_a_killed_run_leaves_goes_with_the_documented_command(
    tmp_path: Path, kube: KubeClient, confined: str | None
) -> None:
    if confined is not None:
        kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": confined}})
    house.build(tmp_path, WAITS)
    options = ["--target", "cluster", "-n0", "-p", "no:cacheprovider", *(["--namespace", confined] if confined else [])]
    argv = [sys.executable, "-m", "pytest", "suites", *options]
    run = Running(argv, cwd=tmp_path, output=tmp_path / "out")
    try:
        wait_until((tmp_path / "waiting").exists, 90, (tmp_path / "out").read_text)
    finally:
        run.kill()
        run.wait()
    name = house.run_folder(tmp_path).resolve().name
    marked = f"{run_objects.RUN}={run_hash(name)}"
    left = labelled_with(kube, marked)
    assert {"Deployment touchstone-probe", "Secret touchstone-probe", "ServiceAccount touchstone-probe"} <= set(left)
    command = documented("python -m fixtures forget RUN" + (" --namespace NS" if confined else " "))
    argv = command.replace("RUN", name).replace("NS", confined or "").split()
    done = run_command([sys.executable, *argv[1:]])
    assert done.returncode == 0, done.stdout + done.stderr
    assert labelled_with(kube, marked) == []
    assert f"nothing labelled {marked} is left" in done.stdout + done.stderr


def labelled_with(kube: KubeClient, selector: str) -> list[str]:
    """Return every object that carries a label, of all kinds that a run makes."""
    kinds = [*run_objects.KINDS, *run_objects.PROBES_OWN, ("v1", "Namespace")]
    return [
        f"{kind} {one['metadata']['name']}"
        for api_version, kind in kinds
        for one in kube.list(api_version, kind, labels=selector)
    ]


def test_what_is_kept_stands_until_ctrl_c(tmp_path: Path, kube: KubeClient) -> None:
    house.build(tmp_path, FAILS)
    options = ["--target", "cluster", "--keep", "-n0", "-p", "no:cacheprovider"]
    run = Running([sys.executable, "-m", "pytest", "suites", *options], cwd=tmp_path, output=tmp_path / "out")
    try:
        said = (tmp_path / "out").read_text
        wait_until(lambda: "what the run has made" in said() or run.poll() is not None, 90, said)
        assert len(ours(kube)) == 2, said()
        run.send_signal(signal.SIGINT)
        run.wait(60)
    finally:
        run.kill()
        run.wait()
    assert ours(kube) == [], said()


def test_where_kafka_does_not_answer_no_run_begins(pytester: pytest.Pytester, kube: KubeClient) -> None:
    house.build(pytester.path, TESTS)
    options = ["--target", "cluster", "--kafka", "127.0.0.1:1", "-n0", "-p", "no:cacheprovider"]
    result = run_pytest(pytester.path, "suites", *options)
    assert result.ret == 2
    said = result.stdout.str() + result.stderr.str()
    assert "preflight: Kafka does not answer to a pod in touchstone-probe-" in said
    assert ours(kube) == []


def test_what_the_cluster_does_not_serve_is_not_testable_there(pytester: pytest.Pytester, kube: KubeClient) -> None:
    house.build(pytester.path, TESTS)
    conftest = pytester.path / "conftest.py"
    served = "KubeClient.has_kind = lambda self, api_version, kind: kind != 'Broker'"
    conftest.write_text(f"from fixtures.kube.client import KubeClient\n{served}\n{conftest.read_text()}", "utf-8")
    result = run_pytest(pytester.path, "suites", "--target", "cluster", "-n0", "-p", "no:cacheprovider")
    result.assert_outcomes(skipped=2)
    ends = [one for one in read(house.run_folder(pytester.path) / "history.ndjson") if one["record"] == "test.finished"]
    assert [one["outcome"] for one in ends] == ["not_testable"] * 2
    assert "Knative Eventing with its Kafka Broker: kind Broker: no such kind" in ends[0]["reason"]
    assert ours(kube) == []


@pytest.mark.parametrize(
    ("namespace", "code", "said"),
    [(None, 0, "a run is possible"), ("nowhere", 2, "no run is possible: namespace nowhere: there is none")],
    ids=["possible", "impossible"],
)
def test_a_dry_run_tells_by_its_exit_code_whether_a_run_is_possible(
    pytester: pytest.Pytester, kube: KubeClient, namespace: str | None, code: int, said: str
) -> None:
    house.build(pytester.path, TESTS)
    options = [] if namespace is None else ["--namespace", namespace]
    result = run_pytest(pytester.path, "suites", "--target", "cluster", "--dry-run", *options)
    assert result.ret == code
    assert said in result.stdout.str()
    assert ours(kube) == []
