"""Hand-written histories of results: how many, under which ids, in which records; and of events that others caused."""

import base64
import json
from collections.abc import Sequence
from typing import Any

import pytest

from evidence.expectations import (
    Expectation,
    caused,
    dead_letter_explained,
    result_ids_differ,
    result_record,
    results_counted,
    results_traced,
)
from evidence.refs import RefError, TopicRef
from evidence.verdict import Verdict
from selftest.evidence.story import LETTERS, RESULTS, TOPIC, TRIGGER, Story, binary, event, judged

E = event()


def result(trace_id: str, **more: Any) -> str:
    value = {"specversion": "1.0", "id": "r", "source": "s", "data": {"predictions": [2]}} | more
    return json.dumps(value | {"test-trace-id": trace_id})


def of_many(*pairs: tuple[str, str], over: bool = True) -> Story:
    """Tell of two events (1-6) and these results (7..), each a trace id and an event id; all is over."""
    story = Story()
    story.accepted()
    story.accepted("e2")
    for trace_id, name in pairs:
        story.stored("x", topic="results", headers=[], value=result(trace_id, id=name))
    if over:
        story.offsets(2)
        story.offsets(topic="results", group="")
    return story


BOTH = {"t1": E, "t2": event("e2")}
COUNTED = results_counted(BOTH, RESULTS, by=TRIGGER)
REPEATED = results_counted(BOTH, RESULTS, by=TRIGGER, repeats=True)
DIFFER = result_ids_differ(BOTH, RESULTS, by=TRIGGER)
MANY: list[tuple[Expectation, Story, Verdict | None, Verdict, tuple[int, ...]]] = [
    (COUNTED, of_many(("t1", "a"), ("t2", "b")), Verdict.PASS, Verdict.PASS, ()),
    (COUNTED, of_many(("t1", "a"), ("t1", "a"), ("t2", "b")), Verdict.FAIL, Verdict.FAIL, (7, 8)),
    (COUNTED, of_many(("t1", "a")), Verdict.FAIL, Verdict.FAIL, (8, 9)),
    (COUNTED, of_many(("t1", "a"), ("t2", "b"), over=False), None, Verdict.UNKNOWN, ()),
    (REPEATED, of_many(("t1", "a"), ("t1", "a"), ("t2", "b")), Verdict.PASS, Verdict.PASS, ()),
    (REPEATED, of_many(("t1", "a"), ("t1", "c"), ("t2", "b")), Verdict.FAIL, Verdict.FAIL, (7, 8)),
    (REPEATED, of_many(("t2", "b")), Verdict.FAIL, Verdict.FAIL, (8, 9)),
    (DIFFER, of_many(("t1", "a"), ("t2", "b")), Verdict.PASS, Verdict.PASS, ()),
    (DIFFER, of_many(("t1", "a"), ("t1", "a"), ("t2", "b")), Verdict.PASS, Verdict.PASS, ()),
    (DIFFER, of_many(("t1", "a"), ("t2", "a")), Verdict.FAIL, Verdict.FAIL, (7, 8)),
    (DIFFER, of_many(("t1", ""), ("t2", "a")), Verdict.FAIL, Verdict.FAIL, (7,)),
    (DIFFER, of_many(("t1", "a")), None, Verdict.FAIL, (8, 9)),
]


@pytest.mark.parametrize(
    ("expectation", "story", "early", "late", "witness"),
    MANY,
    ids=[f"{number:02d}-{case[0].check}" for number, case in enumerate(MANY)],
)
def test_results_of_many_events_are_counted_and_told_apart(
    expectation: Expectation, story: Story, early: Verdict | None, late: Verdict, witness: tuple[int, ...]
) -> None:
    assert judged(story, expectation).verdict is early
    judgement = judged(story, expectation, final=True)
    assert judgement.verdict is late
    if late is not Verdict.PASS:
        assert judgement.violations[0].witness == witness


KAFKA = [["content-type", "application/cloudevents+json"]]
VALID = {"time": "1970-01-01T00:00:30Z", "data": {}, "datacontenttype": "application/json"}


def kept(aspect: str, *, key: str | None = "t1", headers: Any = KAFKA, **members: Any) -> tuple[Expectation, Story]:
    """Return the expectation of one side of a result, and a history with one (4) whose record is of 1970."""
    story = Story()
    story.accepted()
    story.stored("x", topic="results", headers=headers, key=key, value=result("t1", **VALID | members))
    return result_record("t1", RESULTS, aspect, key="test-trace-id", of=E, by=TRIGGER), story


@pytest.mark.parametrize(
    ("aspect", "wrong"),
    [
        ("mode", {"headers": []}),
        ("mode", {"headers": [["content-type", "application/json"]]}),
        ("names", {}),  # the trace id's own name has hyphens here
        ("values", {"source": "no reference <at all>"}),
        ("values", {"time": "yesterday"}),
        ("key", {"key": None}),
        ("key", {"key": "t2"}),
        ("time", {"time": None}),
        ("time", {"time": "yesterday"}),
        ("time", {"time": "1970-01-01T00:01:01Z"}),
        ("time", {"time": "1970-01-01T00:00:30+01:00"}),
    ],
)
def test_a_side_of_a_result_that_is_wrong_fails_with_its_record(aspect: str, wrong: dict[str, Any]) -> None:
    expectation, story = kept(aspect, **wrong)
    judgement = judged(story, expectation)
    assert (judgement.verdict, judgement.violations[0].witness) == (Verdict.FAIL, (4,))


@pytest.mark.parametrize("aspect", ["mode", "values", "key", "time"])
@pytest.mark.parametrize(
    "time", ["1970-01-01T00:00:30Z", "1970-01-01t01:00:00.123456789+01:00", "1969-12-31T23:59:60Z"]
)
def test_sides_of_a_valid_result_pass(aspect: str, time: str) -> None:
    expectation, story = kept(aspect, time=time)
    assert judged(story, expectation).verdict is Verdict.PASS


SENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
SAME = SENT.replace("00f067aa0ba902b7", "00f067aa0ba902b8")
FOREIGN = SAME.replace("4bf92f3577b34da6a3ce929d0e0e4736", "4bf92f3577b34da6a3ce929d0e0e4737")
MEMBERS = ["a=1", "b=2"]


def hop(at: str, *headers: tuple[str, str], members: Sequence[str] = ()) -> tuple[Expectation, Story]:
    """Return the expectation of one hop, and a history whose result (4) shows these headers there alone."""
    story = Story()
    story.accepted()
    shown = {"data": {"predictions": [2], **dict(headers)}} if at == "predictor" else {}
    record = [list(header) for header in headers] if at == "record" else []
    story.stored("x", topic="results", headers=record, value=result("t1", **shown))
    return results_traced({"t1": SENT}, RESULTS, of={"t1": E}, by=TRIGGER, at=at, members=members), story


@pytest.mark.parametrize("at", ["predictor", "record"])
@pytest.mark.parametrize(
    ("headers", "members", "verdict"),
    [
        ([("traceparent", SAME)], [], Verdict.PASS),
        ([("traceparent", FOREIGN)], [], Verdict.FAIL),
        ([("traceparent", SENT)], [], Verdict.FAIL),
        ([("traceparent", "00-0-0-01")], [], Verdict.FAIL),
        ([], [], Verdict.FAIL),
        ([("tracestate", "own=0,a=1, b=2")], MEMBERS, Verdict.PASS),
        ([("tracestate", "b=2,a=1")], MEMBERS, Verdict.FAIL),
        ([("traceparent", SAME)], MEMBERS, Verdict.FAIL),
    ],
    ids=["same", "foreign", "span-of-the-sender", "malformed", "none", "members", "other-order", "no-members"],
)
def test_a_hop_is_in_the_trace_that_was_sent(
    at: str, headers: list[tuple[str, str]], members: list[str], verdict: Verdict
) -> None:
    expectation, story = hop(at, *headers, members=members)
    judgement = judged(story, expectation)
    assert judgement.verdict is verdict
    assert [fault.witness for fault in judgement.violations] == [(4,)] * (verdict is Verdict.FAIL)


def test_a_hop_of_a_result_that_is_proven_absent_fails_and_one_that_may_come_is_open() -> None:
    expectation = results_traced({"t1": SENT, "t2": SENT}, RESULTS, of=BOTH, by=TRIGGER, at="record")
    assert judged(of_many(over=False), expectation, final=True).verdict is Verdict.UNKNOWN
    assert judged(of_many(), expectation).verdict is None
    assert judged(of_many(), expectation, final=True).verdict is Verdict.FAIL


def test_an_unknown_hop_is_an_error() -> None:
    with pytest.raises(RefError, match="known: predictor, record"):
        results_traced({"t1": SENT}, RESULTS, of={"t1": E}, by=TRIGGER, at="broker")


def test_an_unknown_side_is_an_error() -> None:
    with pytest.raises(RefError, match="unknown aspect 'colour'; known: mode"):
        result_record("t1", RESULTS, "colour", of=E, by=TRIGGER)


def in_topic(*types: str, over: bool = True) -> Story:
    """Tell of an event (1-3) and of others that came into the Broker's topic (4..)."""
    story = Story()
    story.accepted()
    for number, kind in enumerate(types):
        headers = [
            ["content-type", "application/json"],
            *([f"ce_{n}", v] for n, v in envelope_of(number, kind).items()),
        ]
        story.stored(f"o{number}", headers=headers, value='{"predictions": [2]}')
    if over:
        story.offsets(1)
        story.offsets(topic=TOPIC, group="")
    return story


def envelope_of(number: int, kind: str) -> dict[str, str]:
    return {"specversion": "1.0", "id": f"o{number}", "source": "/model", "type": kind}


def answers(count: int, json: Any = None) -> Expectation:
    said = {"predictions": [2]} if json is None else json
    return caused(E, count, TopicRef(TOPIC), by=TRIGGER, attributes={"type": "answer"}, json=said)


@pytest.mark.parametrize(
    ("expectation", "story", "early", "late"),
    [
        (answers(1), in_topic("answer"), Verdict.PASS, Verdict.PASS),
        (answers(1), in_topic("answer", "other"), Verdict.PASS, Verdict.PASS),
        (answers(1), in_topic("answer", "answer"), Verdict.FAIL, Verdict.FAIL),
        (answers(1), in_topic("other"), Verdict.FAIL, Verdict.FAIL),
        (answers(1, {"predictions": [3]}), in_topic("answer"), Verdict.FAIL, Verdict.FAIL),
        (answers(1), in_topic("answer", over=False), None, Verdict.UNKNOWN),
        (answers(0), in_topic("other"), Verdict.PASS, Verdict.PASS),
        (answers(0), in_topic("answer"), Verdict.FAIL, Verdict.FAIL),
        (answers(0), in_topic(over=False), None, Verdict.UNKNOWN),
    ],
)
def test_events_that_another_caused_are_counted_when_it_is_done_with(
    expectation: Expectation, story: Story, early: Verdict | None, late: Verdict
) -> None:
    assert judged(story, expectation).verdict is early
    assert judged(story, expectation, final=True).verdict is late


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        (b'{"error": "no picture"}', Verdict.PASS),
        (b'{"error": " "}', Verdict.FAIL),
        (b'{"error": 400}', Verdict.FAIL),
        (b'{"detail": "no picture"}', Verdict.FAIL),
        (b"no picture", Verdict.FAIL),
        (b"", Verdict.FAIL),
        (None, Verdict.FAIL),
    ],
)
def test_a_dead_letter_says_in_words_what_was_wrong(said: bytes | None, verdict: Verdict) -> None:
    story = Story()
    story.accepted()
    more = {} if said is None else {"knativeerrordata": base64.b64encode(said).decode()}
    story.received(sink=LETTERS.name, headers=binary(**more))
    story.replied()
    assert judged(story, dead_letter_explained(E, LETTERS, by=TRIGGER, member="error")).verdict is verdict


def test_a_dead_letter_that_does_not_come_says_nothing() -> None:
    story = Story()
    story.accepted()
    expectation = dead_letter_explained(E, LETTERS, by=TRIGGER, member="error")
    assert judged(story, expectation, final=True).verdict is Verdict.UNKNOWN
    story.offsets(1)
    assert judged(story, expectation, final=True).verdict is Verdict.FAIL
