"""Events in structured mode at the ingress of a Broker: data of every kind, types of values, both modes at once."""

import json
from typing import Any

import pytest

from evidence.expectations import data_kept, record_key, record_shape, recorded, request_header, unchanged
from fixtures import Broker, expect
from suites.hostile import turned_away
from suites.wire import STRUCTURED, as_bytes, attributes, binary, fresh, structured, typed

JSON_VALUES = [
    5,
    0,
    -1.5e3,
    9007199254740993,
    "text",
    "",
    "5",
    '{"a": 1}',
    "€ 😀",
    [1, "2", [3]],
    [],
    {},
    {"a": {"b": []}},
    True,
    False,
]
JSON_TYPES = [None, "application/json", "Application/JSON; charset=utf-8", "application/vnd.acme+json", "text/json"]
BYTES = ["", "AAECAw==", "/w==", "eyJuIjogMX0=", "IngieQ=="]
TYPES = [None, "application/octet-stream", "application/json", "text/plain", "image/png"]
TEXTS = ["", "text", '"quoted"', '<much wow="xml"/>', '{"n": 1}', "€ 😀", "5", "null"]
TEXT_TYPES = ["text/plain", "application/xml", "text/plain; charset=utf-8", "application/jsonp"]
EXTENSIONS = {
    "positive": 5,
    "negative": -5,
    "zero": 0,
    "largest": 2147483647,
    "smallest": -2147483648,
    "yes": True,
    "no": False,
    "binary": "AAECAw==",
    "absent": None,
    "text": "true",
}
NO_VALUES: list[Any] = [1.5, 2147483648, -2147483649, [1], [], {"a": 1}, {}]
CORE = ["id", "source", "type", "specversion", "subject", "time", "dataschema", "datacontenttype"]
NO_TEXTS: list[Any] = [5, True, {}, []]
NO_BASE64: list[Any] = ["?", "AAE", "A===", "AA==AA==", 5, True, [], {}]


def envelope(**members: Any) -> bytes:
    """Return a structured event with exactly these further members."""
    return json.dumps(attributes(**members)).encode()


def without_none(**members: Any) -> dict[str, Any]:
    """Return the members that are set."""
    return {name: value for name, value in members.items() if value is not None}


@pytest.mark.requirement("EVT-ING-027")
def test_an_event_with_a_member_twice_is_refused(broker: Broker) -> None:
    event = structured(attributes(subject="one"))
    doubled = [f'"{name}": "{value}"' for name, value in [("id", "other"), ("type", "other"), ("subject", "one")]]
    requests = [(typed(STRUCTURED), event[:-1] + f", {member}}}".encode()) for member in [*doubled, '"data": 2']]
    expect(*turned_away(broker, requests))


@pytest.mark.requirement("EVT-ING-028")
@pytest.mark.parametrize("kind", JSON_TYPES, ids=["implied", "json", "capitals", "vendor", "text-json"])
def test_json_data_of_any_type_is_that_value(broker: Broker, kind: str | None) -> None:
    trigger = broker.trigger()
    bodies = [envelope(data=value, **without_none(datacontenttype=kind)) for value in JSON_VALUES]
    events = [broker.post(typed(STRUCTURED), body) for body in bodies]
    expect(*[data_kept(event, to=trigger) for event in events])


@pytest.mark.requirement("EVT-ING-029")
def test_null_is_data_and_no_member_is_none(broker: Broker) -> None:
    trigger = broker.trigger()
    null = broker.post(typed(STRUCTURED), envelope(data=None, datacontenttype="application/json"))
    none = broker.post(typed(STRUCTURED), envelope(datacontenttype="application/json"))
    expect(data_kept(null, to=trigger), data_kept(none, to=trigger))


@pytest.mark.requirement("EVT-ING-030")
@pytest.mark.parametrize("kind", TYPES, ids=["absent", "octets", "json", "text", "png"])
def test_base64_data_is_its_bytes(broker: Broker, kind: str | None) -> None:
    trigger = broker.trigger()
    bodies = [envelope(data_base64=text, **without_none(datacontenttype=kind)) for text in BYTES]
    events = [broker.post(typed(STRUCTURED), body) for body in bodies]
    expect(*[data_kept(event, to=trigger) for event in events])


@pytest.mark.requirement("EVT-ING-031")
@pytest.mark.parametrize("kind", TEXT_TYPES, ids=["text", "xml", "charset", "jsonp"])
def test_text_data_is_its_characters(broker: Broker, kind: str) -> None:
    trigger = broker.trigger()
    events = [broker.post(typed(STRUCTURED), envelope(data=text, datacontenttype=kind)) for text in TEXTS]
    expect(*[data_kept(event, to=trigger) for event in events])


@pytest.mark.requirement("EVT-ING-032")
def test_the_implied_media_type_of_json_data_is_told(broker: Broker) -> None:
    trigger = broker.trigger()
    events = [broker.post(typed(STRUCTURED), envelope(data=value)) for value in JSON_VALUES]
    expect(*[request_header(event, to=trigger, name="content-type", value="application/json") for event in events])


@pytest.mark.requirement("EVT-ING-033")
def test_no_media_type_is_invented(broker: Broker) -> None:
    trigger = broker.trigger()
    read = broker.post(binary(attributes(), content_type=None), b'{"n": 1}')
    told = broker.post(typed(STRUCTURED), envelope(data_base64="AAECAw=="))
    expect(*[request_header(event, to=trigger, name="content-type", value=None) for event in (read, told)])
    expect(*[unchanged(event, to=trigger, ignore=["data"]) for event in (read, told)])


@pytest.mark.requirement("EVT-ING-034")
def test_extensions_of_every_type_arrive_as_their_text(broker: Broker) -> None:
    trigger = broker.trigger()
    each = [broker.post(typed(STRUCTURED), envelope(data=1, **{name: value})) for name, value in EXTENSIONS.items()]
    together = broker.post(typed(STRUCTURED), envelope(data=1, **EXTENSIONS))
    expect(*[unchanged(event, to=trigger) for event in (*each, together)])


@pytest.mark.requirement("EVT-ING-035")
def test_an_attribute_of_no_type_of_attributes_is_refused(broker: Broker) -> None:
    extensions = [(typed(STRUCTURED), structured(attributes(ext=value))) for value in NO_VALUES]
    core = [(typed(STRUCTURED), structured(attributes(**{name: value}))) for name in CORE for value in NO_TEXTS]
    expect(*turned_away(broker, [*extensions, *core]))


@pytest.mark.requirement("EVT-ING-036")
def test_base64_data_that_is_none_is_refused(broker: Broker) -> None:
    alone = [(typed(STRUCTURED), envelope(data_base64=value)) for value in NO_BASE64]
    both = [(typed(STRUCTURED), envelope(data={"n": 1}, data_base64=value)) for value in ("AAE=", "eyJuIjogMX0=")]
    expect(*turned_away(broker, [*alone, *both]))


@pytest.mark.requirement("EVT-ING-037")
@pytest.mark.parametrize("media_type", [STRUCTURED, f"{STRUCTURED}; charset=utf-8"], ids=["plain", "charset"])
def test_the_envelope_counts_where_there_are_headers_too(broker: Broker, media_type: str) -> None:
    trigger = broker.trigger()
    inner = attributes(subject="inner")
    same = broker.post([*binary(inner, content_type=None), *typed(media_type)], structured(inner))
    other = [
        ("ce-id", fresh()),
        ("ce-source", "/other"),
        ("ce-type", "other"),
        ("ce-ext", "x"),
        ("ce-specversion", "1.0"),
    ]
    unlike = broker.post([*other, *typed(media_type)], structured(attributes(subject="inner")))
    expect(*[recorded(event, on=broker) for event in (same, unlike)])
    expect(*[unchanged(event, to=trigger) for event in (same, unlike)])


@pytest.mark.requirement("EVT-KFK-006")
@pytest.mark.parametrize("mode", ["binary", "structured"])
def test_an_event_without_data_is_a_record_without_value(broker: Broker, mode: str) -> None:
    events = broker.send_many([{"data": None, "mode": mode} for _ in range(3)])
    expect(*[record_shape(event, on=broker) for event in events])


@pytest.mark.requirement("EVT-KFK-008")
def test_an_event_without_partitionkey_is_a_record_without_key(broker: Broker) -> None:
    plain = broker.send_many([{"subject": "orders/17"} for _ in range(3)])
    told = broker.post(typed(STRUCTURED), structured(attributes()))
    expect(*[record_key(event, on=broker, key=None) for event in (*plain, told)])


@pytest.mark.requirement("EVT-KFK-009")
def test_a_partitionkey_is_the_key_in_utf_8_whatever_its_characters(broker: Broker) -> None:
    keys = ["kunde-€", "日本語", "a b", "%41", "7", "true", "x" * 300]
    events = [broker.post(typed(STRUCTURED), structured(attributes(partitionkey=key))) for key in keys]
    expect(*[record_key(event, on=broker, key=as_bytes(key)) for event, key in zip(events, keys, strict=True)])
