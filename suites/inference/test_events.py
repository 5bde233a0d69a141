"""CloudEvents at an InferenceService: which it accepts, which it refuses, and how it answers.

The tests ask what the specification asks. Where a released KServe SDK differs, reports/known/ names the version.
"""

import base64
import json
from typing import Any

import pytest

from evidence.expectations import answered, refused, response_event
from fixtures import AsyncInference, expect
from suites.oracles.digits import digits
from suites.wire import STRUCTURED, attributes, binary, structured, typed

# A digit that fills its picture, so that cropping does not matter here.
PICTURE = digits()[4]
PREDICT = {"instances": [{"data": base64.b64encode(PICTURE.picture).decode()}]}
BODY = json.dumps(PREDICT).encode()
DIGIT = {"predictions": [PICTURE.label]}


@pytest.mark.requirement("INF-CEV-001")
@pytest.mark.parametrize("name", ["id", "source", "type", "specversion"])
def test_a_binary_event_without_a_required_attribute_is_refused(async_mnist: AsyncInference, name: str) -> None:
    expect(refused(async_mnist.direct(BODY, headers=binary(attributes(without=[name])))))


@pytest.mark.requirement("INF-CEV-002")
@pytest.mark.parametrize(
    "change", [{"id": ""}, {"specversion": "0.2"}, {"time": "not-a-time"}], ids=["empty-id", "specversion", "time"]
)
def test_a_binary_event_with_an_invalid_attribute_is_refused(
    async_mnist: AsyncInference, change: dict[str, str]
) -> None:
    expect(refused(async_mnist.direct(BODY, headers=binary(attributes(**change)))))


@pytest.mark.requirement("INF-CEV-002")
@pytest.mark.parametrize(
    "change", [{"id": ""}, {"specversion": "9.9"}, {"time": "not-a-time"}], ids=["empty-id", "specversion", "time"]
)
def test_a_structured_event_with_an_invalid_attribute_is_refused(
    async_mnist: AsyncInference, change: dict[str, str]
) -> None:
    event: dict[str, Any] = attributes(time="2025-07-02T08:20:12Z") | change
    expect(refused(async_mnist.direct(structured(event, PREDICT), headers=typed(STRUCTURED))))


@pytest.mark.requirement("INF-CEV-003")
def test_a_structured_event_needs_no_time(async_mnist: AsyncInference) -> None:
    exchange = async_mnist.direct(structured(attributes(), PREDICT), headers=typed(STRUCTURED))
    expect(answered(exchange, 200))
    expect(response_event(exchange, json=DIGIT))


@pytest.mark.requirement("INF-CEV-008")
@pytest.mark.parametrize("what", ["base64", "null", "both-modes"])
def test_a_structured_event_is_read_by_its_envelope(async_mnist: AsyncInference, what: str) -> None:
    event = attributes(time="2025-07-02T08:20:12Z")
    plain, own = structured(event, PREDICT), typed(STRUCTURED)
    encoded = json.dumps({**event, "data_base64": base64.b64encode(BODY).decode()}).encode()
    requests = {
        "base64": (encoded, own),
        "null": (structured(event | {"subject": None}, PREDICT), own),
        "both-modes": (plain, [*binary(event, STRUCTURED)]),
    }
    body, headers = requests[what]
    exchange = async_mnist.direct(body, headers=headers)
    expect(answered(exchange, 200))
    expect(response_event(exchange, json=DIGIT))


@pytest.mark.requirement("INF-CEV-004")
def test_a_structured_event_may_name_its_charset(async_mnist: AsyncInference) -> None:
    event = attributes(time="2025-07-02T08:20:12Z")
    exchange = async_mnist.direct(structured(event, PREDICT), headers=typed(f"{STRUCTURED}; charset=utf-8"))
    expect(answered(exchange, 200))
    expect(response_event(exchange, json=DIGIT))


@pytest.mark.requirement("INF-CEV-005")
@pytest.mark.parametrize("body", [b'{"instances": [', b"", b"\xff\xfe\x00"], ids=["broken-json", "empty", "not-utf8"])
def test_an_event_with_unreadable_data_is_refused(async_mnist: AsyncInference, body: bytes) -> None:
    expect(refused(async_mnist.direct(body, headers=binary(attributes()))))


@pytest.mark.requirement("INF-CEV-005")
@pytest.mark.parametrize(
    ("content_type", "body"),
    [("text/plain; charset=utf-8", b"seven"), ("application/xml", b"<seven/>"), ("application/octet-stream", b"\xff7")],
    ids=["text", "xml", "octets"],
)
def test_an_event_with_data_of_another_type_is_refused(
    async_mnist: AsyncInference, content_type: str, body: bytes
) -> None:
    expect(refused(async_mnist.direct(body, headers=binary(attributes(), content_type))))


@pytest.mark.requirement("INF-CEV-007")
@pytest.mark.parametrize(
    "content_type",
    [
        "Application/JSON",
        "application/json; charset=UTF-8",
        'application/json;charset="utf-8"',
        "application/vnd.a+json",
    ],
    ids=["capitals", "charset", "quoted", "suffix"],
)
@pytest.mark.parametrize("mode", ["binary", "structured"])
def test_data_is_json_by_any_spelling_of_its_type(async_mnist: AsyncInference, mode: str, content_type: str) -> None:
    event = attributes(time="2025-07-02T08:20:12Z")
    whole = structured(event | {"datacontenttype": content_type}, PREDICT)
    requests = {"binary": (BODY, binary(event, content_type)), "structured": (whole, typed(STRUCTURED))}
    body, headers = requests[mode]
    exchange = async_mnist.direct(body, headers=headers)
    expect(answered(exchange, 200))
    expect(response_event(exchange, json=DIGIT))


@pytest.mark.requirement("INF-CEV-006")
@pytest.mark.parametrize("mode", ["binary", "structured"])
def test_the_answer_to_an_event_is_an_event_of_its_own(async_mnist: AsyncInference, mode: str) -> None:
    event = attributes(time="2025-07-02T08:20:12Z")
    requests = {"binary": (BODY, binary(event)), "structured": (structured(event, PREDICT), typed(STRUCTURED))}
    body, headers = requests[mode]
    exchange = async_mnist.direct(body, headers=headers)
    expect(response_event(exchange, json=DIGIT, new_id=True, own_type=True))
