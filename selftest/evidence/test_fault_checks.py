"""Hand-written histories of faults that were made on purpose: what they excuse, and what not."""

from collections.abc import Callable

import pytest

from evidence.expectations import survived
from evidence.verdict import Verdict
from selftest.evidence.story import BROKER, TRIGGER, Story, event, judged

EVENTS = [event("e1"), event("e2")]
SURVIVED = survived(EVENTS, TRIGGER, of=BROKER)


def window(
    story: Story,
    phase: str,
    *,
    broker: str = BROKER.name,
    excuses: tuple[str, ...] = ("repeated",),
    name: str = "w1",
) -> None:
    """Append the beginning or the end of a window."""
    names = {"namespace": BROKER.namespace, "broker": broker}
    story.add(
        "fault.window", window=name, phase=phase, fault="the dispatcher was killed", **names, excuses=list(excuses)
    )


def killed(
    before: str, after: str, *, committed: int = 0, at_last: int = 2, broker: str = BROKER.name, excused: bool = True
) -> Callable[[Story], None]:
    """Return a story of two events: which come before a window, and which behind it, by the digit of their names.

    Args:
        before: The records that come before.
        after: The records that come behind it.
        committed: What was committed at its beginning.
        at_last: What is committed at the end.
        broker: The Broker of the window.
        excused: Whether the window excuses repetitions.
    """

    def tell(story: Story) -> None:
        for name in ("e1", "e2"):
            story.accepted(name)
        for digit in before:
            story.delivered(f"e{digit}")
        story.offsets(committed)
        excuses = ("repeated",) if excused else ()
        window(story, "begin", broker=broker, excuses=excuses)
        window(story, "end", broker=broker, excuses=excuses)
        for digit in after:
            story.delivered(f"e{digit}")
        story.offsets(at_last)

    return tell


def cut_off(*, again: bool) -> Callable[[Story], None]:
    """Return a story of an event whose only request before the window has its answer when that is over."""

    def tell(story: Story) -> None:
        for name in ("e1", "e2"):
            story.accepted(name)
        story.delivered("e1")
        story.received("e2")
        window(story, "begin")
        window(story, "end")
        story.replied()
        if again:
            story.delivered("e2")
        story.offsets(2)

    return tell


def refused(story: Story) -> None:
    """Tell of an event that was accepted, and of one that the ingress broke off."""
    story.accepted("e1")
    window(story, "begin")
    story.sent("e2")
    story.answered("e2", status=None)
    window(story, "end")
    story.delivered("e1")
    story.offsets(1)


def never_killed(story: Story) -> None:
    """Tell of two events that came, without a window."""
    for name in ("e1", "e2"):
        story.accepted(name)
        story.delivered(name)
    story.offsets(2)


@pytest.mark.parametrize(
    ("tell", "verdict"),
    [
        pytest.param(killed("12", "", committed=2), Verdict.PASS, id="nothing-came-again"),
        pytest.param(killed("12", "12"), Verdict.PASS, id="uncommitted-came-again"),
        pytest.param(killed("", "12"), Verdict.PASS, id="came-behind-it"),
        pytest.param(killed("12", "2", committed=1), Verdict.PASS, id="the-rest-came-again"),
        pytest.param(killed("12", "12", committed=1), Verdict.FAIL, id="committed-came-again"),
        pytest.param(killed("1", "1"), Verdict.FAIL, id="lost"),
        pytest.param(cut_off(again=True), Verdict.PASS, id="cut-off-and-came-again"),
        pytest.param(cut_off(again=False), Verdict.FAIL, id="cut-off-and-lost"),
        pytest.param(killed("112", "2"), Verdict.FAIL, id="doubled-before-it"),
        pytest.param(killed("12", "122"), Verdict.FAIL, id="twice-again"),
        pytest.param(killed("12", "1", excused=False), Verdict.FAIL, id="excuses-nothing"),
        pytest.param(killed("1", "", at_last=1), Verdict.UNKNOWN, id="open"),
        pytest.param(killed("12", "12", broker="another"), Verdict.UNKNOWN, id="another-brokers"),
        pytest.param(refused, Verdict.PASS, id="never-accepted"),
        pytest.param(never_killed, Verdict.UNKNOWN, id="no-window"),
    ],
)
def test_verdicts_about_faults(tell: Callable[[Story], None], verdict: Verdict) -> None:
    story = Story()
    tell(story)
    assert judged(story, SURVIVED, final=True).verdict is verdict


def test_a_pass_says_how_much_it_excused() -> None:
    story = Story()
    killed("12", "2", committed=1)(story)
    assert judged(story, SURVIVED, final=True).figures == {"excused": 1}


def test_what_was_committed_and_came_again_has_the_commit_as_witness() -> None:
    story = Story()
    killed("12", "12", committed=1)(story)
    (fault,) = judged(story, SURVIVED, final=True).violations
    assert "its offset was committed before the dispatcher was killed" in fault.message
    assert [story.records[seq - 1]["record"] for seq in fault.witness] == ["received", "offsets", "received"]
