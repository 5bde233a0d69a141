"""Whatever a message says, the strict readers name its violations; they never fail themselves."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import jsontext
from evidence.cloudevents import Reading, differences, read_http, read_kafka, same_data
from evidence.identity import of_http, of_kafka

JSON_EVENT = "application/cloudevents+json"
LATIN = st.text(alphabet=st.characters(max_codepoint=255), max_size=30)
CHARSETS = st.sampled_from(["\0", "undefined", "hex", "rot13", "utf-16", "punycode", "unicode_escape", "none"]) | LATIN
KINDS = st.none() | LATIN | st.just(JSON_EVENT) | CHARSETS.map(lambda name: f"{JSON_EVENT}; charset={name}")
CORE = ["id", "source", "type", "specversion", "time", "datacontenttype", "dataschema", "data", ""]
NAMES = st.sampled_from([f"{prefix}{name}" for name in CORE for prefix in ("ce-", "ce_", "CE-")]) | LATIN
VALUES = st.sampled_from(["1.0", "%", "%zz", "%ff", "0000-01-01T00:00:00Z", '"\\', '"', "\xed\xa0\x80"]) | LATIN
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
ENVELOPES = st.dictionaries(st.sampled_from([*CORE, "data_base64", "more"]), JSON, max_size=8).map(json.dumps)
NUMBERS = st.sampled_from(["1" * 5000, "1e999", "-0", "NaN"]).map(lambda text: f'{{"data":{text},"more":{text}}}')
NESTED = st.integers(1, 100_000).map(lambda depth: f'{{"data":{"[" * depth}{"]" * depth}}}')
BODIES = (ENVELOPES | NUMBERS | NESTED).map(str.encode) | st.binary(max_size=50)


def compared(reading: Reading, other: Reading) -> None:
    """Everything that can be asked of two readings of one message."""
    assert all(problem.message and problem.paragraph for problem in reading.problems)
    assert [str(problem) for problem in reading.problems] == [str(problem) for problem in other.problems]
    if reading.value == other.value:  # NaN is no JSON, and no value is read from it
        assert differences(reading, other) == []
        assert same_data(reading, other)


@given(headers=st.lists(st.tuples(NAMES, VALUES), max_size=6), kind=KINDS, body=BODIES)
def test_any_http_message_is_read_or_refused(headers: list[Any], kind: str | None, body: bytes) -> None:
    pairs = headers if kind is None else [*headers, ("Content-Type", kind)]
    compared(read_http(pairs, body), read_http(pairs, body))
    of_http(pairs, body.decode("latin-1"))


@given(headers=st.lists(st.tuples(NAMES, VALUES | st.none()), max_size=6), kind=KINDS, value=BODIES | st.none())
def test_any_kafka_record_is_read_or_refused(headers: list[Any], kind: str | None, value: bytes | None) -> None:
    pairs = [*headers, ("content-type", kind)]
    compared(read_kafka(pairs, value), read_kafka(pairs, value))
    of_kafka(pairs, None if value is None else value.decode("latin-1"))


@pytest.mark.parametrize(
    ("kind", "body", "said"),
    [
        ("; charset=\0", b"{}", "not readable text"),
        ("; charset=undefined", b"{}", "not readable text"),
        ("", b'{"data":%s%s}' % (b"[" * 999, b"]" * 999), "at most 200 levels of nesting, got more"),
        ("", b'{"data":%s%s}' % (b"[" * 99999, b"]" * 99999), "at most 200 levels of nesting, got more"),
    ],
    ids=["charset-with-nul", "charset-that-always-fails", "deep", "deeper"],
)
def test_what_would_break_a_reader_is_a_violation(kind: str, body: bytes, said: str) -> None:
    problems = read_http([("Content-Type", JSON_EVENT + kind)], body).problems
    assert said in problems[0].message


@pytest.mark.parametrize(("depth", "fits"), [(199, True), (200, True), (201, False)])
def test_the_depth_of_json_is_bounded(depth: int, *, fits: bool) -> None:
    text = "[" * depth + "]" * depth
    if fits:
        assert jsontext.load(text) == json.loads(text)
    else:
        with pytest.raises(ValueError, match="at most 200 levels"):
            jsontext.load(text)
