"""Files that people apply by hand, applied by the real kubectl: nothing is overwritten that is somebody else's."""

import base64
import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from fixtures.kube.client import KubeClient
from fixtures.preflight import role
from fixtures.reading.files import ROOT
from selftest.embedded_api.conftest import Api

pytestmark = pytest.mark.skipif(shutil.which("kubectl") is None, reason="no kubectl on PATH")

KIND_OVERLAY = ROOT / "manifests" / "pipelines" / "async-mnist" / "overlays" / "kind"
VARIANTS = (None, "team-a", "team-b")
ADMINS = base64.b64encode(b"the administrator's key").decode()
Run = Callable[..., str]


@pytest.fixture
def run(environment: dict[str, str], api: Api) -> Run:
    """Run kubectl, and return its output."""
    for name in ("team-a", "team-b", "knative-eventing", "kserve", "seldon-system", "kube-public"):
        api.request("POST", "/api/v1/namespaces", {"metadata": {"name": name}})

    def kubectl(*arguments: str) -> str:
        done = subprocess.run(
            ["kubectl", *arguments], env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return kubectl


def identity(manifest: dict[str, Any]) -> tuple[str, str, str]:
    metadata = manifest["metadata"]
    return manifest["kind"], metadata.get("namespace", ""), metadata["name"]


def test_roles_of_teams_and_of_the_default_mode_stand_side_by_side(run: Run, tmp_path: Path) -> None:
    documents = {namespace: list(yaml.safe_load_all(role.manifest(namespace))) for namespace in VARIANTS}
    for namespace in VARIANTS:
        path = tmp_path / "role.yaml"
        path.write_text(role.manifest(namespace), encoding="utf-8")
        run("apply", "-f", str(path))
    for manifest in (one for namespace in VARIANTS for one in documents[namespace]):
        kind, place, name = identity(manifest)
        stands = json.loads(run("get", kind, name, *(["-n", place] if place else []), "-o", "json"))
        for field in ("rules", "roleRef", "subjects"):
            if field in manifest:
                assert stands[field] == manifest[field], identity(manifest)


@pytest.mark.parametrize("namespace", VARIANTS, ids=["default", "team-a", "team-b"])
def test_a_file_has_the_account_that_it_binds(namespace: str | None) -> None:
    documents = list(yaml.safe_load_all(role.manifest(namespace)))
    (account,) = (one["metadata"] for one in documents if one["kind"] == "ServiceAccount")
    bound = [subject for one in documents for subject in one.get("subjects", ())]
    assert bound
    assert {(one["name"], one["namespace"]) for one in bound} == {(account["name"], account["namespace"])}
    assert account["namespace"] == (namespace or "touchstone")


def test_the_kind_overlay_leaves_the_platforms_own_configuration_alone(run: Run, api: Api) -> None:
    where = "/api/v1/namespaces/knative-eventing/configmaps"
    own = {"metadata": {"name": "kafka-broker-config"}, "data": {"default.topic.replication.factor": "3"}}
    assert api.request("POST", where, own).status_code == 201
    before = api.request("GET", f"{where}/kafka-broker-config").json()
    run("apply", "-k", str(KIND_OVERLAY))
    assert api.request("GET", f"{where}/kafka-broker-config").json() == before
    run("delete", "-k", str(KIND_OVERLAY), "--wait=false", "--ignore-not-found")
    assert api.request("GET", f"{where}/kafka-broker-config").json() == before


def documented_commands() -> str:
    """Return the block of docs/clusters.md that makes a kubeconfig."""
    text = (ROOT / "docs" / "clusters.md").read_text(encoding="utf-8")
    (block,) = (one for one in re.findall(r"```shell\n(.*?)```", text, re.DOTALL) if "create token" in one)
    return str(block)


def test_the_documented_commands_make_a_kubeconfig_of_the_accounts_token(api: Api, tmp_path: Path) -> None:
    token = api.server.token
    admin = api.server.kubeconfig()
    admin["users"][0]["user"]["client-key-data"] = ADMINS
    (tmp_path / "admin").write_text(json.dumps(admin), encoding="utf-8")
    # The embedded API has no TokenRequest: this one command is answered in its place, all others are kubectl's own.
    programs = tmp_path / "bin"
    programs.mkdir()
    real = shlex.quote(str(shutil.which("kubectl")))
    answer = f'#!/bin/sh\ncase "$*" in\n*"create token touchstone"*) echo {token} ;;\n*) exec {real} "$@" ;;\nesac\n'
    (programs / "kubectl").write_text(answer, encoding="utf-8")
    (programs / "kubectl").chmod(0o755)
    environment = {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "KUBECONFIG": str(tmp_path / "admin"),
    }
    script = f"set -e\n{documented_commands()}"
    done = subprocess.run(
        ["sh", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    made = tmp_path / "touchstone.kubeconfig"
    assert ADMINS not in made.read_text(encoding="utf-8")
    assert made.stat().st_mode & 0o077 == 0, "others on this machine may read it"
    config = yaml.safe_load(made.read_text(encoding="utf-8"))
    assert [user["user"] for user in config["users"]] == [{"token": token}]
    listed = KubeClient(made).list("v1", "Namespace")
    assert "default" in [one["metadata"]["name"] for one in listed], "the API takes the token"
