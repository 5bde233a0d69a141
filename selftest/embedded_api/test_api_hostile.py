"""Bodies of any shape: they are taken or refused, and never a fault of ours; afterwards all can still be listed."""

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

from embedded.api import verbs
from embedded.api.errors import ApiError
from embedded.api.requests import APPLY, JSON, MERGE, STRATEGIC, Call, read_delete_options
from embedded.api.resources import (
    CONFIGMAP,
    DEPLOYMENT,
    EVENT,
    INFERENCESERVICE,
    NAMESPACE,
    POD,
    SECRET,
    SELDONDEPLOYMENT,
    SERVICE,
    TRIGGER,
    Resource,
)
from embedded.api.store import Store

NASTY: tuple[Any, ...] = (
    None,
    1,
    1.5,
    True,
    "",
    "a b",
    [],
    {},
    [None],
    [1],
    ["x"],
    [{}],
    [[]],
    {"a": None},
    {"a": {"b": []}},
)
HEAD = {
    "name": "n",
    "generateName": "n-",
    "labels": {"a": "b"},
    "annotations": {"kubectl.kubernetes.io/last-applied-configuration": '{"spec": {}}'},
    "finalizers": ["a/b"],
    "ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u"}],
    "managedFields": [{"manager": "m", "operation": "Update", "apiVersion": "v1", "fieldsV1": {"f:spec": {"f:a": {}}}}],
}
CONTAINERS = [{"name": "c", "image": "i", "env": [{"name": "A", "value": "1"}], "ports": [{"containerPort": 1}]}]
POD_STATUS = {"phase": "Running", "containerStatuses": [{"name": "c", "restartCount": 1, "state": {"waiting": {}}}]}
KINDS: list[tuple[Resource, dict[str, Any]]] = [
    (TRIGGER, {"spec": {"broker": "b", "filter": {"attributes": {"a": "b"}}, "subscriber": {"uri": "x"}}}),
    (INFERENCESERVICE, {"spec": {"predictor": {"minReplicas": 1, "containers": CONTAINERS}}, "status": {"url": "x"}}),
    (SELDONDEPLOYMENT, {"spec": {"predictors": [{"name": "p", "graph": {"name": "g"}}]}}),
    (POD, {"spec": {"containers": CONTAINERS}, "status": POD_STATUS}),
    (DEPLOYMENT, {"spec": {"selector": {"matchLabels": {"a": "b"}}, "template": {"spec": {"containers": CONTAINERS}}}}),
    (SERVICE, {"spec": {"ports": [{"port": 1, "targetPort": "x"}], "selector": {"a": "b"}}}),
    (CONFIGMAP, {"data": {"a": "b"}, "immutable": False}),
    (SECRET, {"stringData": {"a": "b"}, "type": "t"}),
    (EVENT, {"involvedObject": {"kind": "Pod", "name": "p"}, "source": {"component": "c"}, "count": 1}),
    (NAMESPACE, {"spec": {"finalizers": ["x"]}, "status": {"phase": "Active"}}),
]


def variants(value: Any) -> Iterator[Any]:
    """`value` with each part of it, in turn, replaced by each nasty value."""
    yield from NASTY
    if isinstance(value, dict):
        for name, below in value.items():
            yield from (value | {name: variant} for variant in variants(below))
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield from ([*value[:index], variant, *value[index + 1 :]] for variant in variants(below))


def write(store: Store, resource: Resource, body: bytes, media_type: str, subresource: str) -> list[dict[str, Any]]:
    """Make the request, and gives back the refusal if there is one."""
    refusals: list[dict[str, Any]] = []
    place = "default" if resource.namespaced else None
    query = {"fieldManager": "kubectl", "force": "true", "fieldValidation": "Ignore"}
    name = None if media_type == JSON else "n"
    call = Call(resource, place, name, subresource, "", query)
    try:
        (verbs.create if name is None else verbs.patch_)(store, call, body, media_type)
    except ApiError as refused:
        refusals.append(refused.status())
    return refusals


@pytest.mark.parametrize(
    ("resource", "obj"), KINDS, ids=lambda value: value.kind if isinstance(value, Resource) else ""
)
def test_no_body_makes_the_server_fail(resource: Resource, obj: dict[str, Any]) -> None:
    place = "default" if resource.namespaced else None
    store = Store()
    for media_type in (JSON, MERGE, STRATEGIC, APPLY):
        for number, variant in enumerate(variants({"metadata": HEAD, **obj})):
            if store.find(resource, place, "n") is None and media_type != JSON:
                store.create(resource, {"metadata": {"name": "n"}, **obj})
            body = json.dumps(variant).encode()
            subresource = "status" if resource.status and number % 2 else ""
            for status in write(store, resource, body, media_type, subresource):
                assert 400 <= status["code"] < 500 or "failed to create typed patch" in status["message"]
    verbs.list_(store, Call(resource, place, None, "", "", {}, "application/json;as=Table"))


def test_deletion_takes_odd_options() -> None:
    store = Store()
    for options in variants(
        {"propagationPolicy": "Orphan", "preconditions": {"uid": "u"}, "dryRun": ["All"], "gracePeriodSeconds": 1}
    ):
        if store.find(POD, "default", "n") is None:
            store.create(POD, {"metadata": {"name": "n"}, "spec": {"containers": CONTAINERS}})
        with contextlib.suppress(ApiError):
            verbs.delete(store, Call(POD, "default", "n", "", "", {}), json.dumps(options).encode(), JSON)


@pytest.mark.parametrize("grace", [0, 1, 30])
def test_a_deletion_has_its_grace_period(grace: int) -> None:
    store = Store()
    store.create(POD, {"metadata": {"name": "n", "finalizers": ["f"]}, "spec": {"containers": CONTAINERS}})
    verbs.delete(store, Call(POD, "default", "n", "", "", {"gracePeriodSeconds": str(grace)}), b"", JSON)
    assert store.get(POD, "default", "n")["metadata"]["deletionGracePeriodSeconds"] == grace


@pytest.mark.parametrize("grace", [-1, 2**31, 10**400, "soon", [1], {"a": 1}], ids=lambda value: str(value)[:10])
def test_a_deletion_without_a_grace_period_that_is_one_is_refused(grace: Any) -> None:
    with pytest.raises(ApiError) as refused:
        read_delete_options(Call(POD, "default", "n", "", "", {}), {"gracePeriodSeconds": grace})
    assert refused.value.code == 422
