"""Hand-written histories of requests that have to wait for their answers."""

from collections.abc import Sequence

import pytest

from evidence.expectations import unanswered, unserved, waited
from evidence.verdict import Verdict
from selftest.evidence.story import Story, exchange, judged


def told(steps: Sequence[str]) -> Story:
    """Return a story of two requests, e1 and e2: sent (s) or answered (a), with another status; 0 stands for none."""
    story = Story()
    for step in steps:
        name = f"e{step[1]}"
        if step[0] == "s":
            story.sent(name)
        else:
            story.answered(name, status=int(step[2:] or 200) or None)
    return story


@pytest.mark.parametrize(
    ("steps", "verdict"),
    [
        (["s1", "s2"], Verdict.PASS),
        (["s1", "s2", "a1", "a2"], Verdict.PASS),
        (["s1", "a1", "s2"], Verdict.FAIL),
        (["s1", "a1503", "s2"], Verdict.FAIL),
        (["s1", "a10", "s2"], Verdict.UNKNOWN),
        (["s2", "s1"], Verdict.UNKNOWN),
        (["s1", "a1"], Verdict.UNKNOWN),
    ],
    ids=["open", "behind", "before", "refused-before", "given-up", "sent-later", "other-never-sent"],
)
def test_verdicts_about_a_request_that_has_no_answer_yet(steps: Sequence[str], verdict: Verdict) -> None:
    expectation = unanswered(exchange("e1"), at=exchange("e2"))
    assert judged(told(steps), expectation, final=True).verdict is verdict


@pytest.mark.parametrize(
    ("steps", "at_least", "verdict"),
    [
        (["s1", "s2", "a1"], 0.015, Verdict.PASS),
        (["s1", "a1"], 5.0, Verdict.FAIL),
        (["s1", "a10"], 5.0, Verdict.UNKNOWN),
        (["s1"], 1.0, Verdict.UNKNOWN),
    ],
    ids=["late", "early", "given-up", "open"],
)
def test_verdicts_about_the_least_time_of_an_answer(steps: Sequence[str], at_least: float, verdict: Verdict) -> None:
    assert judged(told(steps), waited(exchange("e1"), at_least=at_least), final=True).verdict is verdict


@pytest.mark.parametrize(
    ("steps", "verdict"),
    [
        (["s1", "a10", "s2", "a2"], Verdict.PASS),
        (["s1", "a1404", "s2", "a2"], Verdict.PASS),
        (["s1", "a1", "s2", "a2"], Verdict.FAIL),
        (["s1", "a1500", "s2", "a2"], Verdict.FAIL),
        (["s1", "a10", "s2", "a20"], Verdict.UNKNOWN),
        (["s1", "s2", "a2", "a10"], Verdict.UNKNOWN),
        (["s1", "a10", "s2"], Verdict.UNKNOWN),
    ],
    ids=["no-connection", "not-known", "answered", "fails", "no-control", "control-before", "control-open"],
)
def test_verdicts_about_a_request_that_nobody_serves(steps: Sequence[str], verdict: Verdict) -> None:
    expectation = unserved(exchange("e1"), control=exchange("e2"))
    assert judged(told(steps), expectation, final=True).verdict is verdict
