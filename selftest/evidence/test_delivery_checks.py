"""Hand-written histories: deliveries counted, denied and spaced; each bad kind fails with its witness."""

from collections.abc import Callable

import pytest

from evidence.expectations import (
    Expectation,
    attempts,
    delivered,
    delivered_once,
    not_delivered,
    spaced,
)
from evidence.refs import EventRef, RefError, TriggerRef
from evidence.verdict import ObservationRequest, Verdict
from selftest.evidence.story import (
    GROUP,
    LETTERS,
    ORDERED,
    OTHER,
    SINK,
    TOPIC,
    TRIGGER,
    Story,
    binary,
    event,
    judged,
)
from selftest.histories import typed

Plot = Callable[[Story], None]
E = event()
CONTROL = event("e0")


def arrives(story: Story) -> None:
    story.accepted()
    story.delivered()
    story.offsets(1)


def arrives_unseen_by_offsets(story: Story) -> None:
    story.accepted()
    story.delivered()


def never_arrives(story: Story) -> None:
    story.accepted()
    story.offsets(1)


def not_yet(story: Story) -> None:
    story.accepted()
    story.offsets(0)


def unanswered(story: Story) -> None:
    story.sent()


def refused(story: Story) -> None:
    story.sent()
    story.answered(status=400)


def unavailable(story: Story) -> None:
    story.sent()
    story.answered(status=503)


def disconnected(story: Story) -> None:
    story.sent()
    story.answered(status=None)


def acked_and_lost(story: Story) -> None:
    story.sent()
    story.answered()
    story.stored("another")
    story.offsets(0)


def acked_and_unread(story: Story) -> None:
    story.sent()
    story.answered()
    story.offsets(0, end=1)


def twice(story: Story) -> None:
    story.accepted()
    story.delivered()
    story.delivered()
    story.offsets(1)


def elsewhere(story: Story) -> None:
    story.accepted()
    story.delivered(sink=LETTERS.name)
    story.offsets(1)


def nothing(story: Story) -> None:
    del story


def behind_a_control(story: Story, requests: int, done_with: int) -> None:
    """Tell of an event behind another one, of its requests, and of how many of the two the Trigger is done with."""
    story.accepted(CONTROL.id)
    story.delivered(CONTROL.id)
    story.accepted()
    for _ in range(requests):
        story.delivered()
    story.offsets(done_with)


CASES: list[tuple[Expectation, Plot, Verdict | None, Verdict, tuple[int, ...]]] = [
    # expectation, history, verdict before the deadline, at the deadline, witness
    (delivered(E, TRIGGER), arrives, Verdict.PASS, Verdict.PASS, ()),
    (delivered(E, SINK), arrives, Verdict.PASS, Verdict.PASS, ()),
    (delivered(E, TRIGGER), arrives_unseen_by_offsets, Verdict.PASS, Verdict.PASS, ()),
    (delivered(E, TRIGGER), never_arrives, Verdict.FAIL, Verdict.FAIL, (3, 4)),
    (delivered(E, SINK), never_arrives, None, Verdict.UNKNOWN, ()),
    (delivered(E, TRIGGER), elsewhere, Verdict.FAIL, Verdict.FAIL, (3, 6)),
    (delivered(E, TRIGGER), not_yet, None, Verdict.UNKNOWN, ()),
    (delivered(E, TRIGGER), unanswered, None, Verdict.UNKNOWN, ()),
    (delivered(E, TRIGGER), refused, Verdict.FAIL, Verdict.FAIL, (2,)),
    (delivered(E, TRIGGER), unavailable, Verdict.UNKNOWN, Verdict.UNKNOWN, (2,)),
    (delivered(E, TRIGGER), disconnected, Verdict.UNKNOWN, Verdict.UNKNOWN, (2,)),
    (delivered(E, TRIGGER), acked_and_lost, None, Verdict.FAIL, (2, 4)),
    (delivered(E, TRIGGER), acked_and_unread, None, Verdict.UNKNOWN, ()),
    (delivered(E, TRIGGER), nothing, None, Verdict.UNKNOWN, ()),
    (delivered_once(E, TRIGGER), arrives, Verdict.PASS, Verdict.PASS, ()),
    (delivered_once(E, TRIGGER), arrives_unseen_by_offsets, None, Verdict.UNKNOWN, ()),
    (delivered_once(E, TRIGGER), twice, Verdict.FAIL, Verdict.FAIL, (4, 6)),
    (delivered_once(E, TRIGGER), never_arrives, Verdict.FAIL, Verdict.FAIL, (3, 4)),
    (attempts(E, TRIGGER, 2), twice, Verdict.PASS, Verdict.PASS, ()),
    (attempts(E, TRIGGER, 3), twice, Verdict.FAIL, Verdict.FAIL, (3, 4, 6, 8)),
    (attempts(E, TRIGGER, 1), refused, Verdict.FAIL, Verdict.FAIL, (2,)),
    (not_delivered(E, TRIGGER), never_arrives, Verdict.PASS, Verdict.PASS, ()),
    (not_delivered(E, TRIGGER), elsewhere, Verdict.PASS, Verdict.PASS, ()),
    (not_delivered(E, TRIGGER), arrives, Verdict.FAIL, Verdict.FAIL, (4,)),
    (not_delivered(E, TRIGGER), not_yet, None, Verdict.UNKNOWN, ()),
    (not_delivered(E, TRIGGER), refused, Verdict.UNKNOWN, Verdict.UNKNOWN, (2,)),
    (not_delivered(E, TRIGGER), acked_and_lost, None, Verdict.UNKNOWN, (2, 4)),
    (not_delivered(E, TRIGGER), nothing, None, Verdict.UNKNOWN, ()),
]


@pytest.mark.parametrize(
    ("expectation", "plot", "early", "late", "witness"),
    CASES,
    ids=[f"{number:02d}-{case[0].check}-{case[1].__name__}" for number, case in enumerate(CASES)],
)
def test_verdict_and_witness(
    expectation: Expectation, plot: Plot, early: Verdict | None, late: Verdict, witness: tuple[int, ...]
) -> None:
    story = Story()
    plot(story)
    assert judged(story, expectation).verdict is early
    judgement = judged(story, expectation, final=True)
    assert judgement.verdict is late
    if late is Verdict.PASS:
        assert judgement.violations == ()
    else:
        assert judgement.violations[0].witness == witness
        assert judgement.violations[0].message.startswith("expected event e1 from /src to be ")
        assert "; got " in judgement.violations[0].message
        assert judgement.violations[0].where


@pytest.mark.parametrize(
    ("requests", "done_with", "verdict", "witness"),
    [
        pytest.param(1, 1, Verdict.FAIL, [(3, 9, 11)], id="fewer"),
        pytest.param(1, 0, Verdict.UNKNOWN, [], id="fewer-and-not-done-with-the-control"),
        pytest.param(0, 1, Verdict.UNKNOWN, [], id="none"),
        pytest.param(2, 1, Verdict.UNKNOWN, [], id="as-many"),
        pytest.param(2, 2, Verdict.PASS, [], id="as-many-and-done"),
    ],
)
def test_too_few_requests_behind_a_control_are_a_failure_at_the_deadline(
    requests: int, done_with: int, verdict: Verdict, witness: list[tuple[int, ...]]
) -> None:
    story, wanted = Story(), attempts(E, TRIGGER, 2, control=CONTROL)
    behind_a_control(story, requests, done_with)
    assert judged(story, wanted).verdict is (Verdict.PASS if verdict is Verdict.PASS else None)
    judgement = judged(story, wanted, final=True)
    assert judgement.verdict is verdict
    assert [found.witness for found in judgement.violations if found.witness] == witness


def test_a_failure_says_where_the_event_was_last_seen() -> None:
    story = Story()
    never_arrives(story)
    (violation,) = judged(story, delivered(E, TRIGGER)).violations
    assert violation.message == (
        "expected event e1 from /src to be delivered to Trigger ns/trigger; got group g passed broker-topic[0]@0"
    )
    assert violation.where == (
        "sender send-e1 -> ingress 202 -> topic broker-topic[0]@0 -> group g past broker-topic[0]@0"
    )


def test_needs_are_the_tap_and_the_offsets_once_the_ingress_has_answered() -> None:
    from evidence.checks import create

    expectation = delivered(E, TRIGGER)
    check = create(expectation.check, expectation.args)
    story = Story()
    story.sent()
    story.answered()
    check.feed(typed(story.records)[0])
    assert check.needs() == ()
    check.feed(typed(story.records)[1])
    assert check.needs() == (ObservationRequest("tap", TOPIC), ObservationRequest("offsets", TOPIC, GROUP))


def test_an_event_sent_twice_is_handled_when_both_records_are_passed() -> None:
    story = Story()
    for number in ("a", "b"):
        story.sent(number, headers=binary("e1"))
        story.answered(number)
    story.stored()
    story.delivered()
    story.offsets(1)
    assert judged(story, attempts(E, TRIGGER, 2)).verdict is None
    story.stored()
    story.delivered()
    story.offsets(1)
    assert judged(story, attempts(E, TRIGGER, 2)).verdict is None
    story.offsets(2)
    assert judged(story, attempts(E, TRIGGER, 2)).verdict is Verdict.PASS


def test_two_triggers_of_one_destination_are_counted_together_and_both_must_be_done() -> None:
    twin = TriggerRef("ns", "twin", SINK, TOPIC, "g-twin")
    story = Story()
    story.accepted()
    story.delivered()
    story.offsets(1)
    expectation = attempts(E, [TRIGGER, twin], 2)
    assert judged(story, expectation).verdict is None
    story.offsets(1, group="g-twin")
    judgement = judged(story, expectation)
    assert judgement.verdict is Verdict.FAIL
    assert judgement.violations[0].witness == (3, 4, 7)


def test_an_ordered_trigger_without_a_visible_group_is_fenced_by_a_later_event() -> None:
    story = Story()
    story.accepted("e1")
    story.accepted("e2")
    assert judged(story, not_delivered(E, ORDERED)).verdict is None
    story.received("e2")
    assert judged(story, not_delivered(E, ORDERED)).verdict is None, "not answered yet"
    story.replied(500)
    assert judged(story, not_delivered(E, ORDERED)).verdict is None, "will be retried"
    story.delivered("e2")
    assert judged(story, not_delivered(E, ORDERED)).verdict is Verdict.PASS
    assert judged(story, delivered(E, ORDERED)).verdict is Verdict.FAIL


def test_an_earlier_event_or_another_partition_is_no_fence() -> None:
    story = Story()
    story.accepted("e0")
    story.accepted("e1")
    story.accepted("e2", partition=1)
    story.delivered("e0")
    story.delivered("e2")
    assert judged(story, not_delivered(E, ORDERED), final=True).verdict is Verdict.UNKNOWN


REPLY = EventRef("/sub", "answer")


def replying(story: Story, status: int = 200) -> None:
    story.accepted()
    story.received()
    story.replied(status, headers=binary("answer", "/sub"))


def test_a_reply_is_delivered() -> None:
    story = Story()
    replying(story)
    expectation = delivered(REPLY, OTHER, replied_by=TRIGGER)
    assert judged(story, expectation).verdict is None
    story.stored(headers=[[n.replace("ce-", "ce_"), v] for n, v in binary("answer", "/sub")])
    story.received(sink="s/2", headers=binary("answer", "/sub"))
    assert judged(story, expectation).verdict is Verdict.PASS


def test_a_reply_that_is_stored_and_passed_but_not_delivered_fails() -> None:
    story = Story()
    replying(story)
    place = story.stored(headers=[[n.replace("ce-", "ce_"), v] for n, v in binary("answer", "/sub")])
    past = story.offsets(2, group="g2")
    judgement = judged(story, delivered(REPLY, OTHER, replied_by=TRIGGER))
    assert judgement.verdict is Verdict.FAIL
    assert judgement.violations[0].witness == (place, past)


def test_a_dropped_reply_is_proven_by_its_cause() -> None:
    story = Story()
    replying(story)
    story.offsets(1)
    expectation, denial = delivered(REPLY, OTHER, replied_by=TRIGGER), not_delivered(REPLY, OTHER, replied_by=TRIGGER)
    assert judged(story, denial, final=True).verdict is Verdict.UNKNOWN
    covered = story.offsets(1)
    judgement = judged(story, expectation, final=True)
    assert judgement.verdict is Verdict.FAIL
    assert judgement.violations[0].witness == (5, covered)
    assert judged(story, denial).verdict is Verdict.PASS


def test_a_reply_with_the_identity_of_its_question_has_a_record_of_its_own() -> None:
    story, expectation = Story(), delivered(EventRef(E.source, E.id), OTHER, replied_by=TRIGGER)
    story.accepted()
    story.received()
    story.replied(headers=binary())
    story.offsets(1, group="g2")
    story.offsets(1)
    story.offsets(1)
    assert judged(story, expectation).verdict is None, "what was passed is the question"
    assert judged(story, expectation, final=True).verdict is Verdict.FAIL
    place = story.stored()
    assert judged(story, expectation, final=True).verdict is Verdict.UNKNOWN, "the reply is stored, and not passed yet"
    past = story.offsets(2, group="g2")
    judgement = judged(story, expectation)
    assert judgement.verdict is Verdict.FAIL
    assert judgement.violations[0].witness == (place, past)
    story.received(sink="s/2")
    assert judged(story, expectation).verdict is Verdict.PASS


def test_no_reply_at_all_is_unknown() -> None:
    story = Story()
    arrives(story)
    story.offsets(1)
    assert judged(story, not_delivered(REPLY, OTHER, replied_by=TRIGGER), final=True).verdict is Verdict.UNKNOWN


def test_an_event_that_the_probe_wrote_to_the_topic_itself() -> None:
    story = Story()
    headers = [[n.replace("ce-", "ce_"), v] for n, v in binary("p")]
    ref = EventRef("/src", "p", produce="p1")
    place = {"topic": TOPIC, "partition": 0, "offset": 0, "key": None, "headers": headers, "value": "{}"}
    story.add("produced", produce="p1", **place, error=None)
    assert judged(story, delivered(ref, TRIGGER)).verdict is None
    story.offsets(1)
    assert judged(story, delivered(ref, TRIGGER)).verdict is Verdict.FAIL
    story.received("p")
    assert judged(story, delivered(ref, TRIGGER)).verdict is Verdict.PASS


def gaps(story: Story, *seconds: float) -> None:
    story.accepted()
    story.delivered(status=500)
    for gap in seconds:
        story.t = story.records[-2]["t"] + gap - 0.01
        story.delivered(status=500)


def test_gaps_that_are_long_enough_pass_without_offsets() -> None:
    story = Story()
    gaps(story, 0.2, 0.4)
    assert judged(story, spaced(E, TRIGGER, [0.2, 0.4])).verdict is Verdict.PASS


def test_a_gap_that_is_too_short_fails_at_once() -> None:
    story = Story()
    gaps(story, 0.2, 0.3)
    judgement = judged(story, spaced(E, TRIGGER, [0.2, 0.4, 0.8]))
    assert judgement.verdict is Verdict.FAIL
    assert judgement.violations[0].witness == (6, 8)
    assert "0.300 s before retry 2" in judgement.violations[0].message


def test_retries_that_were_too_few_are_judged_by_the_gaps_there_are() -> None:
    story = Story()
    gaps(story, 0.2)
    expectation = spaced(E, TRIGGER, [0.2, 0.4])
    assert judged(story, expectation).verdict is None
    story.offsets(1)
    assert judged(story, expectation).verdict is Verdict.PASS


def test_no_retry_at_all_leaves_the_gaps_unknown() -> None:
    story = Story()
    gaps(story)
    story.offsets(1)
    assert judged(story, spaced(E, TRIGGER, [0.2])).verdict is Verdict.UNKNOWN


def test_a_sink_alone_cannot_carry_a_claim_of_absence() -> None:
    with pytest.raises(RefError, match="a sink alone cannot prove absence"):
        not_delivered(E, SINK)  # type: ignore[arg-type]  # that is the point


def test_a_trigger_without_a_sink_of_the_probe_cannot_be_asked() -> None:
    with pytest.raises(RefError, match="is not a sink of the probe"):
        delivered(E, TriggerRef("ns", "kserve", None, TOPIC, GROUP))
