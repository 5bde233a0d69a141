"""Replies: which answers of subscribers are events, and where these go."""

import pytest

from evidence.expectations import attempts, dead_lettered, delivered, not_dead_lettered, not_delivered
from evidence.refs import EventRef
from fixtures import Answer, Broker, Sinks, expect
from suites.wire import STRUCTURED, attributes, binary, fresh, structured, typed

QUESTION = {"attributes": {"type": "question"}}
ANSWER = {"attributes": {"type": "answer"}}
SOURCE = "/touchstone/subscriber"


def reply(mode: str, status: int = 200) -> tuple[EventRef, Answer]:
    """Return an event to reply with, and the answer that carries it."""
    name = fresh("reply")
    event = attributes(id=name, source=SOURCE, type="answer")
    answers = {
        "binary": Answer(status, headers=binary(event), body=b'{"n": 2}'),
        "structured": Answer(status, headers=typed(STRUCTURED), body=structured(event)),
    }
    return EventRef(SOURCE, name), answers[mode]


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
@pytest.mark.parametrize("mode", ["binary", "structured"])
def test_an_event_in_a_202_is_no_reply(broker: Broker, sinks: Sinks, mode: str) -> None:
    answer, carrier = reply(mode, status=202)
    replier = broker.trigger(filter=QUESTION, subscriber=sinks([carrier]))
    receiver = broker.trigger(filter=ANSWER)
    broker.send(type="question")
    expect(not_delivered(answer, to=receiver, replied_by=replier))


@pytest.mark.requirement("EVT-RPL-004")
def test_a_200_without_a_body_ends_the_delivery(broker: Broker, sinks: Sinks) -> None:
    dead_letters = sinks()
    options = {"retry": 2, "backoffDelay": "PT0.1S", "deadLetterSink": {"uri": dead_letters.url}}
    trigger = broker.trigger(filter=QUESTION, subscriber=sinks([Answer(200)]), delivery=options)
    event = broker.send(type="question")
    expect(attempts(event, to=trigger, count=1))
    expect(not_dead_lettered(event, to=dead_letters, by=trigger))


@pytest.mark.requirement("EVT-RPL-005")
def test_a_200_with_a_body_that_is_no_event_is_dead_lettered(broker: Broker, sinks: Sinks) -> None:
    dead_letters = sinks()
    plain = Answer(200, headers=[("content-type", "application/json")], body=b'{"predictions": [2]}')
    options = {"deadLetterSink": {"uri": dead_letters.url}}
    trigger = broker.trigger(filter=QUESTION, subscriber=sinks([plain]), delivery=options)
    expect(dead_lettered(broker.send(type="question"), to=dead_letters, by=trigger))
