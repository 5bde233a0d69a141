"""Answers of subscribers: which end a delivery, which fail it, and which are none at all."""

import pytest

from evidence.expectations import (
    attempts,
    dead_letter_attempts,
    dead_lettered,
    not_dead_lettered,
    not_received,
    spaced,
)
from evidence.refs import SinkRef
from fixtures import Answer, Broker, Sinks, Trigger, expect
from suites.manifests import ORDERED
from suites.wire import STRUCTURED, attributes, binary, typed

WANTED = {"attributes": {"type": "wanted"}}
AGAIN = {"retry": 2, "backoffPolicy": "linear", "backoffDelay": "PT0.1S"}
# A 303 with a Location is asked for by EVT-DLV-011.
WITH_LOCATION = [300, 301, 302, 304, 307, 308]
SUCCESSES = [200, 201, 202, 203, 204, 205, 206, 226, 299]
JSON = typed("application/json")
WHOLE = b'{"this": "is a body of some length", "n": 1}'


def refusing(broker: Broker, sinks: Sinks, letters: list[SinkRef], **more: str) -> list[Trigger]:
    """Make Triggers whose subscribers refuse every event for good, one for each dead letter sink."""
    return broker.several(
        *(
            {
                "filter": WANTED,
                "subscriber": sinks([Answer(400)]),
                "delivery": AGAIN | {"deadLetterSink": {"uri": sink.url}, **more},
            }
            for sink in letters
        )
    )


@pytest.mark.requirement("EVT-DLV-013")
@pytest.mark.parametrize(
    ("named", "statuses"),
    [(["Location"], WITH_LOCATION), ([], [*WITH_LOCATION, 303])],
    ids=["location", "bare"],
)
def test_a_redirect_is_neither_followed_nor_a_delivery(
    broker: Broker, sinks: Sinks, named: list[str], statuses: list[int]
) -> None:
    elsewhere = sinks()
    answers = [Answer(status, headers=[(name, elsewhere.url) for name in named]) for status in statuses]
    letters = [sinks() for _ in answers]
    triggers = broker.several(
        *(
            {"filter": WANTED, "subscriber": sinks([answer]), "delivery": AGAIN | {"deadLetterSink": {"uri": sink.url}}}
            for answer, sink in zip(answers, letters, strict=True)
        )
    )
    event = broker.send(type="wanted")
    expect(*(attempts(event, to=trigger, count=1) for trigger in triggers))
    expect(*(dead_lettered(event, to=to, by=trigger) for to, trigger in zip(letters, triggers, strict=True)))
    expect(*(not_received(event, at=elsewhere, by=trigger) for trigger in triggers))


@pytest.mark.requirement("EVT-DLV-014")
def test_every_2xx_completes_a_delivery(broker: Broker, sinks: Sinks) -> None:
    letters = sinks()
    delivery = AGAIN | {"deadLetterSink": {"uri": letters.url}}
    triggers = broker.several(
        *(
            {"filter": WANTED, "subscriber": sinks([Answer(status, close=close)]), "delivery": delivery}
            for status, close in [*((status, False) for status in SUCCESSES), (200, True), (204, True)]
        )
    )
    event = broker.send(type="wanted")
    expect(*(attempts(event, to=trigger, count=1) for trigger in triggers))
    expect(*(not_dead_lettered(event, to=letters, by=trigger) for trigger in triggers))


@pytest.mark.requirement("EVT-DLV-041")
def test_a_success_that_is_no_reply_may_have_any_body(broker: Broker, sinks: Sinks) -> None:
    # In a 200 all but the first would be replies that are none (EVT-RPL-005).
    letters = sinks()
    answers = [
        Answer(202),
        Answer(202, headers=JSON, body=b'{"status": "accepted"}'),
        Answer(202, headers=typed("text/plain"), body=b"accepted", chunked=True),
        Answer(202, headers=typed(STRUCTURED), body=b"{"),
        Answer(202, headers=binary(attributes(without=["id"])), body=b"1"),
        Answer(201, headers=JSON, body=b'{"id": 17}'),
        Answer(203, headers=typed("text/html"), body=b"<p>stored</p>"),
    ]
    delivery = AGAIN | {"deadLetterSink": {"uri": letters.url}}
    triggers = broker.several(
        *({"filter": WANTED, "subscriber": sinks([answer]), "delivery": delivery} for answer in answers)
    )
    event = broker.send(type="wanted")
    expect(*(attempts(event, to=trigger, count=1) for trigger in triggers))
    expect(*(not_dead_lettered(event, to=letters, by=trigger) for trigger in triggers))


@pytest.mark.requirement("EVT-DLV-014")
def test_a_2xx_in_any_form_completes_a_delivery_and_the_next_one(broker: Broker, sinks: Sinks) -> None:
    letters = sinks()
    answers = [
        Answer(200, close=True),
        Answer(200, unmeasured=True),
        Answer(202, unmeasured=True),
        Answer(200, interim=[100]),
        Answer(204, interim=[103, 103]),
    ]
    delivery = AGAIN | {"deadLetterSink": {"uri": letters.url}}
    triggers = broker.several(
        *(
            {"filter": WANTED, "subscriber": sinks([answer]), "delivery": delivery, "annotations": ORDERED}
            for answer in answers
        )
    )
    # Of one key and ordered: each comes at once behind the answer to the one before, while that ends its connection.
    events = broker.send_many([{"type": "wanted", "partitionkey": "customer-17"}] * 4)
    expect(*(attempts(event, to=trigger, count=1) for event in events for trigger in triggers))
    expect(*(not_dead_lettered(event, to=letters, by=trigger) for event in events for trigger in triggers))


@pytest.mark.requirement("EVT-DLV-015")
def test_an_answer_that_breaks_off_is_none(broker: Broker, sinks: Sinks) -> None:
    triggers = broker.several(
        *(
            {
                "filter": WANTED,
                "subscriber": sinks([Answer(200, headers=JSON, body=WHOLE, broken=broken), Answer(200)]),
                "delivery": AGAIN,
            }
            for broken in ("reset", "cut", "unended")
        )
    )
    event = broker.send(type="wanted")
    expect(*(attempts(event, to=trigger, count=2) for trigger in triggers))


@pytest.mark.requirement("EVT-DLV-016")
def test_an_answer_that_takes_longer_than_the_timeout_is_a_failure(broker: Broker, sinks: Sinks) -> None:
    delivery = AGAIN | {"timeout": "PT0.5S"}
    late, endless = Answer(200, delay=2.0), Answer(200, headers=JSON, body=WHOLE, broken="endless")
    triggers = broker.several(
        *(
            {"filter": WANTED, "subscriber": sinks([Answer(200), answer, Answer(200)]), "delivery": delivery}
            for answer in (late, endless)
        )
    )
    before = broker.send(type="wanted")
    expect(*(attempts(before, to=trigger, count=1) for trigger in triggers))
    event = broker.send(type="wanted")
    expect(*(attempts(event, to=trigger, count=2, control=before) for trigger in triggers))
    # The time runs from when the sender begins, and the gap from when the subscriber has the request.
    expect(*(spaced(event, to=trigger, at_least=[0.4]) for trigger in triggers))


@pytest.mark.requirement("EVT-DLV-019")
def test_a_dead_letter_whose_answer_breaks_off_is_sent_again(broker: Broker, sinks: Sinks) -> None:
    letters = [
        sinks([Answer(200, headers=JSON, body=WHOLE, broken=broken), Answer(200)])
        for broken in ("reset", "cut", "unended")
    ]
    triggers = refusing(broker, sinks, letters)
    event = broker.send(type="wanted")
    asked = zip(letters, triggers, strict=True)
    expect(*(dead_letter_attempts(event, to=sink, by=trigger, count=2) for sink, trigger in asked))


@pytest.mark.requirement("EVT-DLV-016")
def test_a_dead_letter_that_is_not_answered_in_time_is_sent_again(broker: Broker, sinks: Sinks) -> None:
    late = sinks([Answer(200, delay=2.0), Answer(200)])
    (trigger,) = refusing(broker, sinks, [late], timeout="PT0.5S")
    expect(dead_letter_attempts(broker.send(type="wanted"), to=late, by=trigger, count=2))


@pytest.mark.requirement("EVT-DLV-034")
def test_an_answer_that_comes_too_late_is_none_to_a_later_delivery(broker: Broker, sinks: Sinks) -> None:
    # Two seconds: the next answers, which come at once, shall be in time on a busy machine too.
    letters, late = sinks(), Answer(200, delay=4.0)
    delivery = {"retry": 0, "timeout": "PT2S", "deadLetterSink": {"uri": letters.url}}
    trigger = broker.trigger(filter=WANTED, subscriber=sinks([late, Answer(500), Answer(200)]), delivery=delivery)
    first = broker.send(type="wanted")
    expect(dead_lettered(first, to=letters, by=trigger))
    second = broker.send(type="wanted")
    expect(dead_lettered(second, to=letters, by=trigger, code=500, control=first))
    expect(not_dead_lettered(broker.send(type="wanted"), to=letters, by=trigger))


@pytest.mark.requirement("EVT-DLV-037")
def test_every_200_of_a_dead_letter_sink_ends_the_delivery(broker: Broker, sinks: Sinks) -> None:
    # To a subscriber the last two would be replies that are none (EVT-RPL-005).
    answers = [
        Answer(200, headers=JSON, body=b'{"ok": 1}'),
        Answer(201, headers=typed("text/html"), body=b"<p>stored</p>"),
        Answer(200, headers=typed(STRUCTURED), body=b"{"),
        Answer(200, headers=binary(attributes(without=["id"])), body=b"1"),
    ]
    letters = [sinks([answer]) for answer in answers]
    triggers = refusing(broker, sinks, letters)
    event = broker.send(type="wanted")
    places = zip(letters, triggers, strict=True)
    expect(*(dead_letter_attempts(event, to=sink, by=trigger, count=1) for sink, trigger in places))


@pytest.mark.requirement("EVT-DLV-017")
def test_an_answer_within_the_timeout_is_waited_for(broker: Broker, sinks: Sinks) -> None:
    triggers = broker.several(
        *(
            {"filter": WANTED, "subscriber": sinks([Answer(200, delay=1.5), Answer(200)]), "delivery": delivery}
            for delivery in (AGAIN, AGAIN | {"timeout": "PT10S"}, AGAIN | {"timeout": "PT1M"})
        )
    )
    event = broker.send(type="wanted")
    expect(*(attempts(event, to=trigger, count=1) for trigger in triggers))


@pytest.mark.requirement("EVT-DLV-017")
def test_an_answer_may_take_long(broker: Broker, sinks: Sinks) -> None:
    # Longer than the ten seconds after which clients give up by themselves: a model that takes as long is asked again.
    late, minute = [Answer(200, delay=11.0), Answer(200)], AGAIN | {"timeout": "PT1M"}
    triggers = broker.several(
        {"filter": WANTED, "subscriber": sinks(late), "delivery": AGAIN},
        {"filter": WANTED, "subscriber": sinks(late), "delivery": minute, "annotations": ORDERED},
    )
    event = broker.send(type="wanted")
    expect(*(attempts(event, to=trigger, count=1) for trigger in triggers), within=30.0)


@pytest.mark.requirement("EVT-DLV-017")
def test_the_timeout_is_that_of_each_attempt(broker: Broker, sinks: Sinks) -> None:
    # The two waits alone take longer.
    delivery = {"retry": 2, "backoffPolicy": "linear", "backoffDelay": "PT0.8S", "timeout": "PT1S"}
    trigger = broker.trigger(filter=WANTED, subscriber=sinks([Answer(503)]), delivery=delivery)
    expect(attempts(broker.send(type="wanted"), to=trigger, count=3))


@pytest.mark.requirement("EVT-DLV-022")
def test_there_are_as_many_retries_as_asked_for(broker: Broker, sinks: Sinks) -> None:
    asked = [{}, *({"retry": retry, "backoffPolicy": "linear", "backoffDelay": "PT0.1S"} for retry in (0, 1, 3, 12))]
    triggers = broker.several(
        *({"filter": WANTED, "subscriber": sinks([Answer(503)]), "delivery": delivery or None} for delivery in asked)
    )
    event = broker.send(type="wanted")
    counts = zip(triggers, (1, 1, 2, 4, 13), strict=True)
    # The Kafka Broker waits longer before each linear retry.
    expect(*(attempts(event, to=trigger, count=count) for trigger, count in counts), within=30.0)
