"""Dead letters: where events go that cannot be delivered, and whose delivery options decide."""

from typing import Any

import pytest

from evidence.expectations import (
    dead_letter_attempts,
    dead_lettered,
    delivered,
    not_dead_lettered,
    unchanged,
)
from fixtures import Answer, Broker, Brokers, Sinks, expect

WANTED = {"attributes": {"type": "wanted"}}
NOBODY = "http://127.0.0.1:1/"  # a port that nothing may listen on (tcpmux), in every pod


def delivery(dead_letters: str, retry: int = 0) -> dict[str, Any]:
    """Return a delivery specification with a dead letter sink."""
    fields: dict[str, Any] = {"deadLetterSink": {"uri": dead_letters}}
    return fields | ({"retry": retry, "backoffPolicy": "linear", "backoffDelay": "PT0.1S"} if retry else {})


@pytest.mark.requirement("EVT-DLV-002")
def test_an_event_whose_retries_are_used_up_is_dead_lettered(broker: Broker, sinks: Sinks) -> None:
    dead_letters, sink = sinks(), sinks([Answer(500)])
    trigger = broker.trigger(filter=WANTED, subscriber=sink, delivery=delivery(dead_letters.url, retry=2))
    event = broker.send(type="wanted", data=b'{"n": 17}')
    expect(dead_lettered(event, to=dead_letters, by=trigger))


@pytest.mark.requirement("EVT-DLV-003")
def test_a_dead_letter_says_what_failed(broker: Broker, sinks: Sinks) -> None:
    dead_letters, sink = sinks(), sinks([Answer(400, body=b"no such model: mnist\r\n<b>\xe2\x82\xac</b>")])
    trigger = broker.trigger(filter=WANTED, subscriber=sink, delivery=delivery(dead_letters.url))
    event = broker.send(type="wanted")
    expect(
        dead_lettered(
            event,
            to=dead_letters,
            by=trigger,
            code=400,
            dest=sink.url,
            data=b"no such model: mnist\r\n<b>\xe2\x82\xac</b>",
        )
    )


@pytest.mark.requirement("EVT-DLV-007")
def test_a_triggers_delivery_replaces_its_brokers_whole(brokers: Brokers, sinks: Sinks) -> None:
    dead_letters, refuses, refuses_too = sinks(), sinks([Answer(400)]), sinks([Answer(400)])
    broker = brokers(delivery=delivery(dead_letters.url))
    own = broker.trigger(filter={"attributes": {"type": "own"}}, subscriber=refuses, delivery={"retry": 1})
    inherited = broker.trigger(filter={"attributes": {"type": "inherited"}}, subscriber=refuses_too)
    expect(dead_lettered(broker.send(type="inherited"), to=dead_letters, by=inherited))
    expect(not_dead_lettered(broker.send(type="own"), to=dead_letters, by=own))


@pytest.mark.requirement("EVT-DLV-008")
def test_attribute_values_leave_percent_encoded(broker: Broker) -> None:
    trigger = broker.trigger(filter=WANTED)
    event = broker.produce_event(type="wanted", subject='Euro € 😀 100% "quoted"')
    expect(unchanged(event, to=trigger))


@pytest.mark.requirement("EVT-DLV-009")
def test_an_event_nobody_listens_for_is_dead_lettered(broker: Broker, sinks: Sinks) -> None:
    dead_letters = sinks()
    trigger = broker.trigger(filter=WANTED, subscriber=NOBODY, delivery=delivery(dead_letters.url, retry=1))
    expect(dead_lettered(broker.send(type="wanted"), to=dead_letters, by=trigger))


@pytest.mark.requirement("EVT-DLV-011")
def test_a_see_other_is_no_delivery(broker: Broker, sinks: Sinks) -> None:
    dead_letters, elsewhere = sinks(), sinks()
    sink = sinks([Answer(303, headers=[("Location", elsewhere.url)])])
    trigger = broker.trigger(filter=WANTED, subscriber=sink, delivery=delivery(dead_letters.url))
    expect(dead_lettered(broker.send(type="wanted"), to=dead_letters, by=trigger))


@pytest.mark.requirement("EVT-DLV-012")
def test_a_header_of_the_answer_does_not_stop_the_dead_letter(broker: Broker, sinks: Sinks) -> None:
    # The first answer has no such header: its dead letter shows that the way is open.
    dead_letters, sink = sinks(), sinks([Answer(400), Answer(400, headers=[("Kne-Foo-Bar", "x")])])
    trigger = broker.trigger(filter=WANTED, subscriber=sink, delivery=delivery(dead_letters.url))
    control = broker.send(type="wanted")
    expect(dead_lettered(control, to=dead_letters, by=trigger))
    expect(dead_lettered(broker.send(type="wanted"), to=dead_letters, by=trigger, control=control))


@pytest.mark.requirement("EVT-DLV-018")
def test_a_dead_letter_is_the_whole_event(broker: Broker, sinks: Sinks) -> None:
    dead_letters, sink = sinks(), sinks([Answer(400, body=b"no")])
    trigger = broker.trigger(filter=WANTED, subscriber=sink, delivery=delivery(dead_letters.url))
    event = broker.send(
        type="wanted",
        subject="orders/17",
        time="2025-07-02T08:20:12.908936Z",
        dataschema="https://example.com/schema",
        partitionkey="customer-17",
        correlationid="c-1",
        hop2="17",
        data=b"\xff\x00 whole \xfe",
        datacontenttype="application/octet-stream",
    )
    expect(dead_lettered(event, to=dead_letters, by=trigger))
    expect(unchanged(event, to=dead_letters, ignore=["knativeerrordest", "knativeerrorcode", "knativeerrordata"]))


@pytest.mark.requirement("EVT-DLV-019")
def test_the_delivery_of_a_dead_letter_is_retried(broker: Broker, sinks: Sinks) -> None:
    dead_letters, sink = sinks([Answer(503), Answer(503), Answer(200)]), sinks([Answer(400)])
    trigger = broker.trigger(filter=WANTED, subscriber=sink, delivery=delivery(dead_letters.url, retry=2))
    event = broker.send(type="wanted")
    expect(dead_letter_attempts(event, to=dead_letters, count=3, by=trigger))


@pytest.mark.requirement("EVT-DLV-020")
def test_what_was_delivered_is_not_dead_lettered(broker: Broker, sinks: Sinks) -> None:
    dead_letters = sinks()
    scripts = ([Answer(200)], [Answer(503), Answer(200)], [Answer(503), Answer(429), Answer(202)])
    triggers = broker.several(
        *(
            {"filter": WANTED, "subscriber": sinks(script), "delivery": delivery(dead_letters.url, retry=3)}
            for script in scripts
        )
    )
    event = broker.send(type="wanted")
    expect(*(delivered(event, to=trigger) for trigger in triggers))
    expect(*(not_dead_lettered(event, to=dead_letters, by=trigger) for trigger in triggers))


@pytest.mark.requirement("EVT-DLV-021")
def test_hostile_headers_of_an_answer_do_not_stop_the_dead_letter(broker: Broker, sinks: Sinks) -> None:
    # Names that no extension could have are asked for by EVT-DLV-012.
    plain = [("X-Reason", "no")]
    hostile = [
        [("X-Reason", "\xe9\xff\x80")],
        [("X-Reason", "a" * 4096)],
        [(f"X-Reason-{number}", "x") for number in range(100)],
        [("Retry-After", "never"), ("Content-Encoding", "gzip"), ("Content-Type", "application/cloudevents+json")],
        [("Content-Type", ""), ("Set-Cookie", "a=b; Path=/"), ("Connection", "upgrade"), ("Upgrade", "h2c")],
    ]
    letters = [sinks() for _ in hostile]
    triggers = broker.several(
        *(
            {
                "filter": WANTED,
                "subscriber": sinks([Answer(400, headers=plain), Answer(400, headers=headers, body=b"{")]),
                "delivery": delivery(sink.url),
            }
            for headers, sink in zip(hostile, letters, strict=True)
        )
    )
    # The first answer has no such header: its dead letter shows that the way is open, so that silence is a failure.
    places = list(zip(letters, triggers, strict=True))
    control = broker.send(type="wanted")
    expect(*(dead_lettered(control, to=sink, by=trigger) for sink, trigger in places))
    event = broker.send(type="wanted")
    expect(*(dead_lettered(event, to=sink, by=trigger, control=control) for sink, trigger in places))
