"""The store's rules, in-process, as controllers meet them."""

import asyncio
from typing import Any

import pytest

from embedded.api.errors import ApiError, denied
from embedded.api.resources import BROKER, CONFIGMAP, INFERENCESERVICE, NAMESPACE, POD, SECRET, TRIGGER, Resource
from embedded.api.store import Store
from embedded.api.watching import REMEMBERED


def broker(name: str = "b", namespace: str = "default", **metadata: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": namespace, **metadata}, "spec": {"config": {"name": "c"}}}


def owned_by(owner: dict[str, Any], name: str) -> dict[str, Any]:
    reference = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": owner["metadata"]["name"]}
    metadata = {
        "name": name,
        "namespace": "default",
        "ownerReferences": [reference | {"uid": owner["metadata"]["uid"]}],
    }
    return {"metadata": metadata, "spec": {"containers": [{"name": "c", "image": "i"}]}}


@pytest.fixture
def store() -> Store:
    return Store()


def test_a_created_object_has_what_the_server_gives(store: Store) -> None:
    made = store.create(BROKER, broker() | {"status": {"conditions": []}})
    assert made["apiVersion"] == "eventing.knative.dev/v1"
    assert made["kind"] == "Broker"
    assert {"uid", "creationTimestamp", "resourceVersion", "generation"} <= made["metadata"].keys()
    assert "status" not in made, "the status of a new object is the controller's to write"


def test_what_comes_out_is_a_copy(store: Store) -> None:
    given = broker()
    store.create(BROKER, given)["spec"]["config"]["name"] = "changed"
    given["spec"]["config"]["name"] = "changed"
    store.list(BROKER)[0]["spec"]["config"]["name"] = "changed"
    assert store.get(BROKER, "default", "b")["spec"] == {"config": {"name": "c"}}


def test_generation_counts_changes_of_the_spec_only(store: Store) -> None:
    obj = store.create(BROKER, broker())
    obj["metadata"]["labels"] = {"a": "b"}
    obj = store.update(BROKER, obj)
    assert obj["metadata"]["generation"] == 1
    obj["spec"]["config"]["name"] = "d"
    obj = store.update(BROKER, obj)
    assert obj["metadata"]["generation"] == 2
    obj["status"] = {"observedGeneration": 2}
    assert store.update_status(BROKER, obj)["metadata"]["generation"] == 2


def test_update_leaves_the_status_and_update_status_leaves_the_rest(store: Store) -> None:
    obj = store.create(BROKER, broker())
    obj["status"], obj["spec"] = {"observedGeneration": 7}, {}
    assert "status" not in store.update(BROKER, obj)
    obj = store.get(BROKER, "default", "b")
    obj["status"], obj["spec"] = {"observedGeneration": 7}, {"config": {"name": "not taken"}}
    written = store.update_status(BROKER, obj)
    assert (written["status"], written["spec"]) == ({"observedGeneration": 7}, {})


def test_a_stale_write_is_a_conflict_and_one_without_a_version_is_not(store: Store) -> None:
    stale = store.create(BROKER, broker())
    store.patch_status(BROKER, "default", "b", {"observedGeneration": 1})
    with pytest.raises(ApiError, match="the object has been modified") as refused:
        store.update(BROKER, stale)
    assert (refused.value.code, refused.value.reason) == (409, "Conflict")
    del stale["metadata"]["resourceVersion"]
    store.update(BROKER, stale | {"spec": {}})


def test_a_write_that_changes_nothing_is_none(store: Store) -> None:
    obj = store.create(BROKER, broker())
    before = store.version
    store.update(BROKER, obj)
    for _ in range(2):
        store.patch_status(BROKER, "default", "b", {"observedGeneration": 1})
    assert store.version == before + 1


def test_patch_status_of_a_gone_object_is_none(store: Store) -> None:
    assert store.patch_status(BROKER, "default", "gone", {}) is None


def test_finalizers_hold_an_object_until_the_last_is_gone(store: Store) -> None:
    store.create(BROKER, broker(finalizers=["touchstone/a"]))
    going = store.delete(BROKER, "default", "b")
    assert going["metadata"]["deletionTimestamp"]
    with pytest.raises(ApiError, match="no new finalizers can be added"):
        store.update(BROKER, going | {"metadata": going["metadata"] | {"finalizers": ["touchstone/a", "touchstone/b"]}})
    going["metadata"]["finalizers"] = []
    store.update(BROKER, going)
    assert store.find(BROKER, "default", "b") is None


def test_an_owner_takes_along_what_it_alone_owns(store: Store) -> None:
    first, second = store.create(BROKER, broker("first")), store.create(BROKER, broker("second"))
    store.create(POD, owned_by(first, "one"))
    shared = owned_by(first, "both")
    shared["metadata"]["ownerReferences"] += owned_by(second, "x")["metadata"]["ownerReferences"]
    store.create(POD, shared)
    store.delete(BROKER, "default", "first")
    assert [pod["metadata"]["name"] for pod in store.list(POD)] == ["both"]
    store.delete(BROKER, "default", "second")
    assert store.list(POD) == []


def test_orphans_are_kept_on_request(store: Store) -> None:
    owner = store.create(BROKER, broker())
    store.create(POD, owned_by(owner, "p"))
    store.delete(BROKER, "default", "b", orphan=True)
    assert "ownerReferences" not in store.get(POD, "default", "p")["metadata"]


def test_an_object_whose_owner_is_already_gone_goes_too(store: Store) -> None:
    owner = store.create(BROKER, broker())
    store.delete(BROKER, "default", "b")
    store.create(POD, owned_by(owner, "late"))
    assert store.list(POD) == []


def test_a_namespace_takes_its_content_along(store: Store) -> None:
    store.create(NAMESPACE, {"metadata": {"name": "n"}})
    store.create(BROKER, broker(namespace="n"))
    store.create(BROKER, broker("held", namespace="n", finalizers=["touchstone/a"]))
    assert store.delete(NAMESPACE, None, "n")["status"]["phase"] == "Terminating"
    assert [b["metadata"]["name"] for b in store.list(BROKER, "n")] == ["held"]
    with pytest.raises(ApiError, match="because it is being terminated") as refused:
        store.create(BROKER, broker("new", namespace="n"))
    assert refused.value.code == 403
    held = store.get(BROKER, "n", "held")
    held["metadata"]["finalizers"] = None
    store.update(BROKER, held)
    assert store.find(NAMESPACE, None, "n") is None


def test_some_namespaces_stay(store: Store) -> None:
    with pytest.raises(ApiError, match="this namespace may not be deleted"):
        store.delete(NAMESPACE, None, "default")


@pytest.mark.parametrize(
    ("resource", "obj", "code", "said"),
    [
        pytest.param(BROKER, broker(namespace="absent"), 404, 'namespaces "absent" not found', id="no-namespace"),
        pytest.param(BROKER, broker("UPPER"), 422, "a lowercase RFC 1123 subdomain", id="bad-name"),
        pytest.param(NAMESPACE, {"metadata": {"name": "a.b"}}, 422, "a lowercase RFC 1123 label", id="bad-label-name"),
        pytest.param(BROKER, {"spec": {}}, 422, "name or generateName is required", id="no-name"),
        pytest.param(BROKER, broker(labels={"a b": "c"}), 422, "a qualified name", id="bad-label-key"),
        pytest.param(BROKER, broker(labels={"a": "c d"}), 422, "a valid label", id="bad-label-value"),
        pytest.param(BROKER, broker(labels={"a": 1}), 422, "must be of type string", id="label-type"),
        pytest.param(TRIGGER, broker() | {"spec": {"broker": 5}}, 422, 'of type string: "integer"', id="wrong-type"),
        pytest.param(TRIGGER, broker() | {"spec": {"broker": True}}, 422, 'of type string: "boolean"', id="boolean"),
        pytest.param(TRIGGER, broker() | {"spec": {"filters": {}}}, 422, 'of type array: "object"', id="no-array"),
        pytest.param(
            INFERENCESERVICE, broker() | {"spec": {}}, 422, "spec.predictor: Required value", id="missing-required"
        ),
        pytest.param(
            INFERENCESERVICE,
            broker() | {"spec": {"predictor": {"scaleMetric": "luck"}}},
            422,
            'Unsupported value: "luck": supported values: "cpu", "memory"',
            id="not-in-the-list",
        ),
        pytest.param(
            CONFIGMAP,
            broker() | {"data": {"a": 1}},
            400,
            'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct',
            id="core-kind-wrong-type",
        ),
    ],
)
def test_what_is_refused(store: Store, resource: Resource, obj: dict[str, Any], code: int, said: str) -> None:
    with pytest.raises(ApiError) as refused:
        store.create(resource, obj)
    assert refused.value.code == code
    assert said in refused.value.message


def test_all_faults_are_named_at_once(store: Store) -> None:
    wrong = {"predictor": {"minReplicas": "two", "containers": [{"image": "i"}]}}
    with pytest.raises(ApiError) as refused:
        store.create(INFERENCESERVICE, broker() | {"spec": wrong})
    fields = [cause["field"] for cause in (refused.value.details or {})["causes"]]
    assert fields == ["spec.predictor.minReplicas", "spec.predictor.containers[0].name"]


@pytest.mark.parametrize(
    ("resource", "spec", "kept"),
    [
        pytest.param(TRIGGER, {"brokerr": "x"}, {"brokerr": "x"}, id="a-trigger-keeps-unknown-fields"),
        pytest.param(TRIGGER, {"filter": {"typo": 1}}, {"filter": {}}, id="but-not-inside-known-ones"),
        pytest.param(BROKER, {"typo": 1}, {}, id="a-broker-does-not"),
        pytest.param(
            INFERENCESERVICE,
            {"predictor": {"typo": 1, "containers": [{"name": "c", "ports": [{"containerPort": 1}]}]}},
            {"predictor": {"containers": [{"name": "c", "ports": [{"containerPort": 1, "protocol": "TCP"}]}]}},
            id="pruned-and-with-defaults",
        ),
    ],
)
def test_pruning_and_defaults(store: Store, resource: Resource, spec: dict[str, Any], kept: dict[str, Any]) -> None:
    assert store.create(resource, broker() | {"spec": spec})["spec"] == kept


def test_a_secret_takes_plain_text(store: Store) -> None:
    made = store.create(SECRET, {"metadata": {"name": "s"}, "stringData": {"a": "b"}})
    assert (made["data"], made["type"]) == ({"a": "Yg=="}, "Opaque")
    assert "stringData" not in made


def test_generated_names_differ(store: Store) -> None:
    names = {store.create(CONFIGMAP, {"metadata": {"generateName": "x-"}})["metadata"]["name"] for _ in range(20)}
    assert len(names) == 20
    assert all(name.startswith("x-") for name in names)


def test_admission_refuses_and_completes(store: Store) -> None:
    def hook(operation: str, resource: Resource, new: dict[str, Any] | None, old: dict[str, Any] | None) -> None:
        if operation == "DELETE":
            raise denied("validation.webhook.eventing.knative.dev", "validation failed: stays", 403)
        if resource is BROKER and operation == "CREATE" and new is not None:
            new["metadata"].setdefault("annotations", {})["eventing.knative.dev/broker.class"] = "Kafka"

    store.admission.append(hook)
    assert store.create(BROKER, broker())["metadata"]["annotations"] == {"eventing.knative.dev/broker.class": "Kafka"}
    said = 'admission webhook "validation.webhook.eventing.knative.dev" denied the request: validation failed: stays'
    with pytest.raises(ApiError, match=said):
        store.delete(BROKER, "default", "b")
    assert store.find(BROKER, "default", "b") is not None


def test_lists_are_selected_by_labels_and_sorted(store: Store) -> None:
    for name, labels in (("c", {"x": "1", "y": "2"}), ("a", {"x": "1"}), ("b", {})):
        store.create(BROKER, broker(name, labels=labels))
    assert [b["metadata"]["name"] for b in store.list(BROKER)] == ["a", "b", "c"]
    assert [b["metadata"]["name"] for b in store.list(BROKER, labels={"x": "1"})] == ["a", "c"]
    assert store.list(BROKER, "kube-system") == []


def test_a_watch_sees_what_is_there_and_what_comes(store: Store) -> None:
    async def watch() -> list[tuple[str, str]]:
        store.create(BROKER, broker("early"))
        seen = []
        async with store.watch([BROKER, POD]) as changes:
            store.create(BROKER, broker("late"))
            store.create(CONFIGMAP, {"metadata": {"name": "not-watched"}})
            store.patch_status(BROKER, "default", "late", {"observedGeneration": 1})
            store.delete(BROKER, "default", "early")
            async for kind, resource, obj in changes:
                assert resource is BROKER
                seen.append((kind, obj["metadata"]["name"]))
                if len(seen) == 4:
                    break
        return seen

    assert asyncio.run(watch()) == [("ADDED", "early"), ("ADDED", "late"), ("MODIFIED", "late"), ("DELETED", "early")]


def test_a_watch_goes_on_from_a_version_that_is_remembered(store: Store) -> None:
    async def replay(since: int) -> list[str]:
        changes = store.watch([BROKER], since)
        changes.close()
        return [obj["metadata"]["name"] async for _, _, obj in changes]

    store.create(BROKER, broker("first"))
    since = store.version
    store.create(BROKER, broker("second"))
    assert asyncio.run(replay(since)) == ["second"]
    for number in range(REMEMBERED):
        store.patch_status(BROKER, "default", "first", {"observedGeneration": number + 1})
    with pytest.raises(ApiError, match="too old resource version") as refused:
        asyncio.run(replay(since))
    assert (refused.value.code, refused.value.reason) == (410, "Expired")
