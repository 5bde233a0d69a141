"""Kinds beyond the platform's own: those that are only stored, and those that a CustomResourceDefinition brings."""

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from embedded import cluster
from embedded.api.resources_stored import STORED
from selftest.embedded_api.conftest import Kubectl
from selftest.manifests.schemas import CRDS, NO_CRDS

if TYPE_CHECKING:
    from selftest.embedded_api.conftest import Api

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
LAMPS = "/apis/example.test/v1/namespaces/place/lamps"
DEFINITION: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "lamps.example.test"},
    "spec": {
        "group": "example.test",
        "names": {"kind": "Lamp", "plural": "lamps", "shortNames": ["lp"]},
        "scope": "Namespaced",
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "additionalPrinterColumns": [
                    {"name": "Watts", "type": "integer", "jsonPath": ".spec.watts"},
                    {"name": "Odd", "type": "string", "jsonPath": ".spec.list[0:2]"},
                ],
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "metadata": {"type": "object"},
                            "spec": {
                                "type": "object",
                                "required": ["watts"],
                                "properties": {
                                    "watts": {"type": "integer"},
                                    "colour": {"type": "string", "default": "red"},
                                },
                            },
                            "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                        },
                    }
                },
            }
        ],
    },
}
LAMP = {"apiVersion": "example.test/v1", "kind": "Lamp", "metadata": {"name": "l", "namespace": "place"}}
kubectl_needed = pytest.mark.skipif(shutil.which("kubectl") is None, reason="there is no kubectl on the PATH")


def changed(**version: Any) -> dict[str, Any]:
    """Return the definition, with its version changed."""
    copy: dict[str, Any] = json.loads(json.dumps(DEFINITION))
    copy["spec"]["versions"][0] |= version
    return copy


def lamp(**spec: Any) -> dict[str, Any]:
    return LAMP | {"spec": spec}


@kubectl_needed
def test_definition_brings_a_kind_and_takes_it_away(kubectl: Kubectl) -> None:
    assert kubectl("apply", "-f", "-", stdin=json.dumps(DEFINITION)) == (
        "customresourcedefinition.apiextensions.k8s.io/lamps.example.test created"
    )
    assert kubectl("wait", "--for=condition=Established", "crd/lamps.example.test").endswith("condition met")
    assert kubectl("apply", "-f", "-", stdin=json.dumps(lamp(watts=40))) == "lamp.example.test/l created"
    assert kubectl("get", "lp") == "NAME  WATTS\nl  40"
    assert "watts\t<integer> -required-" in kubectl("explain", "lamp.spec")
    assert kubectl("api-resources", "--api-group=example.test", "-o", "name") == "lamps.example.test"
    said = kubectl("apply", "-f", "-", stdin=json.dumps(lamp(watts="many")), fails=True)
    assert "spec.watts in body must be of type integer" in said
    kubectl("delete", "crd", "lamps.example.test")
    assert "could not find the requested resource" in kubectl("get", "lamps", fails=True)


def test_objects_are_judged_by_the_schema_that_is_in_force(api: "Api", place: str) -> None:
    assert api.request("POST", DEFINITIONS, DEFINITION).status_code == 201
    made = api.request("POST", LAMPS, lamp(watts=1, more=2)).json()
    assert made["spec"] == {"watts": 1, "colour": "red"}
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    found = api.request("GET", f"{DEFINITIONS}/lamps.example.test").json()
    found["spec"]["versions"][0]["schema"] = schema
    assert api.request("PUT", f"{DEFINITIONS}/lamps.example.test", found).status_code == 200
    loose = LAMP | {"metadata": {"name": "loose", "namespace": place}, "spec": {"anything": [1]}}
    assert api.request("POST", LAMPS, loose).json()["spec"] == {"anything": [1]}
    listed = api.request("GET", LAMPS).json()
    assert (listed["kind"], [item["metadata"]["name"] for item in listed["items"]]) == ("LampList", ["l", "loose"])


def test_objects_go_with_their_definition_and_with_their_namespace(api: "Api", place: str) -> None:
    for _ in range(2):
        assert api.request("POST", DEFINITIONS, DEFINITION).status_code == 201
        assert api.request("POST", LAMPS, lamp(watts=1)).status_code == 201
        assert api.request("DELETE", f"{DEFINITIONS}/lamps.example.test").status_code == 200
        assert api.request("GET", LAMPS).status_code == 404
    assert api.request("POST", DEFINITIONS, DEFINITION).status_code == 201
    assert api.request("GET", LAMPS).json()["items"] == []
    assert api.request("POST", LAMPS, lamp(watts=1)).status_code == 201
    assert api.request("DELETE", f"/api/v1/namespaces/{place}").status_code == 200
    assert api.request("GET", "/apis/example.test/v1/lamps").json()["items"] == []


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        (DEFINITION | {"metadata": {"name": "lamp"}}, 'must be spec.names.plural+"."+spec.group'),
        (changed(storage=False), "must have exactly one version marked as storage version"),
        (DEFINITION | {"spec": {"group": "example.test"}}, "spec.versions: Required value"),
    ],
)
def test_broken_definitions_are_refused(api: "Api", definition: dict[str, Any], message: str) -> None:
    refused = api.request("POST", DEFINITIONS, definition)
    assert refused.status_code == 422
    assert message in refused.json()["message"]


def test_platforms_own_kinds_have_definitions_that_stay(api: "Api") -> None:
    api.do(cluster.furnish, api.store, 1, 2, 3)
    found = {item["metadata"]["name"]: item for item in api.request("GET", DEFINITIONS).json()["items"]}
    assert set(found) == {
        "brokers.eventing.knative.dev",
        "inferenceservices.serving.kserve.io",
        "seldondeployments.machinelearning.seldon.io",
        "triggers.eventing.knative.dev",
    }
    conditions = {c["type"]: c["status"] for c in found["triggers.eventing.knative.dev"]["status"]["conditions"]}
    assert conditions == {"NamesAccepted": "True", "Established": "True"}
    refused = api.request("DELETE", f"{DEFINITIONS}/triggers.eventing.knative.dev")
    assert (refused.status_code, refused.json()["reason"]) == (403, "Forbidden")


@pytest.mark.skipif(not CRDS, reason=NO_CRDS)
@pytest.mark.parametrize("path", sorted(Path(CRDS or "/nowhere").rglob("*.yaml")), ids=lambda path: path.stem)
def test_real_definitions_are_served(api: "Api", path: Path) -> None:
    api.do(cluster.furnish, api.store, 1, 2, 3)
    for definition in yaml.load_all(path.read_bytes(), yaml.CSafeLoader):  # two megabytes
        name = definition["metadata"]["name"]
        options = "fieldManager=selftest&force=true&fieldValidation=Strict"
        applied = api.request(
            "PATCH", f"{DEFINITIONS}/{name}?{options}", definition, kind="application/apply-patch+yaml"
        )
        assert applied.status_code in (200, 201), applied.text
        spec = definition["spec"]
        stored = next(version["name"] for version in spec["versions"] if version["storage"])
        plural = spec["names"]["plural"]
        assert api.request("GET", f"/apis/{spec['group']}/{stored}/{plural}").json()["items"] == []
        assert api.request("GET", f"/openapi/v3/apis/{spec['group']}/{stored}").status_code == 200


@pytest.mark.parametrize(
    "obj",
    [
        DEFINITION,
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "lamps.example.test"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "r"},
        },
    ],
    ids=lambda obj: obj["kind"],
)
def test_applying_again_changes_nothing(api: "Api", obj: dict[str, Any]) -> None:
    path = f"/apis/{obj['apiVersion']}/{obj['kind'].lower()}s/lamps.example.test?fieldManager=selftest&force=true"
    first, second = (api.request("PATCH", path, obj, kind="application/apply-patch+yaml") for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 200), second.text
    assert first.json()["metadata"]["resourceVersion"] == second.json()["metadata"]["resourceVersion"]


@pytest.mark.parametrize("resource", STORED, ids=lambda resource: resource.kind)
def test_stored_kinds_are_listed_and_printed(api: "Api", resource: Any) -> None:
    api.do(cluster.furnish, api.store, 1, 2, 3)
    path = f"/api{'s/' + resource.group if resource.group else ''}/{resource.version}/{resource.plural}"
    assert api.request("GET", path).json()["kind"] == f"{resource.kind}List"
    rows = api.client.get(path, headers={"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}).json()
    assert [column["name"] for column in rows["columnDefinitions"]] == ["Name", "Age"]


def test_rights_are_granted_and_listed(api: "Api") -> None:
    reviews = "/apis/authorization.k8s.io/v1"
    asked = {"spec": {"resourceAttributes": {"verb": "delete", "resource": "pods", "namespace": "default"}}}
    granted = api.request("POST", f"{reviews}/selfsubjectaccessreviews", asked).json()
    assert granted["kind"] == "SelfSubjectAccessReview"
    assert granted["spec"] == asked["spec"]
    assert granted["status"]["allowed"]
    rules = api.request("POST", f"{reviews}/selfsubjectrulesreviews", {"spec": {"namespace": "default"}}).json()
    assert rules["status"]["resourceRules"] == [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]
    assert api.request("GET", f"{reviews}/selfsubjectaccessreviews").status_code == 405


@kubectl_needed
def test_kubectl_sees_rights_and_the_node(api: "Api", kubectl: Kubectl) -> None:
    api.do(cluster.furnish, api.store, 1, 2, 3)
    assert kubectl("auth", "can-i", "delete", "pods") == "yes"
    assert "*.*" in kubectl("auth", "can-i", "--list")
    assert kubectl("get", "nodes", "-o", "name") == "node/touchstone"
    assert kubectl("wait", "--for=condition=Ready", "node/touchstone") == "node/touchstone condition met"
    role: dict[str, Any] = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": "reader"},
    }
    role["rules"] = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]
    assert kubectl("apply", "-f", "-", stdin=json.dumps(role)) == "role.rbac.authorization.k8s.io/reader created"
