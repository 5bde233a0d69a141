"""Brokers without storage to look at: what a fence proves, and which histories only look as if it did."""

from collections.abc import Callable

import pytest

from evidence.checks import create
from evidence.expectations import (
    Expectation,
    attempts,
    dead_lettered,
    delivered,
    delivered_once,
    not_dead_lettered,
    not_delivered,
    not_recorded,
    record_key,
    recorded,
)
from evidence.refs import BrokerRef, EventRef, ExchangeRef, RefError, SinkRef, TriggerRef
from evidence.verdict import ObservationRequest, Proof, Verdict
from selftest.evidence.story import LETTERS, SINK, Story, binary, event, judged
from selftest.histories import typed

SETTLE = 0.5
TRIGGER = TriggerRef("ns", "trigger", SINK, "", "", settle=SETTLE)
WITNESS = TriggerRef("ns", "witness", SinkRef("s/w", "http://probe/s/w"), "", "", settle=SETTLE)
ASKED = TriggerRef("ns", "asked", SinkRef("s/a", "http://probe/s/a"), "", "", settle=SETTLE)
BROKER = BrokerRef("ns", "broker", "", "http://ingress/ns/broker", witness=WITNESS)
E = event()
REPLY = EventRef("/src", "answer")
Plot = Callable[[Story], None]


def sent(story: Story, name: str = "e1", status: int = 202) -> None:
    story.sent(name)
    story.answered(name, status)


def came(story: Story, name: str = "e1", trigger: TriggerRef = TRIGGER, status: int = 200) -> None:
    assert trigger.sink
    story.delivered(name, status, sink=trigger.sink.name)


def noted(story: Story, trigger: TriggerRef = TRIGGER, name: str = "f1", silence: float = SETTLE) -> None:
    story.t += silence
    story.add("fence", namespace=trigger.namespace, trigger=trigger.name, source="/src", id=name)


def fenced(story: Story, trigger: TriggerRef = TRIGGER, name: str = "f1") -> None:
    sent(story, name)
    came(story, name, trigger)
    noted(story, trigger, name)


def never_came(story: Story) -> None:
    sent(story)
    fenced(story)


def came_once(story: Story) -> None:
    sent(story)
    came(story)
    fenced(story)


def came_twice(story: Story) -> None:
    sent(story)
    came(story)
    came(story)
    fenced(story)


def retried_once(story: Story) -> None:
    sent(story)
    came(story, status=503)
    came(story)
    fenced(story)


def unfenced(story: Story) -> None:
    sent(story)


def came_unfenced(story: Story) -> None:
    sent(story)
    came(story)


def fence_before_the_event(story: Story) -> None:
    fenced(story)
    sent(story)


def fence_refused(story: Story) -> None:
    sent(story)
    sent(story, "f1", 503)
    came(story, "f1")
    noted(story)


def fence_not_delivered(story: Story) -> None:
    sent(story)
    sent(story, "f1")
    noted(story)


def fence_at_another_sink(story: Story) -> None:
    sent(story)
    sent(story, "f1")
    came(story, "f1", WITNESS)
    noted(story)


def fence_of_another_trigger(story: Story) -> None:
    sent(story)
    fenced(story, WITNESS)


def noted_too_early(story: Story) -> None:
    sent(story)
    sent(story, "f1")
    came(story, "f1")
    noted(story, silence=SETTLE / 2)


def busy_behind_the_fence(story: Story) -> None:
    sent(story)
    sent(story, "f1")
    came(story, "f1")
    story.t += SETTLE / 2
    came(story, status=503)
    noted(story, silence=SETTLE / 2)


def unanswered_delivery(story: Story) -> None:
    sent(story)
    story.received(sink=SINK.name)
    fenced(story)


def refused(story: Story) -> None:
    sent(story, status=400)
    fenced(story)


def letters_instead(story: Story) -> None:
    sent(story)
    came(story, status=500)
    story.received("e1", LETTERS.name, headers=binary(knativeerrorcode="500"))
    story.replied()
    fenced(story)


def failed_without_a_letter(story: Story) -> None:
    sent(story)
    came(story, status=500)
    fenced(story)


def replied_and_not_routed(story: Story) -> None:
    sent(story)
    story.received("e1", "s/a")
    story.replied(202, binary("answer"), '{"n": 1}')
    fenced(story)


def replied_and_routed(story: Story) -> None:
    replied_and_not_routed(story)
    came(story, "answer")


def witnessed(story: Story) -> None:
    sent(story)
    came(story, trigger=WITNESS)


def not_witnessed(story: Story) -> None:
    sent(story)
    fenced(story, WITNESS)


def refused_and_absent(story: Story) -> None:
    sent(story, status=400)
    fenced(story, WITNESS)


def refused_and_passed_on(story: Story) -> None:
    sent(story, status=400)
    came(story, trigger=WITNESS)


def refused_and_open(story: Story) -> None:
    sent(story, status=400)


NOT = not_delivered(E, TRIGGER)
ONCE, TWICE = delivered_once(E, TRIGGER), attempts(E, TRIGGER, 2)
LETTER, NO_LETTER = dead_lettered(E, LETTERS, by=TRIGGER), not_dead_lettered(E, LETTERS, by=TRIGGER)
NO_REPLY = not_delivered(REPLY, TRIGGER, replied_by=ASKED)
GONE = not_recorded(ExchangeRef("send-e1"), BROKER)
# Expectation, plot, verdict before the deadline (None: undecided), verdict at the deadline.
CASES: list[tuple[Expectation, Plot, Verdict | None, Verdict]] = [
    (NOT, never_came, Verdict.PASS, Verdict.PASS),
    (NOT, came_once, Verdict.FAIL, Verdict.FAIL),
    (NOT, unfenced, None, Verdict.UNKNOWN),
    (NOT, fence_before_the_event, None, Verdict.UNKNOWN),
    (NOT, fence_refused, None, Verdict.UNKNOWN),
    (NOT, fence_not_delivered, None, Verdict.UNKNOWN),
    (NOT, fence_at_another_sink, None, Verdict.UNKNOWN),
    (NOT, fence_of_another_trigger, None, Verdict.UNKNOWN),
    (NOT, noted_too_early, None, Verdict.UNKNOWN),
    (NOT, refused, Verdict.UNKNOWN, Verdict.UNKNOWN),
    (NO_REPLY, replied_and_not_routed, Verdict.PASS, Verdict.PASS),
    (NO_REPLY, replied_and_routed, Verdict.FAIL, Verdict.FAIL),
    (ONCE, came_once, Verdict.PASS, Verdict.PASS),
    (ONCE, came_twice, Verdict.FAIL, Verdict.FAIL),
    (ONCE, never_came, Verdict.FAIL, Verdict.FAIL),
    (ONCE, came_unfenced, None, Verdict.UNKNOWN),
    (ONCE, unfenced, None, Verdict.FAIL),
    (ONCE, unanswered_delivery, None, Verdict.UNKNOWN),
    (ONCE, busy_behind_the_fence, None, Verdict.UNKNOWN),
    (TWICE, retried_once, Verdict.PASS, Verdict.PASS),
    (TWICE, came_once, Verdict.FAIL, Verdict.FAIL),
    (delivered(E, TRIGGER), came_unfenced, Verdict.PASS, Verdict.PASS),
    (delivered(E, TRIGGER), never_came, Verdict.FAIL, Verdict.FAIL),
    (delivered(E, TRIGGER), unfenced, None, Verdict.FAIL),
    (LETTER, letters_instead, Verdict.PASS, Verdict.PASS),
    (LETTER, failed_without_a_letter, Verdict.FAIL, Verdict.FAIL),
    (NO_LETTER, came_once, Verdict.PASS, Verdict.PASS),
    (NO_LETTER, letters_instead, Verdict.FAIL, Verdict.FAIL),
    (recorded(E, BROKER), witnessed, Verdict.PASS, Verdict.PASS),
    (recorded(E, BROKER), not_witnessed, Verdict.FAIL, Verdict.FAIL),
    (GONE, refused_and_absent, Verdict.PASS, Verdict.PASS),
    (GONE, refused_and_passed_on, Verdict.FAIL, Verdict.FAIL),
    (GONE, refused_and_open, None, Verdict.UNKNOWN),
]


@pytest.mark.parametrize(
    ("expectation", "plot", "now", "at_last"),
    CASES,
    ids=[f"{number:02}-{case[0].check}-{case[1].__name__}" for number, case in enumerate(CASES)],
)
def test_a_fence_decides(expectation: Expectation, plot: Plot, now: Verdict | None, at_last: Verdict) -> None:
    story = Story()
    plot(story)
    assert judged(story, expectation).verdict == now
    assert judged(story, expectation, final=True).verdict == at_last


@pytest.mark.parametrize(
    ("expectation", "plot", "proof"),
    [
        (NOT, never_came, Proof.FENCE),
        (ONCE, came_twice, ""),
        (ONCE, never_came, Proof.FENCE),
        (GONE, refused_and_absent, Proof.FENCE),
        (delivered(E, TRIGGER), came_once, ""),
    ],
    ids=["absent", "seen-twice", "missing", "nothing-of-it", "seen"],
)
def test_a_judgement_names_its_proof(expectation: Expectation, plot: Plot, proof: str) -> None:
    story = Story()
    plot(story)
    assert judged(story, expectation).proof == proof


def test_a_check_asks_for_a_fence_of_the_trigger_and_not_of_the_one_that_replied() -> None:
    story = Story()
    replied_and_not_routed(story)
    check = create(NO_REPLY.check, NO_REPLY.args)
    for record in typed(story.records):
        check.feed(record)
    (need,) = check.needs()
    assert need == ObservationRequest("fence", trigger=TRIGGER)


def test_nothing_can_be_said_of_records_that_nobody_shows() -> None:
    with pytest.raises(RefError, match="Broker ns/broker shows no topic"):
        record_key(E, BROKER, "k")
