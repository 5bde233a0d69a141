"""Changes of delivery options, of a Trigger's and of its Broker's: exchanged, in a row, and taken out."""

from typing import Any

import pytest

from evidence.expectations import attempts, dead_lettered, delivered, each_once, field, in_flight, not_dead_lettered
from evidence.refs import EventRef, SinkRef
from fixtures import Answer, Broker, Brokers, Kube, Sinks, expect
from suites.manifests import ORDER

WANTED = {"attributes": {"type": "wanted"}}
SINK = "status.deadLetterSinkUri"


def to(sink: SinkRef, **more: Any) -> dict[str, Any]:
    """Return a `delivery` with a dead letter sink."""
    return {"deadLetterSink": {"uri": sink.url}, **more}


def of_one_key(broker: Broker) -> list[EventRef]:
    """Send events of one key at once."""
    return broker.send_many([{"type": "wanted", "partitionkey": "customer-17"}] * 4, concurrency=4)


def bound(order: str) -> dict[str, int]:
    """Return how many of them may, or must, be with the subscriber at a time."""
    return {"at_most": 1} if order == "ordered" else {"at_least": 2}


@pytest.mark.requirement("CTL-TRG-021")
def test_a_dead_letter_sink_is_the_triggers_new_one_or_else_the_brokers(
    brokers: Brokers, sinks: Sinks, kube: Kube
) -> None:
    theirs, old, new = (sinks() for _ in range(3))
    broker = brokers(delivery=to(theirs))
    own = {"filter": WANTED, "delivery": to(old)}
    exchanging, giving_up = broker.several(*({**own, "subscriber": sinks([Answer(400)])} for _ in range(2)))
    kube.patch(exchanging.object, {"spec": {"delivery": to(new)}}, check=True)
    kube.patch(giving_up.object, {"spec": {"delivery": None}}, check=True)
    exchanging.wait()
    giving_up.wait()
    event = broker.send(type="wanted")
    expect(dead_lettered(event, to=new, by=exchanging), dead_lettered(event, to=theirs, by=giving_up))
    expect(*(not_dead_lettered(event, to=old, by=trigger) for trigger in (exchanging, giving_up)))


@pytest.mark.requirement("CTL-TRG-022")
def test_a_dead_letter_sink_that_is_taken_out_is_told_no_more(broker: Broker, sinks: Sinks, kube: Kube) -> None:
    letters = sinks()
    trigger = broker.trigger(filter=WANTED, delivery=to(letters))
    expect(field(trigger.object, SINK, letters.url))
    kube.patch(trigger.object, {"spec": {"delivery": {"deadLetterSink": None, "retry": 1}}}, check=True)
    expect(field(trigger.object, SINK, None))


@pytest.mark.requirement("CTL-BRK-012")
def test_of_deliveries_of_a_broker_in_a_row_the_last_one_counts(brokers: Brokers, sinks: Sinks, kube: Kube) -> None:
    first, second, third, last = (sinks() for _ in range(4))
    broker = brokers(delivery=to(first))
    trigger = broker.trigger(filter=WANTED, subscriber=sinks([Answer(503)]))
    kube.patch(broker.object, {"spec": {"delivery": to(second)}}, check=True)
    expect(field(trigger.object, SINK, second.url))
    again = {"retry": 2, "backoffPolicy": "linear", "backoffDelay": "PT0.1S"}
    kube.patch(broker.object, {"spec": {"delivery": to(third, **{**again, "retry": 1})}}, check=True)
    kube.patch(broker.object, {"spec": {"delivery": to(last, **again)}}, check=True)
    expect(field(broker.object, SINK, last.url), field(trigger.object, SINK, last.url))
    event = broker.send(type="wanted")
    expect(attempts(event, to=trigger, count=3))
    expect(dead_lettered(event, to=last, by=trigger), not_dead_lettered(event, to=third, by=trigger))


@pytest.mark.requirement("CTL-BRK-013")
def test_a_delivery_that_is_taken_out_of_a_broker_is_out_of_force(brokers: Brokers, sinks: Sinks, kube: Kube) -> None:
    letters = sinks()
    delivery = to(letters, retry=2, backoffPolicy="linear", backoffDelay="PT0.1S")
    broker = brokers(delivery=delivery)
    trigger = broker.trigger(filter=WANTED, subscriber=sinks([Answer(503)]))
    expect(dead_lettered(broker.send(type="wanted"), to=letters, by=trigger))
    # Each option by itself: for a Broker without `delivery` the platform may have one.
    kube.patch(broker.object, {"spec": {"delivery": dict.fromkeys(delivery)}}, check=True)
    expect(field(broker.object, SINK, None), field(trigger.object, SINK, None))
    event = broker.send(type="wanted")
    expect(attempts(event, to=trigger, count=1))
    expect(not_dead_lettered(event, to=letters, by=trigger))


@pytest.mark.requirement("CTL-TRG-026")
@pytest.mark.parametrize("order", ["ordered", "unordered"])
def test_a_changed_order_of_delivery_takes_effect(broker: Broker, sinks: Sinks, kube: Kube, order: str) -> None:
    sink, before = sinks([Answer(200, delay=1.0)]), {"ordered": "unordered", "unordered": "ordered"}[order]
    trigger = broker.trigger(filter=WANTED, subscriber=sink, annotations={ORDER: before})
    # An annotation is no new generation: what else changes with it shows when the controller has seen both.
    change = {"metadata": {"annotations": {ORDER: order}}, "spec": {"delivery": {"retry": 1}}}
    kube.patch(trigger.object, change, check=True)
    trigger.wait()
    events = of_one_key(broker)
    expect(each_once(events, to=trigger), within=30.0)
    expect(in_flight(events, to=trigger, **bound(order)))


@pytest.mark.requirement("CTL-TRG-026")
@pytest.mark.parametrize(
    ("order", "then"),
    [("ordered", "unordered"), ("unordered", "ordered"), ("ordered", None)],
    ids=["to-unordered", "to-ordered", "taken-out"],
)
def test_an_order_of_delivery_that_changes_alone_takes_effect(
    broker: Broker, sinks: Sinks, kube: Kube, order: str, then: str | None
) -> None:
    trigger = broker.trigger(filter=WANTED, subscriber=sinks([Answer(200, delay=1.0)]), annotations={ORDER: order})
    kube.patch(trigger.object, {"metadata": {"annotations": {ORDER: then}}}, check=True)
    # No status tells an annotation that was seen. A Trigger that was made behind the change, and delivers, does.
    later = broker.trigger(filter={"attributes": {"type": "later"}})
    expect(delivered(broker.send(type="later"), to=later))
    events = of_one_key(broker)
    expect(each_once(events, to=trigger), within=30.0)
    expect(in_flight(events, to=trigger, **bound(then or "unordered")))
