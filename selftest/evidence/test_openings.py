"""Where a topic ended before a test asked anything: what lies below is not its, and what lies above is not left out."""

from typing import Any

import pytest

from evidence.history_index import HistoryIndex, Moment
from evidence.watch import Watch
from selftest.histories import typed

TOPIC = "t"


def record(kind: str, seq: int, **fields: Any) -> dict[str, Any]:
    """Return a record of scope `s`, a second after the one before it."""
    return {"record": kind, "seq": seq, "t": float(seq), "scope": "s", **fields}


def offsets(seq: int, end: int, **fields: Any) -> dict[str, Any]:
    """Return an observation of one partition's end."""
    return record("offsets", seq, group="", topic=TOPIC, committed={}, end={"0": end}, asked_t=seq - 0.5, **fields)


def stored(seq: int, offset: int) -> dict[str, Any]:
    """Return a record of the topic, as a tap read it."""
    place = {"topic": TOPIC, "partition": 0, "offset": offset}
    return record("topic.record", seq, **place, key=None, headers=[], value=str(offset), timestamp=0)


SENT = record("sent", 3, send="s-s1", url="http://b", method="POST", headers=[], body="")
PRODUCED = record(
    "produced", 3, produce="s-p1", topic=TOPIC, key=None, headers=[], value=None, partition=0, offset=0, error=None
)
CALLED = record("grpc.called", 3, call="s-g1", target="a:1", method="/x/y", metadata=[], message="")
LOADED = record("load", 3, load="s-l1", samples=[])


@pytest.mark.parametrize(
    ("records", "covered", "kept"),
    [
        ([offsets(1, 2, opens=True), offsets(9, 2)], 9, []),
        ([offsets(1, 2, opens=True), stored(4, 2), offsets(9, 3)], 9, ["2"]),
        ([offsets(1, 2, opens=True), stored(4, 2), offsets(9, 4)], None, ["2"]),
        ([offsets(1, 2, opens=True), stored(4, 3), offsets(9, 4)], None, ["3"]),
        ([offsets(1, 2, opens=True), stored(2, 0), stored(3, 1), stored(4, 2), offsets(9, 3)], 9, ["2"]),
        ([offsets(1, 1, opens=True), offsets(2, 2, opens=True), stored(4, 1), stored(5, 2), offsets(9, 3)], 9, ["2"]),
        ([offsets(1, 2), offsets(9, 2)], None, []),
        ([offsets(1, 2), stored(4, 2), offsets(9, 3)], None, ["2"]),
        ([offsets(1, 2), stored(3, 0), stored(4, 1), offsets(9, 2)], 9, ["0", "1"]),
    ],
    ids=[
        "nothing-came",
        "all-read",
        "one-unread",
        "one-skipped",
        "read-from-the-beginning",
        "looked-at-twice",
        "no-opening-unread",
        "no-opening-skipped",
        "no-opening-all-read",
    ],
)
def test_a_topic_is_read_from_its_opening(records: list[Any], covered: int | None, kept: list[str]) -> None:
    history = HistoryIndex()
    history.watch_topic(TOPIC, keep=True)
    for each in typed(records):
        history.feed(each)
    topic = history.topics[TOPIC]
    assert topic.covered(Moment(5, 5.0)) == covered
    assert [each["value"] for each in topic.kept] == kept


@pytest.mark.parametrize("asked", [SENT, PRODUCED, CALLED, LOADED], ids=lambda each: each["record"])
def test_an_opening_after_a_request_is_a_fault_of_the_instrument(asked: dict[str, Any]) -> None:
    watch = Watch()
    honest = [offsets(2, 0, opens=True), asked, offsets(4, 1)]
    assert not [trouble for each in typed(honest) for trouble in watch.feed(each) if "taps" in trouble.text]
    (forged,) = typed([offsets(5, 1, opens=True)])
    told = f"record 5: expected taps of topic {TOPIC} to begin before the first request, got it after one"
    assert [(trouble.scope, trouble.text, trouble.kind) for trouble in watch.feed(forged)] == [("s", told, "sequence")]
