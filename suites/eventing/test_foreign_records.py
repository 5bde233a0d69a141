"""Records that others put into a Broker's topic: an event in any form of the Kafka binding, or no event at all."""

import json
from typing import Any

import pytest

from evidence.expectations import delivered, delivered_once, unchanged
from evidence.refs import EventRef
from fixtures import Broker, expect
from suites.wire import STRUCTURED, attributes, typed

WANTED = {"attributes": {"type": "wanted"}}
DATA: list[dict[str, Any]] = [
    {"data": {"n": 1}},
    {"data": "text", "datacontenttype": "text/plain"},
    {"data": "text", "datacontenttype": "application/json"},
    {"data": "text"},
    {"data": None, "datacontenttype": "application/json"},
    {"data": 5, "datacontenttype": "application/vnd.acme+json; charset=utf-8"},
    {"datacontenttype": "application/json"},
    {},
    {"data_base64": "AAECAw=="},
    {"data_base64": "eyJuIjogMX0=", "datacontenttype": "application/json"},
    {"data_base64": "IngieQ==", "datacontenttype": "text/plain"},
    {"data_base64": ""},
    {"data_base64": "+/+/"},
]
"""The data members of events in the JSON format; the media type says what a text is."""
TYPED: dict[str, Any] = {"large": 5, "negative": -2147483648, "yes": True, "no": False, "absent": None, "text": "true"}
"""Extensions of the types that the JSON format tells."""
KEYS: list[str | bytes] = ["customer-17", b"\xff\x00", ""]


def put_structured(broker: Broker, media_type: str = STRUCTURED, **members: Any) -> EventRef:
    """Write an event in structured mode with these members to the Broker's topic."""
    # Some producers escape what JSON lets them escape, such as each plus in base64.
    envelope = json.dumps(attributes(type="wanted", **members)).replace("+", r"\u002B")
    return broker.produce_raw(envelope.encode(), typed(media_type))


def headers_of_event() -> list[tuple[str, str]]:
    """Return the headers of another event in binary mode; it has no media type."""
    return [(f"ce_{name}", str(text)) for name, text in attributes(type="wanted", ext="x").items()]


def put_binary(broker: Broker, value: bytes | None, *more: tuple[str, str], key: str | bytes | None = None) -> EventRef:
    """Write an event in binary mode, of no media type but one that is given, to the Broker's topic."""
    return broker.produce_raw(value, [*headers_of_event(), *more], key)


@pytest.mark.requirement("EVT-KFK-004")
@pytest.mark.parametrize("parameter", ["", "; charset=utf-8", ';charset="UTF-8"'], ids=["plain", "charset", "quoted"])
def test_a_record_in_structured_mode_is_delivered(broker: Broker, parameter: str) -> None:
    trigger = broker.trigger(filter=WANTED)
    event = put_structured(broker, STRUCTURED + parameter, data={"n": 1})
    expect(delivered_once(event, to=trigger), unchanged(event, to=trigger))


@pytest.mark.requirement("EVT-KFK-004")
def test_data_of_every_kind_in_a_structured_record_is_delivered(broker: Broker) -> None:
    trigger = broker.trigger(filter=WANTED)
    events = [put_structured(broker, **members) for members in DATA]
    expect(*(unchanged(event, to=trigger) for event in events))


@pytest.mark.requirement("EVT-KFK-004")
def test_extensions_of_every_type_in_a_structured_record_are_delivered(broker: Broker) -> None:
    trigger = broker.trigger(filter=WANTED)
    each = [put_structured(broker, data=1, **{name: value}) for name, value in TYPED.items()]
    together = put_structured(broker, data=1, **TYPED)
    expect(*(unchanged(event, to=trigger) for event in (*each, together)))


@pytest.mark.requirement("EVT-KFK-010")
@pytest.mark.parametrize("media_type", ["Application/CloudEvents+JSON", STRUCTURED.upper()], ids=["mixed", "upper"])
def test_the_media_type_of_a_structured_record_may_be_in_capitals(broker: Broker, media_type: str) -> None:
    trigger = broker.trigger(filter=WANTED)
    event = put_structured(broker, media_type, data={"n": 1})
    expect(unchanged(event, to=trigger))


@pytest.mark.requirement("EVT-KFK-011")
def test_a_binary_record_needs_neither_media_type_nor_value(broker: Broker) -> None:
    trigger = broker.trigger(filter=WANTED)
    events = [put_binary(broker, value) for value in (b'{"n": 1}', b"\x00\xff", b"", None)]
    events += [put_binary(broker, value, *typed("text/plain")) for value in (b"", None)]
    expect(*(unchanged(event, to=trigger) for event in events))


@pytest.mark.requirement("EVT-KFK-011")
def test_the_key_of_a_record_is_no_part_of_its_event(broker: Broker) -> None:
    trigger = broker.trigger(filter=WANTED)
    events = [put_binary(broker, b"1", *typed("application/json"), key=key) for key in KEYS]
    expect(*(unchanged(event, to=trigger) for event in events))


@pytest.mark.requirement("EVT-KFK-011")
def test_the_headers_of_a_binary_record_come_in_any_order(broker: Broker) -> None:
    trigger = broker.trigger(filter=WANTED)
    others = [*typed("application/json"), ("correlation-id", "42"), ("ce", "x")]
    first, second, third = (headers_of_event() for _ in range(3))
    orders = [[*others, *first], [*second[:2], *others, *second[2:]], [*third[::-1], *others]]
    events = [broker.produce_raw(b"1", headers) for headers in orders]
    expect(*(unchanged(event, to=trigger) for event in events))


@pytest.mark.requirement("EVT-KFK-005")
@pytest.mark.parametrize(
    ("value", "headers"),
    [
        (b"no event at all", []),
        (None, []),
        (b"{", [("content-type", "application/cloudevents+json")]),
        (b"{}", [("ce_specversion", "1.0"), ("ce_type", "wanted")]),
        (b"[{}]", [("content-type", "application/cloudevents-batch+json")]),
        (b"{}", [*headers_of_event(), ("ce_ext", "y")]),
        (b"{}", [*headers_of_event(), ("ce_other", b"\xff")]),
        (b"{}", [*headers_of_event(), ("ce_other", None)]),
        (b"{}", [*headers_of_event(), *typed("text/plain"), *typed("application/json")]),
    ],
    ids=[
        "text",
        "null",
        "broken-structured",
        "incomplete-binary",
        "batch",
        "attribute-twice",
        "header-not-text",
        "header-null",
        "media-type-twice",
    ],
)
def test_a_foreign_record_does_not_keep_the_next_from_delivery(
    broker: Broker, value: bytes | None, headers: list[tuple[str, str | bytes | None]]
) -> None:
    trigger = broker.trigger(filter=WANTED)
    broker.produce(value, headers=headers)
    expect(delivered(broker.produce_event(type="wanted"), to=trigger))
