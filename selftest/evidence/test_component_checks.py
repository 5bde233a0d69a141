"""Hand-written looks at the platform's pods: what restarted by itself, and what a test ended."""

from typing import Any

import pytest

from evidence.expectations import not_restarted
from evidence.verdict import Verdict
from selftest.evidence.story import BROKER, Story, judged

NAMES = {"namespace": BROKER.namespace, "broker": BROKER.name}


def pod(part: str = "dispatcher", uid: str = "u1", restarts: int = 0, name: str = "") -> dict[str, Any]:
    """Return how a pod's only container is."""
    named = {"pod": name or f"{part}-0", "uid": uid, "container": part}
    return {"namespace": "knative-eventing", "part": part, "restarts": restarts, **named}


OTHER = pod("receiver", "u9")
KILLED = [pod(), OTHER], ("begin", pod()), ("end", pod(uid="u2"))


def told(*steps: Any) -> tuple[Story, int, int]:
    """Return the story of looks (lists of pods) and of windows (PHASE, POD ...), and its first and last number."""
    story = Story()
    looks = []
    for step in steps:
        if isinstance(step, list):
            looks.append(story.add("components", components=step))
        else:
            phase, *pods = step
            fault = {"fault": "the dispatcher was killed", "excuses": ["repeated"], "pods": pods}
            story.add("fault.window", window="w1", phase=phase, **NAMES, **fault)
    return story, looks[0], looks[-1]


@pytest.mark.parametrize(
    ("steps", "verdict"),
    [
        pytest.param([[pod(), OTHER], [pod(), OTHER]], Verdict.PASS, id="nothing-happened"),
        pytest.param([[pod(restarts=3)], [pod(restarts=3)]], Verdict.PASS, id="restarted-earlier"),
        pytest.param([[pod()], [pod(restarts=1)]], Verdict.FAIL, id="restarted"),
        pytest.param([[pod()], [pod(restarts=1)], [pod(restarts=1)]], Verdict.FAIL, id="restarted-before-a-look"),
        pytest.param([[pod()], [pod(uid="u2")]], Verdict.FAIL, id="replaced-under-its-name"),
        pytest.param([[pod(name="a")], [pod(name="b", uid="u2")]], Verdict.FAIL, id="replaced-under-another-name"),
        pytest.param([[pod(), pod(uid="u2")], [pod()]], Verdict.PASS, id="scaled-down"),
        pytest.param([[pod()], [pod(), pod(uid="u2")]], Verdict.PASS, id="scaled-up"),
        pytest.param([*KILLED, [pod(uid="u2"), OTHER]], Verdict.PASS, id="killed"),
        pytest.param([*KILLED, [pod(uid="u3"), OTHER]], Verdict.FAIL, id="killed-and-replaced-once-more"),
        pytest.param([*KILLED, [pod(uid="u2", restarts=1), OTHER]], Verdict.FAIL, id="killed-and-restarted"),
        pytest.param([*KILLED, [pod(uid="u2"), {**OTHER, "restarts": 1}]], Verdict.FAIL, id="another-restarted"),
        pytest.param([*KILLED, [pod(uid="u2"), pod("receiver", "u8")]], Verdict.FAIL, id="another-was-replaced"),
        pytest.param([[], [pod()]], Verdict.UNKNOWN, id="nothing-to-see"),
        pytest.param([[pod()]], Verdict.UNKNOWN, id="one-look"),
    ],
)
def test_verdicts_about_restarts(steps: list[Any], verdict: Verdict) -> None:
    story, first, last = told(*steps)
    assert judged(story, not_restarted(first, last), final=True).verdict is verdict


def test_a_restart_is_told_with_its_pod_and_both_looks() -> None:
    story, first, last = told([pod(restarts=1)], [pod(restarts=3)])
    (violation,) = judged(story, not_restarted(first, last), final=True).violations
    assert "container dispatcher restarted 2 times by itself" in violation.message
    assert (violation.witness, violation.where) == ((first, last), "pod knative-eventing/dispatcher-0")
