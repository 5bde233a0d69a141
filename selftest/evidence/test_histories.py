"""Histories as files: strict reading, faults by file and line, refs as JSON."""

import contextlib
import io
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.history import KINDS, HistoryError, HistoryTruncatedError, Record, octets, parse, read
from evidence.refs import EventRef, ObjectRef, ProducedRef, RefError, SinkRef, TriggerRef, from_json, to_json
from selftest.evidence.story import Story


def story() -> Story:
    story = Story()
    story.accepted()
    story.delivered()
    story.offsets(1)
    return story


def write(folder: Path, lines: list[bytes]) -> Path:
    path = folder / "history.ndjson"
    path.write_bytes(b"".join(lines))
    return path


def line(record: Record) -> bytes:
    return orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)


def test_a_good_history_has_no_fault(tmp_path: Path) -> None:
    records = story().records
    assert list(read(write(tmp_path, [line(record) for record in records]))) == records


def changed(number: int, **fields: Any) -> list[bytes]:
    records = story().records
    records[number - 1] |= fields
    records[number - 1] = {name: value for name, value in records[number - 1].items() if value is not ...}
    return [line(record) for record in records]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (changed(2, seq=7), ":2: the record has seq 7, expected 2"),
        ([line for n, line in enumerate(changed(1), 1) if n != 2], ":2: the record has seq 3, expected 2"),
        (changed(3, kind="recrod"), ":3: the record has the unknown kind 'recrod'"),
        (changed(3, kind=["record"]), "unknown kind"),
        (changed(3, scope=...), ":3: the record has no scope"),
        (changed(3, t="now"), ":3: the record has no time"),
        (changed(3, offset=...), ":3: the record of kind record has no field offset"),
        (changed(3, offset="0"), ":3: the record of kind record has a field offset of type str"),
        (
            changed(1, headers=[["ce-id"]]),
            ":1: the record of kind sent has a header that is no pair of texts: ['ce-id']",
        ),
        (changed(1, headers=[["ce-id", None]]), "no pair of texts"),
        (changed(3, headers=[["ce_id", 7]]), "no pair of texts"),
        ([*changed(1)[:2], b"not json\n"], ":3: no JSON"),
        ([b"[1]\n"], ":1: the record is no JSON object"),
        ([b"\n"], ":1: no JSON"),
    ],
    ids=map(str, range(14)),
)
def test_a_fault_names_file_and_line(tmp_path: Path, lines: list[bytes], said: str) -> None:
    path = write(tmp_path, lines)
    with pytest.raises(HistoryError) as caught:
        list(read(path))
    assert str(caught.value).startswith(str(path))
    assert said in str(caught.value)


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
    from evidence.sightings import Sightings

    assert set(Sightings()._feeders) <= set(KINDS)


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
