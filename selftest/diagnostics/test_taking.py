"""The plug-in from outside: a failing test leaves its folder, a passing one nothing, and no verdict depends on it."""

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from evidence.replay import replay
from fixtures.waiting import wait_until
from selftest.diagnostics.apiserver import ApiServer, kubeconfig
from selftest.fixtures import house
from selftest.histories import read
from selftest.warm.running import Running, run_pytest

pytest_plugins = ["pytester"]

CLUSTERED = """
from dataclasses import replace

class Clustered(Fake):
    name = "clustered"

    def start(self):
        return replace(super().start(), kubeconfig=os.environ["HOUSE_KUBECONFIG"])

class Halfway(Fake):
    name = "halfway"
    reached = None

    def start(self):
        self.reached = (os.environ["HOUSE_KUBECONFIG"], "x")
        raise TargetError("the webhook of Knative refuses")

for one in (Clustered, Halfway):
    registry.TARGETS[one.name] = one

def pytest_configure():
    from fixtures.plugin import diagnosing
    diagnosing.IN_FULL = int(os.environ.get("HOUSE_IN_FULL", diagnosing.IN_FULL))
    diagnosing.WITHIN = float(os.environ.get("HOUSE_WITHIN", diagnosing.WITHIN))
"""

FAILS = """
@pytest.mark.requirement("TST-ONE-001")
def test_seeded_fault(sinks):
    expect(answered(post(running_test(), sinks([Answer(500)]).url, [], b"", "POST"), 202))
"""

PASSES = """
@pytest.mark.requirement("TST-ONE-001")
def test_conforms(sinks):
    expect(answered(post(running_test(), sinks([Answer(202)]).url, [], b"", "POST"), 202))
"""

FLOW = (
    PASSES
    + '''
from evidence.refs import ObjectRef
from fixtures.waiting import wait_until

CRASHES = """import sys; print("hello \\\\x1b[31m token=hunter22"); sys.exit(3)"""

@pytest.fixture
def flow(kube, namespace):
    labels = {"app": "crashes"}
    container = {
        "name": "main",
        "image": "touchstone/serving:1",
        "command": ["python", "-c", CRASHES],
        "env": [{"name": "DB_PASSWORD", "value": "hunter22"}],
    }
    kube.apply({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "crashes", "namespace": namespace},
        "spec": {"selector": {"matchLabels": labels},
                 "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}}},
    }, check=True)
    kube.apply({
        "apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService",
        "metadata": {"name": "unpulled", "namespace": namespace},
        "spec": {"predictor": {"containers": [{"name": "kserve-container", "image": "nowhere/unknown:1"}]}},
    }, check=True)
    client = running_test().clients.kube
    isvc = ObjectRef("serving.kserve.io/v1beta1", "InferenceService", namespace, "unpulled")
    client.wait(isvc, lambda seen: "ErrImagePull" in str(seen), deadline=20, what="to fail")
    def restarted():
        pods = client.list("v1", "Pod", namespace)
        return [one for one in pods for status in one.get("status", {}).get("containerStatuses", [])
                if status.get("restartCount", 0) > 0]
    wait_until(restarted, 20, "a restart")
    return namespace

@pytest.mark.requirement("TST-ONE-001")
def test_seeded_fault(flow, sinks):
    expect(answered(post(running_test(), sinks([Answer(500)]).url, [], b"", "POST"), 202))

@pytest.fixture
def broken(flow):
    raise RuntimeError("no <b>luck</b>")

@pytest.mark.requirement("TST-ONE-001")
def test_fixture_fails(broken): ...
'''
)


NAMESPACED = (
    PASSES
    + """
@pytest.fixture
def config(kube, namespace):
    kube.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": namespace}}, check=True)

@pytest.mark.requirement("TST-ONE-001")
def test_seeded_fault(config, sinks):
    expect(answered(post(running_test(), sinks([Answer(500)]).url, [], b"", "POST"), 202))

@pytest.mark.requirement("TST-ONE-001")
def test_claims_nothing(config): ...
"""
)


def build(folder: Path, tests: str) -> None:
    house.build(folder, tests)
    with (folder / "conftest.py").open("a", encoding="utf-8") as conftest:
        conftest.write(CLUSTERED)


def run(pytester: pytest.Pytester, tests: str, *options: str) -> pytest.RunResult:
    build(pytester.path, tests)
    return run_pytest(pytester.path, "suites", "-p", "no:cacheprovider", *options)


def folders(place: Path) -> dict[str, Path]:
    """Return the diagnostics of a house's last run, by the test's own name."""
    found = house.run_folder(place) / "diagnostics"
    names = sorted(found.iterdir()) if found.is_dir() else []
    return {path.name.removeprefix("eventing-test_it-").rpartition("-")[0] or path.name: path for path in names}


def records(place: Path, kind: str) -> list[dict[str, Any]]:
    return [one for one in read(house.run_folder(place) / "history.ndjson") if one["record"] == kind]


def test_a_failure_leaves_what_explains_it_before_it_is_gone(pytester: pytest.Pytester) -> None:
    result = run(pytester, FLOW, "--target", "embedded", "-n0")
    result.assert_outcomes(passed=1, failed=1, errors=1)
    found = folders(pytester.path)
    assert set(found) == {"test_seeded_fault", "test_fixture_fails"}
    for name, reason in (("test_seeded_fault", "got HTTP 500"), ("test_fixture_fails", "RuntimeError: no <b>luck</b>")):
        summary = (found[name] / "summary.md").read_text(encoding="utf-8")
        assert reason in summary
        assert "InferenceService touchstone-it-" in summary
        assert "ErrImagePull: failed to resolve image" in summary
        assert "times, last with exit code 3" in summary
        logs = list(found[name].glob("logs/*/crashes-*/main.previous.txt"))
        assert [path.read_text() for path in logs] == ["hello \\x1b[31m token=(redacted)\n"]
        assert (found[name] / "objects" / "inferenceservices.yaml").exists()
        assert "BackOff" in (found[name] / "events.txt").read_text()
    everything = b"".join(path.read_bytes() for folder in found.values() for path in folder.rglob("*.*"))
    assert b"hunter22" not in everything
    assert "no <b>luck</b>" in (found["test_fixture_fails"] / "traceback.txt").read_text()


def test_the_history_says_where_it_lies_and_no_verdict_changes(pytester: pytest.Pytester) -> None:
    run(pytester, NAMESPACED, "--target", "embedded", "-n2")
    told = records(pytester.path, "diagnostics")
    assert len(told) == 2
    for record in told:
        place = house.run_folder(pytester.path) / record["folder"]
        assert record["files"][0] == "summary.md"
        assert "objects/configmaps.yaml" in record["files"]
        assert all((place / name).is_file() for name in record["files"])
    outcomes = sorted(record["outcome"] for record in records(pytester.path, "test.finished"))
    assert outcomes == ["error", "failed", "passed"]
    assert replay(house.run_folder(pytester.path) / "history.ndjson").disagreements() == []


@pytest.mark.parametrize(
    "options", [["--mutant", "broken"], ["--prove", "--mutant", "broken"]], ids=["mutant", "prove"]
)
def test_where_failing_is_the_point_nothing_is_taken(pytester: pytest.Pytester, options: list[str]) -> None:
    result = run(pytester, FAILS, "--target", "embedded", "-n0", *options)
    assert result.ret != 0
    assert records(pytester.path, "test.finished")
    assert folders(pytester.path) == {}


def test_without_a_kubernetes_api_nothing_is_taken(pytester: pytest.Pytester) -> None:
    run(pytester, FAILS, "--target", "fake", "-n0").assert_outcomes(failed=1)
    assert folders(pytester.path) == {}


def test_after_so_many_the_rest_is_told_in_short(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    with ApiServer() as server:
        monkeypatch.setenv("HOUSE_KUBECONFIG", str(server.kubeconfig(pytester.path)))
        monkeypatch.setenv("HOUSE_IN_FULL", "1")
        again = FAILS.replace("test_seeded_fault", "test_seeded_again")
        run(pytester, FAILS + again, "--target", "clustered", "-n0").assert_outcomes(failed=2)
    found = folders(pytester.path)
    assert "diagnosed in full" not in (found["test_seeded_fault"] / "summary.md").read_text()
    assert "**1 tests were diagnosed in full before" in (found["test_seeded_again"] / "summary.md").read_text()
    assert sum("knative-eventing/pods" in path for path in server.asked) == 1


@pytest.mark.parametrize("how", ["silent", "refusing"])
def test_an_api_that_is_away_takes_nothing_from_the_failure(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    with ApiServer("/") as server:
        config = server.kubeconfig(pytester.path) if how == "silent" else kubeconfig(pytester.path, 1)
        monkeypatch.setenv("HOUSE_KUBECONFIG", str(config))
        began = time.monotonic()
        result = run(pytester, FAILS, "--target", "clustered", "-n0")
    assert time.monotonic() - began < 45
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*answered: fail*"])
    summary = (folders(pytester.path)["test_seeded_fault"] / "summary.md").read_text()
    assert "The Kubernetes API does not answer, so nothing could be read" in summary
    assert records(pytester.path, "test.finished")[0]["outcome"] == "failed"


def test_what_cannot_be_written_is_said_beside_the_failure(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOUSE_KUBECONFIG", str(kubeconfig(pytester.path, 1)))
    in_the_way = '    open(running_test().clients.run_info.run_dir + "/diagnostics", "w").close()\n'
    result = run(pytester, FAILS.replace("    expect(", f"{in_the_way}    expect("), "--target", "clustered", "-n0")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*answered: fail*", "*diagnostics*", "could not be taken: *Error: *"])
    assert records(pytester.path, "test.finished")[0]["outcome"] == "failed"


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_ctrl_c_while_it_reads_ends_the_run_soon(tmp_path: Path, workers: str) -> None:
    build(tmp_path, FAILS)
    argv = [sys.executable, "-m", "pytest", "suites", "--target", "clustered", "-p", "no:cacheprovider", workers]
    with ApiServer("knative-eventing") as server:
        env = os.environ | {"HOUSE_KUBECONFIG": str(server.kubeconfig(tmp_path)), "HOUSE_WITHIN": "300"}
        process = Running(argv, cwd=tmp_path, output=tmp_path / "log", env=env)
        try:
            wait_until(lambda: any("knative" in path for path in server.asked), 30, (tmp_path / "log").read_text)
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 2
        finally:
            process.kill()
            process.wait(5)
    last = records(tmp_path, "run.finished")[-1]
    assert last["reason"] == "interrupted"


def test_a_run_that_cannot_start_leaves_how_its_target_was(pytester: pytest.Pytester) -> None:
    result = run(pytester, FAILS, "--target", "crashing", "-n0")
    assert result.ret == 2
    found = folders(pytester.path)["run"]
    assert "ended at start with exit code 1" in (found / "summary.md").read_text()
    assert "no port is free" in (found / "target.txt").read_text()
    result.stdout.fnmatch_lines(["diagnostics: *diagnostics/run/summary.md"])


def test_of_a_start_that_got_halfway_the_cluster_is_read(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ApiServer() as server:
        monkeypatch.setenv("HOUSE_KUBECONFIG", str(server.kubeconfig(pytester.path)))
        assert run(pytester, FAILS, "--target", "halfway", "-n0").ret == 2
    assert "the webhook of Knative refuses" in (folders(pytester.path)["run"] / "summary.md").read_text()
    assert any("knative-eventing/pods" in path for path in server.asked)


DIES = """
@pytest.mark.requirement("TST-ONE-001")
def test_kills_it(sinks):
    expect(answered(post(running_test(), sinks([Answer(202)]).url, [], b"", "POST"), 202))
    for pid in running_test().clients.run_info.target.pids.values():
        os.kill(pid, signal.SIGKILL)
    expect(answered(post(running_test(), "http://127.0.0.1:1/", [], b"", "POST"), 202))
"""


def test_a_run_that_dies_leaves_what_it_has_lost(pytester: pytest.Pytester) -> None:
    result = run(pytester, DIES, "--target", "fake", "-n0")
    assert result.ret != 0
    assert "the fake platform died" in (folders(pytester.path)["run"] / "summary.md").read_text()
