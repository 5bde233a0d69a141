"""Malformed events: the ingress of a Broker refuses them, and completes, mangles or stores none."""

from typing import Any

import pytest

from evidence.expectations import not_recorded, refused
from fixtures import Broker, expect
from suites.wire import STRUCTURED, Headers, attributes, binary, structured, typed

REQUIRED = ["id", "source", "type", "specversion"]
BATCH = b"[" + structured(attributes()) + b"]"


@pytest.mark.requirement("EVT-ING-003")
@pytest.mark.parametrize("name", REQUIRED)
def test_a_binary_event_without_a_required_attribute_is_refused(broker: Broker, name: str) -> None:
    exchange = broker.post(binary(attributes(without=[name])), b'{"n": 1}')
    expect(refused(exchange, 400))
    expect(not_recorded(exchange, on=broker))


@pytest.mark.requirement("EVT-ING-003")
@pytest.mark.parametrize("name", REQUIRED)
def test_a_structured_event_without_a_required_attribute_is_refused(broker: Broker, name: str) -> None:
    exchange = broker.post(typed(STRUCTURED), structured(attributes(without=[name])))
    expect(refused(exchange, 400))
    expect(not_recorded(exchange, on=broker))


@pytest.mark.requirement("EVT-ING-004")
@pytest.mark.parametrize("name", ["id", "source", "type"])
def test_a_binary_event_with_an_empty_required_attribute_is_refused(broker: Broker, name: str) -> None:
    exchange = broker.post(binary(attributes(**{name: ""})), b'{"n": 1}')
    expect(refused(exchange, 400))
    expect(not_recorded(exchange, on=broker))


@pytest.mark.requirement("EVT-ING-004")
@pytest.mark.parametrize("name", ["id", "source", "type"])
def test_a_structured_event_with_an_empty_required_attribute_is_refused(broker: Broker, name: str) -> None:
    exchange = broker.post(typed(STRUCTURED), structured(attributes(**{name: ""})))
    expect(refused(exchange, 400))
    expect(not_recorded(exchange, on=broker))


@pytest.mark.requirement("EVT-ING-005")
@pytest.mark.parametrize("version", ["19.0", "2.0"])
def test_a_binary_event_of_an_unknown_specversion_is_refused(broker: Broker, version: str) -> None:
    exchange = broker.post(binary(attributes(specversion=version)), b'{"n": 1}')
    expect(refused(exchange, 400))
    expect(not_recorded(exchange, on=broker))


@pytest.mark.requirement("EVT-ING-005")
def test_a_structured_event_of_an_unknown_specversion_is_refused(broker: Broker) -> None:
    exchange = broker.post(typed(STRUCTURED), structured(attributes(specversion="19.0")))
    expect(refused(exchange, 400))
    expect(not_recorded(exchange, on=broker))


@pytest.mark.requirement("EVT-ING-006")
@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        (STRUCTURED, b'{"specversion": "1.0", "id":'),
        (STRUCTURED, b""),
        (STRUCTURED, b"\xff\xfe\x00"),
        (STRUCTURED, b"[" + structured(attributes()) + b"]"),
        (STRUCTURED, b"null"),
        (STRUCTURED, b'"text"'),
        (STRUCTURED, structured(attributes(), data=float("nan"))),
        (STRUCTURED, b'{"data": ' + b"[" * 100_000),
        ("application/cloudevents+xml", b'<event xmlns="http://cloudevents.io/xmlformat/V1" specversion="1.0"/>'),
        ("application/cloudevents+avro", b"\x00\x02"),
        ("application/cloudevents", structured(attributes())),
    ],
    ids=["broken-json", "empty-body", "no-text", "array", "null", "string", "nan", "deep", "xml", "avro", "no-format"],
)
def test_an_unreadable_structured_event_is_refused(broker: Broker, media_type: str, body: bytes) -> None:
    exchange = broker.post(typed(media_type), body)
    expect(refused(exchange, 400))
    expect(not_recorded(exchange, on=broker))


@pytest.mark.requirement("EVT-ING-046")
@pytest.mark.parametrize("what", ["text", "brace", "comma", "number", "nul", "itself", "event"])
def test_a_structured_event_with_something_behind_it_is_refused(broker: Broker, what: str) -> None:
    event = structured(attributes())
    # Whoever reads the first value alone acknowledges a second event that nobody will ever get.
    second = {"itself": event, "event": b"\n" + structured(attributes())}
    behind = {"text": b" x", "brace": b"}", "comma": b",", "number": b" 1", "nul": b"\x00", **second}
    exchange = broker.post(typed(STRUCTURED), event + behind[what])
    expect(refused(exchange, 400))
    expect(not_recorded(exchange, on=broker))


@pytest.mark.requirement("EVT-ING-007")
@pytest.mark.parametrize("headers", [[], binary(attributes(), content_type=None)], ids=["plain", "with-ce-headers"])
def test_a_batch_is_not_taken_for_one_event(broker: Broker, headers: Headers) -> None:
    exchange = broker.post([*headers, *typed("application/cloudevents-batch+json")], BATCH)
    expect(refused(exchange))
    expect(not_recorded(exchange, on=broker))


@pytest.mark.requirement("EVT-ING-008")
@pytest.mark.parametrize("name", ["bad_name", "bad-name", "bad.name"])
def test_a_header_of_an_illegal_attribute_name_is_refused(broker: Broker, name: str) -> None:
    exchange = broker.post(binary(attributes(**{name: "x"})), b'{"n": 1}')
    expect(refused(exchange, 400))
    expect(not_recorded(exchange, on=broker))


@pytest.mark.requirement("EVT-ING-008")
@pytest.mark.parametrize("name", ["Bad", "bad_name", "bad-name", "bäd"])
def test_a_member_of_an_illegal_attribute_name_is_refused(broker: Broker, name: str) -> None:
    event: dict[str, Any] = attributes(**{name: "x"})
    exchange = broker.post(typed(STRUCTURED), structured(event))
    expect(refused(exchange, 400))
    expect(not_recorded(exchange, on=broker))


@pytest.mark.requirement("EVT-ING-014")
@pytest.mark.parametrize("value", ["%C0%A0", "%FF", "cut%E2%82"], ids=["overlong", "no-utf8", "cut-short"])
def test_percent_encoding_that_is_no_utf8_is_refused(broker: Broker, value: str) -> None:
    exchange = broker.post(binary(attributes(subject=value)), b'{"n": 1}')
    expect(refused(exchange, 400))
    expect(not_recorded(exchange, on=broker))


@pytest.mark.requirement("EVT-ING-015")
@pytest.mark.parametrize("key", [7, -1, True, ""], ids=["number", "negative", "boolean", "empty"])
def test_a_partitionkey_that_is_no_string_is_refused(broker: Broker, key: object) -> None:
    exchange = broker.post(typed(STRUCTURED), structured(attributes(partitionkey=key)))
    expect(refused(exchange, control=broker.send()))
    expect(not_recorded(exchange, on=broker))
