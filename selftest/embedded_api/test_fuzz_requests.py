"""Whatever a client sends to the embedded API, it is taken or refused: nothing crashes it, or keeps it for long."""

import contextlib
import json
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedded.api import protobuf, verbs
from embedded.api.errors import ApiError
from embedded.api.requests import APPLY, JSON, JSON_PATCH, MERGE, STRATEGIC, YAML, Call, read_body
from embedded.api.resources import CONFIGMAP, POD, TRIGGER
from embedded.api.selectors import selector
from embedded.api.store import Store
from selftest.fuzzing import SETTINGS, in_a_child, mutated, restructured

if TYPE_CHECKING:
    from selftest.embedded_api.conftest import Api

TRIGGERS = "/apis/eventing.knative.dev/v1/namespaces/default/triggers"
CONFIG: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "n", "labels": {"a": "b"}, "annotations": {"a/b": "c"}, "finalizers": ["a/b"]},
    "data": {"k": "v"},
}
OF_TRIGGER = {"metadata": {"name": "n"}, "spec": {"broker": "b", "filter": {"attributes": {"a": "b"}}}}
OPERATIONS = [
    {"op": "add", "path": "/data/x", "value": "y"},
    {"op": "copy", "from": "/data", "path": "/data/z"},
    {"op": "move", "from": "/data/k", "path": "/data/l"},
    {"op": "test", "path": "/data/x", "value": "y"},
    {"op": "remove", "path": "/data/x"},
]
AS_YAML = b"""apiVersion: v1
kind: ConfigMap
metadata:
  name: n
  labels: {a: b, c: "1"}
data:
  k: |
    text
  "l": >-
    folded
"""


def _field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2, len(content)]) + content


TYPE = _field(1, _field(1, b"v1") + _field(2, b"ConfigMap"))
AS_PROTOBUF = (
    protobuf.MAGIC + TYPE + _field(2, _field(1, _field(1, b"n")) + _field(2, _field(1, b"k") + _field(2, b"v")))
)


def ask(store: Store, media_type: str, body: bytes, query: dict[str, str] | None = None, kind: Any = CONFIGMAP) -> int:
    """Make a request of the kind that the body is for; returns the status."""
    created = media_type in (JSON, YAML, protobuf.MEDIA_TYPE)
    options = {"fieldManager": "f", "force": "true"} | (query or {})
    call = Call(kind, "default", None if created else "n", "", "", options)
    try:
        return (verbs.create if created else verbs.patch_)(store, call, body, media_type).code
    except ApiError as refused:
        json.dumps(refused.status())
        return refused.code


def fresh(kind: Any = CONFIGMAP, obj: dict[str, Any] | None = None) -> Store:
    store = Store()
    store.create(kind, json.loads(json.dumps(obj or {**CONFIG, "metadata": {"name": "n"}})))
    return store


def readable(store: Store, kind: Any = CONFIGMAP) -> bool:
    """Tell whether all that is stored can still be listed, as objects and as rows."""
    listed = verbs.list_(store, Call(kind, None, None, "", "", {})).body
    verbs.list_(store, Call(kind, None, None, "", "", {}, "application/json;as=Table"))
    return bool(json.loads(listed))


@SETTINGS
@given(media_type=st.sampled_from((YAML, APPLY)), body=mutated(AS_YAML))
def test_changed_yaml_is_taken_or_refused(media_type: str, body: bytes) -> None:
    store = fresh(obj={"metadata": {"name": "other"}})
    assert ask(store, media_type, body) < 500 or media_type == APPLY
    assert readable(store)


@SETTINGS
@given(media_type=st.sampled_from((JSON, MERGE, STRATEGIC, APPLY)), body=restructured(CONFIG))
def test_a_changed_object_is_taken_or_refused(media_type: str, body: Any) -> None:
    store = fresh(obj={"metadata": {"name": "other"}} if media_type == JSON else None)
    assert ask(store, media_type, json.dumps(body).encode()) < 500 or media_type == APPLY
    assert readable(store)


@SETTINGS
@given(body=restructured(OPERATIONS))
def test_a_changed_json_patch_is_taken_or_refused(body: Any) -> None:
    store = fresh(TRIGGER, OF_TRIGGER)
    assert ask(store, JSON_PATCH, json.dumps(body).encode(), kind=TRIGGER) < 500
    assert readable(store, TRIGGER)


@SETTINGS
@given(body=mutated(AS_PROTOBUF))
def test_changed_protobuf_is_taken_or_refused(body: bytes) -> None:
    store = fresh(obj={"metadata": {"name": "other"}})
    assert ask(store, protobuf.MEDIA_TYPE, body) < 500
    assert readable(store)


def test_the_good_inputs_are_good() -> None:
    for media_type, body in ((YAML, AS_YAML), (protobuf.MEDIA_TYPE, AS_PROTOBUF), (JSON, json.dumps(CONFIG).encode())):
        assert ask(fresh(obj={"metadata": {"name": "other"}}), media_type, body) == 201, media_type


@SETTINGS
@given(
    labels=mutated(b"a=b,c!=d,e in (f, g),!h"),
    fields=mutated(b"metadata.name=n,status.phase!=Running"),
)
def test_changed_selectors_choose_or_are_refused(labels: bytes, fields: bytes) -> None:
    obj = {"metadata": {"name": "n", "labels": {"a": "b"}}, "status": {"phase": "Running"}}
    with contextlib.suppress(ApiError):
        chosen = selector(POD, labels.decode("utf-8", "replace"), fields.decode("utf-8", "replace"))
        assert chosen is None or chosen(obj) in (True, False)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param(b"[" * 30_000, "yaml: line 1: nested too deeply: at most 100 levels are taken", id="brackets"),
        pytest.param(b"- " * 30_000, "yaml: line 1: nested too deeply", id="dashes"),
        pytest.param(b'{"a":' * 2_000 + b"1" + b"}" * 2_000, "nested too deeply", id="deep JSON"),
        pytest.param(b'{"a":' * 200 + b"1" + b"}" * 200, "the object is nested too deeply", id="JSON of 200 levels"),
        pytest.param(b"[" + b"a," * 500_000 + b"]", "too large: at most 200000 parts are taken", id="many"),
        pytest.param(b"a: " + b"9" * 5000, 'line 1: "9999', id="huge integer"),
        pytest.param(b"a: 0x" + b"f" * 500_000, "is no number of 64 bits", id="huge in hex"),
        pytest.param(b"a: 18446744073709551616", "is no number of 64 bits", id="65 bits"),
        pytest.param(b"a: .inf", "is no number of 64 bits", id="infinite"),
        pytest.param(b"a: !!int ''", '"" is no number', id="empty integer"),
        pytest.param(b"a: !!bool maybe", '"maybe" is no boolean', id="no boolean"),
        pytest.param(b"a: !!binary eA==", "could not determine a constructor", id="bytes"),
        pytest.param(b"a: !!timestamp x", "could not determine a constructor", id="timestamp"),
        pytest.param(b"a: 1\nb: 2\na: 3", 'yaml: line 3: key "a" already set in map', id="twice"),
        pytest.param(b"1: a\n'1': b", 'yaml: line 2: key "1" already set in map', id="twice as texts"),
        pytest.param(b"? [1]\n: 2", "a key must be a text, not list", id="unhashable"),
        pytest.param(b"a: &a [*a]", "aliases are not taken", id="alias"),
        pytest.param(b"a: \x00", "yaml: ", id="NUL"),
        pytest.param(b"\xff\xff", "yaml: ", id="bytes that are no text"),
        pytest.param(b"--- 1\n--- 2", "but found another document", id="two documents"),
    ],
)
def test_hostile_yaml_is_refused_soon(body: bytes, said: str) -> None:
    begun = time.monotonic()
    with pytest.raises(ApiError) as refused:
        read_body(body, APPLY, (APPLY,))
    assert said in refused.value.message
    assert refused.value.code == 400
    assert len(refused.value.message) < 500
    assert time.monotonic() - begun < 15


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("2020-99-99", "2020-99-99", id="date"),
        pytest.param("1:" * 100_000 + "1", "1:" * 100_000 + "1", id="base sixty"),
        pytest.param("{1: a, true: b, =: c}", {"1": "a", "true": "b", "=": "c"}, id="keys"),
        pytest.param("[017, 0x1F, 18446744073709551615, yes, ~]", [15, 31, 2**64 - 1, True, None], id="scalars"),
    ],
)
def test_yaml_is_read_as_the_real_api_does(text: str, value: object) -> None:
    assert read_body(text.encode(), YAML, (YAML,)) == value


@pytest.mark.parametrize(
    ("operations", "code"),
    [
        pytest.param(
            [{"op": "copy", "from": "/spec", "path": f"/spec/{n}"} for n in range(60)], 413, id="doubling copies"
        ),
        pytest.param([{"op": "add", "path": "/metadata/finalizers/" + "9" * 5000, "value": 1}], 422, id="huge index"),
        pytest.param([{"op": "add", "path": 5, "value": 1}], 422, id="path is a number"),
        pytest.param([5], 422, id="operation is a number"),
        pytest.param([{"op": "copy", "path": "/a"}], 422, id="copy from nowhere"),
        pytest.param([{"op": "move", "from": "/spec", "path": "/spec/a"}], 422, id="into itself"),
    ],
)
def test_a_hostile_json_patch_is_refused_soon(operations: list[Any], code: int) -> None:
    store = fresh(TRIGGER, {"metadata": {"name": "n", "finalizers": ["a/b"]}, "spec": {"broker": "b" * 1000}})
    begun = time.monotonic()
    assert ask(store, JSON_PATCH, json.dumps(operations).encode(), kind=TRIGGER) == code
    assert time.monotonic() - begun < 15


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"\x80" * 1_000_000, id="endless number"),
        pytest.param(b"\x0a\x05\x0a\x03abc\x12\xff\xff\x7f", id="longer than it is"),
        pytest.param(b"\x08\x01", id="type is a number"),
        pytest.param(TYPE + b"\x10\x05", id="raw is a number"),
        pytest.param(TYPE + b"\x12\x04\x0a\x02\x08\x01", id="name is a number"),
    ],
)
def test_hostile_protobuf_is_refused_soon(body: bytes) -> None:
    begun = time.monotonic()
    with pytest.raises(ApiError) as refused:
        read_body(protobuf.MAGIC + body, protobuf.MEDIA_TYPE, (protobuf.MEDIA_TYPE,))
    assert refused.value.code == 400
    assert time.monotonic() - begun < 10


QUERIES = (
    *("labelSelector", "fieldSelector", "fieldManager", "fieldValidation", "dryRun", "limit", "continue", "force"),
    *("resourceVersion", "propagationPolicy", "includeObject"),
)
VALUES = ("", "-1", "9" * 400, "\x00\u202e", "a=b,(", "in (", "All,All", "a\nb")


def test_no_query_option_makes_the_server_fail(api: "Api") -> None:
    body = json.dumps(OF_TRIGGER).encode()
    assert api.request("POST", TRIGGERS, body).status_code == 201
    for name in QUERIES:
        for value in VALUES:
            option = f"{quote(name)}={quote(value)}"
            answers = [
                api.request("GET", f"{TRIGGERS}?{option}"),
                api.request("POST", f"{TRIGGERS}?{option}", body),
                api.request("PATCH", f"{TRIGGERS}/n?{option}", body, APPLY),
                api.request("DELETE", f"{TRIGGERS}/none?{option}", b"{}"),
            ]
            assert all(answer.status_code < 500 for answer in answers), (option, [a.text[:200] for a in answers])


def test_warnings_are_headers_whatever_the_fields_are_called(api: "Api") -> None:
    odd = {"a\r\nSet-Cookie: b": 1, 'c"\\': 1, "\u202e": 1, **{f"{number:x<300}": 1 for number in range(200)}}
    answer = api.request("POST", TRIGGERS, {"metadata": {"name": "n"}, "spec": {"broker": "b"}, **odd})
    assert answer.status_code == 201
    assert "set-cookie" not in answer.headers
    warnings = answer.headers.get_list("warning")
    assert 2 < len(warnings) < 30
    assert sum(map(len, warnings)) < 8192


def test_no_body_crashes_the_process() -> None:
    done = in_a_child(
        "from embedded.api.errors import ApiError\n"
        "from embedded.api.requests import APPLY, read_body\n"
        "for body in (b'[' * 30_000, b'{\"a\":' * 30_000, b'- ' * 30_000, b'? ' * 30_000, b'[' * 3_000_000):\n"
        "    try:\n"
        "        read_body(body, APPLY, (APPLY,))\n"
        "    except ApiError as error:\n"
        "        print(error.code)\n"
    )
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, ["400"] * 5, "")
