"""The HTTP face: what each request is answered, without kubectl and without a recording."""

import json
import re
import threading
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from selftest.embedded_api.conftest import Api

TRIGGERS = "/apis/eventing.knative.dev/v1/namespaces/default/triggers"
MERGE, STRATEGIC = "application/merge-patch+json", "application/strategic-merge-patch+json"
JSON_PATCH, APPLY = "application/json-patch+json", "application/apply-patch+yaml"


def trigger(name: str = "t", **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"broker": "b", **spec}}


def make(api: "Api", *names: str, **spec: Any) -> None:
    for name in names or ("t",):
        assert api.request("POST", TRIGGERS, trigger(name, **spec)).status_code == 201


@pytest.mark.parametrize(
    ("method", "path", "body", "kind", "code", "said"),
    [
        pytest.param("GET", "/nowhere", None, "", 404, "could not find the requested resource", id="no-such-path"),
        pytest.param("GET", "/apis/no.group/v1/things", None, "", 404, "could not find", id="no-such-group"),
        pytest.param("GET", f"{TRIGGERS}/t/scale", None, "", 404, "could not find", id="no-such-subresource"),
        pytest.param("POST", f"{TRIGGERS}/t", {}, "", 405, "does not allow this method", id="post-to-one"),
        pytest.param("PUT", TRIGGERS, {}, "", 405, "does not allow this method", id="put-to-all"),
        pytest.param("DELETE", f"{TRIGGERS}/t/status", None, "", 405, "does not allow", id="delete-a-status"),
        pytest.param("DELETE", "/api/v1/namespaces", None, "", 405, "does not allow", id="delete-all-namespaces"),
        pytest.param(
            "POST", "/apis/eventing.knative.dev/v1/triggers", {}, "", 405, "does not allow", id="create-nowhere"
        ),
        pytest.param("POST", TRIGGERS, b"{", "", 400, "error parsing the body", id="broken-json"),
        pytest.param("POST", TRIGGERS, b"[1]", "", 400, "no object with metadata", id="no-object"),
        pytest.param("POST", TRIGGERS, b"k8s\x00", "application/cbor", 415, "unknown format", id="media-type"),
        pytest.param("POST", TRIGGERS, {"kind": "Broker"}, "", 400, "the kind in the data is Broker", id="other-kind"),
        pytest.param(
            "POST", TRIGGERS, {"apiVersion": "x/v9"}, "", 400, "does not match the expected API version", id="other-api"
        ),
        pytest.param(
            "POST",
            TRIGGERS,
            {"metadata": {"namespace": "x"}},
            "",
            400,
            "namespace of the provided",
            id="other-namespace",
        ),
        pytest.param(
            "PUT",
            f"{TRIGGERS}/t",
            {"metadata": {"name": "x"}},
            "",
            400,
            "does not match the name on the URL",
            id="name",
        ),
        pytest.param("PUT", f"{TRIGGERS}/t", trigger("t"), "", 404, '"t" not found', id="put-of-nothing"),
        pytest.param("PATCH", f"{TRIGGERS}/t", {}, MERGE, 404, '"t" not found', id="patch-of-nothing"),
        pytest.param("PATCH", f"{TRIGGERS}/t", {}, STRATEGIC, 415, "unknown format", id="strategic-of-custom-kind"),
        pytest.param(
            "PATCH", f"{TRIGGERS}/t", {}, APPLY, 422, "fieldManager: Required value", id="apply-without-manager"
        ),
        pytest.param("GET", f"{TRIGGERS}?labelSelector=a%20b", None, "", 400, "unable to parse", id="label-selector"),
        pytest.param("GET", f"{TRIGGERS}?fieldSelector=spec.x=1", None, "", 400, "not supported", id="field-selector"),
        pytest.param("GET", f"{TRIGGERS}?watch=1&resourceVersion=x", None, "", 400, "no number", id="watch-version"),
        pytest.param("POST", f"{TRIGGERS}?dryRun=Some", {}, "", 422, "Unsupported value", id="dry-run"),
        pytest.param("POST", f"{TRIGGERS}?fieldValidation=x", {}, "", 422, "Unsupported value", id="field-validation"),
        pytest.param("POST", TRIGGERS, b"[" * 3_000_000, "", 400, "error parsing the body", id="too-deep"),
        pytest.param("POST", TRIGGERS, b" " * 3_200_000, "", 413, "Request entity too large", id="too-large"),
    ],
)
def test_what_is_refused_is_a_status(  # noqa: PLR0917 - a table
    api: "Api", method: str, path: str, body: Any, kind: str, code: int, said: str
) -> None:
    answer = api.request(method, path, body, kind or "application/json")
    status = answer.json()
    assert (answer.status_code, status["kind"], status["code"]) == (code, "Status", code)
    assert said in status["message"]


@pytest.mark.parametrize(
    ("kind", "change", "attributes"),
    [
        pytest.param(
            MERGE, {"spec": {"filter": {"attributes": {"a": None, "c": "3"}}}}, {"b": "2", "c": "3"}, id="merge"
        ),
        pytest.param(JSON_PATCH, [{"op": "remove", "path": "/spec/filter/attributes/a"}], {"b": "2"}, id="json-patch"),
    ],
)
def test_patches(api: "Api", kind: str, change: Any, attributes: dict[str, str]) -> None:
    make(api, filter={"attributes": {"a": "1", "b": "2"}})
    answer = api.request("PATCH", f"{TRIGGERS}/t", change, kind)
    assert answer.json()["spec"]["filter"]["attributes"] == attributes
    assert answer.json()["metadata"]["generation"] == 2


def test_a_json_patch_that_does_not_fit_is_unprocessable(api: "Api") -> None:
    make(api)
    answer = api.request("PATCH", f"{TRIGGERS}/t", [{"op": "remove", "path": "/spec/nothing"}], JSON_PATCH)
    assert (answer.status_code, answer.json()["reason"]) == (422, "Invalid")


def test_a_strategic_patch_merges_lists_by_their_key(api: "Api") -> None:
    pods = "/api/v1/namespaces/default/pods"
    containers = [{"name": "a", "image": "1", "env": [{"name": "X", "value": "1"}]}, {"name": "b", "image": "1"}]
    api.request("POST", pods, {"metadata": {"name": "p"}, "spec": {"containers": containers}})
    change = {
        "spec": {
            "$setElementOrder/containers": [{"name": "c"}, {"name": "a"}],
            "containers": [
                {"name": "a", "env": [{"name": "Y", "value": "2"}]},
                {"name": "b", "$patch": "delete"},
                {"name": "c", "image": "3"},
            ],
        }
    }
    spec = api.request("PATCH", f"{pods}/p", change, STRATEGIC).json()["spec"]
    env = [{"name": "X", "value": "1"}, {"name": "Y", "value": "2"}]
    assert spec["containers"] == [{"name": "c", "image": "3"}, {"name": "a", "image": "1", "env": env}]


def test_two_managers_of_one_field_conflict(api: "Api") -> None:
    def apply(manager: str, wanted: dict[str, Any], more: str = "") -> httpx.Response:
        return api.request("PATCH", f"{TRIGGERS}/t?fieldManager={manager}{more}", wanted, APPLY)

    assert apply("one", trigger()).status_code == 201
    assert apply("two", trigger()).status_code == 200, "the same value is no conflict"
    refused = apply("one", trigger(broker="c"))
    assert refused.status_code == 409
    assert refused.json()["message"] == 'Apply failed with 1 conflict: conflict with "two": .spec.broker'
    assert refused.json()["details"]["causes"][0]["field"] == ".spec.broker"
    assert apply("one", trigger(broker="c"), "&force=true").json()["spec"] == {"broker": "c"}
    owners = {e["manager"]: e["fieldsV1"] for e in apply("two", {"spec": {}}).json()["metadata"]["managedFields"]}
    assert owners == {"one": {"f:spec": {"f:broker": {}}}, "two": {"f:spec": {}}}


def test_what_an_applier_no_longer_wants_goes(api: "Api") -> None:
    path = f"{TRIGGERS}/t?fieldManager=one"
    api.request("PATCH", path, trigger(filter={"attributes": {"a": "1"}}), APPLY)
    api.request("PATCH", f"{TRIGGERS}/t", {"spec": {"subscriber": {"uri": "http://x"}}}, MERGE)
    assert api.request("PATCH", path, trigger(), APPLY).json()["spec"] == {
        "broker": "b",
        "subscriber": {"uri": "http://x"},
    }


def test_apply_takes_yaml_but_no_aliases(api: "Api") -> None:
    path = f"{TRIGGERS}/t?fieldManager=one"
    assert api.request("PATCH", path, b"spec:\n  broker: b\n", APPLY).status_code == 201
    refused = api.request("PATCH", path, b"spec: &a\n  broker: b\nother: *a\n", APPLY)
    assert (refused.status_code, "aliases" in refused.text) == (400, True)


@pytest.mark.parametrize(
    ("validation", "code", "warned"),
    [("Strict", 400, False), ("Warn", 201, True), ("Ignore", 201, False)],
)
def test_unknown_fields(api: "Api", validation: str, code: int, warned: bool) -> None:  # noqa: FBT001 - a table
    path = f"/apis/eventing.knative.dev/v1/namespaces/default/brokers?fieldValidation={validation}"
    answer = api.request("POST", path, {"metadata": {"name": "b"}, "spec": {"typo": 1}})
    assert answer.status_code == code
    assert ('unknown field \\"spec.typo\\"' in answer.headers.get("Warning", "")) is warned
    if code == 400:
        assert 'strict decoding error: unknown field "spec.typo"' in answer.json()["message"]


def test_a_dry_run_leaves_nothing(api: "Api") -> None:
    assert api.request("POST", f"{TRIGGERS}?dryRun=All", trigger()).status_code == 201
    assert api.request("GET", f"{TRIGGERS}/t").status_code == 404
    make(api)
    api.request("PATCH", f"{TRIGGERS}/t?dryRun=All", {"spec": {"broker": "c"}}, MERGE)
    api.request("DELETE", f"{TRIGGERS}/t?dryRun=All")
    assert api.request("GET", f"{TRIGGERS}/t").json()["spec"] == {"broker": "b"}


def test_status_and_the_rest_are_written_apart(api: "Api") -> None:
    make(api)
    both = {"spec": {"broker": "c"}, "status": {"subscriberUri": "http://x"}}
    status = api.request("PATCH", f"{TRIGGERS}/t/status", both, MERGE).json()
    assert (status["spec"], status["status"]) == ({"broker": "b"}, {"subscriberUri": "http://x"})
    whole = api.request("PATCH", f"{TRIGGERS}/t", both | {"status": {"subscriberUri": "http://y"}}, MERGE).json()
    assert (whole["spec"], whole["status"]) == ({"broker": "c"}, {"subscriberUri": "http://x"})


def test_a_precondition_must_hold(api: "Api") -> None:
    make(api)
    refused = api.request("DELETE", f"{TRIGGERS}/t", {"preconditions": {"uid": "another"}})
    assert (refused.status_code, refused.json()["reason"]) == (409, "Conflict")


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("labelSelector=a=1", ["x", "y"]),
        ("labelSelector=a%3D1,b", ["y"]),
        ("labelSelector=!b", ["x", "z"]),
        ("labelSelector=a!=1", ["z"]),
        ("labelSelector=b in (1, 2)", ["y"]),
        ("labelSelector=b notin (2)", ["x", "z"]),
        ("fieldSelector=metadata.name=x", ["x"]),
        ("fieldSelector=metadata.name!=x,metadata.namespace==default", ["y", "z"]),
        ("labelSelector=a=1&fieldSelector=metadata.name=z", []),
    ],
)
def test_selectors(api: "Api", selector: str, names: list[str]) -> None:
    for name, labels in (("x", {"a": "1"}), ("y", {"a": "1", "b": "2"}), ("z", {})):
        body = trigger(name)
        body["metadata"]["labels"] = labels
        api.request("POST", TRIGGERS, body)
    listed = api.client.get(f"{TRIGGERS}?{selector}").json()
    assert [item["metadata"]["name"] for item in listed["items"]] == names
    assert listed["metadata"]["resourceVersion"] == str(api.store.version)


def test_a_collection_is_deleted(api: "Api") -> None:
    make(api, "x", "y")
    gone = api.request("DELETE", TRIGGERS).json()
    assert [item["metadata"]["name"] for item in gone["items"]] == ["x", "y"]
    assert api.request("GET", TRIGGERS).json()["items"] == []


def watch(api: "Api", query: str, act: Any = None, accept: str = "application/json") -> list[dict[str, Any]]:
    """Return the events of a watch until the server ends it."""
    events = []
    with api.client.stream("GET", f"{TRIGGERS}?watch=true&{query}", headers={"Accept": accept}) as answer:
        assert answer.status_code == 200
        for line in answer.iter_lines():
            events.append(json.loads(line))
            if act:
                act()
                act = None
    return events


def told(events: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(event["type"], event["object"]["metadata"].get("name", "")) for event in events]


def test_a_watch_ends_in_time_and_tells_all(api: "Api") -> None:
    make(api, "x")
    assert told(watch(api, "timeoutSeconds=1", lambda: make(api, "y"))) == [("ADDED", "x"), ("ADDED", "y")]


def test_a_watch_with_a_selector_tells_of_coming_and_going(api: "Api") -> None:
    make(api, "x")
    since = api.store.version
    for labels in ({"a": "1"}, {"a": "1", "b": "1"}, {"a": None}):
        api.request("PATCH", f"{TRIGGERS}/x", {"metadata": {"labels": labels}}, MERGE)
    api.request("DELETE", f"{TRIGGERS}/x")
    events = watch(api, f"timeoutSeconds=1&labelSelector=a&resourceVersion={since}")
    assert told(events) == [("ADDED", "x"), ("MODIFIED", "x"), ("DELETED", "x")]


def test_a_watch_can_start_with_a_list(api: "Api") -> None:
    make(api, "x")
    events = watch(api, "timeoutSeconds=1&sendInitialEvents=true&allowWatchBookmarks=true")
    assert told(events) == [("ADDED", "x"), ("BOOKMARK", "")]
    assert events[1]["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


def test_a_watch_from_the_forgotten_past_is_an_error_event(api: "Api") -> None:
    from embedded.api.watching import REMEMBERED

    def write() -> None:
        for number in range(REMEMBERED + 5):
            api.store.patch_status(api_trigger(), "default", "x", {"observedGeneration": number})

    make(api, "x")
    api.do(write)
    (event,) = watch(api, "resourceVersion=1")
    assert (event["type"], event["object"]["code"], event["object"]["reason"]) == ("ERROR", 410, "Expired")


def api_trigger() -> Any:
    from embedded.api.resources import TRIGGER

    return TRIGGER


def test_stop_ends_a_watch() -> None:
    from selftest.embedded_api.conftest import Api

    api = Api()
    with api.connect() as client, client.stream("GET", "/api/v1/pods?watch=1") as answer:
        assert answer.status_code == 200
        stopping = threading.Thread(target=api.stop)
        stopping.start()
        with pytest.raises(httpx.RemoteProtocolError):
            list(answer.iter_lines())
        stopping.join(10)


def test_rows_for_kubectl(api: "Api") -> None:
    make(api)
    accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
    table = api.client.get(f"{TRIGGERS}?includeObject=None", headers={"Accept": accept}).json()
    assert [column["name"] for column in table["columnDefinitions"]] == [
        *("Name", "Broker", "Subscriber_URI", "Age", "Ready", "Reason")
    ]
    age = table["rows"][0]["cells"][3]
    assert re.fullmatch(r"\d+s", age)
    assert table["rows"] == [{"cells": ["t", "b", None, age, None, None]}]
    first, second = watch(api, "timeoutSeconds=1", lambda: make(api, "u"), accept)
    assert first["object"]["columnDefinitions"]
    assert second["object"]["columnDefinitions"] is None
    assert second["object"]["rows"][0]["object"]["metadata"]["name"] == "u"


LOG = "/api/v1/namespaces/default/pods/p/log"


@pytest.mark.parametrize(
    ("query", "code", "text"),
    [
        ("container=a", 200, "default/p/a line 0\ndefault/p/a line 1\ndefault/p/a line 2\n"),
        ("container=a&tailLines=1", 200, "default/p/a line 2\n"),
        ("container=a&limitBytes=20", 200, "default/p/a line 0\nd"),
        ("container=a&sinceTime=yesterday", 400, "invalid sinceTime"),
        ("container=b&tailLines=1&follow=true", 200, "default/p/b line 2\nfollowed\n"),
        ("", 400, "a container name must be specified for pod p, choose one of: [a b]"),
        ("container=c", 400, "container c is not valid for pod p"),
        ("container=a&previous=true", 400, 'previous terminated container \\"a\\" in pod \\"p\\" not found'),
    ],
)
def test_logs(api: "Api", query: str, code: int, text: str) -> None:
    spec = {"containers": [{"name": "a", "image": "i"}, {"name": "b", "image": "i"}]}
    api.request("POST", "/api/v1/namespaces/default/pods", {"metadata": {"name": "p"}, "spec": spec})
    answer = api.client.get(f"{LOG}?{query}")
    assert answer.status_code == code
    assert answer.text == text if code == 200 else text in answer.text


def test_events_are_found_by_what_they_are_about(api: "Api") -> None:
    events = "/api/v1/namespaces/default/events"
    for name in ("a", "b"):
        about = {"kind": "Pod", "name": name, "namespace": "default"}
        event = {"metadata": {"name": f"{name}.1"}, "involvedObject": about, "reason": "Started", "type": "Normal"}
        assert api.request("POST", events, event).status_code == 201
    for selector in ("involvedObject.name=b", "involvedObject.kind=Pod,involvedObject.name!=a", "metadata.name=b.1"):
        found = api.client.get(events, params={"fieldSelector": selector, "limit": 1}).json()["items"]
        assert [item["metadata"]["name"] for item in found] == ["b.1"]


def test_secret_that_is_no_base64_is_refused(api: "Api") -> None:
    secret = {"metadata": {"name": "s"}, "data": {"a": "?"}}
    refused = api.request("POST", "/api/v1/namespaces/default/secrets", secret)
    assert (refused.status_code, refused.json()["reason"]) == (400, "BadRequest")
    assert "illegal base64 data" in refused.json()["message"]


def test_logs_of_no_pod(api: "Api") -> None:
    assert api.client.get(LOG).json()["message"] == 'pods "p" not found'
