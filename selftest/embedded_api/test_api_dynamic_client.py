"""The `kubernetes` Python client on the embedded API, through the DynamicClient that the suite uses."""

import importlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from embedded.api.resources import TRIGGER

if TYPE_CHECKING:
    from selftest.embedded_api.conftest import Api


def api_client(kubeconfig: Path) -> Any:
    config: Any = importlib.import_module("kubernetes.config")  # as Any: half of its functions have no types
    return config.new_client_from_config(str(kubeconfig))


@pytest.fixture
def client(kubeconfig: Path) -> Any:
    kubernetes = importlib.import_module("kubernetes.dynamic")
    return kubernetes.DynamicClient(api_client(kubeconfig))


@pytest.fixture
def triggers(client: Any) -> Any:
    return client.resources.get(api_version="eventing.knative.dev/v1", kind="Trigger")


def trigger(**spec: Any) -> dict[str, Any]:
    kind = {"apiVersion": "eventing.knative.dev/v1", "kind": "Trigger"}
    return {**kind, "metadata": {"name": "t", "namespace": "default"}, "spec": {"broker": "b", **spec}}


def test_kinds_are_discovered(client: Any) -> None:
    kinds = {(r.group_version, r.kind) for r in client.resources.search() if not r.kind.endswith("List")}
    assert {
        ("eventing.knative.dev/v1", "Broker"),
        ("v1", "Pod"),
        ("serving.kserve.io/v1beta1", "InferenceService"),
    } <= kinds
    assert client.resources.get(short_names=["isvc"]).kind == "InferenceService"


def test_objects_come_and_go(triggers: Any) -> None:
    from kubernetes.dynamic.exceptions import ConflictError, NotFoundError

    assert triggers.create(body=trigger(), namespace="default").metadata.generation == 1
    with pytest.raises(ConflictError):
        triggers.create(body=trigger(), namespace="default")
    patched = triggers.patch(
        body={"spec": {"broker": "c"}}, name="t", namespace="default", content_type="application/merge-patch+json"
    )
    assert patched.spec.broker == "c"
    assert [item.metadata.name for item in triggers.get(namespace="default").items] == ["t"]
    triggers.delete(name="t", namespace="default")
    with pytest.raises(NotFoundError) as gone:
        triggers.get(name="t", namespace="default")
    assert json.loads(gone.value.body or "")["reason"] == "NotFound"


def test_server_side_apply(triggers: Any) -> None:
    applied = triggers.server_side_apply(body=trigger(), namespace="default", field_manager="suite")
    assert applied.metadata.managedFields[0].manager == "suite"
    again = triggers.server_side_apply(body=trigger(), namespace="default", field_manager="suite", force_conflicts=True)
    assert again.metadata.resourceVersion == applied.metadata.resourceVersion


def test_a_watch_tells_of_changes(api: "Api", triggers: Any) -> None:
    seen = []
    triggers.create(body=trigger(), namespace="default")
    for event in triggers.watch(namespace="default", timeout=10):
        seen.append((event["type"], event["object"].metadata.name))
        if len(seen) == 1:
            api.do(api.store.patch_status, TRIGGER, "default", "t", {"subscriberUri": "http://x/"})
        elif len(seen) == 2:
            api.do(api.store.delete, TRIGGER, "default", "t")
        else:
            break
    assert seen == [("ADDED", "t"), ("MODIFIED", "t"), ("DELETED", "t")]


def test_typed_calls(kubeconfig: Path) -> None:
    kubernetes: Any = importlib.import_module("kubernetes.client")
    core = kubernetes.CoreV1Api(api_client(kubeconfig))
    body = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    assert core.create_namespaced_pod("default", body).status.phase == "Pending"
    assert core.read_namespaced_pod_log("p", "default", tail_lines=1) == "default/p/c line 2\n"
    assert core.delete_namespaced_pod("p", "default").metadata.name == "p"
    assert core.list_namespaced_pod("default").items == []
