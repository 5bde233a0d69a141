"""Hand-written histories: what may be refused, and is right where it is not: content codings, events of version 0.3."""

import base64
import gzip
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from evidence.codings import CodingError, unpacked
from evidence.expectations import failed_or_unchanged, refused_or_unchanged
from evidence.verdict import Verdict
from selftest.evidence.story import BROKER, LETTERS, STRUCTURED, TRIGGER, Story, binary, event, judged, structured

ASKED = refused_or_unchanged(event(), TRIGGER, on=BROKER)
OCTETS = "application/octet-stream"
PLAIN = '{"n": 1}'
PACKED = gzip.compress(PLAIN.encode(), mtime=0).decode("latin-1")
DEFLATED = zlib.compress(PLAIN.encode()).decode("latin-1")
TEXT = base64.b64encode(PLAIN.encode()).decode()


def coded(coding: str, **more: str) -> list[list[str]]:
    return [*binary(**more), ["Content-Encoding", coding]]


def older(**more: str) -> list[list[str]]:
    return binary(specversion="0.3", **more)


CODED = (coded("gzip"), PACKED)
UNKNOWN = (coded("x-own"), "?")
BINARY = (older(schemaurl="/s"), PLAIN)
BASE64 = (STRUCTURED, structured(specversion="0.3", datacontenttype=OCTETS, data=TEXT, datacontentencoding="base64"))
DELIVERIES: list[tuple[tuple[Any, str], Any, str, str]] = [
    # what is sent, headers and body of the delivery, what the failure says (empty: pass)
    (CODED, binary(), PLAIN, ""),
    (CODED, coded("GZIP"), PACKED, ""),
    (CODED, coded("deflate"), DEFLATED, ""),
    (CODED, binary(), PACKED, "data b'{\"n\": 1}'"),
    (CODED, coded("gzip"), PLAIN, "or without; got gzip (content-encoding gzip"),
    (CODED, coded("gzip", other="x"), PACKED, "other absent; got 'x'"),
    (UNKNOWN, coded("x-own"), "?", ""),
    (UNKNOWN, binary(), "?", "x-own, or without; got none ("),
    (BINARY, *BINARY, ""),
    (BINARY, binary(dataschema="urn:s"), PLAIN, ""),
    (BINARY, binary(schemaurl="/s"), PLAIN, ""),
    (BINARY, binary(dataschema="/s"), PLAIN, "dataschema '/s' is no absolute URI"),
    (BINARY, older(), PLAIN, "schemaurl '/s'; got absent"),
    (BINARY, binary(specversion="0.2"), PLAIN, "specversion is '0.2'"),
    (BINARY, binary(type="other"), PLAIN, "type 't'; got 'other'"),
    (BASE64, older(content_type=OCTETS), PLAIN, ""),
    (BASE64, binary(content_type=OCTETS), PLAIN, ""),
    (BASE64, older(content_type=OCTETS, datacontentencoding="base64"), TEXT, ""),
    (BASE64, *BASE64, ""),
    (BASE64, older(content_type=OCTETS, datacontentencoding="base64"), PLAIN, "in base64, as datacontentencoding says"),
    (BASE64, older(content_type=OCTETS), TEXT, "data b'{\"n\": 1}'"),
    (
        BASE64,
        binary(content_type=OCTETS, datacontentencoding="base64"),
        TEXT,
        "datacontentencoding absent; got 'base64'",
    ),
]


@pytest.mark.parametrize(
    ("sent", "headers", "body", "said"), DELIVERIES, ids=[f"{n:02d}" for n in range(len(DELIVERIES))]
)
def test_what_is_accepted_is_delivered_as_what_it_is(sent: tuple[Any, str], headers: Any, body: str, said: str) -> None:
    story = Story()
    story.accepted(headers=sent[0], body=sent[1])
    story.received(headers=headers, body=body)
    judgement = judged(story, ASKED)
    assert judgement.verdict is (Verdict.FAIL if said else Verdict.PASS), judgement.violations
    assert any(said in violation.message for violation in judgement.violations) or not said


REPLIED = failed_or_unchanged(event(), TRIGGER, replied_by=TRIGGER, cause=event("cause"), letters=LETTERS)
REPLIES: dict[str, tuple[list[Any], str, str]] = {
    # headers and body of the delivery of a packed reply, what the failure says (empty: pass)
    "whole": (binary(), PLAIN, ""),
    "packed": (coded("gzip"), PACKED, ""),
    "coding-lost": (binary(), PACKED, "data b'{\"n\": 1}'"),
    "coding-kept": (coded("gzip"), PLAIN, "or without; got gzip (content-encoding gzip"),
}


def replied(story: Story) -> None:
    """Have an event, and an answer to it that carries another one."""
    story.accepted("cause")
    story.received("cause")
    story.replied(headers=coded("gzip"), body=PACKED)


@pytest.mark.parametrize(("headers", "body", "said"), REPLIES.values(), ids=REPLIES)
def test_a_reply_is_delivered_as_what_it_was(headers: Any, body: str, said: str) -> None:
    story = Story()
    replied(story)
    story.received(headers=headers, body=body)
    judgement = judged(story, REPLIED)
    assert judgement.verdict is (Verdict.FAIL if said else Verdict.PASS), judgement.violations
    assert any(said in violation.message for violation in judgement.violations) or not said


def test_a_reply_that_never_came_may_have_failed() -> None:
    story = Story()
    replied(story)
    assert judged(story, REPLIED, final=True).verdict is not Verdict.PASS
    story.received("cause", LETTERS.name)
    assert judged(story, REPLIED).verdict is Verdict.PASS


def stored(story: Story) -> None:
    story.stored()


def delivered(story: Story) -> None:
    story.received()


def nothing(_: Story) -> None:
    pass


@pytest.mark.parametrize(
    ("status", "what", "verdict"),
    [
        (415, nothing, Verdict.PASS),
        (400, nothing, Verdict.PASS),
        (400, stored, Verdict.FAIL),
        (429, nothing, Verdict.UNKNOWN),
        (503, nothing, Verdict.UNKNOWN),
        (500, nothing, Verdict.FAIL),
        (302, nothing, Verdict.FAIL),
        (202, nothing, Verdict.FAIL),
        (202, stored, Verdict.UNKNOWN),
        (202, delivered, Verdict.PASS),
    ],
)
def test_a_refusal_is_a_4xx_that_leaves_nothing(status: int, what: Callable[[Story], None], verdict: Verdict) -> None:
    story = Story()
    story.sent()
    story.answered(status=status)
    what(story)
    story.offsets()
    assert judged(story, ASKED, final=True).verdict is verdict


def test_without_an_answer_nothing_is_decided() -> None:
    story = Story()
    story.sent()
    assert judged(story, ASKED, final=True).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("codings", "body", "said"),
    [
        ("br", b"", "'br' is not known"),
        ("gzip", b"", "another end"),
        ("gzip", PACKED.encode("latin-1")[:-1], "another end"),
        ("gzip", PACKED.encode("latin-1") + b"x", "another end"),
        ("deflate, gzip", PACKED.encode("latin-1"), "content-encoding deflate: "),
        ("gzip", gzip.compress(bytes(101)), "more than 100 bytes"),
    ],
    ids=["unknown", "empty", "cut", "more-behind", "one-of-two", "large"],
)
def test_a_body_that_is_in_no_known_coding_is_one_clear_error(codings: str, body: bytes, said: str) -> None:
    with pytest.raises(CodingError, match=said):
        unpacked(codings, body, 100)


def test_codings_are_taken_off_in_their_order() -> None:
    assert unpacked(" Deflate ,, GZIP", gzip.compress(DEFLATED.encode("latin-1")), 100) == PLAIN.encode()
    assert unpacked("", b"x", 0) == b"x"
