"""Isolation: no event is taken for another one, and none waits for, or shows, what is another one's or its sender's."""

from dataclasses import replace

import pytest

from evidence.expectations import attempts, dead_lettered, delivered, not_held_up, request_header, unchanged
from evidence.refs import EventRef
from fixtures import Answer, Broker, Sinks, expect
from suites.wire import attributes, binary, fresh

WANTED = {"attributes": {"type": "wanted"}}
# More than a dispatcher takes up at once (the Kafka Broker: 50), so that no first handful hides who waits for it.
MANY = 60
AT_ONCE = 40  # fewer than that: all of them are with the subscriber
WITHIN = 60.0  # seconds; a busy machine handles ten events a second
CREDENTIALS = ["Authorization", "Proxy-Authorization", "Cookie", "X-Api-Key"]


@pytest.mark.requirement("EVT-ISO-001")
def test_no_event_waits_for_a_slow_one(broker: Broker, sinks: Sinks) -> None:
    # Longer than a busy machine takes for the others: who waited comes behind this answer, nobody else does.
    trigger = broker.trigger(filter=WANTED, subscriber=sinks([Answer(200, delay=15.0), Answer(200)]))
    first = broker.send(type="wanted")
    expect(delivered(first, to=trigger))
    events = broker.send_many([{"type": "wanted"}] * MANY, concurrency=8)
    expect(*(not_held_up(event, to=trigger, by=trigger, during=first) for event in events), within=WITHIN)


@pytest.mark.requirement("EVT-ISO-001")
def test_no_event_waits_for_one_that_has_failed(broker: Broker, sinks: Sinks) -> None:
    late = Answer(200, delay=15.0)
    slow, waiting, lettering = broker.several(
        # Longer than a busy machine takes for the others: who waited comes behind this answer, nobody else does.
        {"filter": {"attributes": {"type": "slow"}}, "subscriber": sinks([late])},
        {
            "filter": WANTED,
            "subscriber": sinks([Answer(503), Answer(200)]),
            "delivery": {"retry": 1, "backoffPolicy": "linear", "backoffDelay": "PT30S"},
        },
        {
            "filter": WANTED,
            "subscriber": sinks([Answer(400), Answer(200)]),
            "delivery": {"deadLetterSink": {"uri": sinks([replace(late, delay=30.0)]).url}},
        },
    )
    first = broker.send(type="wanted")
    expect(*(delivered(first, to=trigger) for trigger in (waiting, lettering)))
    yardstick = broker.send(type="slow")
    expect(delivered(yardstick, to=slow))
    events = broker.send_many([{"type": "wanted"}] * 10)
    held = [(event, trigger) for event in events for trigger in (waiting, lettering)]
    expect(*(not_held_up(event, to=trigger, by=slow, during=yardstick) for event, trigger in held), within=WITHIN)


@pytest.mark.requirement("EVT-ISO-002")
def test_a_trigger_sees_nothing_of_what_befell_an_event_elsewhere(broker: Broker, sinks: Sinks) -> None:
    # The second attempt of the one comes two seconds after the other has given up.
    letters, again = sinks(), {"retry": 2, "backoffPolicy": "linear", "backoffDelay": "PT2S"}
    failing, patient = broker.several(
        {
            "filter": WANTED,
            "subscriber": sinks([Answer(400, body=b"no")]),
            "delivery": {"deadLetterSink": {"uri": letters.url}},
        },
        {"filter": WANTED, "subscriber": sinks([Answer(503, body=b"later"), Answer(200)]), "delivery": again},
    )
    event = broker.send(type="wanted")
    expect(dead_lettered(event, to=letters, by=failing))
    expect(attempts(event, to=patient, count=2))
    expect(unchanged(event, to=patient))


@pytest.mark.requirement("EVT-ISO-003")
def test_the_credentials_of_a_sender_stay_with_the_broker(broker: Broker) -> None:
    trigger = broker.trigger(filter=WANTED)
    event = broker.send(type="wanted", headers=[(name, "a=touchstone") for name in CREDENTIALS])
    expect(*(request_header(event, to=trigger, name=name, value=None) for name in CREDENTIALS))


@pytest.mark.requirement("EVT-ISO-004")
def test_events_with_ids_alike_are_events_of_their_own(broker: Broker) -> None:
    trigger, name = broker.trigger(filter=WANTED), fresh("alike")
    long = f"{name}-{'x' * 200}"
    names = [name, name.upper(), f"{name}.", f"{name}0", f"{long}1", f"{long}2"]
    sources = ["/a", "/A", "/a/", "/b", "urn:a", "/a?b"]
    sends = [{"id": each, "source": "/touchstone/sender"} for each in names]
    sends += [{"id": name, "source": source} for source in sources]
    events = broker.send_many([{"type": "wanted", **each} for each in sends])
    expect(*(delivered(event, to=trigger) for event in events))


@pytest.mark.requirement("EVT-ISO-006")
def test_events_under_way_at_once_keep_what_is_theirs(broker: Broker, sinks: Sinks) -> None:
    # All of one length: no length tells that something is another one's.
    trigger = broker.trigger(filter=WANTED, subscriber=sinks([Answer(200, delay=1.0)]))
    numbers = [f"{number:04}" for number in range(AT_ONCE)]
    sends = [{"type": "wanted", "number": each, "data": {"n": each}} for each in numbers]
    events = broker.send_many(sends, concurrency=16)
    expect(*(unchanged(event, to=trigger) for event in events), within=WITHIN)


@pytest.mark.requirement("EVT-ISO-005")
@pytest.mark.parametrize(
    "source", ["/touchstone/sender", "/touchstone/subscriber"], ids=["same-source", "other-source"]
)
def test_a_reply_with_the_id_of_its_question_is_an_event(broker: Broker, sinks: Sinks, source: str) -> None:
    # So do functions that change an event's type and hand it back.
    name = fresh()
    echo = Answer(200, headers=binary(attributes(id=name, source=source, type="answer")), body=b'{"n": 2}')
    asked, receiver = broker.several(
        {"filter": WANTED, "subscriber": sinks([echo])}, {"filter": {"attributes": {"type": "answer"}}}
    )
    broker.send(type="wanted", id=name)
    expect(delivered(EventRef(source, name), to=receiver, replied_by=asked))
