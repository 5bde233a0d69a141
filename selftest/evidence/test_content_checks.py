"""Hand-written histories: what deliveries, dead letters and traces carry; every bad kind fails with its witness."""

import base64
from typing import Any

import pytest

from evidence.expectations import (
    Expectation,
    attribute_kept,
    binary_mode,
    data_kept,
    dead_lettered,
    delivered,
    not_dead_lettered,
    not_received,
    request_header,
    request_target,
    sampling_kept,
    spans_differ,
    trace_not_continued,
    traced,
    tracestate_kept,
    unchanged,
)
from evidence.refs import EventRef
from evidence.verdict import Verdict
from selftest.evidence.story import (
    BROKER,
    LETTERS,
    STRUCTURED,
    TRIGGER,
    Story,
    binary,
    event,
    judged,
    structured,
)

E = event()
TRACE, SPAN, NEXT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{SPAN}-01"


def got(
    headers: list[list[str]] | None = None, body: str = '{"n": 1}', *, sent: dict[str, Any] | None = None, **more: Any
) -> Story:
    """Sent (1), answered (2), stored (3), received (4)."""
    story = Story()
    story.sent(**(sent or {}))
    story.answered()
    story.stored()
    story.received(headers=binary() if headers is None else headers, body=body, **more)
    return story


def traced_story(sent: str, *arrived: str) -> Story:
    """Return the story of an event that was sent with one traceparent, and came with these."""
    return got(
        [*binary(), *(["traceparent", value] for value in arrived)],
        sent={"headers": [*binary(), ["traceparent", sent]]},
    )


def behind_another(*arrived: list[str]) -> Story:
    """Return the story of an event without a trace, which came with these headers, and of another one that had one."""
    story = got([*binary(), *arrived])
    story.sent("e2", headers=[*binary("e2"), ["traceparent", TRACEPARENT], ["tracestate", "a=1"]])
    return story


DELIVERIES: list[tuple[Expectation, Story, str]] = [
    # expectation, history, what the failure says (empty: pass)
    (unchanged(E, TRIGGER), got(), ""),
    (unchanged(E, TRIGGER), got([*binary(), ["Prefer", "reply"], ["traceparent", TRACEPARENT]]), ""),
    (unchanged(E, TRIGGER), got(binary(knativearrivaltime="2025-07-02T08:20:12Z")), ""),
    (unchanged(E, TRIGGER), got(binary(knativekafkapartition="0", knativekafkaoffset="12")), ""),
    (unchanged(E, TRIGGER), got(binary(knativehistory="x")), "knativehistory absent; got 'x'"),
    (unchanged(E, TRIGGER, ignore=["knativehistory"]), got(binary(knativehistory="x")), ""),
    (unchanged(E, TRIGGER), got(method="PUT"), "method POST; got PUT"),
    (unchanged(E, TRIGGER), got(body='{"n":1}'), "data b'{\"n\": 1}' (8 bytes); got b'{\"n\":1}' (7 bytes)"),
    (unchanged(E, TRIGGER, ignore=["data"]), got(body="x"), ""),
    (unchanged(E, TRIGGER), got([p for p in binary() if p[0] != "ce-type"]), "required attribute type is missing"),
    (unchanged(E, TRIGGER), got(sent={"headers": binary(myext="1")}), "myext '1'; got absent"),
    (unchanged(E, TRIGGER), got(binary(myext="%31"), sent={"headers": binary(myext="1")}), ""),
    (unchanged(E, TRIGGER), got(binary(s="a b"), sent={"headers": binary(s="a%20b")}), "not percent-encoded"),
    (unchanged(E, TRIGGER), got(binary(s="a%2520b"), sent={"headers": binary(s="a%20b")}), "s 'a b'; got 'a%20b'"),
    (unchanged(E, TRIGGER), got(sent={"headers": STRUCTURED, "body": structured()}), ""),
    (unchanged(E, TRIGGER), got(STRUCTURED, structured()), ""),
    (data_kept(E, TRIGGER), got(binary(other="x")), ""),
    (data_kept(E, TRIGGER), got(body="\xef\xbf\xbd", sent={"body": "\xff"}), "1 bytes of data; got 3 bytes, different"),
    (
        data_kept(E, TRIGGER),
        got(body="abc", sent={"body": "abcdef"}),
        "6 bytes of data; got 3 bytes, different from byte 3",
    ),
    (data_kept(E, TRIGGER), got(body='{"n":1.0}', sent={"headers": STRUCTURED, "body": structured()}), ""),
    (attribute_kept(E, TRIGGER, "type"), got(), ""),
    (attribute_kept(E, TRIGGER, "x"), got(sent={"headers": binary(x="1")}), "x '1'; got none"),
    (attribute_kept(E, TRIGGER, "x"), got(binary(x="2"), sent={"headers": binary(x="1")}), "x '1'; got '2'"),
    (attribute_kept(E, BROKER, "type"), got(), ""),
    (attribute_kept(E, BROKER, "x"), got(binary(x="1"), sent={"headers": binary(x="1")}), "x '1'; got none"),
    (binary_mode(E, TRIGGER), got(), ""),
    (binary_mode(E, TRIGGER), got(STRUCTURED, structured()), "content mode binary; got structured"),
    (request_header(E, TRIGGER, "Prefer", "reply"), got([*binary(), ["prefer", "respond-async, reply"]]), ""),
    (request_header(E, TRIGGER, "Prefer", "reply"), got(), "request header Prefer 'reply'; got none"),
    (request_header(E, TRIGGER, "Prefer", None), got(), ""),
    (request_header(E, TRIGGER, "Prefer", None), got([*binary(), ["Prefer", "x"]]), "absent"),
    (request_target(E, TRIGGER, "/s/1?a=%2F"), got(path="/s/1?a=%2F"), ""),
    (request_target(E, TRIGGER, "/s/1?a=%2F"), got(path="/s/1"), "request target /s/1?a=%2F; got /s/1"),
    (request_target(E, TRIGGER, "/s/1"), got(path="/s/1/"), "request target /s/1; got /s/1/"),
    (traced(E, TRIGGER, TRACEPARENT), got([*binary(), ["traceparent", f"00-{TRACE}-{NEXT}-01"]]), ""),
    (traced(E, TRIGGER, TRACEPARENT), got(), "got 0"),
    (traced(E, TRIGGER, TRACEPARENT), got([*binary(), ["traceparent", TRACEPARENT]]), "another span id"),
    (traced(E, TRIGGER, TRACEPARENT), got([*binary(), ["traceparent", f"00-{'1' * 32}-{NEXT}-01"]]), f"trace {TRACE}"),
    (traced(E, TRIGGER, TRACEPARENT), got([*binary(), ["traceparent", f"00-{TRACE}-{'0' * 16}-01"]]), "a valid"),
    (traced(E, TRIGGER, TRACEPARENT), got([*binary(), ["traceparent", f"00-{TRACE.upper()}-{NEXT}-01"]]), "a valid"),
    (
        traced(E, TRIGGER),
        got(
            [*binary(), ["traceparent", f"00-{TRACE}-{NEXT}-01"]],
            sent={"headers": [*binary(), ["TraceParent", TRACEPARENT]]},
        ),
        "",
    ),
    (traced(E, TRIGGER), got(), "a valid traceparent to have been sent"),
    (spans_differ(E, TRIGGER, 1), got([*binary(), ["traceparent", f"00-{TRACE}-{NEXT}-01"]]), ""),
    (spans_differ(E, TRIGGER, 1), got(), "an attempt with traceparent"),
    (sampling_kept(E, TRIGGER), traced_story(TRACEPARENT, f"00-{TRACE}-{NEXT}-03"), ""),
    (sampling_kept(E, TRIGGER), traced_story(TRACEPARENT, f"00-{TRACE}-{NEXT}-02"), "the sampled flag set"),
    (sampling_kept(E, TRIGGER), traced_story(TRACEPARENT), "got 'none'"),
    (tracestate_kept(E, TRIGGER, ["a=1", "b=2"]), got([*binary(), ["tracestate", "own=1,a=1 , ,b=2"]]), ""),
    (tracestate_kept(E, TRIGGER, ["a=1", "b=2"]), got([*binary(), ["tracestate", "b=2,a=1"]]), "got b=2, a=1"),
    (tracestate_kept(E, TRIGGER, ["a=1", "b=2"]), got(), "got none"),
    (trace_not_continued(E, TRIGGER), traced_story(f"ff-{TRACE}-{SPAN}-01"), ""),
    (trace_not_continued(E, TRIGGER), traced_story(f"ff-{TRACE}-{SPAN}-01", f"00-{'1' * 32}-{NEXT}-01"), ""),
    (
        trace_not_continued(E, TRIGGER),
        traced_story(f"00-{TRACE.upper()}-{SPAN}-01", f"00-{TRACE}-{NEXT}-01"),
        "one of a new trace",
    ),
    (trace_not_continued(E, TRIGGER), traced_story("ff", f"ff-{TRACE}-{NEXT}-01"), "or a valid one"),
    (
        trace_not_continued(E, TRIGGER),
        traced_story(f"00-g{TRACE[1:]}-{SPAN}-01", f"00-0{TRACE[1:]}-{NEXT}-01"),
        "one of a new trace",
    ),
    (trace_not_continued(E, TRIGGER), traced_story(f"00-g{TRACE[1:]}-{SPAN}-01", f"00-{'1' * 32}-{NEXT}-01"), ""),
    (trace_not_continued(E, TRIGGER, others=[event("e2")]), behind_another(), ""),
    (
        trace_not_continued(E, TRIGGER, others=[event("e2")]),
        behind_another(["traceparent", f"00-{TRACE}-{NEXT}-01"]),
        "one of a new trace",
    ),
    (
        trace_not_continued(E, TRIGGER, others=[event("e2")]),
        behind_another(["tracestate", "a=1"]),
        "nothing of the tracestate",
    ),
]


@pytest.mark.parametrize(
    ("expectation", "story", "said"), DELIVERIES, ids=[f"{n:02d}-{case[0].check}" for n, case in enumerate(DELIVERIES)]
)
def test_what_a_delivery_carries(expectation: Expectation, story: Story, said: str) -> None:
    judgement = judged(story, expectation)
    if not said:
        assert (judgement.verdict, judgement.violations) == (Verdict.PASS, ())
        return
    assert judgement.verdict is Verdict.FAIL
    assert any(said in violation.message for violation in judgement.violations), judgement.violations
    assert set(judgement.violations[0].witness) <= {1, 3, 4}
    assert judgement.violations[0].where.startswith("sender send-e1 -> ingress 202 -> topic broker-topic[0]@0")


@pytest.mark.parametrize(
    "expectation",
    [
        unchanged(E, TRIGGER),
        data_kept(E, TRIGGER),
        binary_mode(E, TRIGGER),
        traced(E, TRIGGER),
        attribute_kept(E, TRIGGER, "x"),
    ],
    ids=lambda expectation: expectation.check,
)
def test_without_a_delivery_there_is_nothing_to_praise(expectation: Expectation) -> None:
    story = Story()
    story.accepted()
    assert judged(story, expectation, final=True).verdict is Verdict.UNKNOWN
    story.offsets(1)
    assert judged(story, expectation).verdict is Verdict.FAIL


def test_one_bad_attempt_among_good_ones_fails() -> None:
    story = got()
    bad = story.received(body="other")
    judgement = judged(story, unchanged(E, TRIGGER))
    assert judgement.verdict is Verdict.FAIL
    assert judgement.violations[0].witness == (1, bad)


def test_two_events_of_one_identity_may_each_be_delivered_as_sent() -> None:
    story = Story()
    for body in ("one", "two"):
        story.sent(body, headers=binary(), body=body)
        story.answered(body)
        story.stored()
        story.received(body=body)
    assert judged(story, unchanged(E, TRIGGER)).verdict is Verdict.PASS


def test_a_reply_is_compared_with_what_was_replied() -> None:
    story = Story()
    story.accepted()
    story.received()
    story.replied(headers=binary("answer", "/sub"), body="42")
    story.received("answer", headers=binary("answer", "/sub"), body="43")
    judgement = judged(story, data_kept(EventRef("/sub", "answer"), TRIGGER))
    assert judgement.verdict is Verdict.FAIL


# Dead letters.

FAILED = b"<html>\r\n" + b"x" * 2000


def letters(*, headers: list[list[str]] | None = None, body: str = '{"n": 1}', by: int | None = 1) -> Story:
    """Tell a whole history: accepted (1-3), tried and failed (4, 5), dead letter (6, 7), offsets (8)."""
    story = Story()
    story.accepted()
    story.delivered(status=500)
    if headers is not None:
        story.received(sink=LETTERS.name, headers=headers, body=body)
        story.replied()
    story.offsets(by)
    return story


def said_by_broker(**more: str) -> list[list[str]]:
    data = base64.b64encode(FAILED[:1024]).decode()
    known = {"knativeerrordest": "http://sub/", "knativeerrorcode": "500", "knativeerrordata": data}
    return binary(**(known | more))


LETTER_CASES: list[tuple[dict[str, Any], Story, Verdict, tuple[int, ...], str]] = [
    ({}, letters(headers=binary()), Verdict.PASS, (), ""),
    ({}, letters(headers=said_by_broker()), Verdict.PASS, (), ""),
    ({"code": 500, "dest": "http://sub/", "data": FAILED}, letters(headers=said_by_broker()), Verdict.PASS, (), ""),
    ({"code": 503}, letters(headers=said_by_broker()), Verdict.FAIL, (6,), "knativeerrorcode '503'; got '500'"),
    ({"code": 500}, letters(headers=binary()), Verdict.FAIL, (6,), "got None"),
    ({"dest": "http://x/"}, letters(headers=said_by_broker()), Verdict.FAIL, (6,), "knativeerrordest"),
    ({"data": b"other"}, letters(headers=said_by_broker()), Verdict.FAIL, (6,), "knativeerrordata"),
    ({"data": FAILED}, letters(headers=said_by_broker(knativeerrordata="<html>")), Verdict.FAIL, (6,), "in base64"),
    ({}, letters(headers=binary(type="dead")), Verdict.FAIL, (6,), "type 't'; got 'dead'"),
    ({}, letters(headers=binary(), body="{}"), Verdict.FAIL, (6,), "data that was sent"),
    ({}, letters(), Verdict.FAIL, (3, 6), "passed broker-topic[0]@0"),
    ({}, letters(by=0), Verdict.UNKNOWN, (), "has not passed"),
]


@pytest.mark.parametrize(
    ("asked", "story", "verdict", "witness", "said"), LETTER_CASES, ids=[f"{n:02d}" for n in range(len(LETTER_CASES))]
)
def test_dead_letters(
    asked: dict[str, Any], story: Story, verdict: Verdict, witness: tuple[int, ...], said: str
) -> None:
    judgement = judged(story, dead_lettered(E, LETTERS, by=TRIGGER, **asked), final=True)
    assert judgement.verdict is verdict
    if said:
        assert said in judgement.violations[0].message
        assert judgement.violations[0].witness == witness


def dead_end(*, control: bool = True, asked: bool = True) -> Story:
    """Tell of a control (1-3) and its dead letter (4), and of an event that the subscriber got (8), and no more."""
    story = Story()
    story.accepted("before")
    if control:
        story.received("before", sink=LETTERS.name)
    story.accepted()
    if asked:
        story.delivered(status=400)
    return story


@pytest.mark.parametrize(
    ("story", "verdict"),
    [
        (dead_end(), Verdict.FAIL),
        (dead_end(control=False), Verdict.UNKNOWN),
        (dead_end(asked=False), Verdict.UNKNOWN),
    ],
    ids=["silence", "no-control", "not-asked"],
)
def test_no_dead_letter_until_the_deadline_fails_beside_a_control_that_came(story: Story, verdict: Verdict) -> None:
    expectation = dead_lettered(E, LETTERS, by=TRIGGER, control=event("before"))
    assert judged(story, expectation).verdict is None
    judgement = judged(story, expectation, final=True)
    assert judgement.verdict is verdict
    if verdict is Verdict.FAIL:
        assert judgement.violations[0].witness == (4, 8)
    assert judged(story, dead_lettered(E, LETTERS, by=TRIGGER), final=True).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("story", "verdict"),
    [(letters(), Verdict.PASS), (letters(headers=binary()), Verdict.FAIL), (letters(by=0), Verdict.UNKNOWN)],
    ids=["handled", "received", "not-handled"],
)
def test_a_sink_of_none_of_the_triggers_gets_nothing(story: Story, verdict: Verdict) -> None:
    judgement = judged(story, not_received(E, LETTERS, by=TRIGGER), final=True)
    assert judgement.verdict is verdict
    assert ("to sink" in "".join(one.message for one in judgement.violations)) == (verdict is not Verdict.PASS)


@pytest.mark.parametrize(
    ("story", "verdict"),
    [
        (letters(), Verdict.PASS),
        (letters(headers=binary()), Verdict.FAIL),
        (letters(by=0), Verdict.UNKNOWN),
    ],
    ids=["handled", "sent", "not-handled"],
)
def test_no_dead_letter(story: Story, verdict: Verdict) -> None:
    judgement = judged(story, not_dead_lettered(E, LETTERS, by=TRIGGER), final=True)
    assert judgement.verdict is verdict
    if verdict is Verdict.FAIL:
        assert judgement.violations[0].witness == (6,)


def test_a_dead_letter_is_no_delivery() -> None:
    assert judged(letters(headers=binary()), delivered(E, LETTERS)).verdict is Verdict.PASS
    story = Story()
    story.accepted()
    story.received(sink=LETTERS.name)
    story.offsets(1)
    assert judged(story, delivered(E, TRIGGER)).verdict is Verdict.FAIL
