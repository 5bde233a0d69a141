"""Triggers that change while they live, that come before their Broker, and that come back."""

from typing import Any

import pytest

from evidence.expectations import (
    attempts,
    condition,
    dead_lettered,
    delivered,
    delivered_once,
    each_once,
    field,
    not_dead_lettered,
    not_delivered,
    not_held_up,
    not_received,
    recorded,
)
from fixtures import Answer, Broker, Brokers, Kube, Sinks, expect
from suites.manifests import ORDER, ORDERED, trigger_manifest
from suites.wire import fresh

WANTED = {"attributes": {"type": "wanted"}}
ONE_KEY: dict[str, Any] = {"type": "wanted", "partitionkey": "customer-17"}
NOTES = {"labels": {"touchstone.dev/note": "new"}, "annotations": {"touchstone.dev/note": "new"}}
AT_ONCE = 12
# What changes of a Trigger, or of its Broker, without which events it lets through.
CHANGES: dict[str, Any] = {
    "filter": {"spec": {"filter": {"attributes": {"type": "wanted", "partitionkey": "customer-17"}}}},
    "filters": {"spec": {"filters": [{"prefix": {"type": "want"}}]}},
    "delivery": {"spec": {"delivery": {"retry": 1}}},
    "broker": {"spec": {"delivery": {"retry": 1}}},
    "order": {"metadata": {"annotations": {ORDER: "unordered"}}},
}
AGAIN = {"retry": 2, "backoffPolicy": "linear", "backoffDelay": "PT0.1S"}


@pytest.mark.requirement("CTL-TRG-009")
def test_a_changed_subscriber_gets_the_events(broker: Broker, sinks: Sinks) -> None:
    before, after = sinks(), sinks()
    trigger = broker.trigger(filter=WANTED, subscriber=before)
    expect(delivered(broker.send(type="wanted"), to=trigger))
    trigger.update(subscriber=after)
    expect(field(trigger.object, "status.subscriberUri", after.url))
    event = broker.send(type="wanted")
    expect(delivered_once(event, to=trigger))
    expect(not_received(event, at=before, by=trigger))


@pytest.mark.requirement("CTL-TRG-010")
def test_a_changed_delivery_takes_effect(broker: Broker, sinks: Sinks) -> None:
    letters = sinks()
    trigger = broker.trigger(filter=WANTED, subscriber=sinks([Answer(503)]))
    expect(attempts(broker.send(type="wanted"), to=trigger, count=1))
    trigger.update(delivery=AGAIN | {"deadLetterSink": {"uri": letters.url}})
    event = broker.send(type="wanted")
    expect(attempts(event, to=trigger, count=3))
    expect(dead_lettered(event, to=letters, by=trigger))


@pytest.mark.requirement("CTL-TRG-012")
def test_a_trigger_may_come_before_its_broker(brokers: Brokers, sinks: Sinks, kube: Kube, namespace: str) -> None:
    name, sink = fresh("broker")[:24], sinks()
    trigger = kube.apply(trigger_manifest(namespace, name, subscriber={"uri": sink.url}), check=True)
    # Another Trigger becomes Ready: the controller has looked at the first one, and has found no Broker.
    brokers().trigger()
    broker = brokers(name=name)
    expect(condition(trigger, "Ready", "True"))
    expect(delivered(broker.send(), to=sink))


@pytest.mark.requirement("CTL-TRG-013")
def test_a_change_loses_and_doubles_nothing(broker: Broker, sinks: Sinks) -> None:
    trigger = broker.trigger(filter=WANTED)
    old = trigger.ref
    events = broker.send_many([{"type": "wanted"}] * 300, concurrency=2)
    trigger.update(subscriber=sinks())
    events += broker.send_many([{"type": "wanted"}] * 20)
    expect(each_once(events, to=[old, trigger]), within=60.0)  # a busy machine handles ten a second


@pytest.mark.requirement("CTL-TRG-032")
@pytest.mark.parametrize("kind", ["trigger", "broker"])
def test_a_change_of_labels_disturbs_no_delivery(broker: Broker, sinks: Sinks, kube: Kube, kind: str) -> None:
    trigger = broker.trigger(filter=WANTED, subscriber=sinks([Answer(200, delay=0.05)]), annotations=ORDERED)
    # Ordered and of one key: most of them wait for the ones before when the labels change.
    events = broker.send_many([ONE_KEY] * 20, concurrency=4)
    expect(delivered(events[0], to=trigger))
    objects = {"trigger": trigger.object, "broker": broker.object}
    kube.patch(objects[kind], {"metadata": NOTES}, check=True)
    # No status tells a label that was seen. A Trigger that was made behind the change, and delivers, does.
    later = broker.trigger(filter=WANTED)
    events += broker.send_many([ONE_KEY] * 3)
    expect(delivered(events[-1], to=later))
    expect(each_once(events, to=trigger))


@pytest.mark.requirement("CTL-CND-003")
def test_a_condition_that_stays_keeps_its_time(broker: Broker, brokers: Brokers, sinks: Sinks, kube: Kube) -> None:
    trigger = broker.trigger(subscriber=sinks([Answer(200, delay=1.1)]), annotations=ORDERED)
    changed = (broker.object, trigger.object)
    before = [kube.read(each)["status"]["conditions"] for each in changed]
    # Times are told by the second. The later of two events comes when another one has begun.
    _, later = broker.send_many([ONE_KEY] * 2)
    expect(delivered(later, to=trigger))
    kube.patch(broker.object, {"metadata": NOTES}, check=True)
    kube.patch(trigger.object, {"metadata": NOTES}, check=True)
    # No status tells a label that was seen. Objects that are made behind the change, and Ready, do.
    expect(condition(brokers().trigger().object, "Ready", "True"))
    again = [kube.get(each, check=True) for each in changed]
    same = (field(each, "status.conditions", was) for each, was in zip(again, before, strict=True))
    expect(*same, within=1.0)


@pytest.mark.requirement("CTL-TRG-034")
@pytest.mark.parametrize("kind", list(CHANGES))
def test_what_waits_when_a_trigger_changes_is_delivered(broker: Broker, sinks: Sinks, kube: Kube, kind: str) -> None:
    trigger = broker.trigger(filter=WANTED, subscriber=sinks([Answer(200, delay=0.05)]), annotations=ORDERED)
    # Ordered and of one key: most of them wait for the ones before at the change. Both filters let all of them through.
    events = broker.send_many([ONE_KEY] * 20, concurrency=4)
    expect(delivered(events[0], to=trigger))
    objects = {"broker": broker.object}
    kube.patch(objects.get(kind, trigger.object), CHANGES[kind], check=True)
    trigger.wait()
    # Of the Broker's options, and of the order, no status of the Trigger tells.
    later = broker.trigger(filter=WANTED)
    last = broker.send(**ONE_KEY)
    expect(delivered(last, to=later))
    expect(*(delivered(event, to=trigger) for event in [*events, last]))


@pytest.mark.requirement("CTL-TRG-035")
def test_what_waits_when_other_triggers_come_and_go_is_delivered(broker: Broker, sinks: Sinks) -> None:
    slow = {"filter": WANTED, "subscriber": sinks([Answer(200, delay=0.05)]), "annotations": ORDERED}
    staying, going = broker.several(slow, {"filter": WANTED})
    events = broker.send_many([ONE_KEY] * 20, concurrency=4)
    expect(delivered(events[0], to=staying))
    going.delete()
    broker.trigger(filter=WANTED)
    events.append(broker.send(**ONE_KEY))
    expect(*(delivered(event, to=staying) for event in events))


@pytest.mark.requirement("CTL-TRG-033")
@pytest.mark.parametrize("kind", ["subscriber", "delivery"])
def test_what_is_retried_when_its_trigger_changes_is_not_lost(broker: Broker, sinks: Sinks, kind: str) -> None:
    letters = sinks()
    delivery = {"retry": 1, "backoffPolicy": "linear", "backoffDelay": "PT1.5S", "deadLetterSink": {"uri": letters.url}}
    changes: dict[str, Any] = {"subscriber": sinks([Answer(503)]), "delivery": delivery | {"timeout": "PT9S"}}
    trigger = broker.trigger(filter=WANTED, subscriber=sinks([Answer(503)]), delivery=delivery)
    event = broker.send(type="wanted")
    expect(delivered(event, to=trigger))
    trigger.update(**{kind: changes[kind]})
    expect(dead_lettered(event, to=letters, by=trigger), within=20.0)


@pytest.mark.requirement("CTL-TRG-014")
def test_a_trigger_that_comes_back_begins_anew(broker: Broker) -> None:
    trigger = broker.trigger(filter=WANTED)
    first = broker.send(type="wanted")
    expect(delivered(first, to=trigger))
    trigger.delete()
    between = broker.send(type="wanted")
    expect(recorded(between, on=broker))
    trigger.make_again()
    expect(delivered_once(broker.send(type="wanted"), to=trigger))
    expect(not_delivered(between, to=trigger))
    expect(attempts(first, to=trigger, count=1))


@pytest.mark.requirement("CTL-TRG-030")
def test_triggers_that_come_back_at_once_are_served(broker: Broker, sinks: Sinks) -> None:
    types = [f"wanted.{number}" for number in range(AT_ONCE)]
    # One that stays takes longer for its answer than a busy machine for all the others' events.
    staying, *triggers = broker.several(
        {"filter": WANTED, "subscriber": sinks([Answer(200, delay=8.0)])},
        *({"filter": {"attributes": {"type": each}}} for each in types),
    )
    first = broker.send_many([{"type": each} for each in types])
    expect(*(delivered(event, to=trigger) for event, trigger in zip(first, triggers, strict=True)))
    broker.exchange(triggers)
    slow, *again = broker.send_many([{"type": each} for each in ("wanted", *types)])
    served = zip(again, triggers, strict=True)
    expect(*(not_held_up(event, to=trigger, by=staying, during=slow) for event, trigger in served), within=20.0)


@pytest.mark.requirement("CTL-TRG-023")
def test_a_trigger_under_the_name_of_another_one_is_itself(broker: Broker, sinks: Sinks) -> None:
    theirs, own = sinks(), sinks()
    other = broker.trigger(filter=WANTED, subscriber=theirs)
    expect(delivered(broker.send(type="wanted"), to=other))
    other.delete()
    trigger = broker.trigger(name=other.name, filter={"attributes": {"type": "new"}}, subscriber=own)
    hit, miss = broker.send(type="new"), broker.send(type="wanted")
    expect(delivered_once(hit, to=trigger), not_delivered(miss, to=trigger))
    expect(*(not_received(event, at=theirs, by=trigger) for event in (hit, miss)))


@pytest.mark.requirement("CTL-TRG-028")
@pytest.mark.parametrize("kind", ["trigger", "broker"])
def test_the_generation_that_was_looked_at_is_told(broker: Broker, sinks: Sinks, kube: Kube, kind: str) -> None:
    letters = sinks()
    objects = {"broker": broker.object, "trigger": broker.trigger(filter=WANTED).object}
    delivery = {"spec": {"delivery": {"deadLetterSink": {"uri": letters.url}}}}
    changed = kube.change(objects[kind], delivery)
    expect(field(objects[kind], "status.deadLetterSinkUri", letters.url))
    expect(field(objects[kind], "status.observedGeneration", changed["metadata"]["generation"]))


@pytest.mark.requirement("CTL-TRG-017")
def test_what_is_taken_out_of_a_trigger_is_out_of_force(broker: Broker, sinks: Sinks) -> None:
    letters = sinks()
    delivery = AGAIN | {"deadLetterSink": {"uri": letters.url}}
    trigger = broker.trigger(filter=WANTED, subscriber=sinks([Answer(503)]), delivery=delivery)
    expect(dead_lettered(broker.send(type="wanted"), to=letters, by=trigger))
    trigger.update(filter=None)
    expect(dead_lettered(broker.send(type="other"), to=letters, by=trigger))
    trigger.update(delivery=None)
    event = broker.send(type="other")
    expect(attempts(event, to=trigger, count=1))
    expect(not_dead_lettered(event, to=letters, by=trigger))


@pytest.mark.requirement("CTL-TRG-017")
def test_of_changes_in_a_row_the_last_one_counts(broker: Broker, sinks: Sinks, kube: Kube) -> None:
    before, first, second, last = (sinks() for _ in range(4))
    trigger = broker.trigger(filter=WANTED, subscriber=before)
    kube.patch(trigger.object, {"spec": {"subscriber": {"uri": first.url}}}, check=True)
    kube.patch(trigger.object, {"spec": {"subscriber": {"uri": second.url}}}, check=True)
    trigger.update(subscriber=last)
    event = broker.send(type="wanted")
    expect(delivered_once(event, to=trigger))
    expect(*(not_received(event, at=sink, by=trigger) for sink in (before, first, second)))


@pytest.mark.requirement("CTL-BRK-010")
def test_a_changed_delivery_of_a_broker_is_its_triggers(broker: Broker, sinks: Sinks, kube: Kube) -> None:
    letters = sinks()
    trigger = broker.trigger(filter=WANTED, subscriber=sinks([Answer(503)]))
    expect(attempts(broker.send(type="wanted"), to=trigger, count=1))
    delivery = AGAIN | {"deadLetterSink": {"uri": letters.url}}
    kube.patch(broker.object, {"spec": {"delivery": delivery}}, check=True)
    expect(field(trigger.object, "status.deadLetterSinkUri", letters.url))
    event = broker.send(type="wanted")
    expect(attempts(event, to=trigger, count=3))
    expect(dead_lettered(event, to=letters, by=trigger))
