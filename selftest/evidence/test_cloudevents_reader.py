"""The strict reader against the specification's sentences, SDK traps included, and against its own encoder."""

import base64
import json
from fractions import Fraction
from itertools import count
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.attributes import instant, same_value, value_fault
from evidence.cloudevents import differences, read_http, read_kafka, same_data
from selftest.evidence.story import STRUCTURED, binary, structured


def problems_of_binary(**attributes: str) -> list[str]:
    return [str(problem) for problem in read_http(binary(**attributes), b"{}").problems]


def without(name: str) -> list[list[str]]:
    return [pair for pair in binary() if pair[0] != f"ce-{name}"]


def of_structured(body: str | bytes, kind: str = "application/cloudevents+json") -> Any:
    return read_http([["Content-Type", kind]], body.encode() if isinstance(body, str) else body)


def envelope(**changes: Any) -> str:
    event = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t"} | changes
    return json.dumps({name: value for name, value in event.items() if value is not ...})


def test_a_good_binary_event_has_no_problem() -> None:
    reading = read_http(binary(subject="a/b", time="2025-07-02T08:20:12.5Z", myext="5"), b"\x00\xff")
    assert reading.problems == []
    assert reading.mode == "binary"
    assert reading.data == b"\x00\xff"
    assert reading.attributes == {
        "specversion": "1.0",
        "id": "e1",
        "source": "/src",
        "type": "t",
        "subject": "a/b",
        "time": "2025-07-02T08:20:12.5Z",
        "myext": "5",
        "datacontenttype": "application/json",
    }


def test_header_names_are_case_insensitive() -> None:
    headers = [["Ce-Id", "1"], ["CE-SOURCE", "/s"], ["ce-Type", "t"], ["cE-specVersion", "1.0"]]
    assert read_http(headers, b"").problems == []


@pytest.mark.parametrize("name", ["id", "source", "type", "specversion"])
def test_a_missing_required_attribute_is_never_invented(name: str) -> None:
    for reading in (read_http(without(name), b"{}"), of_structured(envelope(**{name: ...}))):
        assert name not in reading.attributes
        assert [p.message for p in reading.problems] == [f"required attribute {name} is missing"]


@pytest.mark.parametrize("name", ["id", "source", "type", "subject", "time", "dataschema"])
def test_an_empty_attribute_is_a_problem(name: str) -> None:
    assert any(f"{name} is empty" in text for text in problems_of_binary(**{name: ""}))
    assert any(f"{name} is empty" in str(p) for p in of_structured(envelope(**{name: ""})).problems)


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ({"specversion": "0.3"}, "specversion is '0.3'"),
        ({"source": "a b"}, "no URI-reference"),
        ({"source": "http://[::1"}, "no URI-reference"),
        ({"source": "%zz"}, "no URI-reference"),
        ({"dataschema": "relative/path"}, "no absolute URI"),
        ({"time": "2025-07-02 08:20:12Z"}, "no RFC 3339 time"),
        ({"time": "2025-02-30T08:20:12Z"}, "no RFC 3339 time"),
        ({"time": "not-a-time"}, "no RFC 3339 time"),
        ({"content_type": "json"}, "no media type"),
        ({"bad_name": "x"}, "bad_name"),
        ({"bad-name": "x"}, "bad-name"),
        ({"data": "x"}, "no attribute may be named 'data'"),
        ({"datacontenttype": "x/y"}, "ce-datacontenttype"),
        ({"subject": "Euro €".encode().decode("latin-1")}, "not percent-encoded"),
        ({"subject": "two words"}, "not percent-encoded"),
        ({"subject": "100%"}, "a % that begins no escape"),
        ({"subject": "%C0%A0"}, "not UTF-8"),
        ({"subject": "%00"}, "control character U+0000"),
        ({"subject": "%EF%BF%BF"}, "noncharacter U+FFFF"),
    ],
    ids=str,
)
def test_violations_of_binary_mode(attributes: dict[str, str], said: str) -> None:
    assert any(said in text for text in problems_of_binary(**attributes)), problems_of_binary(**attributes)


@pytest.mark.parametrize(
    "source",
    ["/", "a", "urn:x:y", "https://u@h:80/p?q#f", "//h/p", "#f", "?q", "./a:b", "http://[::1]:8/", "mailto:a@b", "%20"],
)
def test_sources_that_are_uri_references(source: str) -> None:
    assert value_fault("source", source) is None


def test_an_attribute_that_stands_twice_is_a_problem_and_the_first_one_counts() -> None:
    reading = read_http([*binary(), ["CE-ID", "other"]], b"")
    assert reading.attributes["id"] == "e1"
    assert [problem.message for problem in reading.problems] == ["attribute id stands twice"]


def test_a_name_with_a_line_end_is_no_name() -> None:
    assert any("abc" in str(p) for p in read_http([*binary(), ["ce-abc\n", "x"]], b"").problems)
    assert any("abc" in str(p) for p in of_structured(envelope(**{"abc\n": "x"})).problems)


def test_percent_decoding_is_one_round_and_quotes_are_undone_first() -> None:
    values = {"a": "Euro%20%e2%82%AC%2541", "b": '"say \\"hi\\" %41"'}
    reading = read_http(binary(**values), b"")
    assert reading.attributes["a"] == "Euro €%41"
    assert reading.attributes["b"] == 'say "hi" A'
    assert reading.problems == []


def test_plain_http_is_no_event() -> None:
    reading = read_http([["content-type", "application/json"]], b'{"predictions": [1]}')
    assert reading.mode is None
    assert len(reading.problems) == 1


@pytest.mark.parametrize(
    "kind",
    ["application/cloudevents+json", "Application/CloudEvents+JSON", "application/cloudevents+json; charset=UTF-8"],
)
def test_structured_mode_by_media_type(kind: str) -> None:
    reading = of_structured(envelope(data={"n": 1}), kind)
    assert (reading.mode, reading.problems, reading.value) == ("structured", [], {"n": 1})


def test_structured_mode_stands_above_ce_headers() -> None:
    assert read_http([*STRUCTURED, ["ce-id", "other"]], structured().encode()).attributes["id"] == "e1"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "no JSON"),
        (b'{"id":', "no JSON"),
        (b"[1]", "no JSON object"),
        (b"\xff\xfe\x00", "not readable text"),
        (envelope(id=7), "id is a JSON int"),
        (envelope(Bad="x"), "other characters than a-z and 0-9"),
        (envelope(myext={"a": 1}), "myext is a JSON dict"),
        (envelope(myext=1.5), "myext is a JSON float"),
        (envelope(myext=2**31), "no 32-bit integer"),
        (envelope(data=1, data_base64="AA=="), "both data and data_base64"),
        (envelope(data_base64="A"), "no base64"),
        (envelope(data_base64=7), "no base64"),
        (envelope(subject="\ud800"), "lone surrogate"),
        (envelope()[:-1] + ', "id": "2"}', "stands twice"),
        (envelope()[:-1] + ', "data": NaN}', "no JSON"),
        (b"[" * 100_000, "no JSON"),
    ],
    ids=map(str, count()),
)
def test_violations_of_structured_mode(body: str | bytes, said: str) -> None:
    problems = of_structured(body).problems
    assert any(said in str(problem) for problem in problems), problems


def test_null_is_absence_and_time_is_optional() -> None:
    reading = of_structured(envelope(time=None, myext=None))
    assert reading.problems == []
    assert "time" not in reading.attributes
    assert "myext" not in reading.attributes


def test_booleans_and_integers_have_canonical_strings() -> None:
    reading = of_structured(envelope(yes=True, no=False, number=-5))
    assert reading.problems == []
    assert (reading.attributes["yes"], reading.attributes["no"], reading.attributes["number"]) == (
        "true",
        "false",
        "-5",
    )


def test_a_batch_and_an_unknown_format_are_no_event_here() -> None:
    batch = of_structured(f"[{envelope()}]", "application/cloudevents-batch+json")
    assert (batch.mode, batch.attributes) == ("batch", {})
    assert batch.problems
    assert of_structured("<a/>", "application/cloudevents+xml").problems


@pytest.mark.parametrize(
    ("member", "data"),
    [
        ({"data": "text", "datacontenttype": "text/plain"}, b"text"),
        ({"data": "text"}, b'"text"'),
        ({"data": {"a": [1]}}, b'{"a":[1]}'),
        ({"data": {"a": 1}, "datacontenttype": "text/xml"}, b'{"a":1}'),
        ({"data_base64": base64.b64encode(b"\x00\xff").decode()}, b"\x00\xff"),
        ({}, None),
    ],
    ids=str,
)
def test_data_of_structured_mode(member: dict[str, Any], data: bytes | None) -> None:
    assert of_structured(envelope(**member)).data == data


def kafka(**changes: str | None) -> list[list[str | None]]:
    good: list[list[str | None]] = [[name.replace("ce-", "ce_"), value] for name, value in binary()]
    return good + [[name, value] for name, value in changes.items()]


def test_a_good_kafka_record_has_no_problem() -> None:
    reading = read_kafka(kafka(ce_subject="Euro € 100%".encode().decode("latin-1"), traceparent="\xff"), b"{}")
    assert reading.problems == []
    assert reading.attributes["subject"] == "Euro € 100%"
    assert read_kafka(kafka(), None).data is None


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        (kafka(ce_subject=None), "is null"),
        (kafka(ce_subject="\xff"), "not UTF-8"),
        (kafka(ce_id="again"), "stands twice"),
        (kafka(ce_datacontenttype="a/b"), "ce_datacontenttype"),
        (kafka(CE_other="x")[1:], "content"),
        ([[name, value] for name, value in binary()], "prefix ce-, not ce_"),
        ([["content-type", "application/json"]], "neither ce_ headers"),
    ],
    ids=map(str, count()),
)
def test_violations_of_the_kafka_binding(headers: list[list[str | None]], said: str) -> None:
    problems = read_kafka(headers, b"{}").problems
    if said == "content":
        assert problems == []
    else:
        assert any(said in str(problem) for problem in problems), problems


def test_a_structured_kafka_record() -> None:
    reading = read_kafka([["content-type", "Application/CloudEvents+json"]], structured().encode())
    assert (reading.mode, reading.problems) == ("structured", [])


def test_the_record_key_is_no_attribute() -> None:
    assert "partitionkey" not in read_kafka(kafka(), b"").attributes


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(
    lambda text: not any(ord(c) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(c) <= 0xFDEF for c in text)
)


def header_value(value: str) -> str:
    """Return an attribute as a sender writes it into a header (HTTP binding §3.1.3.2)."""
    return quote(value, safe="!#$&'()*+,/:;<=>?@[]^`{|}~\\")


@given(TEXT)
def test_any_string_survives_the_header_encoding(value: str) -> None:
    reading = read_http([*binary(), ["ce-subject", header_value(value)]], b"")
    assert reading.attributes["subject"] == value
    assert reading.problems == []


@given(st.binary())
def test_any_header_value_is_read_or_refused_without_an_exception(value: bytes) -> None:
    text = value.decode("latin-1")
    reading = read_http([["ce-id", text], ["ce-source", text], ["content-type", text]], value)
    assert reading.problems
    read_kafka([["ce_id", text], ["content-type", text]], value)
    read_http([["content-type", "application/cloudevents+json"]], value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(min_size=1, max_size=12), JSON, max_size=5))
def test_any_envelope_is_read_or_refused_without_an_exception(members: dict[str, Any]) -> None:
    reading = of_structured(json.dumps(members))
    assert reading.mode == "structured"
    assert {"specversion", "id", "source", "type"} <= reading.attributes.keys() or reading.problems


@given(JSON)
def test_json_data_is_the_same_in_both_modes_whatever_its_spelling(value: Any) -> None:
    one = of_structured(envelope(data=value))
    other = read_http(binary(), json.dumps(value, indent=2).encode())
    assert same_data(one, other)


def test_true_is_not_one_but_one_is_one_point_zero() -> None:
    assert not same_data(of_structured(envelope(data={"a": [True]})), read_http(binary(), b'{"a": [1]}'))
    assert same_data(of_structured(envelope(data={"a": [1]})), read_http(binary(), b'{"a": [1.0]}'))


def test_what_a_hostile_message_says_is_cut() -> None:
    reading = read_http(binary(source="a b" * 10_000), b"")
    assert all(len(problem.message) <= 300 for problem in reading.problems)


def test_differences_are_told_in_one_form() -> None:
    sent = read_http(binary(a="1", b="2", time="2025-07-02T10:20:12+02:00"), b"abc")
    seen = read_http(binary(a="1", c="3", time="2025-07-02T08:20:12.000Z"), b"abd")
    assert differences(sent, seen) == [
        "expected b '2'; got absent",
        "expected c absent; got '3'",
        "expected data b'abc' (3 bytes); got b'abd' (3 bytes)",
    ]
    assert differences(sent, seen, ignore=["b", "c", "data"]) == []


def test_json_data_needs_no_datacontenttype_until_it_is_binary() -> None:
    assert differences(of_structured(envelope(id="e1", source="/src", data=1)), read_http(binary(), b"1")) == []


def test_times_are_compared_as_instants() -> None:
    assert same_value("time", "2025-01-01T00:00:00Z", "2025-01-01t01:00:00.00+01:00")
    assert not same_value("subject", "2025-01-01T00:00:00Z", "2025-01-01t01:00:00.00+01:00")
    assert instant("1970-01-01T00:00:01.000000001Z") == 1 + Fraction(1, 10**9)
    assert instant("1970-01-01T01:00:00-01:30") == 2.5 * 3600
    assert instant("2024-02-29T23:59:60Z") == instant("2024-03-01T00:00:00Z")


def test_the_official_sdk_agrees_on_good_events_and_forgives_what_we_do_not() -> None:
    from cloudevents.core.bindings.http import HTTPMessage, from_http_event

    good = from_http_event(HTTPMessage(dict(binary()), b"{}"))
    assert good.get_id() == read_http(binary(), b"{}").attributes["id"]
    # The trap: an SDK invents the id, so a suite that parses with it can never see that it was missing.
    invented = from_http_event(HTTPMessage(dict(without("id")), b"{}"))
    assert invented.get_id()
    assert "id" not in read_http(without("id"), b"{}").attributes
