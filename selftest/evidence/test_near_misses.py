"""What lies at the right place under a wrong name is told, where a message would say "none" otherwise."""

import json

import pytest

from evidence import near_misses
from evidence.expectations import Expectation, recorded, result_for, stream_answer
from evidence.refs import EventRef
from evidence.verdict import Verdict
from selftest.evidence.story import BROKER, IN, OUT, RESULTS, TRIGGER, Story, binary, event, judged

TRACE = "16ec3446-48d6-422e-9926-8224853e84a7"


def message(story: Story, expectation: Expectation) -> str:
    judgement = judged(story, expectation, final=True)
    assert judgement.verdict is Verdict.FAIL
    return judgement.violations[0].message


@pytest.mark.parametrize("trace_id", [TRACE[:8], TRACE.upper(), f"{TRACE}-1", TRACE.replace("e84a7", "e84a8")], ids=str)
def test_a_result_under_another_trace_id(trace_id: str) -> None:
    story = Story()
    story.accepted()
    value = json.dumps({"test-trace-id": trace_id, "data": {"predictions": [2]}})
    seq = story.stored("x", topic="results", headers=[], value=value)
    story.offsets(1)
    story.offsets(topic="results", group="")
    told = message(story, result_for(TRACE, RESULTS, [2], of=event(), by=TRIGGER))
    assert told.endswith(f"; near it is {trace_id!r} (record {seq})")


def test_an_event_under_a_cut_id() -> None:
    story = Story()
    story.sent("event-0001")
    story.answered("event-0001")
    seq = story.stored("event")
    story.offsets(1)
    told = message(story, recorded(event("event-0001"), BROKER))
    assert told.endswith(f"topic broker-topic does not hold it; near it is 'event' (record {seq})")


def test_a_reply_under_the_id_of_its_request() -> None:
    story = Story()
    story.accepted("question")
    story.received("question")
    story.replied(headers=binary("answer", "/replier"))
    seq = story.stored("x", headers=[[n.replace("ce-", "ce_"), v] for n, v in binary("question", "/replier")])
    story.offsets(1)
    story.offsets(1)
    reply = recorded(EventRef("/replier", "answer"), BROKER, replied_by=TRIGGER)
    assert message(story, reply).endswith(f"does not hold it; near it is 'question' (record {seq})")


def test_a_stream_answer_under_a_cut_key() -> None:
    story = Story()
    request = story.produced("p1", "picture-0001")
    seq = story.stored("x", topic="out", headers=[], key="picture", value="[2]")
    story.offsets(1, topic=IN, group="stream")
    story.offsets(topic="out", group="")
    told = message(story, stream_answer(request, OUT, group="stream", json=[2]))
    assert told.endswith(f"; near it is 'picture' (record {seq})")


def test_what_has_nothing_in_common_is_no_near_miss() -> None:
    assert near_misses.of_name(TRACE, {"zzz": 1, "16e": 2}) == ""
    assert near_misses.of_event(("/s", "event-1"), (), {("/t", "other"): 1}) == ""


def test_the_same_id_by_another_source_is_one() -> None:
    told = near_misses.of_event(("/s", "event-1"), (), {("/t", "event-1"): 7})
    assert told == "; near it of the same id, by another source is '/t' (record 7)"


def test_a_name_of_a_stranger_is_cut() -> None:
    assert len(near_misses.of_name(TRACE, {TRACE + "x" * 100_000: 1})) < 200
