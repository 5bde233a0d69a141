"""Hand-written histories: answers, records of the broker's topic, and order; every bad kind fails with its witness."""

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest

from evidence.expectations import (
    Expectation,
    accepted,
    answered,
    header,
    in_order,
    not_recorded,
    record_key,
    record_shape,
    recorded,
    refused,
    response_body,
    response_event,
)
from evidence.refs import EventRef, TriggerRef
from evidence.verdict import ObservationRequest, Verdict
from selftest.evidence.story import (
    BROKER,
    ORDERED,
    SINK,
    STRUCTURED,
    TOPIC,
    TRIGGER,
    Story,
    binary,
    event,
    exchange,
    judged,
    structured,
)

E, X = event(), exchange()


def told(status: int | None = 202, headers: list[list[str]] | None = None, body: str = "") -> Story:
    story = Story()
    story.sent()
    story.answered(status=status, headers=headers or [], body=body)
    return story


ANSWERS: list[tuple[Expectation, Story, Verdict]] = [
    (answered(X, 202), told(), Verdict.PASS),
    (answered(X, range(200, 300)), told(204), Verdict.PASS),
    (answered(X, {404, 405}), told(405), Verdict.PASS),
    (answered(X, 405), told(404), Verdict.FAIL),
    (answered(X, 405), told(None), Verdict.UNKNOWN),
    (accepted(E), told(), Verdict.PASS),
    (accepted(E), told(400), Verdict.FAIL),
    (accepted(E), told(503), Verdict.UNKNOWN),
    (refused(X, 400), told(400), Verdict.PASS),
    (refused(X), told(499), Verdict.PASS),
    (refused(X), told(500), Verdict.FAIL),
    (refused(X), told(202), Verdict.FAIL),
    (answered(X, 503), told(503), Verdict.PASS),
    (header(X, "Allow", "POST"), told(405, [["allow", "OPTIONS, POST"]]), Verdict.PASS),
    (header(X, "Allow", "POST"), told(405), Verdict.FAIL),
    (header(X, "Server", None), told(405), Verdict.PASS),
    (header(X, "Server", None), told(405, [["server", "x"]]), Verdict.FAIL),
    (response_body(X, {"predictions": [2]}), told(200, body='{"predictions":[2.0000001]}'), Verdict.PASS),
    (response_body(X, {"predictions": [2]}), told(200, body='{"predictions":[7]}'), Verdict.FAIL),
    (response_body(X, {"a": 1}), told(200, body='{"a":true}'), Verdict.FAIL),
    (response_body(X, {"predictions": [2]}), told(200, body="nothing"), Verdict.FAIL),
    (response_event(X), told(200, binary("new"), "{}"), Verdict.PASS),
    (response_event(X), told(200, [], "{}"), Verdict.FAIL),
    (response_event(X), told(200, binary(id=""), "{}"), Verdict.FAIL),
    (response_event(X, new_id=True), told(200, binary("new")), Verdict.PASS),
    (response_event(X, new_id=True), told(200, binary("e1")), Verdict.FAIL),
    (response_event(X, own_type=True), told(200, binary("new")), Verdict.FAIL),
    (response_event(X, own_type=True), told(200, binary("new", type="answer")), Verdict.PASS),
    (response_event(X, json={"n": 1}), told(200, STRUCTURED, structured("new")), Verdict.PASS),
    (response_event(X, json={"n": 2}), told(200, binary("new"), '{"n": 1}'), Verdict.FAIL),
    (response_event(X, attributes={"type": "u"}), told(200, binary("new")), Verdict.FAIL),
]


@pytest.mark.parametrize(
    ("expectation", "story", "verdict"), ANSWERS, ids=[f"{n:02d}-{case[0].check}" for n, case in enumerate(ANSWERS)]
)
def test_answers(expectation: Expectation, story: Story, verdict: Verdict) -> None:
    assert judged(story.records[:1], expectation).verdict is None
    judgement = judged(story, expectation)
    assert judgement.verdict is verdict
    if verdict is not Verdict.PASS:
        assert judgement.violations[0].witness == (1, 2)
        assert judgement.violations[0].where.startswith("sender send-e1 -> POST http://ingress/ns/broker -> ")


@pytest.mark.parametrize(
    ("first", "second", "verdict"),
    [(503, 202, Verdict.FAIL), (503, 503, Verdict.UNKNOWN), (503, None, Verdict.UNKNOWN), (400, 503, Verdict.PASS)],
)
def test_not_now_is_a_failure_beside_a_control_that_was_accepted(
    first: int, second: int | None, verdict: Verdict
) -> None:
    story = told(first)
    control = exchange("later")
    expectation = refused(X, control=control)
    assert judged(story, expectation).verdict is (Verdict.PASS if verdict is Verdict.PASS else None)
    story.sent("later")
    story.answered("later", status=second)
    judgement = judged(story, expectation)
    assert judgement.verdict is verdict
    if verdict is Verdict.FAIL:
        assert judgement.violations[0].witness == (2, 4)


# Records.


def stored_once(story: Story) -> None:
    story.accepted()
    story.offsets()


def stored_twice(story: Story) -> None:
    story.accepted()
    story.stored()
    story.offsets()


def not_stored(story: Story) -> None:
    story.sent()
    story.answered()
    story.offsets()


def not_read(story: Story) -> None:
    story.sent()
    story.answered()
    story.offsets(end=1)


def refused_and_not_stored(story: Story) -> None:
    story.sent()
    story.answered(status=400)
    story.offsets()


def refused_and_stored(story: Story) -> None:
    story.sent()
    story.answered(status=400)
    story.stored()
    story.offsets()


def a_gap_in_the_tap(story: Story) -> None:
    story.sent()
    story.answered()
    story._offsets[TOPIC, 0] = 5
    story.stored("e9")
    story.offsets()


RECORDS: list[tuple[Expectation, Callable[[Story], None], Verdict, tuple[int, ...]]] = [
    (recorded(E, BROKER), stored_once, Verdict.PASS, ()),
    (recorded(E, BROKER), stored_twice, Verdict.FAIL, (3, 4)),
    (recorded(E, BROKER), not_stored, Verdict.FAIL, (2, 3)),
    (recorded(E, BROKER), not_read, Verdict.UNKNOWN, ()),
    (recorded(E, BROKER), a_gap_in_the_tap, Verdict.UNKNOWN, ()),
    (recorded(E, BROKER), refused_and_not_stored, Verdict.FAIL, (2,)),
    (not_recorded(E, BROKER), refused_and_not_stored, Verdict.PASS, ()),
    (not_recorded(E, BROKER), refused_and_stored, Verdict.FAIL, (1, 3)),
    (not_recorded(X, BROKER), not_read, Verdict.UNKNOWN, ()),
    (not_recorded(X, BROKER), a_gap_in_the_tap, Verdict.UNKNOWN, ()),
]


@pytest.mark.parametrize(
    ("expectation", "plot", "verdict", "witness"),
    RECORDS,
    ids=[f"{n:02d}-{case[0].check}-{case[1].__name__}" for n, case in enumerate(RECORDS)],
)
def test_records(
    expectation: Expectation, plot: Callable[[Story], None], verdict: Verdict, witness: tuple[int, ...]
) -> None:
    story = Story()
    plot(story)
    judgement = judged(story, expectation, final=True)
    assert judgement.verdict is verdict
    if verdict is not Verdict.PASS:
        assert judgement.violations[0].witness == witness


def test_an_end_that_was_asked_for_before_the_answer_proves_nothing() -> None:
    story = Story()
    story.sent()
    asked = story.t
    story.answered()
    story.add("offsets", group="", topic=TOPIC, committed={}, end={"0": 0}, asked_t=asked)
    assert judged(story, recorded(E, BROKER), final=True).verdict is Verdict.UNKNOWN
    story.add("offsets", group="", topic=TOPIC, committed={}, end={"0": 0}, asked_t=story.t)
    assert judged(story, recorded(E, BROKER)).verdict is Verdict.FAIL


def test_without_its_beginning_only_the_second_observation_of_the_end_counts() -> None:
    story = Story()
    story.sent()
    story.answered()
    story.add("offsets", group="", topic=TOPIC, committed={}, end={"0": 0})
    assert judged(story, recorded(E, BROKER)).verdict is None
    story.add("offsets", group="", topic=TOPIC, committed={}, end={"0": 0})
    assert judged(story, recorded(E, BROKER)).verdict is Verdict.FAIL


def test_what_the_checks_of_records_need() -> None:
    from evidence.checks import create

    expectation = recorded(E, BROKER)
    assert create(expectation.check, expectation.args).needs() == (
        ObservationRequest("tap", TOPIC),
        ObservationRequest("offsets", TOPIC),
    )


MEMBERS = {"specversion": "1.0", "id": "e1", "source": "/src", "type": "t", "datacontenttype": "application/json"}
NO_DATA, EMPTY_DATA = json.dumps(MEMBERS), json.dumps({**MEMBERS, "data_base64": ""})
KAFKA = [[name.replace("ce-", "ce_"), value] for name, value in binary()]


@pytest.mark.parametrize(
    ("headers", "value", "said"),
    [
        (KAFKA, '{"n": 1}', ""),
        ([*KAFKA, ["traceparent", "x"]], '{"n": 1}', ""),
        (binary(), '{"n": 1}', "prefix ce-, not ce_"),
        (STRUCTURED, structured(), "content mode binary; got structured"),
        ([*KAFKA, ["ce_extra", "x"]], '{"n": 1}', "extra absent; got 'x'"),
        (KAFKA, '{"n": 2}', "data"),
        ([pair for pair in KAFKA if pair[0] != "content-type"], '{"n": 1}', "datacontenttype"),
        ([*KAFKA, ["ce_x", "\xff"]], '{"n": 1}', "not UTF-8"),
    ],
    ids=map(str, itertools.count()),
)
def test_the_shape_of_a_record(headers: list[list[str]], value: str, said: str) -> None:
    story = Story()
    story.sent()
    story.answered()
    place = story.stored(headers=headers, value=value)
    judgement = judged(story, record_shape(E, BROKER))
    if not said:
        assert judgement.verdict is Verdict.PASS
        return
    assert judgement.verdict is Verdict.FAIL
    assert any(said in violation.message for violation in judgement.violations), judgement.violations
    assert judgement.violations[0].witness == (place,)


def test_a_structured_event_is_a_binary_record_with_its_json_data() -> None:
    story = Story()
    story.sent(headers=STRUCTURED, body=structured())
    story.answered()
    story.stored(value='{"n":1}')
    assert judged(story, record_shape(E, BROKER)).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("sent", "value", "verdict"),
    [
        ({"headers": binary(), "body": ""}, None, Verdict.PASS),
        ({"headers": binary(), "body": ""}, "", Verdict.FAIL),
        ({"headers": STRUCTURED, "body": NO_DATA}, None, Verdict.PASS),
        ({"headers": STRUCTURED, "body": NO_DATA}, "", Verdict.FAIL),
        ({"headers": STRUCTURED, "body": EMPTY_DATA}, "", Verdict.PASS),
    ],
    ids=["binary", "binary-empty", "structured", "structured-empty", "empty-data"],
)
def test_an_event_without_data_has_no_value(sent: dict[str, Any], value: str | None, verdict: Verdict) -> None:
    story = Story()
    story.sent(**sent)
    story.answered()
    story.stored(value=value)
    assert judged(story, record_shape(E, BROKER)).verdict is verdict


def test_the_key_of_a_record() -> None:
    story = Story()
    story.sent()
    story.answered()
    story.stored(key="k")
    assert judged(story, record_key(E, BROKER, "k")).verdict is Verdict.PASS
    judgement = judged(story, record_key(E, BROKER, None))
    assert judgement.verdict is Verdict.FAIL
    assert "under no key; got key 'k'" in judgement.violations[0].message


MANGLED: list[tuple[list[list[str]], str, list[list[str]], str]] = [
    # request headers, body, record headers, value
    (
        [p for p in binary() if p[0] != "ce-id"],
        '{"n": 1}',
        [p for p in KAFKA if p[0] != "ce_id"] + [["ce_id", "new"]],
        "{}",
    ),
    (binary(id=""), '{"own": 1}', [["ce_id", "new"], ["ce_type", "new"]], '{"own": 1}'),
    (binary(id=""), '{"n": 1}', [p for p in KAFKA if p[0] != "ce_id"] + [["ce_id", ""]], '{"n": 1}'),
    ([["content-type", "application/cloudevents-batch+json"]], f"[{structured()}]", KAFKA, "x"),
    (STRUCTURED, '{"id":', [], '{"id":'),
    (STRUCTURED, "", [["ce_id", "new"], ["ce_source", "/new"]], ""),
    (STRUCTURED, structured(type=""), KAFKA, "x"),
]


@pytest.mark.parametrize(("headers", "body", "record", "value"), MANGLED, ids=map(str, itertools.count()))
def test_a_malformed_request_is_recognised_in_the_topic_whatever_was_invented(
    headers: list[list[str]], body: str, record: list[list[str]], value: str
) -> None:
    story = Story()
    story.accepted("good")
    story.sent(headers=headers, body=body)
    story.answered(status=400)
    story.offsets()
    assert judged(story, not_recorded(X, BROKER)).verdict is Verdict.PASS
    place = story.stored(headers=record, value=value)
    judgement = judged(story, not_recorded(X, BROKER))
    assert judgement.verdict is Verdict.FAIL
    assert judgement.violations[0].witness == (4, place)


# Order.

EVENTS = [event(name) for name in "abc"]


def sequence(*deliveries: str, partitions: str = "000", commit: int | None = 3) -> Story:
    """Events a, b, c accepted in this order (records 1-9), then delivered as told, then committed."""
    story = Story()
    for name, partition in zip("abc", partitions, strict=True):
        story.accepted(name, int(partition))
    for name in deliveries:
        story.received(name)
    if commit is not None:
        story.offsets(commit)
        story.records[-1]["committed"] = dict.fromkeys(partitions, commit)
    return story


@pytest.mark.parametrize(
    ("story", "verdict", "witness"),
    [
        (sequence(*"abc"), Verdict.PASS, ()),
        (sequence(*"aabbc"), Verdict.PASS, ()),
        (sequence(*"abac"), Verdict.FAIL, (11, 12)),
        (sequence(*"acb"), Verdict.FAIL, (11, 12)),
        (sequence(*"cab"), Verdict.FAIL, (10, 11)),
        (sequence(*"acb", commit=None), Verdict.FAIL, (11, 12)),
        (sequence(*"abc", commit=None), Verdict.UNKNOWN, ()),
        (sequence(*"ab"), Verdict.FAIL, (9, 12)),
        (sequence(*"acb", partitions="010"), Verdict.PASS, ()),
        (sequence(*"cba", partitions="010"), Verdict.FAIL, (10, 12)),
    ],
    ids=map(str, itertools.count()),
)
def test_order(story: Story, verdict: Verdict, witness: tuple[int, ...]) -> None:
    judgement = judged(story, in_order(EVENTS, TRIGGER), final=True)
    assert judgement.verdict is verdict
    if verdict is not Verdict.PASS:
        assert judgement.violations[0].witness == witness


def test_the_order_asked_for_is_the_topics_not_the_lists() -> None:
    story = sequence(*"abc")
    assert judged(story, in_order([EVENTS[2], EVENTS[0], EVENTS[1]], TRIGGER)).verdict is Verdict.PASS


def test_order_without_a_visible_group_is_fenced() -> None:
    story = Story()
    for name in "abc":
        story.accepted(name)
    for name in "abc":
        story.delivered(name)
    assert isinstance(ORDERED, TriggerRef)
    assert ORDERED.sink == SINK
    assert judged(story, in_order(EVENTS[:2], ORDERED)).verdict is Verdict.PASS
    assert judged(story, in_order([*EVENTS, EventRef("/src", "d", "send-d")], ORDERED), final=True).verdict is (
        Verdict.UNKNOWN
    )
