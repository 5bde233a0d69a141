"""Answers in protobuf, headers of answers, the order of one key, and what a fault excuses in a stream."""

import json
from typing import Any

import pytest

from evidence.expectations import (
    Expectation,
    stream_answer,
    stream_header,
    stream_id_told,
    stream_survived,
    streamed_in_order,
)
from evidence.messages import INFER_RESPONSE, PREDICT_RESPONSE, SELDON_MESSAGE, MessageError, canonical
from evidence.refs import ProducedRef, RefError
from evidence.verdict import Verdict
from selftest.evidence.story import IN, OUT, Story, judged
from selftest.evidence.test_fault_checks import window
from selftest.evidence.test_flow_checks import G, stream

FIRST, SECOND = ProducedRef("p1", IN, "k"), ProducedRef("p2", IN, "k")
NAN = b"\x0a\x11\x0a\x01x\x12\x0c\x08\x01\x2a\x08"  # a PredictResponse up to two floats
QUIET, OTHER = b"\x00\x00\xc0\x7f", b"\x01\x00\xc0\x7f"
ZERO, MINUS = bytes(4), b"\x00\x00\x00\x80"


@pytest.mark.parametrize(
    ("name", "one", "other", "same"),
    [
        pytest.param(INFER_RESPONSE, b"\x0a\x01m\x1a\x01i", b"\x1a\x01i\x0a\x01m", True, id="order-of-fields"),
        pytest.param(PREDICT_RESPONSE, NAN + QUIET + ZERO, NAN + QUIET + ZERO, True, id="same-nan"),
        pytest.param(PREDICT_RESPONSE, NAN + QUIET + ZERO, NAN + OTHER + ZERO, False, id="another-nan"),
        pytest.param(PREDICT_RESPONSE, NAN + ZERO + ZERO, NAN + ZERO + MINUS, False, id="negative-zero"),
        pytest.param(SELDON_MESSAGE, b"\x2a\x01x", b"\x2a\x01x\xc8\x3e\x01", False, id="unknown-field"),
        pytest.param(SELDON_MESSAGE, b"\x2a\x01x", b"\x2a\x01y", False, id="text"),
        pytest.param(SELDON_MESSAGE, b"\x2a\x00", b"", False, id="empty-text"),
        pytest.param(SELDON_MESSAGE, b"\x2a\x00", b"\x22\x00", False, id="empty-bytes"),
        pytest.param(
            SELDON_MESSAGE,
            b"\x12\x0e\x12\x05\x0a\x01a\x12\x00\x12\x05\x0a\x01b\x12\x00",
            b"\x12\x0e\x12\x05\x0a\x01b\x12\x00\x12\x05\x0a\x01a\x12\x00",
            True,
            id="order-of-a-map",
        ),
    ],
)
def test_messages_are_compared_field_by_field_and_bit_by_bit(
    name: str, one: bytes, other: bytes, *, same: bool
) -> None:
    assert (canonical(name, one) == canonical(name, other)) is same
    answer = stream_answer(FIRST, OUT, group=G, message=(name, one))
    judgement = judged(stream(("k", other.decode("latin-1"))), answer)
    assert judgement.verdict is (Verdict.PASS if same else Verdict.FAIL)


def test_bytes_that_are_no_message_are_a_wrong_answer() -> None:
    with pytest.raises(MessageError, match=r"no seldon\.protos\.SeldonMessage"):
        canonical(SELDON_MESSAGE, b"\xff")
    judgement = judged(stream(("k", "\xff")), stream_answer(FIRST, OUT, group=G, message=(SELDON_MESSAGE, b"")))
    assert judgement.verdict is Verdict.FAIL
    assert "no seldon.protos.SeldonMessage" in judgement.violations[0].message


@pytest.mark.parametrize(
    "terms",
    [{}, {"json": 1, "tensor": 1}, {"json": 1, "message": (SELDON_MESSAGE, b"")}, {"message": ("x.Y", b"")}],
    ids=["nothing", "two", "two-with-a-message", "unknown"],
)
def test_an_answer_is_wanted_in_one_way(terms: dict[str, Any]) -> None:
    with pytest.raises(RefError, match="stream_answer"):
        stream_answer(FIRST, OUT, group=G, **terms)


HEADER = stream_header(FIRST, OUT, group=G, name="proto-name", value="a.B")


@pytest.mark.parametrize(
    ("headers", "verdict"),
    [
        ([["proto-name", "a.B"], ["other", None]], Verdict.PASS),
        ([], Verdict.FAIL),
        ([["Proto-Name", "a.B"]], Verdict.FAIL),
        ([["proto-name", "a.C"]], Verdict.FAIL),
        ([["proto-name", "a.B"], ["proto-name", "a.B"]], Verdict.FAIL),
        ([["proto-name", None]], Verdict.FAIL),
    ],
    ids=["there", "missing", "other-case", "other-value", "twice", "null"],
)
def test_a_header_of_an_answer(headers: list[list[str | None]], verdict: Verdict) -> None:
    story = Story()
    story.produced("p1", "k")
    story.stored("x", topic="out", headers=headers, key="k", value="{}")
    assert judged(story, HEADER).verdict is verdict


def test_the_header_of_an_answer_that_never_came_is_missing() -> None:
    assert judged(stream(), HEADER).verdict is None
    assert judged(stream(), HEADER, final=True).verdict is Verdict.FAIL


TOLD = stream_id_told([FIRST, ProducedRef("p2", IN, "j")], OUT, group=G, nodes=["one", "two"])


def tags(**told: str | None) -> str:
    """Return an answer in whose `meta` each node tells one header of this value; None: it tells none."""
    texts = {node: json.dumps([] if value is None else [["id", value]]) for node, value in told.items()}
    return json.dumps({"meta": {"tags": texts}})


@pytest.mark.parametrize(
    ("answers", "verdict"),
    [
        ([("k", tags(one="a", two="a")), ("j", tags(one="b", two="b"))], Verdict.PASS),
        ([("k", tags(one="a", two="a")), ("k", tags(one="c", two="c")), ("j", tags(one="b", two="b"))], Verdict.PASS),
        ([("k", tags(one="a", two="a"))], None),
        ([("k", tags(one="a", two="b"))], Verdict.FAIL),
        ([("k", tags(one="a"))], Verdict.FAIL),
        ([("k", tags(one="", two=""))], Verdict.FAIL),
        ([("k", tags(one=None, two=None))], Verdict.FAIL),
        ([("k", tags(one="a", two="a")), ("j", tags(one="a", two="a"))], Verdict.FAIL),
        ([("k", '{"meta": 1}')], Verdict.FAIL),
        ([("k", "{")], Verdict.FAIL),
        ([("k", None)], Verdict.FAIL),
    ],
    ids=["there", "again", "one-only", "two-ids", "not-all", "empty", "none", "shared", "no-tags", "no-json", "null"],
)
def test_the_id_that_all_nodes_tell(answers: list[tuple[str | None, str | None]], verdict: Verdict | None) -> None:
    assert judged(stream(*answers), TOLD).verdict is verdict


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [(b"a", Verdict.PASS), (b"b", Verdict.FAIL), (None, Verdict.FAIL)],
    ids=["there", "two-ids", "no-message"],
)
def test_the_id_that_all_nodes_tell_in_a_message(answer: bytes | None, verdict: Verdict) -> None:
    told = b'[["id", "a"]]', b'[["id", "%b"]]' % (answer or b"")
    tags = b"".join(
        b"\x12\x16\x0a\x03" + name + b"\x12\x0f\x1a\x0d" + text
        for name, text in zip((b"one", b"two"), told, strict=True)
    )
    value = "\xff" if answer is None else (b"\x12" + bytes([len(tags)]) + tags).decode("latin-1")
    typed = stream_id_told([FIRST], OUT, group=G, nodes=["one", "two"], typed=True)
    assert judged(stream(("k", value)), typed).verdict is verdict


def test_an_id_that_never_came_is_missing() -> None:
    assert judged(stream(), TOLD, final=True).verdict is Verdict.FAIL


ORDER = streamed_in_order([FIRST, SECOND], OUT, group=G, json=[{"n": 1}, {"n": 2}])


@pytest.mark.parametrize(
    ("came", "early", "late"),
    [
        ("12", Verdict.PASS, Verdict.PASS),
        ("112", Verdict.PASS, Verdict.PASS),
        ("1212", Verdict.PASS, Verdict.PASS),
        ("21", Verdict.FAIL, Verdict.FAIL),
        ("2", Verdict.FAIL, Verdict.FAIL),
        ("13", Verdict.FAIL, Verdict.FAIL),
        ("1", None, Verdict.FAIL),
        ("", None, Verdict.FAIL),
    ],
)
def test_the_order_of_answers_under_one_key(came: str, early: Verdict | None, late: Verdict) -> None:
    def told(*, over: bool) -> Story:
        story = Story()
        story.produced("p1", "k")
        story.produced("p2", "k")
        for number in came:
            story.stored("x", topic="out", headers=[], key="k", value=f'{{"n": {number}}}')
        if over:
            story.offsets(2, end=2, topic=IN, group=G)
            story.offsets(topic="out", group="")
        return story

    assert judged(told(over=False), ORDER).verdict is early
    assert judged(told(over=True), ORDER, final=True).verdict is late


def test_an_order_is_that_of_one_key() -> None:
    with pytest.raises(RefError, match="of one key"):
        streamed_in_order([FIRST, ProducedRef("p2", IN, "other")], OUT, group=G, json=[1, 2])
    with pytest.raises(RefError, match="an answer for each"):
        streamed_in_order([FIRST, SECOND], OUT, group=G, json=[1])


SURVIVED: Expectation = stream_survived([FIRST], OUT, group=G, namespace="ns", deployment="d")


@pytest.mark.parametrize(
    ("answers", "committed_before", "windows", "early", "late"),
    [
        (1, False, 1, Verdict.PASS, Verdict.PASS),
        (1, True, 1, Verdict.PASS, Verdict.PASS),
        (2, False, 1, Verdict.PASS, Verdict.PASS),
        (2, True, 1, Verdict.FAIL, Verdict.FAIL),
        (3, False, 1, Verdict.FAIL, Verdict.FAIL),
        (3, False, 2, Verdict.PASS, Verdict.PASS),
        (0, False, 1, None, Verdict.FAIL),
        (1, False, 0, None, Verdict.UNKNOWN),
    ],
    ids=["once", "committed", "again", "committed-again", "too-often", "two-faults", "lost", "no-fault"],
)
def test_what_a_fault_excuses(
    answers: int, *, committed_before: bool, windows: int, early: Verdict | None, late: Verdict
) -> None:
    story = Story()
    story.produced("p1", "k")
    if committed_before:
        story.offsets(1, end=1, topic=IN, group=G)
    for number in range(windows):
        window(story, "begin", broker="d", name=f"w{number}")
        window(story, "end", broker="d", name=f"w{number}")
    for _ in range(answers):
        story.stored("x", topic="out", headers=[], key="k", value="{}")
    story.offsets(1, end=1, topic=IN, group=G)
    story.offsets(topic="out", group="")
    assert judged(story, SURVIVED).verdict is early
    assert judged(story, SURVIVED, final=True).verdict is late
