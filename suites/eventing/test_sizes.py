"""Long events: much data in deliveries, retries, dead letters and replies, and attributes longer than usual headers."""

import base64
import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import cycle, islice
from typing import Any

import pytest

from evidence.expectations import attempts, dead_lettered, delivered, unchanged
from evidence.refs import EventRef
from fixtures import Answer, Broker, Sinks, expect
from suites.wire import STRUCTURED, attributes, binary, fresh, structured, typed

WANTED = {"attributes": {"type": "wanted"}}
ANSWER = {"attributes": {"type": "answer"}}
SOURCE = "/touchstone/subscriber"
BYTES = "application/octet-stream"
# What lies behind the limits that buffers and servers have of their own: 1 KiB, 8 KiB, 16 KiB and 32 KiB. An event of
# 64 KiB, with all that is around its data, is the largest that everybody must forward.
LENGTHS = [1025, 12_000, 60_000]
# Below the 1 MiB that the Kafka Broker's producer takes; a history of letters stays small.
VERY_LONG = [300_000, 900_000]
LONG = [9_000, 20_000, 60_000]
ADDED = ["knativeerrordest", "knativeerrorcode", "knativeerrordata"]


def octets(length: int) -> bytes:
    """Return so many bytes of all values, which are no text and repeat at no power of two."""
    return bytes(islice(cycle(range(250, 5, -1)), length))


def text(length: int) -> str:
    """Return so many letters and digits, the last of which is another one."""
    return ("0123456789abcdefghijk" * length)[: length - 1] + "z"


def data(what: bytes | str | None, mode: str = "binary") -> dict[str, Any]:
    """Return an event that carries this, as `send_many` takes it."""
    kind = BYTES if isinstance(what, bytes) else "text/plain"
    return {"type": "wanted", "data": what, "datacontenttype": kind, "mode": mode}


def retried(broker: Broker, sinks: Sinks, script: Sequence[Answer], sent: Sequence[dict[str, Any]]) -> list[Any]:
    """Send each to a subscriber that fails first; return what is expected: as many attempts, and each unchanged."""
    triggers = broker.several(
        *(
            {
                "filter": {"attributes": {"type": f"wanted.{number}"}},
                "subscriber": sinks(script),
                "delivery": {"retry": len(script), "backoffPolicy": "linear", "backoffDelay": "PT0.1S"},
            }
            for number in range(len(sent))
        )
    )
    events = broker.send_many([{**each, "type": f"wanted.{number}"} for number, each in enumerate(sent)])
    pairs = list(zip(events, triggers, strict=True))
    expect(*(attempts(event, to=trigger, count=len(script)) for event, trigger in pairs))
    return [unchanged(event, to=trigger) for event, trigger in pairs]


def reply(form: str, length: int, **more: str) -> tuple[EventRef, Answer]:
    """Return an event with so much data to reply with, and the answer that carries it."""
    name = fresh("reply")
    event = attributes(id=name, source=SOURCE, type="answer", **more)
    if form == "binary":
        return EventRef(SOURCE, name), Answer(200, headers=binary(event, content_type=BYTES), body=octets(length))
    if form == "structured":
        return EventRef(SOURCE, name), Answer(200, headers=typed(STRUCTURED), body=structured(event, text(length)))
    # Base64 makes four characters of three bytes, and the length is that of the request.
    encoded = {"datacontenttype": BYTES, "data_base64": base64.b64encode(octets(length * 3 // 4)).decode()}
    return EventRef(SOURCE, name), Answer(200, headers=typed(STRUCTURED), body=json.dumps(event | encoded).encode())


def replying(broker: Broker, sinks: Sinks, replies: list[tuple[EventRef, Answer]]) -> list[Any]:
    """Ask for each of the replies; return what is expected of them."""
    types = [f"question.{number}" for number in range(len(replies))]
    *repliers, receiver = broker.several(
        *(
            {"filter": {"attributes": {"type": kind}}, "subscriber": sinks([carrier])}
            for kind, (_, carrier) in zip(types, replies, strict=True)
        ),
        {"filter": ANSWER},
    )
    broker.send_many([{"type": kind} for kind in types])
    pairs = list(zip(replies, repliers, strict=True))
    expect(*(delivered(answer, to=receiver, replied_by=replier) for (answer, _), replier in pairs))
    return [unchanged(answer, to=receiver) for answer, _ in replies]


@pytest.mark.requirement("EVT-RPL-014")
@pytest.mark.parametrize("form", ["binary", "structured", "base64"])
def test_a_long_reply_arrives_whole(broker: Broker, sinks: Sinks, form: str) -> None:
    expect(*replying(broker, sinks, [reply(form, length) for length in LENGTHS]))


@pytest.mark.requirement("EVT-RPL-014")
def test_a_long_reply_in_chunks_arrives_whole(broker: Broker, sinks: Sinks) -> None:
    replies = [reply("binary", length) for length in LENGTHS]
    expect(*replying(broker, sinks, [(answer, replace(carrier, chunked=True)) for answer, carrier in replies]))


@pytest.mark.requirement("EVT-RPL-015")
def test_a_reply_with_a_long_header_is_routed(broker: Broker, sinks: Sinks) -> None:
    expect(*replying(broker, sinks, [reply("binary", 10, ext=text(length)) for length in LONG]))


@pytest.mark.requirement("EVT-RTE-017")
def test_an_event_with_a_long_header_is_taken_and_delivered(broker: Broker) -> None:
    trigger = broker.trigger(filter=WANTED)
    events = broker.send_many([{"type": "wanted", "ext": text(length)} for length in LONG])
    expect(*(unchanged(event, to=trigger) for event in events))


@pytest.mark.requirement("EVT-RTE-018")
def test_an_event_with_a_long_attribute_is_delivered_and_dead_lettered(broker: Broker, sinks: Sinks) -> None:
    # In structured mode, which puts no long header before the ingress.
    letters = sinks()
    trigger, refusing = broker.several(
        {"filter": WANTED},
        {
            "filter": WANTED,
            "subscriber": sinks([Answer(400)]),
            "delivery": {"deadLetterSink": {"uri": letters.url}},
        },
    )
    events = broker.send_many([{"type": "wanted", "mode": "structured", "ext": text(length)} for length in LONG])
    expect(*(unchanged(event, to=trigger) for event in events))
    expect(*(dead_lettered(event, to=letters, by=refusing) for event in events))
    expect(*(unchanged(event, to=letters, ignore=ADDED) for event in events))


@pytest.mark.requirement("EVT-DLV-038")
def test_a_retry_brings_the_event_whole(broker: Broker, sinks: Sinks) -> None:
    script = [Answer(503), Answer(503), Answer(200)]
    sent = [data(None), data(octets(60_000)), data(octets(300)), data(text(60_000), "structured")]
    expect(*retried(broker, sinks, script, sent))


@pytest.mark.requirement("EVT-DLV-039")
def test_a_retry_brings_a_very_long_event_whole(broker: Broker, sinks: Sinks) -> None:
    expect(*retried(broker, sinks, [Answer(503), Answer(200)], [data(text(length)) for length in VERY_LONG]))


@pytest.mark.requirement("EVT-DLV-040")
def test_a_long_event_is_dead_lettered_whole(broker: Broker, sinks: Sinks) -> None:
    letters = sinks()
    kept = {"deadLetterSink": {"uri": letters.url}}
    refusing = broker.trigger(filter=WANTED, subscriber=sinks([Answer(400, body=b"no")]), delivery=kept)
    events = broker.send_many([data(octets(60_000)), *(data(text(length)) for length in VERY_LONG)])
    expect(*(dead_lettered(event, to=letters, by=refusing) for event in events))
    expect(*(unchanged(event, to=letters, ignore=ADDED) for event in events))


@pytest.mark.requirement("EVT-RPL-021")
def test_a_very_long_reply_arrives_whole(broker: Broker, sinks: Sinks) -> None:
    expect(*replying(broker, sinks, [reply("structured", length) for length in VERY_LONG]))
