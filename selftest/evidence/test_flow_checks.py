"""Hand-written histories: results, streams, objects; every bad kind fails with its witness."""

import contextlib
import itertools
import json
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.expectations import (
    Expectation,
    api_accepted,
    api_refused,
    condition,
    envelope,
    exactly_one_result,
    field,
    located,
    no_prediction,
    no_stream_answer,
    offset_after_answer,
    one_stream_answer,
    result_for,
    results_paired,
    revision_unnamed,
    settled,
    stream_answer,
    stream_key_kept,
)
from evidence.refs import ObjectRef, ProducedRef, RefError
from evidence.tensorflow import TensorError, read_response
from evidence.verdict import Verdict
from selftest.evidence.story import IN, OUT, RESULTS, TRIGGER, Story, event, exchange, judged

E = event()
G = "stream-group"


def result(trace_id: str | None = "t1", predictions: Any = (2,), **more: Any) -> str:
    value = {"specversion": "1.0", "id": "r", "source": "s", "data": {"predictions": list(predictions)}} | more
    return json.dumps(value if trace_id is None else value | {"test-trace-id": trace_id})


def asked(*values: str, over: bool = True) -> Story:
    """Tell a whole history: accepted (1-3), results (4..), handled, results read to their end."""
    story = Story()
    story.accepted()
    for value in values:
        story.stored("x", topic="results", headers=[], value=value)
    if over:
        story.offsets(1)
        story.offsets(topic="results", group="")
    return story


ONE = result_for("t1", RESULTS, [2], of=E, by=TRIGGER)
EXACT = exactly_one_result("t1", RESULTS, of=E, by=TRIGGER)
RESULT_CASES: list[tuple[Expectation, Story, Verdict | None, Verdict, tuple[int, ...]]] = [
    (ONE, asked(result()), Verdict.PASS, Verdict.PASS, ()),
    (ONE, asked(result(), over=False), Verdict.PASS, Verdict.PASS, ()),
    (ONE, asked("no json", result("t2", [7]), result()), Verdict.PASS, Verdict.PASS, ()),
    (ONE, asked(result(predictions=[7])), Verdict.FAIL, Verdict.FAIL, (4,)),
    (ONE, asked(result(), result(predictions=[7])), Verdict.FAIL, Verdict.FAIL, (5,)),
    (ONE, asked(result(None)), None, Verdict.FAIL, (5, 6)),
    (ONE, asked(over=False), None, Verdict.UNKNOWN, ()),
    (ONE, asked('{"test-trace-id": "t1", "data": "x"}'), Verdict.FAIL, Verdict.FAIL, (4,)),
    (ONE, asked('{"test-trace-id": 1}', "[1]", "null"), None, Verdict.FAIL, (7, 8)),
    (result_for("t1", RESULTS, [2]), asked(result(None)), None, Verdict.UNKNOWN, ()),
    (EXACT, asked(result()), Verdict.PASS, Verdict.PASS, ()),
    (EXACT, asked(result(), over=False), None, Verdict.UNKNOWN, ()),
    (EXACT, asked(result(), result()), Verdict.FAIL, Verdict.FAIL, (4, 5)),
    (EXACT, asked(), None, Verdict.FAIL, (4, 5)),
    (
        envelope("t1", RESULTS, {"id": None, "specversion": "1.0"}, of=E, by=TRIGGER),
        asked(result()),
        Verdict.PASS,
        Verdict.PASS,
        (),
    ),
    (envelope("t1", RESULTS, {"time": None}), asked(result()), Verdict.FAIL, Verdict.FAIL, (4,)),
    (envelope("t1", RESULTS, {"id": "x"}), asked(result()), Verdict.FAIL, Verdict.FAIL, (4,)),
    (envelope("t1", RESULTS, {"id": None}, of=E, by=TRIGGER), asked(result(None)), None, Verdict.FAIL, (5, 6)),
]


@pytest.mark.parametrize(
    ("expectation", "story", "early", "late", "witness"),
    RESULT_CASES,
    ids=[f"{n:02d}-{case[0].check}" for n, case in enumerate(RESULT_CASES)],
)
def test_results(
    expectation: Expectation, story: Story, early: Verdict | None, late: Verdict, witness: tuple[int, ...]
) -> None:
    assert judged(story, expectation).verdict is early
    judgement = judged(story, expectation, final=True)
    assert judgement.verdict is late
    if late is not Verdict.PASS:
        assert judgement.violations[0].witness == witness


def test_a_direct_call_needs_no_trigger_to_prove_absence() -> None:
    story = Story()
    story.sent()
    story.answered(status=200)
    expectation = result_for("t1", RESULTS, [2], of=exchange())
    assert judged(story, expectation, final=True).verdict is Verdict.UNKNOWN
    story.offsets(topic="results", group="")
    assert judged(story, expectation, final=True).verdict is Verdict.FAIL


def test_mispaired_results_name_every_wrong_trace() -> None:
    story = Story()
    wanted = {f"t{digit}": [digit] for digit in range(10)}
    for digit in range(10):
        story.stored("x", topic="results", headers=[], value=result(f"t{digit}", [digit if digit < 8 else 9]))
    judgement = judged(story, results_paired(wanted, RESULTS))
    assert judgement.verdict is Verdict.FAIL
    assert [violation.witness for violation in judgement.violations] == [(9,)]
    assert "predictions [8] for trace t8" in judgement.violations[0].message


# Streams.


def chunk(number: int, data: bytes) -> bytes:
    """Return a length-delimited field of a protobuf message (short ones only)."""
    return bytes([number << 3 | 2, len(data)]) + data


def varint(value: int) -> bytes:
    return bytes([value & 0x7F | 0x80]) + varint(value >> 7) if value > 0x7F else bytes([value])


def predict_response(name: str, shape: list[int], values: list[float]) -> bytes:
    """Return a PredictResponse of one float tensor: outputs 1 {key 1, value 2 {dtype, shape, values}}."""
    dims = b"".join(chunk(2, b"\x08" + varint(size)) for size in shape)
    tensor = b"\x08\x01" + chunk(2, dims) + chunk(5, struct.pack(f"<{len(values)}f", *values))
    return chunk(1, chunk(1, name.encode()) + chunk(2, tensor))


KEYED = ProducedRef("p1", IN, "k")


def stream(*answers: tuple[str | None, str | None], over: bool = True) -> Story:
    """Tell a whole history: produced (1), answers (2..), the group past it, the output read to its end."""
    story = Story()
    story.produced("p1", "k")
    for key, value in answers:
        story.stored("x", topic="out", headers=[], key=key, value=value)
    if over:
        story.offsets(1, end=1, topic=IN, group=G)
        story.offsets(topic="out", group="")
    return story


TENSOR = predict_response("probabilities", [1, 2], [0.25, 0.75]).decode("latin-1")
JSON = stream_answer(KEYED, OUT, group=G, json={"predictions": [1.5]})
SPELLED = stream_answer(KEYED, OUT, group=G, json={"a": [9, 9.0, 0.1, True, "9", None]}, spelled=True)
EMPTY = stream_answer(KEYED, OUT, group=G, message=("seldon.protos.SeldonMessage", b""))
ONCE = one_stream_answer(KEYED, OUT, group=G)
NONE = no_stream_answer(KEYED, OUT, group=G)
UNPREDICTED = no_prediction(KEYED, OUT, group=G)
KEPT = stream_key_kept(KEYED, OUT, group=G, json={"predictions": [1.5]})
GOOD = '{"predictions": [1.5]}'
CONTROLLED = stream_answer(KEYED, OUT, group=G, json={"predictions": [1.5]}, control=ProducedRef("p0", IN, "c"))


def silence(*, answered: bool = True, first: bool = True) -> Story:
    """Tell of a control (1), its answer (2), and a request that nothing came of (3)."""
    story = Story()
    if first:
        story.produced("p0", "c")
    if answered:
        story.stored("x", topic="out", headers=[], key="c", value=GOOD)
    story.produced("p1", "k")
    if not first:
        story.produced("p0", "c")
    return story


STREAMS: list[tuple[Expectation, Story, Verdict | None, Verdict, tuple[int, ...]]] = [
    (JSON, stream(("k", GOOD)), Verdict.PASS, Verdict.PASS, ()),
    (JSON, stream(("k", '{"predictions": [1.5000001]}')), Verdict.PASS, Verdict.PASS, ()),
    (JSON, stream(("k", '{"predictions": [2.5]}')), Verdict.FAIL, Verdict.FAIL, (2,)),
    (SPELLED, stream(("k", '{"a": [9, 9.0, 0.1, true, "9", null]}')), Verdict.PASS, Verdict.PASS, ()),
    (SPELLED, stream(("k", '{"a": [9.0, 9.0, 0.1, true, "9", null]}')), Verdict.FAIL, Verdict.FAIL, (2,)),
    (SPELLED, stream(("k", '{"a": [9, 9, 0.1, true, "9", null]}')), Verdict.FAIL, Verdict.FAIL, (2,)),
    (SPELLED, stream(("k", '{"a": [9, 9.0, 0.1000001, true, "9", null]}')), Verdict.FAIL, Verdict.FAIL, (2,)),
    (SPELLED, stream(("k", '{"a": [9]}')), Verdict.FAIL, Verdict.FAIL, (2,)),
    (JSON, stream(("k", "\x00")), Verdict.FAIL, Verdict.FAIL, (2,)),
    (JSON, stream(("other", GOOD)), None, Verdict.FAIL, (3, 4)),
    (JSON, stream(("other", GOOD), over=False), None, Verdict.UNKNOWN, ()),
    (CONTROLLED, silence(), None, Verdict.FAIL, (1, 2, 3)),
    (CONTROLLED, silence(answered=False), None, Verdict.UNKNOWN, ()),
    (CONTROLLED, silence(first=False), None, Verdict.UNKNOWN, ()),
    (JSON, silence(), None, Verdict.UNKNOWN, ()),
    (
        stream_answer(KEYED, OUT, group=G, json={"predictions": [1.5]}, keyed=False),
        stream((None, GOOD)),
        Verdict.PASS,
        Verdict.PASS,
        (),
    ),
    (stream_answer(KEYED, OUT, group=G, tensor=[[0.25, 0.75]]), stream(("k", TENSOR)), Verdict.PASS, Verdict.PASS, ()),
    (
        stream_answer(KEYED, OUT, group=G, tensor=[[0.75, 0.25]]),
        stream(("k", TENSOR)),
        Verdict.FAIL,
        Verdict.FAIL,
        (2,),
    ),
    (stream_answer(KEYED, OUT, group=G, tensor=[[1.0]]), stream(("k", "\xff\xff")), Verdict.FAIL, Verdict.FAIL, (2,)),
    (ONCE, stream(("k", GOOD)), Verdict.PASS, Verdict.PASS, ()),
    (EMPTY, stream(("k", "")), Verdict.PASS, Verdict.PASS, ()),
    (EMPTY, stream(("k", None)), Verdict.FAIL, Verdict.FAIL, (2,)),
    (JSON, stream(("k", None)), Verdict.FAIL, Verdict.FAIL, (2,)),
    (ONCE, stream(("k", None)), Verdict.FAIL, Verdict.FAIL, (2,)),
    (ONCE, stream(("k", GOOD), over=False), None, Verdict.UNKNOWN, ()),
    (ONCE, stream(("k", GOOD), ("k", GOOD)), Verdict.FAIL, Verdict.FAIL, (2, 3)),
    (ONCE, stream(), None, Verdict.FAIL, (2, 3)),
    (NONE, stream(), Verdict.PASS, Verdict.PASS, ()),
    (NONE, stream(("k", GOOD), over=False), Verdict.FAIL, Verdict.FAIL, (2,)),
    (NONE, stream(over=False), None, Verdict.UNKNOWN, ()),
    (UNPREDICTED, stream(), Verdict.PASS, Verdict.PASS, ()),
    (UNPREDICTED, stream(("k", '{"error": "no picture"}')), Verdict.PASS, Verdict.PASS, ()),
    (UNPREDICTED, stream(("k", "\xff\xff")), Verdict.PASS, Verdict.PASS, ()),
    (UNPREDICTED, stream(("k", "[]"), over=False), None, Verdict.UNKNOWN, ()),
    (UNPREDICTED, stream(("k", '{"error": "x"}'), ("k", GOOD)), Verdict.FAIL, Verdict.FAIL, (3,)),
    (UNPREDICTED, stream(("k", '{"outputs": []}')), Verdict.FAIL, Verdict.FAIL, (2,)),
    (UNPREDICTED, stream(("k", TENSOR)), Verdict.FAIL, Verdict.FAIL, (2,)),
    (KEPT, stream(("k", GOOD)), Verdict.PASS, Verdict.PASS, ()),
    (KEPT, stream((None, GOOD)), None, Verdict.FAIL, (2,)),
    (KEPT, stream(("k", "{}")), None, Verdict.FAIL, (3, 4)),
]


@pytest.mark.parametrize(
    ("expectation", "story", "early", "late", "witness"),
    STREAMS,
    ids=[f"{n:02d}-{case[0].check}" for n, case in enumerate(STREAMS)],
)
def test_streams(
    expectation: Expectation, story: Story, early: Verdict | None, late: Verdict, witness: tuple[int, ...]
) -> None:
    assert judged(story, expectation).verdict is early
    judgement = judged(story, expectation, final=True)
    assert judgement.verdict is late
    if late is not Verdict.PASS:
        assert judgement.violations[0].witness == witness
        assert judgement.violations[0].where.startswith("producer p1")


@pytest.mark.parametrize("expectation", [JSON, ONCE, NONE], ids=lambda expectation: expectation.check)
def test_a_request_that_kafka_refused_decides_nothing(expectation: Expectation) -> None:
    story = Story()
    story.produced("p1", "k", error="broken")
    assert judged(story, expectation).verdict is Verdict.UNKNOWN


AFTER = offset_after_answer(KEYED, OUT, group=G)


def test_an_offset_that_is_committed_after_the_answer() -> None:
    story = Story()
    story.produced("p1", "k")
    story.offsets(0, end=1, topic=IN, group=G)
    story.offsets(topic="out", group="")
    assert judged(story, AFTER, final=True).verdict is Verdict.UNKNOWN
    story.stored("x", topic="out", headers=[], key="k")
    story.offsets(1, end=1, topic=IN, group=G)
    story.offsets(topic="out", group="")
    assert judged(story, AFTER).verdict is Verdict.PASS


def test_an_offset_that_is_committed_before_the_answer() -> None:
    story = Story()
    story.produced("p1", "k")
    past = story.offsets(1, end=1, topic=IN, group=G)
    empty = story.offsets(topic="out", group="")
    assert judged(story, AFTER).verdict is None
    answer = story.stored("x", topic="out", headers=[], key="k")
    judgement = judged(story, AFTER)
    assert judgement.verdict is Verdict.FAIL
    assert judgement.violations[0].witness == (past, empty, answer)


def test_an_end_that_was_asked_for_before_the_commit_was_seen_accuses_nobody() -> None:
    story = Story()
    story.produced("p1", "k")
    asked_at = story.t
    story.offsets(1, end=1, topic=IN, group=G)
    story.add("offsets", group="", topic="out", committed={}, end={"0": 0}, asked_t=asked_at)
    story.stored("x", topic="out", headers=[], key="k")
    assert judged(story, AFTER).verdict is None


def test_a_stream_answer_is_json_or_tensor() -> None:
    with pytest.raises(RefError):
        stream_answer(KEYED, OUT, group=G)


# TensorFlow's messages, written by hand from their definitions.


def test_float_values_and_content_bytes_are_read() -> None:
    # float_val (field 5) and tensor_content (field 4) of x = float[1.5, -2]
    values = bytes.fromhex("0a170a0178121208011204120208022a080000c03f000000c0")
    content = bytes.fromhex("0a170a017812120801120412020802220800" + "00c03f000000c0")
    assert read_response(values) == read_response(content) == {"x": [1.5, -2.0]}


@given(st.lists(st.lists(st.floats(width=32, allow_nan=False), min_size=2, max_size=2), min_size=1, max_size=4))
def test_nested_floats_survive(rows: list[list[float]]) -> None:
    assert read_response(predict_response("y", [len(rows), 2], [value for row in rows for value in row])) == {"y": rows}


def test_one_value_may_stand_for_all_and_an_empty_tensor_is_a_tensor() -> None:
    assert read_response(predict_response("y", [2, 2], [1.0])) == {"y": [[1.0, 1.0], [1.0, 1.0]]}
    assert read_response(predict_response("y", [2, 0], [])) == {"y": [[], []]}
    with pytest.raises(TensorError):
        read_response(predict_response("y", [1_000_001], [1.0]))


@pytest.mark.parametrize("data", [b"\xff", bytes.fromhex("0a0f0a0178120a08011204120208032200")], ids=["bytes", "short"])
def test_what_is_no_tensor_is_refused(data: bytes) -> None:
    with pytest.raises(TensorError):
        read_response(data)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(TensorError):
        read_response(data)


# Objects.

TRIGGER_OBJECT = ObjectRef("eventing.knative.dev/v1", "Trigger", "ns", "t")


def state(ready: str | None = None, reason: str = "", **status: Any) -> dict[str, Any]:
    conditions = [] if ready is None else [{"type": "Ready", "status": ready, "reason": reason}]
    return {"spec": {"broker": "b"}, "status": {"conditions": conditions, **status}}


def seen(*states: Any) -> Story:
    story = Story()
    for one in states:
        story.object(TRIGGER_OBJECT, one)
    return story


NOT_READY = condition(TRIGGER_OBJECT, "Ready", "False")
EXPLAINED = condition(TRIGGER_OBJECT, "Ready", "False", explained=True)
URL = field(TRIGGER_OBJECT, "status.address.url")
NO_URL = field(TRIGGER_OBJECT, "status.address.url", None)
NO_URL_OR_X = field(TRIGGER_OBJECT, "status.address.url", None, "http://x")
NAMED = field(TRIGGER_OBJECT, "/status/annotations/default.topic", "right")
PLACE = located(TRIGGER_OBJECT, "status.url", name="one", namespace="ns")
REVISION = revision_unnamed(TRIGGER_OBJECT, "predictor")


def revisions(ready: str, asked: str) -> Any:
    """Return a state with the newest revision, `2`, one that is told as ready, and one that is asked."""
    traffic = [{"percent": 100, "revisionName": asked}, {"percent": 0, "revisionName": "2"}]
    told = {"latestCreatedRevision": "2", "latestReadyRevision": ready, "traffic": traffic}
    return state("False", components={"predictor": told})


OBJECTS: list[tuple[Expectation, Story, Verdict | None, Verdict]] = [
    (NOT_READY, seen(state("Unknown"), state("False")), Verdict.PASS, Verdict.PASS),
    (NOT_READY, seen(state("False"), state("True")), None, Verdict.FAIL),
    (NOT_READY, seen(state("Unknown")), None, Verdict.UNKNOWN),
    (NOT_READY, seen(state()), None, Verdict.UNKNOWN),
    (NOT_READY, seen({"status": "hostile"}), None, Verdict.UNKNOWN),
    (NOT_READY, seen({"status": {"conditions": [3]}}), None, Verdict.UNKNOWN),
    (NOT_READY, seen(), None, Verdict.UNKNOWN),
    (condition(TRIGGER_OBJECT, "Ready", ["False", "Unknown"]), seen(state("Unknown")), Verdict.PASS, Verdict.PASS),
    (condition(TRIGGER_OBJECT, "Ready", "False", "Why"), seen(state("False", "Why")), Verdict.PASS, Verdict.PASS),
    (condition(TRIGGER_OBJECT, "Ready", "False", "Why"), seen(state("False")), None, Verdict.FAIL),
    (EXPLAINED, seen(state("False", "Why")), Verdict.PASS, Verdict.PASS),
    (EXPLAINED, seen(state("False"), state("False", "Why")), Verdict.PASS, Verdict.PASS),
    (EXPLAINED, seen(state("False")), None, Verdict.FAIL),
    (EXPLAINED, seen(state("True", "Why")), None, Verdict.FAIL),
    (URL, seen(state("True", address={"url": "http://x"})), Verdict.PASS, Verdict.PASS),
    (URL, seen(state("True", address={"url": ""})), None, Verdict.FAIL),
    (URL, seen(state("True")), None, Verdict.FAIL),
    (URL, seen(state("Unknown")), None, Verdict.UNKNOWN),
    (NAMED, seen(state(annotations={"default.topic": "right"})), Verdict.PASS, Verdict.PASS),
    (NAMED, seen(state(annotations={"default.topic": "wrong"})), None, Verdict.FAIL),
    (field(TRIGGER_OBJECT, "spec.nothing"), seen(state()), None, Verdict.FAIL),
    (NO_URL, seen(state("False", address={"url": "http://x"}), state("False")), Verdict.PASS, Verdict.PASS),
    (NO_URL, seen(state("True", address={"url": ""})), Verdict.PASS, Verdict.PASS),
    (NO_URL, seen(state("False", address={"url": "http://x"})), None, Verdict.FAIL),
    (NO_URL, seen(), None, Verdict.UNKNOWN),
    (PLACE, seen(state("True", url="http://one-ns.example.com")), Verdict.PASS, Verdict.PASS),
    (PLACE, seen(state("True", url="https://one.ns.svc.cluster.local:80/path")), Verdict.PASS, Verdict.PASS),
    (PLACE, seen(state("True", url="http://one-other-ns.example.com")), None, Verdict.FAIL),
    (PLACE, seen(state("True", url="http://one-nsx.example.com")), None, Verdict.FAIL),
    (PLACE, seen(state("False", url=3)), None, Verdict.FAIL),
    (PLACE, seen(state("True")), None, Verdict.FAIL),
    (PLACE, seen(state("False")), None, Verdict.UNKNOWN),
    (REVISION, seen(revisions("1", "1")), Verdict.PASS, Verdict.PASS),
    (REVISION, seen(state("False", components={"predictor": {}})), Verdict.PASS, Verdict.PASS),
    (REVISION, seen(revisions("2", "1")), None, Verdict.FAIL),
    (REVISION, seen(revisions("1", "2")), None, Verdict.FAIL),
    (REVISION, seen(state("False")), None, Verdict.UNKNOWN),
    (NO_URL_OR_X, seen(state("True", address={"url": "http://x"})), Verdict.PASS, Verdict.PASS),
]


@pytest.mark.parametrize(("expectation", "story", "early", "late"), OBJECTS, ids=map(str, itertools.count()))
def test_objects(expectation: Expectation, story: Story, early: Verdict | None, late: Verdict) -> None:
    assert judged(story, expectation).verdict is early
    judgement = judged(story, expectation, final=True)
    assert judgement.verdict is late
    if late is Verdict.FAIL:
        assert judgement.violations[0].witness == (len(story.records),)


@pytest.mark.parametrize(
    ("verb", "code", "said", "verdict"),
    [
        ("create", 201, state("True"), Verdict.PASS),
        ("create", 201, state("False", "Why"), Verdict.PASS),
        ("create", 422, None, Verdict.PASS),
        ("create", 201, state("False"), Verdict.FAIL),
        ("create", 201, state("Unknown", "Why"), Verdict.FAIL),
        ("create", 201, state(), Verdict.FAIL),
        ("create", 500, None, Verdict.UNKNOWN),
        ("get", 404, None, Verdict.UNKNOWN),
    ],
    ids=["ready", "why", "refused", "not-why", "unknown", "nothing", "server-error", "never-made"],
)
def test_an_object_is_refused_or_told_about(verb: str, code: int, said: Any, verdict: Verdict) -> None:
    other, story = ObjectRef("eventing.knative.dev/v1", "Trigger", "ns", "other"), Story()
    story.object(other, state("True"))
    story.object(TRIGGER_OBJECT, said, verb=verb, code=code)
    expectation = settled(TRIGGER_OBJECT, control=other)
    assert judged(story, expectation).verdict is (Verdict.PASS if verdict is Verdict.PASS else None)
    assert judged(story, expectation, final=True).verdict is verdict


@pytest.mark.parametrize(
    ("control", "verdict"),
    [("True", Verdict.FAIL), ("False", Verdict.UNKNOWN), (None, Verdict.UNKNOWN)],
    ids=["ready", "not-ready", "nothing-said"],
)
def test_a_controller_that_says_nothing_of_an_object_fails_beside_one_that_is_ready(
    control: str | None, verdict: Verdict
) -> None:
    other = ObjectRef("eventing.knative.dev/v1", "Trigger", "ns", "other")
    story = Story()
    story.object(other, state(control))
    story.object(TRIGGER_OBJECT, {"spec": {}})
    expectation = condition(TRIGGER_OBJECT, "Ready", "False", control=other)
    assert judged(story, expectation).verdict is None
    judgement = judged(story, expectation, final=True)
    assert judgement.verdict is verdict
    assert judgement.violations[0].witness == ((1, 2) if verdict is Verdict.FAIL else ())
    assert judged(story, NOT_READY, final=True).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("code", "verdict"),
    [(201, Verdict.PASS), (400, Verdict.FAIL), (500, Verdict.FAIL), (429, Verdict.UNKNOWN), (503, Verdict.UNKNOWN)],
)
def test_accepted_calls(code: int, verdict: Verdict) -> None:
    story = Story()
    story.object(TRIGGER_OBJECT, {}, verb="create")
    story.object(TRIGGER_OBJECT, {} if code < 300 else None, verb="patch", code=code)
    story.object(TRIGGER_OBJECT, {})
    assert judged(story, api_accepted(TRIGGER_OBJECT)).verdict is verdict


def test_refused_calls() -> None:
    story = Story()
    story.object(TRIGGER_OBJECT, {}, verb="apply")
    expectation = api_refused(TRIGGER_OBJECT, message="immutable")
    assert judged(story, expectation).verdict is Verdict.FAIL
    story.object(TRIGGER_OBJECT, None, verb="patch", code=403, message='denied: "spec.broker" is immutable')
    story.object(TRIGGER_OBJECT, {})
    assert judged(story, expectation).verdict is Verdict.PASS
    assert judged(story, api_refused(TRIGGER_OBJECT, message="other")).verdict is Verdict.FAIL
    first = ObjectRef("eventing.knative.dev/v1", "Trigger", "ns", "t", seq=1)
    assert judged(story, api_refused(first)).verdict is Verdict.FAIL
    story.object(TRIGGER_OBJECT, None, verb="patch", code=500)
    assert judged(story, expectation).verdict is Verdict.UNKNOWN
