"""A second token that has the rights of given roles only: the rest is refused, as a real server refuses it."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml

from embedded.api.rights import Action, Rights, RoleError
from fixtures.preflight import role
from selftest.embedded_api.conftest import Api

ROLES = """
kind: ClusterRole
metadata: {name: r}
rules:
  - {apiGroups: [""], resources: [configmaps], verbs: [create, get, patch]}
  - {apiGroups: [""], resources: [services, services/proxy], verbs: [patch]}
  - {apiGroups: [apps], resources: ["*"], verbs: [list]}
---
kind: Role
metadata: {name: r, namespace: here}
rules:
  - {apiGroups: [""], resources: [secrets], resourceNames: [mine], verbs: ["*"]}
"""
FORBIDDEN = (
    'secrets "other" is forbidden: User "system:serviceaccount:touchstone:touchstone" cannot get resource "secrets" '
    'in API group "" in the namespace "default"'
)


def rights() -> Rights:
    return Rights(yaml.safe_load_all(ROLES))


@pytest.mark.parametrize(
    ("action", "granted"),
    [
        (Action("create", "", "configmaps", "anywhere", None), True),
        (Action("delete", "", "configmaps", "anywhere", "x"), False),
        (Action("patch", "", "services/proxy", "anywhere", "x"), True),
        (Action("patch", "", "services/status", "anywhere", "x"), False),
        (Action("list", "apps", "deployments", None, None), True),
        (Action("list", "batch", "jobs", None, None), False),
        (Action("delete", "", "secrets", "here", "mine"), True),
        (Action("delete", "", "secrets", "here", "theirs"), False),
        (Action("delete", "", "secrets", "elsewhere", "mine"), False),
        (Action("list", "", "secrets", "here", None), False),
        (Action("watch", "", "secrets", "here", None), False),
    ],
    ids=lambda value: (
        f"{value.verb}-{value.resource}-{value.namespace}-{value.name}" if isinstance(value, Action) else None
    ),
)
def test_roles_grant_what_they_name(action: Action, granted: object) -> None:
    assert rights().grant(action) == granted


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    running = Api(rights=rights())
    yield running
    running.stop()


@pytest.fixture
def limited(api: Api) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {api.server.limited_token}"}
    with httpx.Client(base_url=api.url, verify=api.trust, headers=headers, timeout=10) as client:
        yield client


def configmap(name: str) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}


PLACE = "/api/v1/namespaces/default"


def test_what_is_granted_works_and_the_rest_is_refused(limited: httpx.Client) -> None:
    assert limited.post(f"{PLACE}/configmaps", json=configmap("a")).status_code == 201
    assert limited.get(f"{PLACE}/configmaps/a").status_code == 200
    assert limited.delete(f"{PLACE}/configmaps/a").status_code == 403
    refused = limited.get(f"{PLACE}/secrets/other")
    assert (refused.status_code, refused.json()["message"]) == (403, FORBIDDEN)
    assert limited.get("/api/v1").status_code == 200


def test_to_apply_what_is_not_there_is_to_create_it(limited: httpx.Client) -> None:
    headers = {"Content-Type": "application/apply-patch+yaml"}
    applied = limited.patch(f"{PLACE}/configmaps/b?fieldManager=me", json=configmap("b"), headers=headers)
    assert applied.status_code == 201
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}]}}
    refused = limited.patch(f"{PLACE}/services/s?fieldManager=me", json=service, headers=headers)
    assert refused.status_code == 403
    assert "cannot create resource" in refused.json()["message"]


@pytest.mark.parametrize(("verb", "allowed"), [("patch", True), ("delete", False)])
def test_a_review_says_what_the_roles_grant(limited: httpx.Client, api: Api, verb: str, allowed: object) -> None:
    asked = {"verb": verb, "group": "", "resource": "services", "subresource": "proxy", "namespace": "default"}
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": asked},
    }
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    assert limited.post(path, json=body).json()["status"]["allowed"] == allowed
    assert api.client.post(path, json=body).json()["status"]["allowed"] is True


def test_the_role_that_the_suite_prints_is_read() -> None:
    printed = Rights(yaml.safe_load_all(role.manifest(None)))
    assert printed.grant(Action("create", "eventing.knative.dev", "brokers", "any", None))
    assert not printed.grant(Action("list", "", "secrets", "any", None))


def test_a_file_without_roles_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RoleError, match="expected at least one Role or ClusterRole, got none"):
        Rights([{"kind": "ServiceAccount"}, None])
    command = [sys.executable, "-m", "embedded", "up", "--state", str(tmp_path / "s"), "--rights", str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert f"error: --rights {tmp_path}: " in ended.stderr
    assert "Traceback" not in ended.stderr
