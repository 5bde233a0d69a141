"""Hand-written histories of many events: each once, none late, so many in flight, none held up."""

from collections.abc import Callable, Sequence

import pytest

from evidence.expectations import (
    Expectation,
    committed,
    dead_letter_attempts,
    each_once,
    held_back,
    in_flight,
    none_late,
    none_received,
    not_held_up,
    untouched,
)
from evidence.refs import ObjectRef, RefError
from evidence.verdict import Verdict
from selftest.evidence.story import LETTERS, OTHER, SINK, TRIGGER, Story, event, judged

Plot = Callable[[Story], None]
NAMES = ("e1", "e2", "e3")
EVENTS = [event(name) for name in NAMES]
E = EVENTS[0]
BROKER = ObjectRef("eventing.knative.dev/v1", "Broker", "ns", "broker")
FOREIGN = ObjectRef("eventing.knative.dev/v1", "Broker", "ns", "foreign")
READY = {"metadata": {}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}}


def batch(
    come: Sequence[str], *, wait: float = 0.0, slow: str = "", committed: int | None = 3
) -> Callable[[Story], None]:
    """Return a story of three accepted events, of which these come, in this order, one of them after a wait."""

    def tell(story: Story) -> None:
        for name in NAMES:
            story.accepted(name)
        for name in come:
            story.t += wait if name == slow else 0.0
            story.delivered(name)
        if committed is not None:
            story.offsets(committed)

    return tell


def at_once(count: int, *, answered: bool = True) -> Plot:
    """Return a story where so many of three events are with the subscriber at the same time."""

    def tell(story: Story) -> None:
        for name in NAMES:
            story.accepted(name)
        open_: list[str] = []
        for number, name in enumerate(NAMES, 1):
            story.received(name)
            open_.append(f"r{number}")
            if len(open_) == count:
                story.replied(receive=open_.pop(0))
        for receive in open_:
            if answered:
                story.replied(receive=receive)
        story.offsets(3)

    return tell


def held_up(order: str) -> Plot:
    """Return a story of an event at a slow and a fast subscriber: s is a request at the slow one, a its answer."""

    def tell(story: Story) -> None:
        story.accepted()
        for step in order:
            if step == "s":
                story.received(sink="s/2")
            elif step == "a":
                story.replied(receive="r1" if order.startswith("s") else None)
            else:
                story.received()
        story.offsets(1)

    return tell


def letters(count: int) -> Plot:
    """Return a story of an event that fails, and comes so many times to the dead letter sink."""

    def tell(story: Story) -> None:
        story.accepted()
        story.delivered(status=500)
        for _ in range(count):
            story.delivered(sink=LETTERS.name)
        story.offsets(1)

    return tell


def behind(done: int, *, first: int | None = 1, answered: bool = True) -> Plot:
    """Return a story of three events, the last two of which come, and of offsets that are committed at last."""

    def tell(story: Story) -> None:
        story.accepted("e1")
        if first is not None:
            story.offsets(first)
        for name in NAMES[1:]:
            story.accepted(name)
            story.received(name)
            if answered:
                story.replied()
        story.offsets(done)

    return tell


def look(foreign: object, *, ready_first: bool = True) -> Plot:
    """Return a story of a Broker that becomes Ready, and of looks at another one."""

    def tell(story: Story) -> None:
        if ready_first:
            story.object(BROKER, READY)
        story.object(FOREIGN, foreign)
        if not ready_first:
            story.object(BROKER, READY)

    return tell


LATE = none_late(EVENTS, TRIGGER, by=0.5, overtaken=2)
BEHIND = held_back(EVENTS[1], SINK, by=TRIGGER, seconds=1.0, behind=E)


@pytest.mark.parametrize(
    ("tell", "expectation", "verdict"),
    [
        (batch(NAMES), each_once(EVENTS, TRIGGER), Verdict.PASS),
        (batch([*NAMES, "e2"]), each_once(EVENTS, TRIGGER), Verdict.FAIL),
        (batch(["e1", "e1"], committed=None), each_once(EVENTS, TRIGGER), Verdict.FAIL),
        (batch(["e1", "e3"]), each_once(EVENTS, TRIGGER), Verdict.FAIL),
        (batch(NAMES, committed=2), each_once(EVENTS, TRIGGER), Verdict.UNKNOWN),
        (behind(3), committed(EVENTS, TRIGGER, control=E), Verdict.PASS),
        (behind(2), committed(EVENTS, TRIGGER, control=E), Verdict.FAIL),
        # The earlier event need not be among those that are asked about.
        (behind(2), committed(EVENTS[1:], TRIGGER, control=E), Verdict.FAIL),
        (behind(0, first=None), committed(EVENTS, TRIGGER, control=E), Verdict.UNKNOWN),
        (behind(2, answered=False), committed(EVENTS, TRIGGER, control=E), Verdict.UNKNOWN),
        (batch([], committed=2), committed(EVENTS, TRIGGER, control=E), Verdict.UNKNOWN),
        (batch(NAMES), none_received(EVENTS, LETTERS, by=TRIGGER), Verdict.PASS),
        (batch(NAMES, committed=2), none_received(EVENTS, LETTERS, by=TRIGGER), Verdict.UNKNOWN),
        (letters(1), none_received([E], LETTERS, by=TRIGGER), Verdict.FAIL),
        (batch(NAMES), LATE, Verdict.PASS),
        (batch(["e2", "e3", "e1"], wait=0.6, slow="e1"), LATE, Verdict.FAIL),
        (batch(["e2", "e3", "e1"], wait=0.4, slow="e1"), LATE, Verdict.PASS),
        (batch(["e2", "e3", "e1"], wait=0.6, slow="e2"), LATE, Verdict.PASS),
        (batch(["e1", "e3", "e2"], wait=0.6, slow="e2"), LATE, Verdict.PASS),
        (batch(["e1", "e3"]), LATE, Verdict.PASS),
        (batch(["e1", "e3"], committed=1), LATE, Verdict.UNKNOWN),
        (at_once(1), in_flight(EVENTS, TRIGGER, at_most=1), Verdict.PASS),
        (at_once(2), in_flight(EVENTS, TRIGGER, at_most=1), Verdict.FAIL),
        (at_once(2), in_flight(EVENTS, TRIGGER, at_least=2), Verdict.PASS),
        (at_once(1), in_flight(EVENTS, TRIGGER, at_least=2), Verdict.FAIL),
        (at_once(3, answered=False), in_flight(EVENTS, TRIGGER, at_least=3), Verdict.PASS),
        (batch(["e1", "e2"]), in_flight(EVENTS, TRIGGER, at_most=1), Verdict.UNKNOWN),
        (batch(NAMES, committed=1), in_flight(EVENTS, TRIGGER, at_least=2), Verdict.UNKNOWN),
        (held_up("sfa"), not_held_up(E, TRIGGER, by=OTHER, during=E), Verdict.PASS),
        (held_up("fsa"), not_held_up(E, TRIGGER, by=OTHER, during=E), Verdict.PASS),
        (held_up("saf"), not_held_up(E, TRIGGER, by=OTHER, during=E), Verdict.FAIL),
        (held_up("sa"), not_held_up(E, TRIGGER, by=OTHER, during=E), Verdict.FAIL),
        (letters(2), dead_letter_attempts(E, LETTERS, 2, by=TRIGGER), Verdict.PASS),
        (letters(1), dead_letter_attempts(E, LETTERS, 2, by=TRIGGER), Verdict.FAIL),
        (batch(NAMES, wait=1.0, slow="e1"), held_back(E, SINK, by=TRIGGER, seconds=1.0), Verdict.PASS),
        (batch(NAMES, wait=0.5, slow="e1"), held_back(E, SINK, by=TRIGGER, seconds=1.0), Verdict.FAIL),
        (batch(NAMES, wait=1.0, slow="e1"), BEHIND, Verdict.PASS),
        (batch(NAMES, wait=1.0, slow="e3"), BEHIND, Verdict.FAIL),
        (batch(NAMES, wait=1.0, slow="e2"), BEHIND, Verdict.PASS),
        (batch(["e1", "e3"]), BEHIND, Verdict.FAIL),
        (batch(["e1", "e3"], committed=1), BEHIND, Verdict.UNKNOWN),
        (letters(3), dead_letter_attempts(E, LETTERS, 2, by=TRIGGER), Verdict.FAIL),
        (look({"metadata": {}}), untouched(FOREIGN, control=BROKER), Verdict.PASS),
        (look({"metadata": {}}, ready_first=False), untouched(FOREIGN, control=BROKER), Verdict.UNKNOWN),
        (look(READY), untouched(FOREIGN, control=BROKER), Verdict.FAIL),
        (
            look({"metadata": {"finalizers": ["f"]}}, ready_first=False),
            untouched(FOREIGN, control=BROKER),
            Verdict.FAIL,
        ),
    ],
)
def test_verdicts_about_many_events(tell: Plot, expectation: Expectation, verdict: Verdict) -> None:
    story = Story()
    tell(story)
    assert judged(story, expectation, final=True).verdict is verdict


def test_the_witness_of_a_double_are_both_requests() -> None:
    story = Story()
    batch([*NAMES, "e2"])(story)
    (fault,) = judged(story, each_once(EVENTS, TRIGGER)).violations
    assert fault.message == "expected event e2 from /src in one request; got 2 requests"
    assert [story.records[seq - 1]["receive"] for seq in fault.witness] == ["r2", "r4"]


@pytest.mark.parametrize("bounds", [{}, {"at_most": 1, "at_least": 1}], ids=["none", "both"])
def test_in_flight_takes_one_bound(bounds: dict[str, int]) -> None:
    with pytest.raises(RefError, match="one of at_most and at_least"):
        in_flight(EVENTS, TRIGGER, **bounds)
