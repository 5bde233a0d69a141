"""Dead letters: where events go that cannot be delivered, and whose delivery options decide."""

import gzip
from collections.abc import Iterable
from typing import Any

import pytest

from evidence.expectations import (
    accepted,
    attempts,
    dead_letter_attempts,
    dead_lettered,
    delivered,
    held_back,
    not_dead_lettered,
    not_held_up,
    unchanged,
)
from evidence.refs import SinkRef
from fixtures import Answer, Broker, Brokers, Sinks, Trigger, expect
from suites.manifests import ORDERED
from suites.wire import ODD, fresh

WANTED = {"attributes": {"type": "wanted"}}
NOWHERE = "http://nobody.touchstone-nowhere.svc.cluster.local/"  # no namespace has this name
NOBODY = "http://127.0.0.1:1/"  # a port that nothing may listen on (tcpmux), in every pod
UNREACHED = (NOBODY, NOWHERE)


def delivery(dead_letters: str, retry: int = 0, delay: str = "PT0.1S") -> dict[str, Any]:
    """Return a delivery specification with a dead letter sink."""
    fields: dict[str, Any] = {"deadLetterSink": {"uri": dead_letters}}
    return fields | ({"retry": retry, "backoffPolicy": "linear", "backoffDelay": delay} if retry else {})


def lettered(
    broker: Broker, subscribers: Iterable[SinkRef | str], letters: Iterable[SinkRef], **retries: Any
) -> list[Trigger]:
    """Make a Trigger for each subscriber, which has a dead letter sink of its own and retries as in `delivery`."""
    return broker.several(
        *(
            {"filter": WANTED, "subscriber": subscriber, "delivery": delivery(sink.url, **retries)}
            for subscriber, sink in zip(subscribers, letters, strict=True)
        )
    )


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


@pytest.mark.requirement("EVT-DLV-003")
@pytest.mark.parametrize("length", [1024, 1025, 70_000])
def test_a_dead_letter_tells_the_beginning_of_a_long_answer(broker: Broker, sinks: Sinks, length: int) -> None:
    dead_letters, said = sinks(), (b"no such model\r\n" * length)[:length]
    trigger = broker.trigger(
        filter=WANTED, subscriber=sinks([Answer(400, body=said)]), delivery=delivery(dead_letters.url)
    )
    expect(dead_lettered(broker.send(type="wanted"), to=dead_letters, by=trigger, code=400, data=said))


@pytest.mark.requirement("EVT-DLV-003")
def test_a_dead_letter_tells_bytes_of_any_kind(broker: Broker, sinks: Sinks) -> None:
    # The third one has a character across the end of what is told.
    said = [b"\xff\xfe\x00\x80", gzip.compress(b"no such model", mtime=0), b"x" * 1023 + "€".encode(), b"in chunks"]
    answers = [Answer(400, body=body, chunked=body == said[-1]) for body in said]
    letters = [sinks() for _ in said]
    triggers = lettered(broker, [sinks([answer]) for answer in answers], letters)
    event = broker.send(type="wanted")
    places = zip(letters, triggers, said, strict=True)
    expect(*(dead_lettered(event, to=sink, by=trigger, code=400, data=body) for sink, trigger, body in places))


@pytest.mark.requirement("EVT-DLV-003")
def test_a_dead_letter_without_an_answer_tells_its_subscriber(broker: Broker, sinks: Sinks) -> None:
    reset = sinks([Answer(broken="reset")])
    subscribers: dict[str, SinkRef | str] = {NOBODY: NOBODY, NOWHERE: NOWHERE, reset.url: reset}
    letters = [sinks() for _ in subscribers]
    triggers = lettered(broker, subscribers.values(), letters)
    event = broker.send(type="wanted")
    places = zip(letters, triggers, subscribers, strict=True)
    expect(*(dead_lettered(event, to=sink, by=trigger, dest=url) for sink, trigger, url in places))


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


@pytest.mark.requirement("EVT-DLV-023")
def test_an_event_for_a_name_that_nobody_has_is_dead_lettered(broker: Broker, sinks: Sinks) -> None:
    dead_letters = sinks()
    trigger = broker.trigger(filter=WANTED, subscriber=NOWHERE, delivery=delivery(dead_letters.url, retry=1))
    expect(dead_lettered(broker.send(type="wanted"), to=dead_letters, by=trigger))


@pytest.mark.requirement("EVT-DLV-035")
def test_a_subscriber_that_cannot_be_reached_is_tried_again(broker: Broker, sinks: Sinks) -> None:
    # Nobody sees the attempts; the letter comes behind the waits between them.
    letters = [sinks() for _ in UNREACHED]
    triggers = lettered(broker, UNREACHED, letters, retry=2, delay="PT1S")
    event = broker.send(type="wanted")
    places = zip(letters, triggers, strict=True)
    expect(*(held_back(event, to=sink, by=trigger, seconds=2.0) for sink, trigger in places))


@pytest.mark.requirement("EVT-DLV-036")
def test_a_dead_letter_sink_that_cannot_be_reached_is_tried_again(broker: Broker, sinks: Sinks) -> None:
    # Of one key and ordered: the second event waits until the letter of the first is given up.
    subscribers = [sinks([Answer(400), Answer(200)]) for _ in UNREACHED]
    triggers = broker.several(
        *(
            {
                "filter": WANTED,
                "annotations": ORDERED,
                "subscriber": sink,
                "delivery": delivery(url, retry=2, delay="PT1S"),
            }
            for url, sink in zip(UNREACHED, subscribers, strict=True)
        )
    )
    first, second = broker.send_many([{"type": "wanted", "partitionkey": "customer-17"}] * 2)
    places = zip(subscribers, triggers, strict=True)
    expect(*(held_back(second, to=sink, by=trigger, seconds=2.0, behind=first) for sink, trigger in places))


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


@pytest.mark.requirement("EVT-DLV-018")
def test_a_dead_letter_has_the_values_of_the_event(broker: Broker, sinks: Sinks) -> None:
    dead_letters = sinks()
    (trigger,) = lettered(broker, [sinks([Answer(400)])], [dead_letters])
    event = broker.send(type="wanted", **ODD)
    expect(dead_lettered(event, to=dead_letters, by=trigger))
    expect(unchanged(event, to=dead_letters, ignore=["knativeerrordest", "knativeerrorcode", "knativeerrordata"]))


@pytest.mark.requirement("EVT-DLV-042")
def test_each_of_two_events_with_one_id_is_dead_lettered(broker: Broker, sinks: Sinks) -> None:
    dead_letters, name = sinks(), fresh()
    (trigger,) = lettered(broker, [sinks([Answer(503)])], [dead_letters], retry=1)
    first = broker.send(type="wanted", id=name, data=b"1")
    expect(dead_lettered(first, to=dead_letters, by=trigger))
    second = broker.send(type="wanted", id=name, data=b"2")
    expect(accepted(second))
    expect(attempts(second, to=trigger, count=4))
    expect(dead_letter_attempts(second, to=dead_letters, by=trigger, count=2))


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
    scripts = [[Answer(400, headers=plain), Answer(400, headers=headers, body=b"{")] for headers in hostile]
    triggers = lettered(broker, map(sinks, scripts), letters)
    # The first answer has no such header: its dead letter shows that the way is open, so that silence is a failure.
    places = list(zip(letters, triggers, strict=True))
    control = broker.send(type="wanted")
    expect(*(dead_lettered(control, to=sink, by=trigger) for sink, trigger in places))
    event = broker.send(type="wanted")
    expect(*(dead_lettered(event, to=sink, by=trigger, control=control) for sink, trigger in places))


@pytest.mark.requirement("EVT-DLV-024")
def test_a_dead_letter_tells_the_last_failure(broker: Broker, sinks: Sinks) -> None:
    # Each ends with an answer that is not retried, long before the retries are used up.
    scripts = [(401,), (403,), (413,), (503, 401), (503, 500, 403), (502, 504, 500, 422)]
    letters = [sinks() for _ in scripts]
    subscribers = [sinks([Answer(status, body=f"{status}: no".encode()) for status in script]) for script in scripts]
    triggers = lettered(broker, subscribers, letters, retry=6)
    event = broker.send(type="wanted")
    expect(
        *(
            dead_lettered(event, to=to, by=by, code=script[-1], dest=sink.url, data=f"{script[-1]}: no".encode())
            for script, sink, to, by in zip(scripts, subscribers, letters, triggers, strict=True)
        )
    )


@pytest.mark.requirement("EVT-DLV-024")
def test_a_dead_letter_that_was_one_before_tells_what_failed_now(broker: Broker, sinks: Sinks) -> None:
    # As from a queue of dead letters that are sent again once their cause is mended.
    dead_letters, sink = sinks(), sinks([Answer(403, body=b"not you")])
    (trigger,) = lettered(broker, [sink], [dead_letters])
    event = broker.send(
        type="wanted", knativeerrordest="http://elsewhere.example.com/", knativeerrorcode="500", knativeerrordata="b2xk"
    )
    expect(dead_lettered(event, to=dead_letters, by=trigger, code=403, dest=sink.url, data=b"not you"))


@pytest.mark.requirement("EVT-DLV-025")
def test_retries_of_a_broker_without_a_dead_letter_sink_are_its_triggers(brokers: Brokers, sinks: Sinks) -> None:
    broker = brokers(delivery={"retry": 2, "backoffPolicy": "linear", "backoffDelay": "PT0.1S"})
    trigger = broker.trigger(filter=WANTED, subscriber=sinks([Answer(503)]))
    expect(attempts(broker.send(type="wanted"), to=trigger, count=3))


@pytest.mark.requirement("EVT-DLV-025")
def test_what_a_triggers_delivery_leaves_out_is_left_out(brokers: Brokers, sinks: Sinks) -> None:
    brokers_own, own = sinks(), sinks()
    broker = brokers(delivery=delivery(brokers_own.url, retry=3))
    sink_alone, retries_alone, neither = broker.several(
        *(
            {"filter": WANTED, "subscriber": sinks([Answer(503), Answer(400)]), "delivery": given}
            for given in (delivery(own.url), {"retry": 3, "backoffPolicy": "linear", "backoffDelay": "PT0.1S"}, None)
        )
    )
    event = broker.send(type="wanted")
    expect(attempts(event, to=sink_alone, count=1), dead_lettered(event, to=own, by=sink_alone))
    expect(dead_lettered(event, to=brokers_own, by=neither))
    # `retries_alone` has no sink: its letter would be the second one at one of these.
    expect(dead_letter_attempts(event, to=own, count=1, by=retries_alone))
    expect(dead_letter_attempts(event, to=brokers_own, count=1, by=retries_alone))


@pytest.mark.requirement("EVT-DLV-025")
def test_no_retries_are_retries_of_its_own(brokers: Brokers, sinks: Sinks) -> None:
    # Zero is a number like any other: the option is there, and takes the place of the Broker's.
    letters = sinks()
    broker = brokers(delivery=delivery(letters.url, retry=2))
    none, inheriting = broker.several(
        *({"filter": WANTED, "subscriber": sinks([Answer(503)]), "delivery": given} for given in ({"retry": 0}, None))
    )
    event = broker.send(type="wanted")
    expect(attempts(event, to=inheriting, count=3), attempts(event, to=none, count=1))
    # Of the two the one that inherits has a sink: a letter of the other one would be the second.
    expect(dead_letter_attempts(event, to=letters, count=1, by=none))


@pytest.mark.requirement("EVT-DLV-027")
def test_a_retry_after_that_nobody_asked_for_holds_no_retry_up(broker: Broker, sinks: Sinks) -> None:
    # The answer to the first event has no such header: its dead letter shows that the way is open. Each event's second
    # attempt is answered by what is not retried.
    told = [
        "86400",
        "-1",
        "2.5",
        "soon",
        "",
        "99999999999999999999",
        "Fri, 31 Dec 2999 23:59:59 GMT",
        "Sun, 06 Nov 1994",
    ]
    letters = [sinks() for _ in told]
    asking = [Answer(503, headers=[("Retry-After", value)]) for value in told]
    subscribers = [sinks([Answer(503), Answer(400), answer, Answer(400)]) for answer in asking]
    triggers = lettered(broker, subscribers, letters, retry=3)
    places = list(zip(letters, triggers, strict=True))
    control = broker.send(type="wanted")
    expect(*(dead_lettered(control, to=sink, by=trigger) for sink, trigger in places))
    event = broker.send(type="wanted")
    expect(*(dead_lettered(event, to=sink, by=trigger, code=400, control=control) for sink, trigger in places))


@pytest.mark.requirement("EVT-DLV-029")
def test_a_dead_letter_that_is_refused_holds_nothing_up(broker: Broker, sinks: Sinks) -> None:
    # Of one key and ordered: the second event waits until the first is given up, which is long before the slow answer.
    slow = broker.trigger(filter={"attributes": {"type": "slow"}}, subscriber=sinks([Answer(200, delay=8.0)]))
    for_good, for_now = sinks([Answer(400)]), sinks([Answer(503)])
    triggers = broker.several(
        *(
            {
                "filter": WANTED,
                "annotations": ORDERED,
                "subscriber": sinks([Answer(400)]),
                "delivery": delivery(sink.url, retry=1),
            }
            for sink in (for_good, for_now)
        )
    )
    waiting = broker.send(type="slow")
    expect(delivered(waiting, to=slow))
    first, second = broker.send_many([{"type": "wanted", "partitionkey": "customer-17"}] * 2)
    expect(*(not_held_up(second, to=trigger, by=slow, during=waiting) for trigger in triggers), within=30.0)
    places = zip((for_good, for_now), triggers, (1, 2), strict=True)
    asked = [(event, *place) for place in places for event in (first, second)]
    expect(*(dead_letter_attempts(event, to=sink, by=trigger, count=count) for event, sink, trigger, count in asked))
