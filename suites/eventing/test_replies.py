"""Replies: which answers of subscribers are events, and where these go."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest

from evidence.expectations import (
    Expectation,
    attempts,
    dead_lettered,
    delivered,
    delivered_once,
    not_dead_lettered,
    not_delivered,
    record_key,
    request_header,
    unchanged,
)
from evidence.refs import EventRef
from fixtures import Answer, Broker, Sinks, Trigger, expect
from suites.wire import ODD, STRUCTURED, Headers, attributes, binary, fresh, structured, typed

QUESTION = {"attributes": {"type": "question"}}
ANSWER = {"attributes": {"type": "answer"}}
SOURCE = "/touchstone/subscriber"
CHAIN = 20  # more than the hops after which a guard against loops ends a chain
AGAIN = {"retry": 2, "backoffPolicy": "linear", "backoffDelay": "PT0.1S"}


MODES = ["binary", "structured"]
NAMELESS: list[dict[str, str | None]] = [{"id": None}, {"source": None}]
# What is wrong with the attributes of an answer that claims to be an event; None leaves one out.
FLAWS: list[dict[str, str | None]] = [
    {"type": None},
    {"specversion": None},
    {"specversion": "9.9"},
    {"time": "soon"},
    {"time": "2025-07-02"},
    {"source": "a b"},
    {"source": "http://[::1"},
    {"bad_name": "x"},
    {"bad-name": "x"},
]


# Headers of an answer that are none of its event's.
OWN: Headers = [
    ("Server", "subscriber/1.0"),
    ("Set-Cookie", "a=b; Path=/"),
    ("Set-Cookie", "c=d; HttpOnly"),
    ("Cache-Control", "no-store"),
    ("WWW-Authenticate", "Basic"),
    ("X-Reply-Token", "secret"),
]
# Headers of the request, as who copies all of them gives them back.
ECHOED: Headers = [
    ("Prefer", "reply"),
    ("Kn-Namespace", "default"),
    ("Host", "subscriber.default.svc"),
    ("User-Agent", "subscriber/1.0"),
    ("Accept", "*/*"),
]
BESIDE: list[Headers] = [[("Date", "Wed, 02 Jul 2025 08:20:12 GMT"), ("Vary", "*")], OWN, ECHOED]
# Media types and bodies that claim to be one event and are none.
NO_EVENTS = {
    "broken": (STRUCTURED, b'{"specversion": "1.0", "id":'),
    "null": (STRUCTURED, b"null"),
    "text": (STRUCTURED, b'"text"'),
    "array": (STRUCTURED, b"[%b]" % structured(attributes())),
    "nan": (STRUCTURED, structured(attributes(), data=float("nan"))),
    "no-utf-8": (STRUCTURED, b"\xff\xfe\x00"),
    "batch": ("application/cloudevents-batch+json", b"[%b]" % structured(attributes())),
    "no-format": ("application/cloudevents", structured(attributes())),
    "xml": ("application/cloudevents+xml", b'<event xmlns="http://cloudevents.io/xmlformat/V1" specversion="1.0"/>'),
}


def flawed(mode: str, flaw: Mapping[str, str | None]) -> tuple[EventRef, Answer]:
    """Return what an answer claims to carry, and the answer, whose attributes have a flaw."""
    event = {"id": fresh("reply"), "source": SOURCE, "type": "answer", **flaw}
    told = attributes(without=[name for name, value in event.items() if value is None], **event)
    binaries = Answer(200, headers=binary(told), body=b'{"n": 2}')
    carrier = binaries if mode == "binary" else Answer(200, headers=typed(STRUCTURED), body=structured(told))
    return EventRef(event["source"] or "", event["id"] or ""), carrier


def all_lettered(broker: Broker, sinks: Sinks, answers: Sequence[Answer]) -> list[Expectation]:
    """Send an event for each answer; expect that each is dead-lettered."""
    dead_letters = sinks()
    options = {"deadLetterSink": {"uri": dead_letters.url}}
    subscriber = sinks(answers)
    trigger = broker.trigger(filter=QUESTION, subscriber=subscriber, delivery=options)
    events = broker.send_many([{"type": "question"}] * len(answers))
    return [dead_lettered(event, to=dead_letters, by=trigger, dest=subscriber.url) for event in events]


def none_routed(broker: Broker, sinks: Sinks, replies: Sequence[tuple[EventRef, Answer]]) -> list[Expectation]:
    """Send an event for each reply; expect that no Trigger gets any reply, be it one that takes everything."""
    replier = broker.trigger(filter=QUESTION, subscriber=sinks([to for _, to in replies]))
    broker.send(type="of nobody")  # it leaves when the replier is Ready, who so is surely the first of the two
    everything = broker.trigger()
    broker.send_many([{"type": "question"}] * len(replies))
    return [not_delivered(answer, to=everything, replied_by=replier) for answer, _ in replies]


def reply(mode: str, status: int = 200, **more: str) -> tuple[EventRef, Answer]:
    """Return an event to reply with, and the answer that carries it."""
    name = fresh("reply")
    event = attributes(id=name, source=SOURCE, type="answer", **more)
    answers = {
        "binary": Answer(status, headers=binary(event), body=b'{"n": 2}'),
        "structured": Answer(status, headers=typed(STRUCTURED), body=structured(event)),
    }
    return EventRef(SOURCE, name), answers[mode]


def replying(broker: Broker, sinks: Sinks, carriers: Sequence[Answer]) -> tuple[Trigger, list[Trigger]]:
    """Have a question of its own answered with each of these; return who gets the replies, and who gave each."""
    types = [f"question.{number}" for number in range(len(carriers))]
    *repliers, receiver = broker.several(
        *(
            {"filter": {"attributes": {"type": kind}}, "subscriber": sinks([carrier])}
            for kind, carrier in zip(types, carriers, strict=True)
        ),
        {"filter": ANSWER},
    )
    broker.send_many([{"type": kind} for kind in types])
    return receiver, repliers


def beside(headers: Headers, mode: str) -> tuple[EventRef, Answer]:
    """Return an event to reply with, and the answer that carries it beside these headers."""
    answer, carrier = reply(mode)
    return answer, replace(carrier, headers=[*headers, *carrier.headers])


@pytest.mark.requirement("EVT-RPL-001")
def test_a_reply_is_routed_to_the_triggers_that_match_it(broker: Broker, sinks: Sinks) -> None:
    answer, carrier = reply("binary")
    replier = broker.trigger(filter=QUESTION, subscriber=sinks([carrier]))
    receiver = broker.trigger(filter=ANSWER)
    broker.send(type="question")
    expect(delivered(answer, to=receiver, replied_by=replier))


@pytest.mark.requirement("EVT-RPL-001")
def test_a_reply_comes_back_to_the_trigger_that_it_came_from(broker: Broker, sinks: Sinks) -> None:
    answer, carrier = reply("binary")
    trigger = broker.trigger(filter={"attributes": {"specversion": "1.0"}}, subscriber=sinks([carrier, Answer(202)]))
    broker.send(type="question")
    expect(delivered(answer, to=trigger, replied_by=trigger))


@pytest.mark.requirement("EVT-RPL-002")
def test_a_reply_may_be_structured(broker: Broker, sinks: Sinks) -> None:
    answer, carrier = reply("structured")
    replier = broker.trigger(filter=QUESTION, subscriber=sinks([carrier]))
    receiver = broker.trigger(filter=ANSWER)
    broker.send(type="question")
    expect(delivered(answer, to=receiver, replied_by=replier))


@pytest.mark.requirement("EVT-RPL-003")
@pytest.mark.parametrize("mode", MODES)
def test_an_event_in_a_202_is_no_reply(broker: Broker, sinks: Sinks, mode: str) -> None:
    answer, carrier = reply(mode, status=202)
    replier = broker.trigger(filter=QUESTION, subscriber=sinks([carrier]))
    receiver = broker.trigger(filter=ANSWER)
    broker.send(type="question")
    expect(not_delivered(answer, to=receiver, replied_by=replier))


@pytest.mark.requirement("EVT-RPL-004")
@pytest.mark.parametrize("chunked", [False, True], ids=["length-zero", "no-chunks"])
def test_a_200_without_a_body_ends_the_delivery(broker: Broker, sinks: Sinks, *, chunked: bool) -> None:
    dead_letters = sinks()
    options = {"retry": 2, "backoffDelay": "PT0.1S", "deadLetterSink": {"uri": dead_letters.url}}
    trigger = broker.trigger(filter=QUESTION, subscriber=sinks([Answer(200, chunked=chunked)]), delivery=options)
    event = broker.send(type="question")
    expect(attempts(event, to=trigger, count=1))
    expect(not_dead_lettered(event, to=dead_letters, by=trigger))


@pytest.mark.requirement("EVT-RPL-004")
def test_a_media_type_alone_is_no_body(broker: Broker, sinks: Sinks) -> None:
    # So does every framework answer that names a media type by itself and was told to say nothing.
    dead_letters = sinks()
    options = AGAIN | {"deadLetterSink": {"uri": dead_letters.url}}
    triggers = broker.several(
        *(
            {"filter": QUESTION, "subscriber": sinks([Answer(200, headers=typed(kind))]), "delivery": options}
            for kind in ("text/html; charset=utf-8", "text/plain", "application/json", "application/octet-stream")
        )
    )
    event = broker.send(type="question")
    expect(*(attempts(event, to=trigger, count=1) for trigger in triggers))
    expect(*(not_dead_lettered(event, to=dead_letters, by=trigger) for trigger in triggers))


@pytest.mark.requirement("EVT-RPL-005")
def test_a_200_with_a_body_that_is_no_event_is_dead_lettered(broker: Broker, sinks: Sinks) -> None:
    plain = Answer(200, headers=typed("application/json"), body=b'{"predictions": [2]}')
    expect(*all_lettered(broker, sinks, [plain, replace(plain, chunked=True)]))


@pytest.mark.requirement("EVT-RPL-005")
@pytest.mark.parametrize("mode", MODES)
def test_a_200_whose_attributes_make_no_event_is_dead_lettered(broker: Broker, sinks: Sinks, mode: str) -> None:
    expect(*all_lettered(broker, sinks, [flawed(mode, flaw)[1] for flaw in [*NAMELESS, *FLAWS]]))


@pytest.mark.requirement("EVT-RPL-005")
def test_a_200_that_claims_to_be_an_event_and_is_none_is_dead_lettered(broker: Broker, sinks: Sinks) -> None:
    answers = [Answer(200, headers=typed(kind), body=body) for kind, body in NO_EVENTS.values()]
    expect(*all_lettered(broker, sinks, answers))


@pytest.mark.requirement("EVT-RPL-016")
@pytest.mark.parametrize("mode", MODES)
def test_a_reply_whose_attributes_make_no_event_is_not_routed(broker: Broker, sinks: Sinks, mode: str) -> None:
    expect(*none_routed(broker, sinks, [flawed(mode, flaw) for flaw in FLAWS]))


@pytest.mark.requirement("EVT-RPL-017")
@pytest.mark.parametrize("mode", MODES)
def test_a_reply_with_an_empty_required_attribute_is_not_routed(broker: Broker, sinks: Sinks, mode: str) -> None:
    expect(*none_routed(broker, sinks, [flawed(mode, {name: ""}) for name in ("id", "source", "type")]))


@pytest.mark.requirement("EVT-RPL-018")
def test_a_200_with_something_behind_its_event_is_dead_lettered(broker: Broker, sinks: Sinks) -> None:
    event = structured(attributes(type="answer"))
    # Whoever reads the first value alone routes it and loses the second one.
    behind = [b" x", b"}", b" 1", event, b"\n" + structured(attributes(type="answer"))]
    expect(*all_lettered(broker, sinks, [Answer(200, headers=typed(STRUCTURED), body=event + more) for more in behind]))


@pytest.mark.requirement("EVT-RPL-006")
def test_a_reply_that_cannot_be_stored_fails_the_delivery(broker: Broker, sinks: Sinks) -> None:
    # Larger than what the Broker's producer takes (max.request.size, 1 MiB). Letters, because a history writes a zero
    # byte as six characters.
    _, carrier = reply("binary")
    trigger = broker.trigger(
        filter=QUESTION, subscriber=sinks([replace(carrier, body=b"x" * 1_500_000), Answer(200)]), delivery=AGAIN
    )
    expect(attempts(broker.send(type="question"), to=trigger, count=2))


@pytest.mark.requirement("EVT-RPL-007")
def test_half_a_reply_is_not_routed(broker: Broker, sinks: Sinks) -> None:
    answer, carrier = reply("binary")
    script = [replace(carrier, broken="cut"), Answer(202)]
    replier, receiver = broker.several(
        {"filter": QUESTION, "subscriber": sinks(script), "delivery": AGAIN}, {"filter": ANSWER}
    )
    broker.send(type="question")
    expect(not_delivered(answer, to=receiver, replied_by=replier))


@pytest.mark.requirement("EVT-RPL-008")
def test_a_reply_goes_to_nobody_who_does_not_match_it(broker: Broker, sinks: Sinks) -> None:
    answer, carrier = reply("binary")
    replier, bystander, receiver = broker.several(
        {"filter": QUESTION, "subscriber": sinks([carrier, Answer(202)])},
        {"filter": {"attributes": {"source": "/touchstone/sender"}}},
        {"filter": ANSWER},
    )
    question = broker.send(type="question")
    expect(delivered(question, to=replier), delivered(question, to=bystander))
    expect(delivered(answer, to=receiver, replied_by=replier))
    expect(not_delivered(answer, to=bystander, replied_by=replier))
    expect(not_delivered(answer, to=replier, replied_by=replier))


@pytest.mark.requirement("EVT-RPL-009")
@pytest.mark.parametrize("mode", MODES)
def test_a_reply_arrives_as_it_was_given(broker: Broker, sinks: Sinks, mode: str) -> None:
    replies = [
        reply(
            mode,
            subject="orders/17",
            time="2025-07-02T08:20:12.908936Z",
            correlationid="c-1",
            partitionkey="customer-17",
        ),
        # What a guard against loops leaves of an event at its end.
        reply(mode, knativebrokerttl="0", knativearrivaltime="2025-07-02T08:20:12Z"),
    ]
    receiver, repliers = replying(broker, sinks, [carrier for _, carrier in replies])
    pairs = zip(replies, repliers, strict=True)
    expect(*(delivered(answer, to=receiver, replied_by=replier) for (answer, _), replier in pairs))
    expect(*(unchanged(answer, to=receiver) for answer, _ in replies))


@pytest.mark.requirement("EVT-RPL-009")
def test_the_values_of_a_reply_are_encoded_once(broker: Broker, sinks: Sinks) -> None:
    encoded: dict[str, Any] = {name: quote(value, safe="") for name, value in ODD.items()}
    answer, carrier = reply("binary", **encoded)
    receiver, (replier,) = replying(broker, sinks, [carrier])
    expect(delivered(answer, to=receiver, replied_by=replier))
    expect(unchanged(answer, to=receiver))


@pytest.mark.requirement("EVT-RPL-010")
def test_each_reply_of_a_chain_is_routed_once(broker: Broker, sinks: Sinks) -> None:
    # The subscriber gets its own replies; when it answers without one, the chain ends.
    replies = [reply("binary") for _ in range(CHAIN)]
    script = [*(carrier for _, carrier in replies), Answer(202)]
    trigger = broker.trigger(filter={"attributes": {"specversion": "1.0"}}, subscriber=sinks(script))
    question = broker.send(type="question")
    expect(*(delivered_once(answer, to=trigger, replied_by=trigger) for answer, _ in replies))
    expect(attempts(question, to=trigger, count=1))


@pytest.mark.requirement("EVT-RPL-011")
def test_an_event_in_a_failing_answer_is_no_reply(broker: Broker, sinks: Sinks) -> None:
    replies = [reply("binary", status) for status in (400, 404, 500, 503)]
    *repliers, receiver = broker.several(
        *({"filter": QUESTION, "subscriber": sinks([carrier])} for _, carrier in replies), {"filter": ANSWER}
    )
    question = broker.send(type="question")
    expect(*(delivered(question, to=replier) for replier in repliers))
    pairs = zip(replies, repliers, strict=True)
    expect(*(not_delivered(answer, to=receiver, replied_by=replier) for (answer, _), replier in pairs))


@pytest.mark.requirement("EVT-RPL-012")
def test_each_trigger_may_reply_to_an_event(broker: Broker, sinks: Sinks) -> None:
    replies = [reply("binary") for _ in range(3)]
    scripts = [[carrier] for _, carrier in replies[:2]] + [[Answer(503), replies[2][1]]]
    *repliers, receiver = broker.several(
        *({"filter": QUESTION, "subscriber": sinks(script), "delivery": AGAIN} for script in scripts),
        {"filter": ANSWER},
    )
    question = broker.send(type="question")
    expect(*(delivered(question, to=replier) for replier in repliers))
    pairs = zip(replies, repliers, strict=True)
    expect(*(delivered(answer, to=receiver, replied_by=replier) for (answer, _), replier in pairs))


@pytest.mark.requirement("EVT-RPL-013")
def test_a_reply_has_any_form_of_the_http_binding(broker: Broker, sinks: Sinks) -> None:
    names = [fresh("reply") for _ in range(8)]
    capitals, no_data, no_type, chunks, no_chunks, to_the_end, to_the_end_too, behind_others = (
        attributes(id=name, source=SOURCE, type="answer") for name in names
    )
    carriers = [
        Answer(200, headers=[(name.upper(), value) for name, value in binary(capitals)], body=b'{"n": 2}'),
        Answer(200, headers=binary(no_data, content_type=None)),
        Answer(200, headers=binary(no_type, content_type=None), body=b"2"),
        Answer(200, headers=typed(STRUCTURED), body=structured(chunks), chunked=True),
        Answer(200, headers=binary(no_chunks, content_type=None), chunked=True),
        Answer(200, headers=typed(STRUCTURED), body=structured(to_the_end), unmeasured=True),
        Answer(200, headers=binary(to_the_end_too), body=b"2", unmeasured=True),
        Answer(200, headers=binary(behind_others), body=b"2", interim=[100, 103, 103]),
    ]
    receiver, repliers = replying(broker, sinks, carriers)
    answers = zip(names, repliers, strict=True)
    expect(*(delivered(EventRef(SOURCE, name), to=receiver, replied_by=replier) for name, replier in answers))


@pytest.mark.requirement("EVT-RPL-019")
@pytest.mark.parametrize("mode", MODES)
def test_other_headers_of_an_answer_hide_no_reply(broker: Broker, sinks: Sinks, mode: str) -> None:
    replies = [beside(headers, mode) for headers in BESIDE]
    receiver, repliers = replying(broker, sinks, [carrier for _, carrier in replies])
    pairs = zip(replies, repliers, strict=True)
    expect(*(delivered(answer, to=receiver, replied_by=replier) for (answer, _), replier in pairs))


@pytest.mark.requirement("EVT-RPL-020")
def test_other_headers_of_an_answer_reach_nobody(broker: Broker, sinks: Sinks) -> None:
    answer, carrier = beside(OWN, "binary")
    receiver, (replier,) = replying(broker, sinks, [carrier])
    expect(delivered(answer, to=receiver, replied_by=replier))
    expect(*(request_header(answer, to=receiver, name=name, value=None) for name, _ in OWN))


@pytest.mark.requirement("EVT-DLV-020")
@pytest.mark.parametrize("mode", MODES)
def test_what_was_answered_with_a_reply_is_not_dead_lettered(broker: Broker, sinks: Sinks, mode: str) -> None:
    dead_letters, replies = sinks(), [reply(mode) for _ in range(2)]
    options = AGAIN | {"deadLetterSink": {"uri": dead_letters.url}}
    *repliers, receiver = broker.several(
        *(
            {"filter": QUESTION, "subscriber": sinks([*failures, carrier, Answer(200)]), "delivery": options}
            for failures, (_, carrier) in zip(([], [Answer(503)]), replies, strict=True)
        ),
        {"filter": ANSWER},
    )
    question = broker.send(type="question")
    expect(*(not_dead_lettered(question, to=dead_letters, by=replier) for replier in repliers))
    pairs = zip(replies, repliers, strict=True)
    expect(*(delivered_once(answer, to=receiver, replied_by=replier) for (answer, _), replier in pairs))


@pytest.mark.requirement("EVT-KFK-002")
def test_the_partitionkey_of_a_reply_is_the_key_of_its_record(broker: Broker, sinks: Sinks) -> None:
    answer, carrier = reply("binary", partitionkey="customer-17")
    replier, receiver = broker.several({"filter": QUESTION, "subscriber": sinks([carrier])}, {"filter": ANSWER})
    broker.send(type="question")
    expect(delivered(answer, to=receiver, replied_by=replier), record_key(answer, on=broker, key="customer-17"))
