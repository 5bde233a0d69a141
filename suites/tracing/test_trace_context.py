"""W3C trace context through a Broker, and the trace that an event itself carries."""

import pytest

from evidence.expectations import attribute_kept, delivered, traced
from evidence.refs import EventRef
from fixtures import Answer, Broker, Sinks, expect
from suites.wire import attributes, binary, fresh

WANTED = {"attributes": {"type": "wanted"}}
ANSWER = {"attributes": {"type": "answer"}}


def traceparent(number: int) -> str:
    """Return a different valid trace context for every number."""
    return f"00-4bf92f3577b34da6a3ce929d{number:08x}-00f067aa{number:08x}-01"


@pytest.mark.requirement("TRC-W3C-001")
def test_a_trace_is_continued_to_the_subscriber(broker: Broker) -> None:
    trigger = broker.trigger(filter=WANTED)
    event = broker.send(type="wanted", headers=[("traceparent", traceparent(1))])
    expect(traced(event, to=trigger))


@pytest.mark.requirement("TRC-W3C-002")
def test_events_delivered_at_once_keep_each_its_trace(broker: Broker, sinks: Sinks) -> None:
    trigger = broker.trigger(filter=WANTED, subscriber=sinks([Answer(200, delay=0.05)]))
    events = broker.send_many(
        [{"type": "wanted", "headers": [("traceparent", traceparent(n))]} for n in range(1, 51)], concurrency=50
    )
    expect(*[traced(event, to=trigger) for event in events])


@pytest.mark.requirement("TRC-W3C-003")
def test_a_reply_goes_on_in_the_trace(broker: Broker, sinks: Sinks) -> None:
    name, source = fresh("reply"), "/touchstone/subscriber"
    carrier = Answer(200, headers=binary(attributes(id=name, source=source, type="answer")), body=b'{"n": 2}')
    replier, receiver = broker.trigger(filter=WANTED, subscriber=sinks([carrier])), broker.trigger(filter=ANSWER)
    broker.send(type="wanted", headers=[("traceparent", traceparent(7))])
    answer = EventRef(source, name)
    expect(delivered(answer, to=receiver, replied_by=replier))
    expect(traced(answer, to=receiver, traceparent=traceparent(7)))


@pytest.mark.requirement("TRC-CE-001")
def test_the_traceparent_attribute_is_not_rewritten(broker: Broker) -> None:
    trigger = broker.trigger(filter=WANTED)
    event = broker.send(type="wanted", headers=[("traceparent", traceparent(1))], traceparent=traceparent(2))
    expect(attribute_kept(event, to=trigger, name="traceparent"))
    expect(attribute_kept(event, to=broker, name="traceparent"))
