"""Hand-written histories of streams without a consumer group: what an answer holds, errors, order, and fences."""

from typing import Any

import pytest

from evidence.expectations import (
    Expectation,
    no_prediction,
    no_stream_answer,
    one_stream_answer,
    stream_error,
    stream_holds,
    stream_in_order,
)
from evidence.refs import ProducedRef
from evidence.verdict import Verdict
from selftest.evidence.story import IN, OUT, Story, judged

CONTROL, ASKED, FENCE = (ProducedRef(name, IN, key) for name, key in (("p0", "c"), ("p1", "k"), ("p2", "f")))
GOOD = '{"id": "k", "outputs": [{"name": "sums", "data": [1.5, 2]}]}'
ERROR = '{"error": "no such model"}'


def told(*answers: tuple[str, str], read: bool = True) -> Story:
    """Tell of a control (1) and its answer (2), a request (3), a fence behind it (4), and answers (5..)."""
    story = Story()
    story.produced("p0", "c")
    story.stored(topic="out", headers=[], key="c", value=GOOD)
    story.produced("p1", "k")
    story.produced("p2", "f")
    for key, value in answers:
        story.stored(topic="out", headers=[], key=key, value=value)
    if read:
        story.offsets(topic="out", group="")
    return story


def holding(json: dict[str, Any]) -> Expectation:
    return stream_holds(ASKED, OUT, json=json, control=CONTROL)


HOLDS = holding({"outputs": [{"data": [1.5, 2.0]}]})
FAULT = stream_error(ASKED, OUT, control=CONTROL)
ORDER = stream_in_order([ASKED, FENCE], OUT)
NONE = no_stream_answer(ASKED, OUT, fence=FENCE)
UNPREDICTED = no_prediction(ASKED, OUT, fence=FENCE)
ONCE = one_stream_answer(ASKED, OUT, fence=FENCE)
CASES = {
    "it holds": (HOLDS, told(("k", GOOD)), Verdict.PASS, Verdict.PASS),
    "a member is missing": (holding({"model": "sums"}), told(("k", GOOD)), Verdict.FAIL, Verdict.FAIL),
    "a list is shorter": (holding({"outputs": [{"data": [1.5]}]}), told(("k", GOOD)), Verdict.FAIL, Verdict.FAIL),
    "a number differs": (holding({"outputs": [{"data": [1.5, 3]}]}), told(("k", GOOD)), Verdict.FAIL, Verdict.FAIL),
    "the second differs": (HOLDS, told(("k", GOOD), ("k", ERROR)), Verdict.FAIL, Verdict.FAIL),
    "no JSON": (HOLDS, told(("k", "\xff")), Verdict.FAIL, Verdict.FAIL),
    "silence beside a control": (HOLDS, told(), None, Verdict.FAIL),
    "an error": (FAULT, told(("k", ERROR)), Verdict.PASS, Verdict.PASS),
    "an empty error": (FAULT, told(("k", '{"error": " "}')), Verdict.FAIL, Verdict.FAIL),
    "a prediction for an error": (FAULT, told(("k", GOOD)), Verdict.FAIL, Verdict.FAIL),
    "no error": (FAULT, told(), None, Verdict.FAIL),
    "in order": (ORDER, told(("k", GOOD), ("f", GOOD)), Verdict.PASS, Verdict.PASS),
    "overtaken": (ORDER, told(("f", GOOD), ("k", GOOD)), Verdict.FAIL, Verdict.FAIL),
    "one is open": (ORDER, told(("f", GOOD)), None, Verdict.UNKNOWN),
    "nothing before the fence": (NONE, told(("f", GOOD)), Verdict.PASS, Verdict.PASS),
    "nothing, and no answer to the fence": (NONE, told(), None, Verdict.UNKNOWN),
    "nothing, and not read to the end": (NONE, told(("f", GOOD), read=False), None, Verdict.UNKNOWN),
    "an answer": (NONE, told(("k", ERROR), ("f", GOOD)), Verdict.FAIL, Verdict.FAIL),
    "an error is no prediction": (UNPREDICTED, told(("k", ERROR), ("f", GOOD)), Verdict.PASS, Verdict.PASS),
    "a fence with an error": (UNPREDICTED, told(("f", ERROR)), Verdict.PASS, Verdict.PASS),
    "once": (ONCE, told(("k", GOOD), ("f", GOOD)), Verdict.PASS, Verdict.PASS),
    "once, as far as was seen": (ONCE, told(("k", GOOD)), None, Verdict.UNKNOWN),
    "twice": (ONCE, told(("k", GOOD), ("k", GOOD)), Verdict.FAIL, Verdict.FAIL),
    "never, though the fence was answered": (ONCE, told(("f", GOOD)), None, Verdict.FAIL),
}


@pytest.mark.parametrize(("expectation", "story", "early", "late"), CASES.values(), ids=CASES)
def test_verdicts(expectation: Expectation, story: Story, early: Verdict | None, late: Verdict) -> None:
    assert judged(story, expectation).verdict is early
    assert judged(story, expectation, final=True).verdict is late


def test_a_fence_that_was_sent_before_the_request_proves_nothing() -> None:
    story = told(("f", GOOD))
    assert judged(story, no_stream_answer(FENCE, OUT, fence=ASKED), final=True).verdict is Verdict.FAIL
    assert judged(story, no_stream_answer(ASKED, OUT, fence=CONTROL), final=True).verdict is Verdict.UNKNOWN
