"""The strict reader of events: what is one, what is none, and that writing and reading are inverse."""

import contextlib
import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedded.dataplane.cloudevents import (
    CloudEvent,
    HttpReader,
    NotAnEventError,
    Record,
    claims_to_be_event,
    read_record,
    write_binary,
    write_record,
)
from embedded.dataplane.cloudevents.http import percent_decode, percent_encode

read = HttpReader()

CORE = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t"}
BINARY = [(f"ce-{name}".encode(), value.encode()) for name, value in CORE.items()]
JSON = [(b"Content-Type", b"application/cloudevents+json")]


def without(name: str) -> list[tuple[bytes, bytes]]:
    return [field for field in BINARY if field[0] != f"ce-{name}".encode()]


def structured(**members: Any) -> bytes:
    return json.dumps({**CORE, **members}).encode()


@pytest.mark.parametrize(
    ("headers", "body", "attributes", "data"),
    [
        pytest.param(BINARY, b"", {}, None, id="binary-no-data"),
        pytest.param(BINARY, b"\x00\xff", {}, b"\x00\xff", id="binary-data"),
        pytest.param([*BINARY, (b"CE-Subject", b"x")], b"", {"subject": "x"}, None, id="header-names-have-no-case"),
        pytest.param([*BINARY, (b"ce-ext9", b"")], b"", {"ext9": ""}, None, id="extension-may-be-empty"),
        pytest.param(
            [*BINARY, (b"Content-Type", b"text/plain")], b"x", {"datacontenttype": "text/plain"}, b"x", id="ct"
        ),
        pytest.param([*BINARY, (b"ce-x", b"a%20b%2541")], b"", {"x": "a b%41"}, None, id="one-round-of-decoding"),
        pytest.param(JSON, structured(), {}, None, id="structured"),
        pytest.param(
            [(b"content-type", b"Application/CloudEvents+JSON ; Charset=UTF-8")], structured(), {}, None, id="case"
        ),
        pytest.param(JSON, structured(n=5, b=True, z=None), {"n": "5", "b": "true"}, None, id="json-types"),
        pytest.param(JSON, structured(data_base64="AAE="), {}, b"\x00\x01", id="base64"),
        pytest.param(JSON, structured(data=None), {"datacontenttype": "application/json"}, b"null", id="json-null"),
        pytest.param(
            JSON,
            structured(data=None, datacontenttype="text/plain"),
            {"datacontenttype": "text/plain"},
            None,
            id="text-null",
        ),
        *[
            pytest.param([*BINARY, (b"ce-time", time.encode())], b"", {"time": time}, None, id=f"time-{time}")
            for time in (
                "2025-07-02T08:20:00Z",
                "2025-07-02t08:20:12z",
                "2025-07-02T08:20:12.123456789+02:00",
                "2024-02-29T23:59:60-00:00",
            )
        ],
        pytest.param(
            JSON,
            structured(data="é", datacontenttype="text/plain"),
            {"datacontenttype": "text/plain"},
            "é".encode(),
            id="text",
        ),
        pytest.param(
            JSON,
            structured()[:-1] + b', "data": {"a":  1.0, "b": 1e2}}',
            {"datacontenttype": "application/json"},
            b'{"a":  1.0, "b": 1e2}',
            id="json-data-as-written",
        ),
    ],
)
def test_events_are_read(
    headers: list[tuple[bytes, bytes]], body: bytes, attributes: dict[str, str], data: bytes | None
) -> None:
    assert read(headers, body) == CloudEvent({**CORE, **attributes}, data)


@pytest.mark.parametrize(
    ("headers", "body", "why"),
    [
        *[pytest.param(without(name), b"", f"'{name}' is missing", id=f"no-{name}") for name in CORE],
        *[pytest.param([*without(name), (f"ce-{name}".encode(), b"")], b"", name, id=f"empty-{name}") for name in CORE],
        *[
            pytest.param([*BINARY, (f"ce-{name}".encode(), b"")], b"", "is empty", id=f"empty-{name}")
            for name in ("subject", "time", "partitionkey")
        ],
        pytest.param([*without("specversion"), (b"ce-specversion", b"0.3")], b"", "specversion", id="version"),
        pytest.param([*BINARY, (b"ce-bad_name", b"x")], b"", "bad_name", id="name-underscore"),
        pytest.param([*BINARY, (b"ce-bad-name", b"x")], b"", "bad-name", id="name-hyphen"),
        pytest.param([*BINARY, (b"ce-", b"x")], b"", "attribute name", id="name-empty"),
        pytest.param([*BINARY, (b"ce-data", b"x")], b"", "no attribute name", id="name-data"),
        pytest.param([*BINARY, (b"Ce-Id", b"2")], b"", "twice", id="twice"),
        pytest.param([*BINARY, (b"ce-datacontenttype", b"a/b")], b"", "Content-Type", id="datacontenttype"),
        pytest.param([*BINARY, (b"ce-x", b"%ff")], b"", "UTF-8", id="not-utf8"),
        pytest.param([*BINARY, (b"ce-x", b"a%0Ab")], b"", "control", id="control-character"),
        pytest.param([*BINARY, (b"ce-time", b"yesterday")], b"", "RFC 3339", id="time"),
        *[
            pytest.param([*BINARY, (b"ce-time", time.encode())], b"", "RFC 3339", id=f"time-{time}")
            for time in (
                "2025-02-30T00:00:00Z",
                "2025-07-02T08:60:12Z",
                "2025-07-02T08:20:12+01:60",
                "2025-07-02T08:20:12",
                "2025-07-02T08:20:12.Z",
                "\u0662025-07-02T08:20:12Z",
            )
        ],
        *[
            pytest.param(JSON, structured(source=source), "URI-reference", id=f"source-{source}")
            for source in ("a b", "/a<b>", "/%zz", "http://[::1", "1:2", "/ä", "http://h:p/")
        ],
        *[
            pytest.param(JSON, structured(dataschema=schema), "absolute URI", id=f"schema-{schema}")
            for schema in ("/schema", "schema", "http://a b", ":/no uri")
        ],
        *[
            pytest.param(JSON, structured(datacontenttype=kind), "media type", id=f"kind-{kind}")
            for kind in ("json", "/json", "text/", "a/b/c", "text plain/x", "text/plain; a=b c")
        ],
        pytest.param([*BINARY, (b"content-type", b"json")], b"1", "media type", id="kind-binary"),
        pytest.param([(b"content-type", b"application/json")], b"{}", "missing", id="no-event-at-all"),
        pytest.param([(b"content-type", b"application/cloudevents+avro")], b"x", "format", id="unknown-format"),
        pytest.param([(b"content-type", b"application/cloudevents")], b"{}", "format", id="no-format"),
        pytest.param([(b"content-type", b"application/cloudevents-batch+json")], b"[]", "batch", id="batch"),
        pytest.param(
            [*BINARY, (b"content-type", b"application/cloudevents-batch+json")], b"[]", "batch", id="batch-ce"
        ),
        pytest.param(
            [(b"content-type", b"application/cloudevents+json; charset=utf-16")], b"{}", "UTF-8", id="charset"
        ),
        pytest.param([*JSON, *JSON], structured(), "more than one", id="two-content-types"),
        pytest.param(JSON, b"", "JSON object", id="empty"),
        pytest.param(JSON, b"[1]", "JSON object", id="array"),
        pytest.param(JSON, structured() + b"x", "follows", id="trailing"),
        pytest.param(JSON, structured()[:-1], "missing", id="cut"),
        pytest.param(JSON, b'{"id": "1", "id": "2"}', "twice", id="member-twice"),
        pytest.param(JSON, b"\xff\xfe", "UTF-8", id="bytes"),
        pytest.param(JSON, b"[" * 100_000, "JSON object", id="deep-array"),
        pytest.param(JSON, b'{"data": ' + b"[" * 100_000, "deeply", id="deep"),
        pytest.param(JSON, b'{"x": NaN}', "NaN", id="nan"),
        pytest.param(JSON, structured(id=""), "is empty", id="json-empty-id"),
        pytest.param(JSON, structured(id=None), "is missing", id="json-null-id"),
        pytest.param(JSON, structured(id=5), "not a string", id="json-number-id"),
        pytest.param(JSON, structured(Bad="x"), "Bad", id="json-name"),
        pytest.param(JSON, structured(ext=[1]), "neither", id="json-array-extension"),
        pytest.param(JSON, structured(ext=2**31), "neither", id="json-large-integer"),
        pytest.param(JSON, structured(ext=1.5), "neither", id="json-fraction"),
        pytest.param(JSON, structured(ext="\ud800"), "control", id="json-surrogate"),
        pytest.param(JSON, structured(partitionkey=7), "not a string", id="json-partitionkey"),
        pytest.param(JSON, structured(data=1, data_base64="AA=="), "exclude", id="data-twice"),
        pytest.param(JSON, structured(data_base64="?"), "base64", id="no-base64"),
        pytest.param(JSON, structured(data_base64=1), "not a string", id="base64-number"),
        pytest.param(JSON, structured(data="\ud800", datacontenttype="text/plain"), "surrogate", id="data-surrogate"),
    ],
)
def test_what_is_no_event_is_refused_with_a_reason(headers: list[tuple[bytes, bytes]], body: bytes, why: str) -> None:
    with pytest.raises(NotAnEventError, match=why):
        read(headers, body)


@pytest.mark.parametrize(
    ("wire", "value"),
    [
        (b"Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"),
        (b"%e2%82%ac", "€"),
        ("€".encode(), "€"),
        (b"100%", "100%"),
        (b"%zz%4", "%zz%4"),
        (b'"a \\"b\\" %41"', 'a "b" A'),
        (b'"', '"'),
    ],
)
def test_header_values_are_decoded(wire: bytes, value: str) -> None:
    assert percent_decode(wire) == value


@pytest.mark.parametrize(
    "source",
    [
        "https://user@example.com:8080/a?b#c",
        "http://[2001:db8::1]/",
        "mailto:a@b.example",
        "urn:uuid:6e8bc430",
        "1-555-123-4567",
        "//host/path",
        "a/b:c",
        "/a%20b",
        "http:",
        "?q",
        "#f",
    ],
)
def test_any_uri_reference_is_a_source(source: str) -> None:
    assert read(JSON, structured(source=source)).attributes["source"] == source


def test_header_values_are_encoded() -> None:
    assert percent_encode('Euro € 😀 "100%"~!') == "Euro%20%E2%82%AC%20%F0%9F%98%80%20%22100%25%22~!"


@pytest.mark.parametrize(
    ("headers", "claims"),
    [
        ([(b"Content-Type", b"application/json")], False),
        ([(b"content-type", b"Application/CloudEvents+json")], True),
        ([(b"CE-SpecVersion", b"9")], True),
        ([(b"ce-id", b"1")], False),
    ],
)
def test_a_message_is_known_to_claim_to_be_an_event(headers: list[tuple[bytes, bytes]], *, claims: bool) -> None:
    assert claims_to_be_event(headers) is claims


# Every character that the type String allows.
texts = st.text(
    st.characters(
        exclude_categories=("Cc", "Cs"),
        exclude_characters=[chr(p * 0x10000 + e) for p in range(17) for e in (0xFFFE, 0xFFFF)]
        + [chr(c) for c in range(0xFDD0, 0xFDF0)],
    ),
    min_size=1,
)
kinds = st.sampled_from(["application/json", "text/plain", "application/octet-stream", "application/vnd.x+json"])
events = st.builds(
    lambda values, extensions, kind, data: CloudEvent(
        {**extensions, **values, "specversion": "1.0", **({"datacontenttype": kind} if data is not None else {})}, data
    ),
    st.fixed_dictionaries(
        {"id": texts, "source": texts.map(lambda text: f"/{quote(text, safe='')}"), "type": texts},
        optional={"subject": texts},
    ),
    st.dictionaries(st.from_regex(r"x[a-z0-9]{0,10}", fullmatch=True), texts, max_size=3),
    kinds,
    st.one_of(st.none(), st.binary(min_size=1), st.sampled_from([b'{"a": 1}', b" 1 ", b"null", b'"x"'])),
)


@given(events)
def test_binary_http_is_read_as_written(event: CloudEvent) -> None:
    headers, body = write_binary(event)
    assert all(value.isascii() for _, value in headers)
    assert read([(name.encode(), value.encode()) for name, value in headers], body) == event


@given(events)
def test_records_are_read_as_written(event: CloudEvent) -> None:
    assert read_record(write_record(event)) == event


@given(st.binary(max_size=200))
def test_no_bytes_do_worse_than_to_be_refused(body: bytes) -> None:
    for headers in (JSON, BINARY, [(b"content-type", body)], [*BINARY, (b"ce-x", body)]):
        with contextlib.suppress(NotAnEventError):
            read(headers, body)


@pytest.mark.parametrize(
    "record",
    [
        Record(None, [], b"x"),
        Record(None, [("ce_id", b"1")], None),
        Record(None, [(f"ce_{name}", value.encode()) for name, value in CORE.items()] + [("ce_id", b"2")], None),
        Record(None, [("content-type", b"application/cloudevents+json")], None),
        Record(None, [("content-type", b"application/cloudevents+json")], b"[]"),
        Record(None, [("content-type", b"application/cloudevents-batch+json")], b"[]"),
        Record(None, [("ce_id", b"\xff")], None),
    ],
    ids=["foreign", "few", "twice", "null", "array", "batch", "not-utf8"],
)
def test_records_that_are_no_event_are_refused(record: Record) -> None:
    with pytest.raises(NotAnEventError):
        read_record(record)


def test_the_partition_key_is_the_record_key_and_stays_an_attribute() -> None:
    record = write_record(CloudEvent({**CORE, "partitionkey": "k€"}))
    assert record.key == "k€".encode()
    assert ("ce_partitionkey", "k€".encode()) in record.headers
    assert record.value is None
