"""Attributes at the ingress of a Broker: what their grammar allows is stored as sent, all else is refused."""

import pytest

from evidence.expectations import attribute_kept, recorded, unchanged
from fixtures import Broker, expect
from suites.hostile import turned_away
from suites.wire import STRUCTURED, attributes, binary, structured, typed

DATA = b'{"n": 1}'
TIME = "2025-07-02T08:20:12Z"

NO_TIMES = [
    "",
    "not-a-time",
    "1751444412",
    "2025-07-02",
    "2025-07-02T08:20Z",
    "2025-07-02T08:20:12",
    "2025-07-02T08:20:12.Z",
    "2025-07-02T08:20:12,5Z",
    "20250702T082012Z",
    "2025-7-2T08:20:12Z",
    "2025-13-02T08:20:12Z",
    "2025-02-29T08:20:12Z",
    "2025-07-02T24:20:12Z",
    "2025-07-02T08:60:12Z",
    "2025-07-02T08:20:61Z",
    "2025-07-02T08:20:12+0200",
    "2025-07-02T08:20:12+24:00",
    "2025-07-02T08:20:12UTC",
]
TIMES = [
    "2025-07-02T08:20:00Z",
    "2025-07-02T00:00:00Z",
    *[f"2025-07-02T08:20:12.{'123456789'[:digits]}Z" for digits in range(1, 10)],
    "2025-07-02T08:20:12.000000000Z",
    "2025-07-02T08:20:12.100Z",
    "2025-07-02T08:20:12+02:00",
    "2025-07-02T08:20:12.5-11:30",
    "2025-07-02T08:20:12-00:00",
    "2025-07-02t08:20:12z",
    "2024-02-29T23:59:59+14:00",
    "1969-12-31T23:59:59Z",
    # What programs take for no time at all, and the last one.
    "0001-01-01T00:00:00Z",
    "1970-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
]
NO_REFERENCES = [
    "a b",
    "/a<b>",
    "/a\\b",
    '/a"b',
    "/a|b",
    "/a{b}",
    "/%zz",
    "/50%",
    "http://[::1",
    "http://a b/",
    ":no-scheme",
]
NO_URIS = ["no scheme", "/schemas/1", "schemas/1", "http://a b/", "http://[::1", "urn:a<b>", ":/no uri"]
REFERENCES = [
    "https://github.com/cloudevents",
    "mailto:cncf-wg-serverless@lists.cncf.io",
    "urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66",
    "http://user@[2001:db8::1]:8080/a;b/c?d=e#g",
    "/sensors/tn-1234567/alerts",
    "1-555-123-4567",
    "//host/path",
    "../a/b:c",
    "?query",
    "HTTP://Host/A",
    "http://host",
    "/a?",
    "/a#",
    "/a/../b/./c",
    "/a'b",
]
# Of which each decoding makes another reference.
ENCODED = ["/a%2Fb%20c", "%2f%2fx", "/a%2525", "/%7ea", "/%c3%a4"]
NO_MEDIA_TYPES = ["json", "/json", "text/", "text/plain/x", "text plain/x", "text/plain; a", "text/plain; a=b c"]
MEDIA_TYPES = [
    "application/json;charset=utf-8",
    'multipart/mixed; boundary="a b"',
    "TEXT/Plain; CharSet=UTF-8",
    "application/vnd.acme.order-v2+json",
    "x-any/x.any!#$&-^_+1",
]
# Characters that the type String leaves out, as JSON can write them.
NO_STRINGS = [
    "a\nb",
    "a\rb",
    "a\x00b",
    "a\tb",
    "a\x1fb",
    "a\x7fb",
    "a\x85b",
    "a\x9fb",
    "a\ud800b",
    "a\ufdd0b",
    "a\ufffeb",
    "a\U0001ffffb",
]
STRINGS = ["€ und ä", "日本語", "😀", '100 % "quoted" \\', "%41", " spaces ", "'", "\u00a0", "\U0010fffd"]
DOUBLED = [
    ("ce-id", "other"),
    ("ce-source", "/other"),
    ("ce-type", "other"),
    ("ce-specversion", "1.0"),
    ("ce-time", TIME),
    ("ce-subject", "other"),
    ("ce-ext", "same"),
    ("Content-Type", "text/plain"),
]


@pytest.mark.requirement("EVT-ING-016")
def test_a_binary_event_whose_time_is_none_is_refused(broker: Broker) -> None:
    expect(*turned_away(broker, [(binary(attributes(time=time)), DATA) for time in NO_TIMES]))


@pytest.mark.requirement("EVT-ING-016")
def test_a_structured_event_whose_time_is_none_is_refused(broker: Broker) -> None:
    expect(*turned_away(broker, [(typed(STRUCTURED), structured(attributes(time=time))) for time in NO_TIMES]))


@pytest.mark.requirement("EVT-ING-017")
@pytest.mark.parametrize("mode", ["binary", "structured"])
def test_a_time_of_any_form_arrives_as_the_same_instant(broker: Broker, mode: str) -> None:
    trigger = broker.trigger()
    events = broker.send_many([{"time": time, "mode": mode} for time in TIMES])
    expect(*[unchanged(event, to=trigger) for event in events])


@pytest.mark.requirement("EVT-ING-018")
def test_a_binary_event_whose_source_or_dataschema_is_no_uri_is_refused(broker: Broker) -> None:
    sources = [(binary(attributes(source=source)), DATA) for source in NO_REFERENCES]
    schemas = [(binary(attributes(dataschema=schema)), DATA) for schema in NO_URIS]
    expect(*turned_away(broker, [*sources, *schemas]))


@pytest.mark.requirement("EVT-ING-018")
def test_a_structured_event_whose_source_or_dataschema_is_no_uri_is_refused(broker: Broker) -> None:
    sources = [(typed(STRUCTURED), structured(attributes(source=source))) for source in [*NO_REFERENCES, "/ä"]]
    schemas = [(typed(STRUCTURED), structured(attributes(dataschema=schema))) for schema in [*NO_URIS, "urn:ä"]]
    expect(*turned_away(broker, [*sources, *schemas]))


@pytest.mark.requirement("EVT-ING-019")
@pytest.mark.parametrize("mode", ["binary", "structured"])
def test_a_source_of_any_form_arrives_as_sent(broker: Broker, mode: str) -> None:
    trigger = broker.trigger()
    # What is percent-encoded in a structured event is EVT-ING-051's.
    sources = [*REFERENCES, *ENCODED] if mode == "binary" else REFERENCES
    events = broker.send_many([{"source": source, "mode": mode} for source in sources])
    kinds = broker.send_many([{"datacontenttype": kind, "data": b"1"} for kind in MEDIA_TYPES])
    expect(*[unchanged(event, to=trigger) for event in [*events, *kinds]])


@pytest.mark.requirement("EVT-ING-051")
def test_a_source_of_a_structured_event_keeps_its_encoding(broker: Broker) -> None:
    trigger = broker.trigger()
    expect(*[unchanged(broker.send(source=source, mode="structured"), to=trigger) for source in ENCODED])


@pytest.mark.requirement("EVT-ING-050")
def test_an_attribute_that_is_called_data_is_refused(broker: Broker) -> None:
    expect(*turned_away(broker, [(binary(attributes(data="x")), DATA), (binary(attributes(data="x")), b"")]))


@pytest.mark.requirement("EVT-ING-020")
def test_an_event_whose_datacontenttype_is_no_media_type_is_refused(broker: Broker) -> None:
    read = [(binary(attributes(), content_type=kind), DATA) for kind in NO_MEDIA_TYPES]
    told = [(typed(STRUCTURED), structured(attributes(datacontenttype=kind))) for kind in NO_MEDIA_TYPES]
    expect(*turned_away(broker, [*read, *told]))


@pytest.mark.requirement("EVT-ING-021")
def test_an_event_with_an_empty_optional_attribute_is_refused(broker: Broker) -> None:
    read = [(binary(attributes(**{name: ""})), DATA) for name in ("subject", "dataschema")]
    told = [
        (typed(STRUCTURED), structured(attributes(**{name: ""})))
        for name in ("subject", "dataschema", "datacontenttype")
    ]
    expect(*turned_away(broker, [*read, *told]))


@pytest.mark.requirement("EVT-ING-022")
def test_an_event_with_a_header_twice_is_refused(broker: Broker) -> None:
    requests = [([*binary(attributes(time=TIME, subject="one", ext="same")), header], DATA) for header in DOUBLED]
    expect(*turned_away(broker, requests))


@pytest.mark.requirement("EVT-ING-023")
def test_a_header_for_the_media_type_of_the_data_is_refused(broker: Broker) -> None:
    requests = [
        ([*binary(attributes(), content_type=kind), ("ce-datacontenttype", "text/plain")], DATA)
        for kind in ("application/json", "text/plain", None)
    ]
    expect(*turned_away(broker, requests))


@pytest.mark.requirement("EVT-ING-024")
def test_an_attribute_with_characters_that_no_string_has_is_refused(broker: Broker) -> None:
    subjects = [(typed(STRUCTURED), structured(attributes(subject=text))) for text in NO_STRINGS]
    others = [(typed(STRUCTURED), structured(attributes(**{name: "a\nb"}))) for name in ("id", "type", "ext")]
    expect(*turned_away(broker, [*subjects, *others]))


@pytest.mark.requirement("EVT-ING-025")
def test_names_of_headers_have_no_letter_case(broker: Broker) -> None:
    event = attributes(subject="orders/17", myext="x")
    upper = broker.post([(name.upper(), value) for name, value in binary(event)], DATA)
    mixed = broker.post([(name.title(), value) for name, value in binary(attributes(subject="a", myext="x"))], DATA)
    expect(*[recorded(event, on=broker) for event in (upper, mixed)])
    expect(*[attribute_kept(event, to=broker, name=name) for event in (upper, mixed) for name in ("subject", "myext")])


@pytest.mark.requirement("EVT-ING-026")
def test_many_and_long_attributes_are_kept(broker: Broker) -> None:
    many = attributes(**{f"ext{number}": f"value {number}" for number in range(100)})
    texts = [f"{length} {'x' * length}" for length in (1000, 6000, 30_000)]
    crowd = broker.post(typed(STRUCTURED), structured(many))
    long = [broker.post(typed(STRUCTURED), structured(attributes(subject=text))) for text in texts]
    headers = broker.post(binary(attributes(**{f"ext{number}": str(number) for number in range(60)})), DATA)
    expect(*[recorded(event, on=broker) for event in (crowd, headers, *long)])
    expect(*[attribute_kept(crowd, to=broker, name=f"ext{number}") for number in (0, 42, 99)])
    expect(*[attribute_kept(headers, to=broker, name=f"ext{number}") for number in (0, 42, 59)])
    expect(*[attribute_kept(event, to=broker, name="subject") for event in long])


@pytest.mark.requirement("EVT-KFK-007")
def test_attributes_beyond_ascii_are_headers_in_utf_8(broker: Broker) -> None:
    events = [broker.post(typed(STRUCTURED), structured(attributes(subject=text, ext=text))) for text in STRINGS]
    expect(*[attribute_kept(event, to=broker, name=name) for event in events for name in ("subject", "ext")])
