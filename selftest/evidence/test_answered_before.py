"""Hand-written histories of requests that are under way at once: one is answered while another one still is."""

from collections.abc import Sequence

import pytest

from evidence.expectations import answered_before, not_recorded
from evidence.verdict import Verdict
from selftest.evidence.story import BROKER, Story, event, judged

BEFORE = answered_before(event("e2"), event("e1"))


def told(steps: Sequence[str]) -> Story:
    """Return a story of a stalled request, e1, and a good one, e2: sent (s) or answered (a), with another status."""
    story = Story()
    for step in steps:
        name, status = f"e{step[1]}", int(step[2:] or 202)
        if step[0] == "s":
            story.sent(name)
        else:
            story.answered(name, status=status or None)
    return story


@pytest.mark.parametrize(
    ("steps", "verdict"),
    [
        (["s1", "s2", "a2", "a10"], Verdict.PASS),
        (["s1", "s2", "a2"], Verdict.PASS),
        (["s1", "s2", "a10", "a2"], Verdict.FAIL),
        (["s1", "s2", "a10"], Verdict.FAIL),
        (["s1", "s2", "a2400"], Verdict.FAIL),
        (["s1", "s2"], Verdict.UNKNOWN),
        (["s1", "a10", "s2", "a2"], Verdict.UNKNOWN),
    ],
    ids=["before", "other-is-open", "behind", "never", "refused", "both-open", "sent-later"],
)
def test_verdicts_about_an_answer_before_another_ones_end(steps: Sequence[str], verdict: Verdict) -> None:
    assert judged(told(steps), BEFORE, final=True).verdict is verdict


@pytest.mark.parametrize(("broken", "verdict"), [("reset", Verdict.PASS), ("", Verdict.UNKNOWN)])
def test_only_a_request_that_was_broken_off_on_purpose_needs_no_answer(broken: str, verdict: Verdict) -> None:
    story = Story()
    story.sent("e1", **({"broken": broken} if broken else {}))
    story.answered("e1", status=None)
    story.accepted("e2")
    story.offsets()
    assert judged(story, not_recorded(event("e1"), on=BROKER), final=True).verdict is verdict


def test_what_was_stored_of_a_request_that_was_broken_off_is_found() -> None:
    story = Story()
    story.sent("e1", broken="reset")
    story.answered("e1", status=None)
    story.stored("e1", value="half")
    story.offsets()
    assert judged(story, not_recorded(event("e1"), on=BROKER), final=True).verdict is Verdict.FAIL
