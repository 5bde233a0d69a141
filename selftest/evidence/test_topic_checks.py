"""Hand-written histories of topics and groups: how many partitions there are, and which group moves."""

import pytest

from evidence.expectations import group_commits, partitions
from evidence.refs import TopicRef
from evidence.verdict import Verdict
from selftest.evidence.story import TOPIC, TRIGGER, Story, event, judged


@pytest.mark.parametrize(
    ("looks", "verdict"),
    [
        pytest.param([2], Verdict.PASS, id="as-many"),
        pytest.param([0, 2], Verdict.PASS, id="not-there-at-first"),
        pytest.param([1], Verdict.FAIL, id="fewer"),
        pytest.param([3], Verdict.FAIL, id="more"),
        pytest.param([0], Verdict.UNKNOWN, id="no-topic"),
        pytest.param([], Verdict.UNKNOWN, id="not-looked-at"),
    ],
)
def test_verdicts_about_partitions(looks: list[int], verdict: Verdict) -> None:
    story = Story()
    for count in looks:
        story.add("offsets", group="", topic=TOPIC, committed={}, end={str(number): 0 for number in range(count)})
    assert judged(story, partitions(TopicRef(TOPIC), 2), final=True).verdict is verdict


@pytest.mark.parametrize(
    ("came", "looks", "verdict"),
    [
        pytest.param(["e1", "e2"], [("g", 2)], Verdict.PASS, id="moves"),
        pytest.param(["e1", "e2"], [("g", None), ("g", 1)], Verdict.PASS, id="moves-later"),
        pytest.param([], [("g", 2)], Verdict.PASS, id="delivery-not-seen"),
        pytest.param(["e1", "e2"], [("g", None)], Verdict.FAIL, id="stands-still"),
        pytest.param(["e1", "e2"], [("other", 2)], Verdict.UNKNOWN, id="not-looked-at"),
        pytest.param(["e1"], [("g", None)], Verdict.UNKNOWN, id="no-control"),
        pytest.param(["e2"], [("g", None)], Verdict.UNKNOWN, id="not-delivered"),
    ],
)
def test_verdicts_about_groups(came: list[str], looks: list[tuple[str, int | None]], verdict: Verdict) -> None:
    story = Story()
    for name in ("e1", "e2"):
        story.accepted(name)
    for name in came:
        story.delivered(name)
    for group, offset in looks:
        story.offsets(offset, group=group)
    expectation = group_commits(event("e1"), TRIGGER, control=event("e2"))
    assert judged(story, expectation, final=True).verdict is verdict


def test_a_group_that_was_looked_at_too_early_decides_nothing() -> None:
    story = Story()
    story.accepted("e1")
    story.accepted("e2")
    story.delivered("e1")
    story.offsets()
    story.delivered("e2")
    assert (
        judged(story, group_commits(event("e1"), TRIGGER, control=event("e2")), final=True).verdict is Verdict.UNKNOWN
    )
