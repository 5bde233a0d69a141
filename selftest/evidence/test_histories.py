"""Histories as files: strict reading, faults by file and line, refs as JSON."""

import contextlib
import io
from pathlib import Path
from typing import Any, cast

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence import history_file
from evidence.history import KINDS, MOST_NESTED, HistoryError, HistoryTruncatedError, octets, parse, read
from evidence.refs import EventRef, ObjectRef, ProducedRef, RefError, SinkRef, TriggerRef, from_json, to_json
from selftest.evidence.story import Story
from selftest.histories import Raw, resealed, without_digests


def story() -> Story:
    story = Story()
    story.accepted()
    story.delivered()
    story.offsets(1)
    return story


def write(folder: Path, lines: list[bytes]) -> Path:
    path = folder / "history.ndjson"
    path.write_bytes(b"".join(resealed(lines)))
    return path


def line(record: Raw) -> bytes:
    return orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)


def test_a_good_history_has_no_fault(tmp_path: Path) -> None:
    records = story().records
    found = cast("list[Raw]", list(read(write(tmp_path, [line(record) for record in records]))))
    assert without_digests(found) == records


def changed(number: int, **fields: Any) -> list[bytes]:
    records = story().records
    records[number - 1] |= fields
    records[number - 1] = {name: value for name, value in records[number - 1].items() if value is not ...}
    return [line(record) for record in records]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (changed(2, seq=7), ":2: field seq: expected 2, got 7: records are missing"),
        ([line for n, line in enumerate(changed(1), 1) if n != 2], ":2: field seq: expected 2, got 3"),
        (changed(3, seq=True), ":3: field seq: expected a whole number from 1, got true"),
        (changed(3, record="recrod"), ":3: field record: expected one of the known kinds of records, got 'recrod'"),
        (changed(3, record=["record"]), ":3: field record: expected one of the known kinds"),
        (changed(3, scope=...), ":3: field scope: expected a text, got nothing"),
        (changed(3, t="now"), ":3: field t: expected a number from 0 to 1e+12, got 'now'"),
        (changed(3, t=-1), ":3: field t: expected a number from 0 to 1e+12, got -1"),
        (changed(3, t=1e300), ":3: field t: expected a number from 0 to 1e+12, got 1e+300"),
        (changed(3, offset=...), ":3: field offset: expected a whole number from 0, got nothing"),
        (changed(3, offset="0"), ":3: field offset: expected a whole number from 0, got '0'"),
        (changed(3, offset=-1), ":3: field offset: expected a whole number from 0, got -1"),
        (changed(3, key=...), ":3: field key: expected a text or null, got nothing"),
        (changed(2, status=202.5), ":2: field status: expected a whole number from 0 to 999 or null, got 202.5"),
        (changed(2, body="x" * 999 + "y", status=[]), ":2: field status: expected a whole number"),
        (changed(2, body=["x" * 999] * 2), ":2: field body: expected a text, got a list of 2, which begins with 'xxx"),
        (changed(1, headers=[["ce-id"]]), ":1: field headers: expected a list of pairs of texts, got a list of 1"),
        (changed(1, headers=[["ce-id", None]]), ":1: field headers: expected a list of pairs of texts"),
        (
            changed(3, headers=[["ce_id", 7]]),
            ":3: field headers: expected a list of pairs of a text and a text or null",
        ),
        (changed(1, event={"source": 1, "id": "1"}), ":1: field event.source: expected a text, got 1"),
        (changed(6, committed={"first": 1}), ":6: field committed: expected an object of whole numbers by partition"),
        ([*changed(1)[:2], b"not json\n"], ":3: no JSON"),
        ([changed(1)[0].replace(b'"t":', b'"t":NaN,"u":')], ":1: no JSON"),
        ([b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}\n"], ":1: no JSON"),
        ([b"\xff\n"], ":1: no JSON"),
        ([b"[1]\n"], ":1: expected a JSON object, got a list of 1, which begins with 1"),
        ([b"\n"], ":1: no JSON"),
    ],
    ids=map(str, range(27)),
)
def test_a_fault_names_file_and_line(tmp_path: Path, lines: list[bytes], said: str) -> None:
    path = write(tmp_path, lines)
    with pytest.raises(HistoryError) as caught:
        list(read(path))
    assert str(caught.value).startswith(str(path))
    assert said in str(caught.value)


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def claimed(args: Any) -> list[bytes]:
    story = Story()
    said = {
        "expectation": "e",
        "check": "delivered",
        "timed_out": False,
        "upto": 0,
        "verdict": "pass",
        "violations": [],
    }
    story.add("expectation", **said, args=args)
    return [line(record) for record in story.records]


def test_values_of_any_shape_are_bounded_in_depth(tmp_path: Path) -> None:
    assert list(read(write(tmp_path, claimed({"a": nested(MOST_NESTED - 2)}))))
    with pytest.raises(HistoryError, match=r":1: expected lists and objects nested at most 64 deep, got deeper ones"):
        list(read(write(tmp_path, claimed({"a": nested(MOST_NESTED)}))))


def test_a_line_without_an_end_costs_no_more_than_the_longest_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_file, "MOST_LINE", 100)
    path = write(tmp_path, [b" " * 100_000])
    assert len(next(history_file.lines(path))) == 101
    with pytest.raises(HistoryError, match=r"history.ndjson:1: expected a line of at most 100 bytes, got a longer one"):
        list(read(path))


def test_a_file_that_is_too_large_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_file, "MOST_HISTORY", 1000)
    path = write(tmp_path, [b" " * 1001])
    with pytest.raises(HistoryError, match=r"history.ndjson: expected a file of at most 1000 bytes, got 1001"):
        list(read(path))


def test_a_cut_line_is_a_fault_of_its_own(tmp_path: Path) -> None:
    path = write(tmp_path, [*changed(1)[:2], changed(1)[2][:-5]])
    records = read(path)
    assert [next(records)["seq"], next(records)["seq"]] == [1, 2]
    with pytest.raises(HistoryTruncatedError, match=":3: the line is cut off"):
        next(records)


def test_a_missing_file_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match="No such file"):
        list(read(tmp_path / "none"))


def test_text_beyond_a_byte_is_a_fault() -> None:
    assert octets("\x00\xff") == b"\x00\xff"
    with pytest.raises(HistoryError):
        octets("€")


@given(st.binary())
def test_no_bytes_break_the_reader(data: bytes) -> None:
    with contextlib.suppress(HistoryError):
        list(parse(io.BytesIO(data)))


def test_every_kind_that_the_checks_read_is_known() -> None:
    from evidence.history_index import HistoryIndex

    assert set(HistoryIndex()._feeders) <= set(KINDS)


REFS = [
    EventRef("/s", "1", "s1"),
    TriggerRef("ns", "t", SinkRef("s/1", "http://x"), "topic", "g", ordered=True),
    TriggerRef("ns", "t", None, "topic", ""),
    ProducedRef("p1", "in", None),
    ObjectRef("v1", "Broker", None, "b", 7),
    {"a": [b"\x00\xff", None, 1.5, True, "text"]},
]


@pytest.mark.parametrize("value", REFS, ids=map(str, range(len(REFS))))
def test_refs_survive_json(value: Any) -> None:
    assert from_json(orjson.loads(orjson.dumps(to_json(value)))) == value


@pytest.mark.parametrize("value", [object(), {1: 2}, {"$ref": "x"}, {1, 2}], ids=["object", "number", "dollar", "set"])
def test_what_has_no_json_form_is_refused(value: Any) -> None:
    with pytest.raises(RefError):
        to_json(value)


@pytest.mark.parametrize("value", [{"$ref": "unknown"}, {"$ref": "event"}, {"$ref": "event", "x": 1}], ids=range(3))
def test_a_damaged_ref_is_refused(value: Any) -> None:
    with pytest.raises(RefError):
        from_json(value)
