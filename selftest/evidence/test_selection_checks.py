"""Hand-written histories of laws between Triggers: who got an event that others got, or did not get."""

from collections.abc import Sequence
from typing import Any

import pytest

from evidence.expectations import Expectation, selection
from evidence.refs import ObjectRef, RefError, SinkRef, TriggerRef
from evidence.verdict import Verdict
from selftest.evidence.story import OTHER, TOPIC, TRIGGER, Story, event, judged

THIRD = TriggerRef("ns", "third", SinkRef("s/3", "http://probe/s/3"), TOPIC, "g3")
E = event()
INVERSE = selection([E], TRIGGER, none_of=[OTHER])
UNION = selection([E], TRIGGER, any_of=[OTHER, THIRD])
INTERSECTION = selection([E], TRIGGER, all_of=[OTHER, THIRD])
TWINS = selection([E], TRIGGER, any_of=[TRIGGER], twins=[event("e2")])


def told(got: str, passed: Sequence[str] = ("g", "g2", "g3"), status: int = 202) -> Story:
    """Return a story of an event: who got it, by the numbers of the sinks, and whose groups have passed it."""
    story = Story()
    story.object(ObjectRef("eventing.knative.dev/v1", "Trigger", "ns", "other"), {"spec": {"filters": [{"not": {}}]}})
    story.sent()
    story.answered(status=status)
    if status == 202:
        story.stored()
    for sink in got:
        story.delivered(sink=f"s/{sink}")
    for group in passed:
        story.offsets(1, group=group)
    return story


def twins(*come: str) -> Story:
    """Return a story of two events, of which these come to one Trigger."""
    story = Story()
    story.accepted("e1")
    story.accepted("e2")
    for name in come:
        story.delivered(name)
    story.offsets(2)
    return story


@pytest.mark.parametrize(
    ("story", "expectation", "verdict"),
    [
        (told("1"), INVERSE, Verdict.PASS),
        (told("2"), INVERSE, Verdict.PASS),
        (told("12"), INVERSE, Verdict.FAIL),
        (told(""), INVERSE, Verdict.FAIL),
        (told("1", passed=()), INVERSE, Verdict.UNKNOWN),
        (told("12", passed=()), INVERSE, Verdict.FAIL),
        (told("13"), UNION, Verdict.PASS),
        (told(""), UNION, Verdict.PASS),
        (told("1"), UNION, Verdict.FAIL),
        (told("3"), UNION, Verdict.FAIL),
        (told("123"), INTERSECTION, Verdict.PASS),
        (told("3"), INTERSECTION, Verdict.PASS),
        (told("13"), INTERSECTION, Verdict.FAIL),
        (told("23"), INTERSECTION, Verdict.FAIL),
        (told("", status=400), UNION, Verdict.FAIL),
        (told("", status=503), UNION, Verdict.UNKNOWN),
        (twins("e1", "e2"), TWINS, Verdict.PASS),
        (twins(), TWINS, Verdict.PASS),
        (twins("e1"), TWINS, Verdict.FAIL),
        (twins("e2"), TWINS, Verdict.FAIL),
    ],
)
def test_verdicts_about_laws(story: Story, expectation: Expectation, verdict: Verdict) -> None:
    assert judged(story, expectation, final=True).verdict is verdict


def test_a_broken_law_shows_the_filters_the_event_and_who_got_it() -> None:
    (fault,) = judged(told("12"), INVERSE).violations
    assert 'Trigger other with filters [{"not": {}}]' in fault.message
    assert "event e1 (source=/src type=t)" in fault.message
    assert fault.message.endswith("got Trigger trigger got it, Trigger other got it")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "one of all_of, any_of and none_of"),
        ({"all_of": [OTHER], "any_of": [OTHER]}, "one of all_of, any_of and none_of"),
        ({"any_of": [OTHER], "twins": []}, "a twin for each of 1 events, got 0"),
    ],
    ids=["none", "two", "twins"],
)
def test_a_selection_is_said_whole(given: dict[str, Any], message: str) -> None:
    with pytest.raises(RefError, match=message):
        selection([E], TRIGGER, **given)
