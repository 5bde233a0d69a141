"""Hand-written deletions: what is gone, what a finalizer holds, and topics that stay."""

from dataclasses import replace
from typing import Any

import pytest

from evidence.expectations import commits_ended, deliveries_ended, gone, topic_gone, topic_kept
from evidence.refs import ObjectRef, TopicRef
from evidence.verdict import Verdict
from selftest.evidence.story import LETTERS, OTHER, SINK, TRIGGER, Story, event, judged

OBJECT = ObjectRef("eventing.knative.dev/v1", "Broker", "ns", "broker")
THERE: dict[str, Any] = {"metadata": {"name": "broker"}}
HELD = {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["brokers.eventing.knative.dev"]}}
NAMESPACE = {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}, "spec": {"finalizers": ["kubernetes"]}}


def said(story: Story, verb: str, code: int, obj: dict[str, Any] | None = None) -> None:
    """Add what the API said of the object."""
    names = {"apiVersion": OBJECT.api_version, "kind": OBJECT.kind, "namespace": OBJECT.namespace, "name": OBJECT.name}
    story.add("object", verb=verb, code=code, reason="", message="", object=obj, **names)


def told(*steps: tuple[str, int, dict[str, Any] | None]) -> Story:
    """Return the story of what the API said."""
    story = Story()
    for verb, code, obj in steps:
        said(story, verb, code, obj)
    return story


ENDED = deliveries_ended(
    [event()], by=TRIGGER, obj=OBJECT, at_most=1, beside=OTHER, controls=[event("e2")], count=2, letters=LETTERS
)
BACKLOG_ENDED = deliveries_ended(
    [event("e1"), event("e3")],
    by=TRIGGER,
    obj=OBJECT,
    at_most=1,
    beside=OTHER,
    controls=[event("e2"), event("e4")],
    count=2,
)
COMMITS = commits_ended(event(), by=TRIGGER, obj=OBJECT, beside=OTHER, control=event("e2"))
GET_404, DELETE = ("get", 404, None), ("delete", 200, THERE)


@pytest.mark.parametrize(
    ("steps", "verdict"),
    [
        pytest.param([DELETE, GET_404], Verdict.PASS, id="gone"),
        pytest.param([DELETE, ("get", 200, HELD), GET_404], Verdict.PASS, id="gone-in-time"),
        pytest.param([DELETE, ("get", 200, HELD)], Verdict.FAIL, id="held"),
        pytest.param([DELETE, ("get", 200, THERE)], Verdict.FAIL, id="not-marked"),
        pytest.param([GET_404, DELETE], Verdict.UNKNOWN, id="not-there-before"),
        pytest.param([GET_404], Verdict.UNKNOWN, id="never-deleted"),
        pytest.param([("delete", 403, None), GET_404], Verdict.UNKNOWN, id="not-allowed"),
        pytest.param([DELETE, ("get", 500, None)], Verdict.UNKNOWN, id="nothing-seen"),
    ],
)
def test_verdicts_about_what_was_deleted(steps: list[Any], verdict: Verdict) -> None:
    assert judged(told(*steps), gone(OBJECT), final=True).verdict is verdict


OWNER = ObjectRef("machinelearning.seldon.io/v1", "SeldonDeployment", "ns", "owner")


@pytest.mark.parametrize(
    ("steps", "verdict"),
    [
        pytest.param([THERE, 200, None], Verdict.PASS, id="gone"),
        pytest.param([THERE, 200, THERE, None], Verdict.PASS, id="gone-in-time"),
        pytest.param([THERE, 200, THERE], Verdict.FAIL, id="stays"),
        pytest.param([200, None], Verdict.UNKNOWN, id="never-there"),
        pytest.param([None, 200, None], Verdict.UNKNOWN, id="not-there-before"),
        pytest.param([THERE, None, 200], Verdict.UNKNOWN, id="gone-before-the-change"),
        pytest.param([THERE, 422, None], Verdict.UNKNOWN, id="refused"),
        pytest.param([THERE, None], Verdict.UNKNOWN, id="never-changed"),
    ],
)
@pytest.mark.parametrize("verb", ["patch", "delete"])
def test_verdicts_about_what_goes_with_another(steps: list[Any], verdict: Verdict, verb: str) -> None:
    story, changed = Story(), replace(OWNER, seq=0)
    for step in steps:
        if isinstance(step, int):
            changed = replace(OWNER, seq=story.object(OWNER, THERE, verb=verb, code=step))
        else:
            story.object(OBJECT, step, code=200 if step else 404)
    judgement = judged(story, gone(OBJECT, after=changed), final=True)
    assert judgement.verdict is verdict
    assert verdict is not Verdict.FAIL or "was changed or deleted; got it" in judgement.violations[0].message


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (HELD, "held by the finalizers ['brokers.eventing.knative.dev']"),
        (NAMESPACE, "held by the finalizers ['kubernetes']"),
        ({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}, "marked as deleted, without a finalizer"),
        (THERE, "it is not even marked as deleted"),
    ],
    ids=["finalizer", "namespace", "none", "not-marked"],
)
def test_what_holds_an_object_is_told(seen: dict[str, Any], words: str) -> None:
    (violation,) = judged(told(DELETE, ("get", 200, seen)), gone(OBJECT), final=True).violations
    assert words in violation.message
    assert violation.witness == (1, 2)


def test_a_look_that_is_not_allowed_is_told() -> None:
    story = told(DELETE)
    story.object(OBJECT, None, code=403, message="brokers are forbidden")
    (violation,) = judged(story, gone(OBJECT), final=True).violations
    assert "nothing was seen after the object was deleted: the API answered 403" in violation.message
    assert "brokers are forbidden" in violation.message


@pytest.mark.parametrize(
    ("read", "looks", "verdict"),
    [
        pytest.param(True, [True, False], Verdict.PASS, id="gone"),
        pytest.param(True, [True], Verdict.FAIL, id="stays"),
        pytest.param(False, [False], Verdict.UNKNOWN, id="never-read"),
        pytest.param(True, [], Verdict.UNKNOWN, id="not-looked-for"),
    ],
)
def test_verdicts_about_topics(looks: list[bool], verdict: Verdict, *, read: bool) -> None:
    story = Story()
    story.add("topic.listed", topic="t", exists=False)  # before it was made
    if read:
        story.add("topic.record", topic="t", partition=0, offset=0, key=None, headers=[], value="1")
    said(story, "delete", 200, THERE)
    for exists in looks:
        story.add("topic.listed", topic="t", exists=exists)
    assert judged(story, topic_gone(TopicRef("t"), owner=OBJECT), final=True).verdict is verdict


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        pytest.param("tt", "oo", Verdict.PASS, id="ended"),
        pytest.param("tt", "too", Verdict.PASS, id="one-was-under-way"),
        pytest.param("tt", "tto", Verdict.FAIL, id="goes-on"),
        pytest.param("tt", "o", Verdict.UNKNOWN, id="the-other-one-is-slow"),
        pytest.param("tt", "ool", Verdict.FAIL, id="dead-lettered"),
        pytest.param("tl", "oo", Verdict.FAIL, id="dead-lettered-before"),
        pytest.param("ttoo", "", Verdict.UNKNOWN, id="nothing-since"),
    ],
)
def test_verdicts_about_retries_of_what_was_deleted(before: str, after: str, verdict: Verdict) -> None:
    story = Story()
    places = {"t": ("e1", SINK.name), "o": ("e2", "s/2"), "l": ("e1", LETTERS.name)}
    for name in ("e1", "e2"):
        story.accepted(name)
    for place in before:
        name, sink = places[place]
        story.delivered(name, status=503, sink=sink)
    for verb, code, obj in (DELETE, GET_404):
        said(story, verb, code, obj)
    for place in after:
        name, sink = places[place]
        story.delivered(name, status=503, sink=sink)
    assert judged(story, ENDED, final=True).verdict is verdict


@pytest.mark.parametrize(
    ("after", "verdict"),
    [
        pytest.param(["o2", "o4"], Verdict.PASS, id="ended"),
        pytest.param(["t1", "o2", "o4"], Verdict.PASS, id="one-was-under-way"),
        pytest.param(["t1", "t3", "o4"], Verdict.FAIL, id="goes-on"),
        pytest.param(["o2"], Verdict.UNKNOWN, id="the-other-one-is-slow"),
    ],
)
def test_verdicts_about_what_a_deleted_trigger_was_not_done_with(after: list[str], verdict: Verdict) -> None:
    story = Story()
    for number in range(1, 5):
        story.accepted(f"e{number}")
    for verb, code, obj in (DELETE, GET_404):
        said(story, verb, code, obj)
    for each in after:
        story.delivered(f"e{each[1]}", sink={"t": SINK.name, "o": "s/2"}[each[0]])
    assert judged(story, BACKLOG_ENDED, final=True).verdict is verdict


def test_retries_of_what_is_still_there_show_nothing() -> None:
    story = Story()
    story.accepted()
    story.accepted("e2")
    said(story, "delete", 200, THERE)
    for _ in range(3):
        story.delivered(status=503)
        story.delivered("e2", status=503, sink="s/2")
    assert judged(story, ENDED, final=True).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("steps", "verdict"),
    [
        pytest.param([DELETE, GET_404, True], Verdict.PASS, id="stays"),
        pytest.param([DELETE, GET_404, False], Verdict.FAIL, id="gone"),
        pytest.param([DELETE, False, ("get", 200, HELD)], Verdict.FAIL, id="gone-before-its-user"),
        pytest.param([DELETE, GET_404, True, False], Verdict.FAIL, id="gone-later"),
        pytest.param([DELETE, True, GET_404], Verdict.UNKNOWN, id="not-looked-for-afterwards"),
        pytest.param([DELETE, ("get", 200, HELD), True], Verdict.UNKNOWN, id="its-user-is-there"),
        pytest.param([GET_404, True], Verdict.UNKNOWN, id="never-deleted"),
    ],
)
def test_verdicts_about_topics_that_stay(steps: list[Any], verdict: Verdict) -> None:
    story = Story()
    for step in steps:
        if isinstance(step, bool):
            story.add("topic.listed", topic="t", exists=step)
        else:
            said(story, *step)
    assert judged(story, topic_kept(TopicRef("t"), owner=OBJECT), final=True).verdict is verdict


@pytest.mark.parametrize(
    ("steps", "verdict"),
    [
        pytest.param("gone e1 e2 other+2 own+0", Verdict.PASS, id="ended"),
        pytest.param("gone e1 e2 own+1", Verdict.FAIL, id="goes-on"),
        pytest.param("gone e1 e2 other+2 own+2", Verdict.FAIL, id="goes-on-behind-both"),
        pytest.param("e1 gone e2 own+1 other+2", Verdict.UNKNOWN, id="stored-before-it-was-gone"),
        pytest.param("gone e1 e2 other+1 own+0", Verdict.UNKNOWN, id="the-other-one-is-slow"),
        pytest.param("gone e1 e2 own+0 other+2", Verdict.UNKNOWN, id="not-looked-at-since"),
        pytest.param("e1 e2 other+2 own+1", Verdict.UNKNOWN, id="never-deleted"),
    ],
)
def test_verdicts_about_commits_of_what_was_deleted(steps: str, verdict: Verdict) -> None:
    story, groups = Story(), {"own": TRIGGER.group, "other": OTHER.group}
    for step in steps.split():
        if step == "gone":
            said(story, *DELETE)
            said(story, *GET_404)
        elif step in {"e1", "e2"}:
            story.accepted(step)
        else:
            name, committed = step.split("+")
            story.offsets(int(committed) or None, group=groups[name])
    assert judged(story, COMMITS, final=True).verdict is verdict
