"""`python -m fixtures.platform`, from outside: what it prints, and its exit codes."""

import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.platform.__main__ import main
from selftest.kind.machine import Machine
from selftest.platform.cluster import Cluster
from selftest.platform.test_platform_bundles import POD, by_hand
from selftest.platform.web import Web
from selftest.warm.running import run as run_command

MINE = '[[component]]\nname = "mine"\nversion = "7"\nmanifests = ["manifests/one.yaml"]\n'
PLACED = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one, namespace: default}\n"


def run(*arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "fixtures.platform", *arguments]
    return run_command(command, env=env, timeout=60)


def test_the_plan_needs_no_tools_and_no_network() -> None:
    done = run("plan", env={"PATH": "/nowhere"})
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("plan of ")
    assert "4. eventing-kafka-controller 1.22.3" in done.stdout
    assert "rights needed: cluster-admin" in done.stdout


def test_a_dry_run_of_an_install_is_its_plan() -> None:
    done = run("install", "--dry-run", "--only", "kafka")
    assert (done.returncode, done.stdout.splitlines()[1]) == (0, "1. kafka 4.1.1: Apache Kafka, one KRaft node")


def test_images_are_listed_for_mirrors(tmp_path: Path) -> None:
    done = run("images", "--plain", "--only", "kafka", "--image-registry", "mirror.example/x")
    assert done.stdout == "docker.io/apache/kafka:4.1.1 mirror.example/x/apache/kafka:4.1.1\n"
    table = run("images", "--only", "kafka").stdout.splitlines()
    assert [line.split() for line in table] == [["component", "image"], ["kafka", "docker.io/apache/kafka:4.1.1"]]


def test_images_are_listed_as_the_manifests_name_them(
    web: Web, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    by_digest = f"quay.io/a/b@sha256:{'0' * 64}"
    page = web.put("/pod.yaml", POD)
    components = tmp_path / "components.toml"
    fields = "name = 'mine'\nversion = '1'\nimages = ['quay.io/a/b:1']"
    components.write_text(f"[[component]]\n{fields}\n[[component.artefact]]\nurl = '{page}'\n", encoding="utf-8")
    source = ["images", "--plain", "--components", str(components), "--cache", str(tmp_path / "cache")]
    assert main([*source, "--exact", "--image-registry", "m.example"]) == 0
    assert capsys.readouterr().out == f"{by_digest} m.example/a/b:1\n"
    assert main(source) == 0
    assert capsys.readouterr().out == "quay.io/a/b:1\n"


def test_every_command_has_help() -> None:
    commands = ["install", "status", "uninstall", "plan", "images", "lock", "bundle"]
    text = run("--help").stdout
    for command in commands:
        assert command in text
    for action in ("create", "check"):
        assert run("bundle", action, "--help").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        pytest.param(["plan", "--only", "kafkaa"], "'kafkaa': did you mean kafka", id="near component"),
        pytest.param(["plan", "--with", "istio"], "unknown component 'istio'", id="unknown optional"),
        pytest.param(["install", "--bundle", "/nowhere"], "expected a folder with a bundle.toml", id="no bundle"),
        pytest.param(["install", "--bundle", ".", "--locked"], "one of --locked, --bundle", id="contradiction"),
        pytest.param(["bundle", "create", "x", "--workload", "probe"], "expected NAME=REF", id="half a workload"),
        pytest.param(["instal"], "invalid choice", id="unknown command"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_3(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 3
    assert complaint in capsys.readouterr().err


def test_a_kubeconfig_that_is_not_there_is_exit_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    by_hand(tmp_path, MINE, {"manifests/one.yaml": PLACED})
    assert main(["install", "--bundle", str(tmp_path), "--kubeconfig", str(tmp_path / "none")]) == 2
    assert "kubeconfig" in capsys.readouterr().err


def test_a_bundle_goes_onto_a_cluster_stands_there_and_goes_again(
    cluster: Cluster, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = str(by_hand(tmp_path / "bundle", MINE, {"manifests/one.yaml": PLACED}))
    place = ["--kubeconfig", str(cluster.kubeconfig)]
    assert main(["status", "--bundle", bundle, *place]) == 1
    assert main(["install", "--bundle", bundle, *place]) == 0
    assert main(["status", "--bundle", bundle, *place]) == 0
    capsys.readouterr()
    assert main(["install", "--bundle", bundle, *place]) == 0
    assert "nothing had to be changed" in capsys.readouterr().out
    assert main(["uninstall", *place]) == 0
    assert main(["status", "--bundle", bundle, *place]) == 1


def test_a_bundle_is_made_checked_and_found_broken(
    web: Web, machine: Machine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    components = tmp_path / "components.toml"
    page = web.put("/one.yaml", PLACED)
    components.write_text(
        f"[[component]]\nname = 'mine'\nversion = '1'\n[[component.artefact]]\nurl = '{page}'\n", encoding="utf-8"
    )
    folder = tmp_path / "new"
    source = ["--components", str(components), "--cache", str(tmp_path / "cache")]
    made = ["bundle", "create", str(folder), *source, "--workload", "probe=touchstone/probe:1"]
    assert main(made) == 0
    assert "NOT LOCKED: 1 artefacts, 0 images" in capsys.readouterr().out
    assert main(["bundle", "check", str(folder)]) == 0
    assert main(["images", "--bundle", str(folder), "--plain"]) == 0
    (folder / "manifests/mine.yaml").write_text("changed", encoding="utf-8")
    assert main(["bundle", "check", str(folder)]) == 2
    assert "mine.yaml: expected sha256" in capsys.readouterr().err
    assert main(made) == 3


def test_a_lock_is_written_and_then_holds(web: Web, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    components = tmp_path / "components.toml"
    page = web.put("/one.yaml", PLACED)
    components.write_text(
        f"[[component]]\nname = 'mine'\nversion = '1'\n[[component.artefact]]\nurl = '{page}'\n", encoding="utf-8"
    )
    source = ["--components", str(components), "--cache", str(tmp_path / "cache")]
    assert main(["plan", *source]) == 0
    assert "NOT LOCKED: 1 artefacts" in capsys.readouterr().out
    assert main(["lock", *source]) == 0
    assert main(["plan", *source]) == 0
    assert "NOT LOCKED" not in capsys.readouterr().out.splitlines()[-1]
