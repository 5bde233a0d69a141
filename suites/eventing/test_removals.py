"""Triggers that are deleted or changed while something of theirs is under way, and what becomes of that."""

import pytest

from evidence.expectations import answered, delivered, deliveries_ended, gone, not_held_up
from fixtures import Answer, Broker, Brokers, Kube, Sinks, expect
from suites.manifests import ORDERED

SLOW, WANTED = {"attributes": {"type": "slow"}}, {"attributes": {"type": "wanted"}}
CHANGED = {"attributes": {"type": "changed"}}
# More retries than are made until the test is over.
AGAIN = {"retry": 1000, "backoffPolicy": "linear", "backoffDelay": "PT0.5S"}
BACKLOG = 100  # at five a second they last longer than a deletion takes
WITHIN = 60.0  # seconds; the Kafka Broker waits longer before each linear retry


@pytest.mark.requirement("EVT-DLV-033")
def test_the_retries_of_a_trigger_end_with_it(brokers: Brokers, sinks: Sinks, kube: Kube) -> None:
    # Of two Brokers, so that none of them waits for the other one.
    broker, beside, letters = brokers(), brokers(), sinks()
    options = AGAIN | {"deadLetterSink": {"uri": letters.url}}
    deleted = broker.trigger(filter=WANTED, subscriber=sinks([Answer(503)]), delivery=options)
    other = beside.trigger(filter=WANTED, subscriber=sinks([Answer(503)]), delivery=AGAIN)
    event, control = broker.send(type="wanted"), beside.send(type="wanted")
    expect(delivered(event, to=deleted), delivered(control, to=other))
    kube.delete(deleted.object, check=True)
    expect(gone(deleted.object), within=30.0)
    ended = deliveries_ended(
        [event], by=deleted, obj=deleted.object, at_most=2, beside=other, controls=[control], count=5, letters=letters
    )
    expect(ended, within=WITHIN)


@pytest.mark.requirement("EVT-RTE-020")
def test_what_a_trigger_has_not_delivered_ends_with_it(broker: Broker, sinks: Sinks, kube: Kube) -> None:
    # Of one partition, and one after the other: all are stored, and most still to be delivered, at the deletion.
    in_turn = {"filter": WANTED, "annotations": ORDERED}
    deleted, other = broker.several(*({**in_turn, "subscriber": sinks([Answer(200, delay=0.2)])} for _ in range(2)))
    events = broker.send_many([{"type": "wanted", "partitionkey": "one"}] * BACKLOG)
    expect(*(answered(event, 202) for event in events))
    expect(delivered(events[0], to=deleted), delivered(events[0], to=other))
    kube.delete(deleted.object, check=True)
    expect(gone(deleted.object), within=30.0)
    ended = deliveries_ended(events, by=deleted, obj=deleted.object, at_most=2, beside=other, controls=events, count=6)
    expect(ended, within=WITHIN)


@pytest.mark.requirement("EVT-RTE-019")
def test_a_subscriber_that_does_not_answer_holds_up_no_change(broker: Broker, sinks: Sinks) -> None:
    # Longer than a busy machine takes for all the changes: what had to wait comes behind this answer.
    hanging = [sinks([Answer(200, delay=15.0), Answer(200)]) for _ in range(2)]
    changed, deleted, other = broker.several(
        *({"filter": SLOW, "subscriber": subscriber} for subscriber in hanging), {"filter": WANTED}
    )
    first = broker.send(type="slow")
    expect(delivered(first, to=changed), delivered(first, to=deleted), within=30.0)
    changed.update(filter=CHANGED)
    deleted.delete()
    other.update(filter=CHANGED)
    made = broker.trigger(filter=CHANGED)
    event = broker.send(type="changed")
    expect(*(not_held_up(event, to=to, by=changed, during=first) for to in (changed, other, made)), within=30.0)
