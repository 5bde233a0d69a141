"""W3C trace context through a Broker, hop by hop, and the trace that an event itself carries.

Each test but those of many events has one event for a Trigger: what other events do to a trace is a requirement apart.
"""

from typing import Any

import pytest

from evidence.expectations import (
    all_traced,
    attempts,
    attribute_kept,
    dead_lettered,
    delivered,
    sampling_kept,
    spans_differ,
    trace_not_continued,
    traced,
    tracestate_kept,
)
from evidence.refs import EventRef
from fixtures import Answer, Broker, Sinks, expect
from suites.manifests import ORDERED
from suites.wire import attributes, binary, fresh

WANTED = {"attributes": {"type": "wanted"}}
ANSWER = {"attributes": {"type": "answer"}}
RETRIES: dict[str, Any] = {"retry": 3, "backoffPolicy": "exponential", "backoffDelay": "PT0.1S"}
AT_ONCE, REFUSED = 500, 50
STATE = "rojo=00f067aa0ba902b7"


def traceparent(number: int) -> str:
    """Return a different valid trace context for every number."""
    return f"00-4bf92f3577b34da6a3ce929d{number:08x}-00f067aa{number:08x}-01"


@pytest.mark.requirement("TRC-W3C-001")
@pytest.mark.parametrize("mode", ["binary", "structured"])
def test_a_trace_is_continued_to_the_subscriber(broker: Broker, mode: str) -> None:
    trigger = broker.trigger(filter=WANTED)
    event = broker.send(type="wanted", mode=mode, headers=[("traceparent", traceparent(1))])
    expect(traced(event, to=trigger))


@pytest.mark.requirement("TRC-W3C-002")
def test_events_delivered_at_once_keep_each_its_trace(broker: Broker, sinks: Sinks) -> None:
    trigger = broker.trigger(filter=WANTED, subscriber=sinks([Answer(200, delay=0.05)]))
    states = [f"rojo={n}" for n in range(1, 51)]
    traces = [[("traceparent", traceparent(n)), ("tracestate", state)] for n, state in enumerate(states, 1)]
    events = broker.send_many([{"type": "wanted", "headers": headers} for headers in traces], concurrency=50)
    kept = [tracestate_kept(event, to=trigger, members=[state]) for event, state in zip(events, states, strict=True)]
    expect(*[traced(event, to=trigger) for event in events], *kept)


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


@pytest.mark.requirement("TRC-W3C-004")
def test_a_retry_goes_on_in_the_trace(broker: Broker, sinks: Sinks) -> None:
    trigger = broker.trigger(filter=WANTED, subscriber=sinks([Answer(503), Answer(200)]), delivery=RETRIES)
    event = broker.send(type="wanted", headers=[("traceparent", traceparent(1)), ("tracestate", STATE)])
    expect(attempts(event, to=trigger, count=2))
    expect(traced(event, to=trigger), tracestate_kept(event, to=trigger, members=[STATE]))


@pytest.mark.requirement("TRC-W3C-005")
def test_each_attempt_is_a_span_of_its_own(broker: Broker, sinks: Sinks) -> None:
    trigger = broker.trigger(filter=WANTED, subscriber=sinks([Answer(503), Answer(503), Answer(200)]), delivery=RETRIES)
    event = broker.send(type="wanted", headers=[("traceparent", traceparent(1))])
    expect(spans_differ(event, to=trigger, attempts=3))


@pytest.mark.requirement("TRC-W3C-006")
def test_a_dead_letter_goes_on_in_the_trace(broker: Broker, sinks: Sinks) -> None:
    letters = sinks()
    delivery = {"deadLetterSink": {"uri": letters.url}}
    trigger = broker.trigger(filter=WANTED, subscriber=sinks([Answer(400)]), delivery=delivery)
    event = broker.send(type="wanted", headers=[("traceparent", traceparent(1)), ("tracestate", STATE)])
    expect(dead_lettered(event, to=letters, by=trigger))
    expect(traced(event, to=letters), tracestate_kept(event, to=letters, members=[STATE]))


@pytest.mark.requirement("TRC-W3C-007")
@pytest.mark.parametrize("flags", ["00", "01", "03"], ids=["not-sampled", "sampled", "beside-another"])
def test_the_sampled_flag_is_kept(broker: Broker, flags: str) -> None:
    trigger = broker.trigger(filter=WANTED)
    event = broker.send(type="wanted", headers=[("traceparent", traceparent(1)[:-2] + flags)])
    expect(sampling_kept(event, to=trigger))


@pytest.mark.requirement("TRC-W3C-019")
def test_each_of_five_hundred_events_keeps_its_trace_through_retries(broker: Broker, sinks: Sinks) -> None:
    sink = sinks([*[Answer(200), Answer(503)] * REFUSED, Answer(200)])
    trigger = broker.trigger(filter=WANTED, subscriber=sink, delivery=RETRIES)
    sends = [
        {"type": "wanted", "data": {"n": n}, "headers": [("traceparent", traceparent(n))]}
        for n in range(1, AT_ONCE + 1)
    ]
    events = broker.send_many(sends, concurrency=50)
    expect(all_traced(events, to=trigger), within=30)


@pytest.mark.requirement("TRC-W3C-026")
def test_an_event_without_a_trace_gets_none_of_another_event(broker: Broker, sinks: Sinks) -> None:
    # Ordered and of one key: who handles them one behind the other finds what the first has left.
    sink = sinks([Answer(503), Answer(200)])
    trigger = broker.trigger(filter=WANTED, subscriber=sink, delivery=RETRIES, annotations=ORDERED)
    traces = [("traceparent", traceparent(1)), ("tracestate", STATE)]
    before = broker.send(type="wanted", partitionkey="one", headers=traces)
    expect(attempts(before, to=trigger, count=2))
    after = broker.send(type="wanted", partitionkey="one")
    expect(trace_not_continued(after, to=trigger, others=[before]))


@pytest.mark.requirement("TRC-CE-002")
def test_the_tracestate_attribute_is_not_rewritten(broker: Broker) -> None:
    trigger = broker.trigger(filter=WANTED)
    event = broker.send(
        type="wanted",
        headers=[("traceparent", traceparent(1)), ("tracestate", "hop=1")],
        traceparent=traceparent(2),
        tracestate="congo=t61rcWkgMzE,rojo=00f067aa0ba902b7",
    )
    expect(attribute_kept(event, to=trigger, name="tracestate"))
    expect(attribute_kept(event, to=broker, name="tracestate"))


@pytest.mark.requirement("TRC-CE-003")
def test_the_traceparent_attribute_of_a_reply_is_not_rewritten(broker: Broker, sinks: Sinks) -> None:
    name, source = fresh("reply"), "/touchstone/subscriber"
    answer = attributes(id=name, source=source, type="answer", traceparent=traceparent(3))
    asked = broker.trigger(filter=WANTED, subscriber=sinks([Answer(200, headers=binary(answer), body=b'{"n": 2}')]))
    receiver = broker.trigger(filter=ANSWER)
    broker.send(type="wanted", headers=[("traceparent", traceparent(1))], traceparent=traceparent(2))
    expect(delivered(EventRef(source, name), to=receiver, replied_by=asked))
    expect(attribute_kept(EventRef(source, name), to=receiver, name="traceparent"))
