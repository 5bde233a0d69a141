"""The strict gate before the SDK: what passes, how it goes in, how the answer comes out."""

import asyncio
import base64
import json
from typing import Any

import pytest

REQUIRED = {"ce-id": "1", "ce-source": "event-producer", "ce-specversion": "1.0", "ce-type": "t"}
JSON = {"content-type": "application/json"}
STRUCTURED = {"content-type": "application/cloudevents+json"}
ENVELOPE = {"id": "1", "source": "/s", "specversion": "1.0", "type": "t"}


class Model:
    """What stands behind the gate: remembers the one request and gives one answer."""

    def __init__(self, status: int, answer: bytes) -> None:
        self.status, self.answer = status, answer
        self.headers: dict[str, str] = {}
        self.body: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer."""
        self.headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.body = (await receive())["body"]
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(self.answer)).encode())]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.answer})


def through(
    gate: Any,
    headers: dict[str, str] | list[tuple[str, str]],
    body: bytes,
    *,
    status: int = 200,
    answer: bytes = b'{"predictions":[2]}',
) -> tuple[int, dict[str, str], bytes, Model]:
    model = Model(status, answer)
    fields = list(headers.items()) if isinstance(headers, dict) else headers
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/models/mnist:predict",
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in fields],
    }
    parts = [{"type": "http.request", "body": body[:3], "more_body": True}, {"type": "http.request", "body": body[3:]}]
    sent: list[Any] = []

    async def receive() -> Any:
        return parts.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(gate(model, model="mnist")(scope, receive, send))
    start, content = sent
    fields_out = {name.decode(): value.decode() for name, value in start["headers"]}
    assert int(fields_out.pop("content-length")) == len(content["body"])
    return start["status"], fields_out, content["body"], model


@pytest.fixture
def gate(transformer: Any) -> Any:
    return transformer("gate").Gate


@pytest.mark.parametrize(
    "headers",
    [
        REQUIRED | JSON,
        REQUIRED,
        REQUIRED | {"content-type": "Application/JSON; charset=UTF-8"},
        REQUIRED | {"content-type": "application/vnd.x+json"},
        REQUIRED | JSON | {"ce-time": "2025-07-02T08:20:12.908936+00:00", "ce-subject": "a", "ce-ext1": "x"},
        REQUIRED | JSON | {"ce-time": "1990-12-31t23:59:60z"},
        REQUIRED | JSON | {"ce-type": "caf%C3%A9"},
    ],
)
def test_a_binary_event_goes_in_plain_and_comes_out_as_an_event_of_its_own(gate: Any, headers: dict[str, str]) -> None:
    status, answered, body, model = through(gate, headers, b'{"instances": []}')
    assert (status, body) == (200, b'{"predictions":[2]}')
    assert (model.body, model.headers) == (b'{"instances": []}', {**JSON, "content-length": "17"})
    assert answered["content-type"] == "application/json"
    assert (answered["ce-specversion"], answered["ce-type"]) == ("1.0", "io.kserve.inference.response")
    assert answered["ce-id"] not in {"", "1"}


@pytest.mark.parametrize(
    ("headers", "envelope"),
    [
        (STRUCTURED, {"data": {"a": [1]}}),
        ({"content-type": 'Application/CloudEvents+JSON; charset="utf-8"'}, {"data": {"a": [1]}}),
        (
            STRUCTURED,
            {"data": {"a": [1]}, "datacontenttype": "application/json", "n": 7, "flag": True, "subject": None},
        ),
        (STRUCTURED, {"data_base64": base64.b64encode(b'{"a": [1]}').decode()}),
    ],
)
def test_a_structured_event_is_answered_structured(
    gate: Any, headers: dict[str, str], envelope: dict[str, Any]
) -> None:
    status, answered, body, model = through(gate, headers, json.dumps(ENVELOPE | envelope).encode())
    event = json.loads(body)
    assert (status, answered) == (200, STRUCTURED)
    assert json.loads(model.body) == {"a": [1]}
    assert event["data"] == {"predictions": [2]}
    assert event["datacontenttype"] == "application/json"
    assert event["id"] != "1"


@pytest.mark.parametrize("name", sorted(REQUIRED))
@pytest.mark.parametrize("value", [None, ""])
def test_required_attributes_are_required_and_not_empty(gate: Any, name: str, value: str | None) -> None:
    headers = REQUIRED | JSON | ({name: value} if value is not None else {})
    if value is None:
        del headers[name]
    status, _, body, model = through(gate, headers, b"{}")
    assert (status, model.body) == (400, None)
    assert name.removeprefix("ce-") in json.loads(body)["error"]


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        (REQUIRED | JSON | {"ce-specversion": "0.3"}, b"{}", 400),
        (REQUIRED | JSON | {"ce-time": "not-a-time"}, b"{}", 400),
        (REQUIRED | JSON | {"ce-time": "2025-02-30T00:00:00Z"}, b"{}", 400),
        (REQUIRED | JSON | {"ce-source": "a b"}, b"{}", 400),
        (REQUIRED | JSON | {"ce-subject": ""}, b"{}", 400),
        (REQUIRED | JSON | {"ce-dataschema": "relative"}, b"{}", 400),
        (REQUIRED | JSON | {"ce-test-trace-id": "x"}, b"{}", 400),
        (REQUIRED | JSON | {"ce-type": "%FF"}, b"{}", 400),
        (REQUIRED | JSON | {"ce-datacontenttype": "text/plain"}, b"{}", 400),
        ([*REQUIRED.items(), ("ce-id", "2")], b"{}", 400),
        (REQUIRED | JSON, b"{", 400),
        (REQUIRED | JSON, b"", 400),
        (REQUIRED | JSON, b"\xff", 400),
        (REQUIRED | JSON, b'{"a": NaN}', 400),
        (REQUIRED | JSON, b"[" * 100_000, 400),
        (REQUIRED | {"content-type": "application/xml"}, b"<a/>", 415),
        (REQUIRED | {"content-type": "application/json; charset=latin1"}, b"{}", 415),
        (REQUIRED | {"content-type": "nonsense"}, b"{}", 415),
        ({"content-type": "application/cloudevents-batch+json"}, b"[]", 415),
        ({"content-type": "application/cloudevents+avro"}, b"", 415),
        (STRUCTURED, b"", 400),
        (STRUCTURED, b"[]", 400),
        (STRUCTURED, b'{"id": "1", "id": "2"}', 400),
        (STRUCTURED, json.dumps(ENVELOPE | {"id": 5, "data": {}}).encode(), 400),
        (STRUCTURED, json.dumps(ENVELOPE | {"Ext": "x", "data": {}}).encode(), 400),
        (STRUCTURED, json.dumps(ENVELOPE | {"ext": 1.5, "data": {}}).encode(), 400),
        (STRUCTURED, json.dumps(ENVELOPE | {"data": {}, "data_base64": "e30="}).encode(), 400),
        (STRUCTURED, json.dumps(ENVELOPE | {"data_base64": "!"}).encode(), 400),
        (STRUCTURED, json.dumps(ENVELOPE | {"data": "x", "datacontenttype": "text/plain"}).encode(), 415),
    ],
)
def test_what_is_no_readable_event_never_reaches_the_model(gate: Any, headers: Any, body: bytes, status: int) -> None:
    answered, _, content, model = through(gate, headers, body)
    assert (answered, model.body) == (status, None)
    assert json.loads(content)["error"]


@pytest.mark.parametrize("headers", [JSON, {"content-type": "Application/JSON; charset=utf-8"}])
def test_a_plain_request_passes_with_the_content_type_that_the_sdk_knows(gate: Any, headers: dict[str, str]) -> None:
    status, answered, body, model = through(gate, headers, b'{"instances": []}')
    assert (status, answered, body) == (200, JSON, b'{"predictions":[2]}')
    assert model.headers["content-type"] == "application/json"


@pytest.mark.parametrize("headers", [JSON, REQUIRED | JSON, STRUCTURED])
def test_an_error_of_the_model_stays_an_error(gate: Any, headers: dict[str, str]) -> None:
    body = json.dumps(ENVELOPE | {"data": {}}).encode()
    assert through(gate, headers, body, status=404, answer=b'{"error":"no"}')[:3] == (404, JSON, b'{"error":"no"}')
