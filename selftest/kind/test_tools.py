"""What is missing on a machine is told in one line, at once."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fixtures.errors import TargetError, UsageError
from fixtures.processes import programs
from fixtures.processes.children import process_alive
from fixtures.targets import tools
from fixtures.waiting import wait_until
from selftest.kind.machine import Machine

NO_DAEMON = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?\n"
DENIED = (
    "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock:"
    " dial unix /var/run/docker.sock: connect: permission denied\n"
)


def refused(**options: bool) -> str:
    with pytest.raises(UsageError) as refusal:
        tools.need(**options)  # type: ignore[arg-type]
    said = str(refusal.value)
    assert "\n" not in said
    return said


def test_a_healthy_machine_has_all(machine: Machine) -> None:
    found = tools.need(helm=True)
    assert (found.docker, found.kind, found.kubectl) == tuple(machine.folder / n for n in ("docker", "kind", "kubectl"))
    assert found.versions["docker"] == "28.2.2"
    assert found.versions["kind"].startswith("kind v0.31.0")


@pytest.mark.parametrize(
    ("program", "hint"),
    [
        ("docker", "https://docs.docker.com/engine/install/"),
        ("kind", "https://kind.sigs.k8s.io/"),
        ("kubectl", "https://kubernetes.io/docs/tasks/tools/"),
        ("helm", "--bundle DIR"),
    ],
)
def test_an_absent_program_is_named_with_where_to_get_it(machine: Machine, program: str, hint: str) -> None:
    machine.lacks(program)
    said = refused(helm=True)
    assert f"{program} is not on PATH" in said
    assert hint in said


def test_all_that_is_missing_is_told_at_once(machine: Machine) -> None:
    machine.lacks("docker")
    machine.lacks("kind")
    said = refused()
    assert "docker is not on PATH" in said
    assert "kind is not on PATH" in said
    assert "kubectl" not in said


def test_helm_is_needed_for_charts_only(machine: Machine) -> None:
    machine.lacks("helm")
    assert "helm" not in tools.need().versions


def test_a_client_without_a_daemon_is_no_missing_client(machine: Machine) -> None:
    machine.answer("docker", "version", code=1, out="28.2.2 \n", err=NO_DAEMON)
    said = refused()
    assert "docker is there, but no daemon answers at its default address" in said
    assert "systemctl start docker" in said
    assert "not on PATH" not in said


def test_a_daemon_elsewhere_is_named(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://lab:2375")
    machine.answer("docker", "version", code=1, err="Cannot connect to the Docker daemon at tcp://lab:2375.")
    assert "no daemon answers at tcp://lab:2375" in refused()


def test_a_refused_user_is_no_missing_daemon(machine: Machine) -> None:
    machine.answer("docker", "version", code=1, err=DENIED)
    said = refused()
    assert "this user may not talk to its daemon" in said
    assert "usermod -aG docker" in said


def test_a_daemon_that_hangs_is_told_in_time(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "ANSWER_DEADLINE", 0.5)
    machine.answer("docker", "version", sleep=600)  # beyond the guard of the test
    assert "the Docker daemon at its default address does not answer within 0.5 s" in refused()


def test_docker_without_buildkit_cannot_build(machine: Machine) -> None:
    machine.answer("docker", "buildx", code=1, err="docker: unknown command: docker buildx\n")
    assert "cannot build with BuildKit: install Docker's buildx plug-in" in refused()
    assert tools.need(building=False).versions["docker"] == "28.2.2"


def test_an_old_client_has_buildkit_in_itself(machine: Machine) -> None:
    machine.answer("docker", "version", out="20.10.24 20.10.24\n")
    machine.answer("docker", "buildx", code=1)
    assert tools.need().versions["docker"] == "20.10.24"


def test_a_kind_too_old_for_the_node_image(machine: Machine) -> None:
    machine.answer("kind", "version", out="kind v0.17.0 go1.19 linux/amd64\n")
    assert "expected kind 0.31 or later for the pinned node image, got kind v0.17.0" in refused()
    assert tools.need(kind_at_least=()).versions["kind"].startswith("kind v0.17.0")


def test_another_provider_of_nodes_is_refused(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIND_EXPERIMENTAL_PROVIDER", "podman")
    assert "docker only" in refused()


def test_the_programs_are_asked_at_the_same_time(machine: Machine) -> None:
    # Each answers once all four are asked; whoever is asked alone is said not to answer.
    for program in ("docker", "kind", "kubectl", "helm"):
        machine.answer(program, "version", out="30.0.0 30.0.0\n", beside=4)
    machine.answer("docker", "buildx")
    assert set(tools.need(helm=True).versions) == {"docker", "kind", "kubectl", "helm"}


def test_a_failing_program_ends_in_its_last_lines(machine: Machine) -> None:
    machine.answer("kind", "load", code=3, out="first\n" * 50, err="ERROR: no space left on device\n")
    log = machine.folder / "kind.log"
    with pytest.raises(TargetError, match=r"(?s)cannot load it: exit code 3\n.*no space left on device") as failure:
        programs.run("load it", [machine.folder / "kind", "load"], log=log, deadline=10)
    assert str(failure.value).count("first") < 20
    assert log.read_text().count("first") == 50


def test_a_program_past_its_deadline_is_ended(machine: Machine) -> None:
    machine.answer("kind", "load", sleep=60)
    with pytest.raises(TargetError, match=r"not done within 0\.5 s"):
        programs.run("load it", [machine.folder / "kind", "load"], log=machine.folder / "kind.log", deadline=0.5)


def test_an_interrupted_program_is_ended_with_what_it_started(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "parent.sh"
    script.write_text("#!/bin/sh\n/bin/sleep 60 &\necho $! > child\nwait\n")
    script.chmod(0o755)

    def interrupt(*_: object) -> None:
        wait_until((tmp_path / "child").exists, 30, "the child to start")
        raise KeyboardInterrupt

    monkeypatch.setattr("subprocess.Popen.wait", _first(interrupt))
    with pytest.raises(KeyboardInterrupt):
        programs.run("be interrupted", [script], log=tmp_path / "log", deadline=30, cwd=tmp_path)
    child = int((tmp_path / "child").read_text())
    wait_until(lambda: not process_alive(child), 30, "the child to end")


def _first(instead: Callable[..., None]) -> Callable[..., Any]:
    whole = subprocess.Popen.wait
    calls = 0

    def wait(self: Any, *arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 1:
            instead()
        return whole(self, *arguments, **options)

    return wait
