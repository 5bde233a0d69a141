"""Hand-written histories of Brokers whose Kafka was away: what they answer meanwhile, and afterwards."""

from collections.abc import Sequence

import pytest

from evidence.expectations import accepted_again, refused_meanwhile
from evidence.verdict import Verdict
from selftest.evidence.story import BROKER, Story, event, judged

Step = tuple[str, str] | tuple[str, str, int | None]
BEGIN, END = ("window", "begin"), ("window", "end")


def told(steps: Sequence[Step]) -> Story:
    """Return the story of these steps: ("sent", NAME), ("answered", NAME, STATUS) or ("window", PHASE)."""
    story = Story()
    for kind, name, *status in steps:
        if kind == "sent":
            story.sent(name)
        elif kind == "answered":
            story.answered(name, status[0])
        else:
            names = {"namespace": BROKER.namespace, "broker": BROKER.name}
            story.add("fault.window", window="w1", phase=name, fault="Kafka was away", **names, excuses=[])
    return story


@pytest.mark.parametrize(
    ("steps", "verdict"),
    [
        pytest.param([BEGIN, ("sent", "e1"), ("answered", "e1", 503), END], Verdict.PASS, id="refused"),
        pytest.param([BEGIN, ("sent", "e1"), ("answered", "e1", 500)], Verdict.PASS, id="refused-and-it-lasts"),
        pytest.param([BEGIN, ("sent", "e1"), ("answered", "e1", 202), END], Verdict.FAIL, id="acknowledged"),
        pytest.param([BEGIN, ("sent", "e1"), ("answered", "e1", 400), END], Verdict.FAIL, id="the-sender-is-to-blame"),
        pytest.param([BEGIN, ("sent", "e1"), ("answered", "e1", None), END], Verdict.UNKNOWN, id="no-answer"),
        pytest.param([BEGIN, ("sent", "e1"), END], Verdict.UNKNOWN, id="open"),
        pytest.param([BEGIN, ("sent", "e1"), END, ("answered", "e1", 202)], Verdict.UNKNOWN, id="when-it-was-over"),
        pytest.param([("sent", "e1"), BEGIN, ("answered", "e1", 202), END], Verdict.UNKNOWN, id="sent-before-it"),
        pytest.param([BEGIN, END, ("sent", "e1"), ("answered", "e1", 202)], Verdict.UNKNOWN, id="sent-after-it"),
        pytest.param([("sent", "e1"), ("answered", "e1", 503)], Verdict.UNKNOWN, id="no-fault"),
    ],
)
def test_verdicts_about_answers_during_a_fault(steps: Sequence[Step], verdict: Verdict) -> None:
    assert judged(told(steps), refused_meanwhile(event("e1"), BROKER), final=True).verdict is verdict


BEFORE: list[Step] = [("sent", "e1"), ("answered", "e1", 202)]


@pytest.mark.parametrize(
    ("steps", "verdict"),
    [
        pytest.param([*BEFORE, BEGIN, END, ("sent", "e2"), ("answered", "e2", 202)], Verdict.PASS, id="accepted"),
        pytest.param([*BEFORE, BEGIN, END, ("sent", "e2"), ("answered", "e2", 503)], Verdict.FAIL, id="refused"),
        pytest.param([*BEFORE, BEGIN, END, ("sent", "e2"), ("answered", "e2", 404)], Verdict.FAIL, id="forgotten"),
        pytest.param([*BEFORE, BEGIN, END, ("sent", "e2"), ("answered", "e2", None)], Verdict.UNKNOWN, id="no-answer"),
        pytest.param([*BEFORE, BEGIN, ("sent", "e2"), ("answered", "e2", 503)], Verdict.UNKNOWN, id="it-lasts"),
        pytest.param([*BEFORE, BEGIN, ("sent", "e2"), END, ("answered", "e2", 503)], Verdict.UNKNOWN, id="sent-in-it"),
        pytest.param(
            [("sent", "e1"), ("answered", "e1", 503), BEGIN, END, ("sent", "e2"), ("answered", "e2", 503)],
            Verdict.UNKNOWN,
            id="refused-before-it-too",
        ),
    ],
)
def test_verdicts_about_answers_after_a_fault(steps: Sequence[Step], verdict: Verdict) -> None:
    expectation = accepted_again(event("e2"), BROKER, control=event("e1"))
    assert judged(told(steps), expectation, final=True).verdict is verdict
