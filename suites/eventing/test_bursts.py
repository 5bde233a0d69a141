"""Many events, and many subscribers: each event once, none late, nobody held up by somebody else."""

import pytest

from evidence.expectations import (
    accepted,
    condition,
    delivered,
    each_once,
    gone,
    in_flight,
    none_late,
    not_delivered,
    not_held_up,
    recorded,
)
from fixtures import Answer, Broker, Brokers, Kube, Sinks, expect
from suites.manifests import ORDERED
from suites.wire import fresh

WANTED = {"attributes": {"type": "wanted"}}
OTHERS = 10  # Brokers that come and go
MEANWHILE = 100  # events that are sent while they come, and again while they go
# Two Triggers make 600 deliveries of 300 events. A fault of one delivery in a hundred, by chance, is missed once in 400
# runs (0.99 ** 600), one of one in fifty practically never; a fault of one event in a hundred, before the Triggers see
# it, is missed once in 20 runs (0.99 ** 300).
BURST = 300
AT_ONCE = 8
IN_FLIGHT = 50  # what an unordered Trigger of the Kafka Broker has with its subscriber
OVERFULL = 160  # more than a dispatcher holds for a Trigger: it has to leave some in the topic for later
WITHIN = 60.0  # seconds; 600 deliveries take two on an idle machine and thirty on a busy one


@pytest.mark.requirement("EVT-RTE-008")
def test_each_event_of_a_burst_is_delivered_once(broker: Broker) -> None:
    triggers = broker.several({"filter": WANTED}, {"filter": WANTED})
    events = broker.send_many([{"type": "wanted"}] * BURST, concurrency=AT_ONCE)
    expect(*(each_once(events, to=trigger) for trigger in triggers), within=WITHIN)


@pytest.mark.requirement("EVT-RTE-009")
def test_no_event_of_a_burst_is_late(broker: Broker) -> None:
    # Late is who comes half a second after 20 that were accepted later: only the last 20 can hide it.
    # Four Triggers make 1200 deliveries: a fault of one in two hundred, by chance, is missed once in 400 runs.
    triggers = broker.several(*[{"filter": WANTED}] * 4)
    events = broker.send_many([{"type": "wanted"}] * BURST, concurrency=AT_ONCE)
    expect(*(none_late(events, to=trigger, by=0.5, overtaken=20) for trigger in triggers), within=WITHIN)


@pytest.mark.requirement("EVT-RTE-010")
def test_no_subscriber_holds_up_another_one(broker: Broker, sinks: Sinks) -> None:
    again = {"retry": 3, "backoffPolicy": "linear", "backoffDelay": "PT0.5S", "timeout": "PT2S"}
    endless = Answer(200, body=b"and so on", broken="endless")
    slow, *_ = broker.several(
        # Longer than a busy machine takes for the others: who was held up comes behind this answer, nobody else does.
        {"filter": {"attributes": {"type": "slow"}}, "subscriber": sinks([Answer(200, delay=15.0)])},
        *(
            {"filter": WANTED, "subscriber": sinks([answer]), "delivery": again}
            for answer in (Answer(500), Answer(broken="reset"), endless, Answer(200, delay=4.0))
        ),
    )
    broker.send(type="of nobody")  # it leaves when all of these are Ready
    # The last one: a system that serves its Triggers one after the other comes to it behind the others.
    healthy = broker.trigger(filter=WANTED)
    first = broker.send(type="slow")
    expect(delivered(first, to=slow))
    events = broker.send_many([{"type": "wanted"}] * 10)
    expect(*(not_held_up(event, to=healthy, by=slow, during=first) for event in events), within=WITHIN)


@pytest.mark.requirement("EVT-RTE-011")
def test_an_ordered_trigger_has_one_event_of_a_key_in_flight(broker: Broker, sinks: Sinks) -> None:
    sink = sinks([Answer(200, delay=0.2), Answer(503, delay=0.2), Answer(200, delay=0.2)])
    again = {"retry": 1, "backoffPolicy": "linear", "backoffDelay": "PT0.1S"}
    trigger = broker.trigger(filter=WANTED, subscriber=sink, annotations=ORDERED, delivery=again)
    events = broker.send_many([{"type": "wanted", "partitionkey": "customer-17"}] * 4)
    expect(in_flight(events, to=trigger, at_most=1), within=20.0)


@pytest.mark.requirement("EVT-RTE-012")
def test_an_unordered_trigger_has_several_events_of_a_key_in_flight(broker: Broker, sinks: Sinks) -> None:
    trigger = broker.trigger(filter=WANTED, subscriber=sinks([Answer(200, delay=0.5)]))
    events = broker.send_many([{"type": "wanted", "partitionkey": "customer-17"}] * 4)
    expect(in_flight(events, to=trigger, at_least=2))


@pytest.mark.requirement("EVT-RTE-013")
def test_a_new_trigger_gets_no_earlier_event(broker: Broker) -> None:
    earlier = broker.send_many([{"type": "wanted"}] * 3)
    expect(*(recorded(event, on=broker) for event in earlier))
    trigger = broker.trigger(filter=WANTED)
    expect(delivered(broker.send(type="wanted"), to=trigger))
    expect(*(not_delivered(event, to=trigger) for event in earlier))


@pytest.mark.requirement("EVT-RTE-015")
def test_an_ordered_trigger_delivers_other_partitions_meanwhile(broker: Broker, sinks: Sinks) -> None:
    # Longer than a busy machine takes for the others: who was held up comes behind this answer, nobody else does.
    slow = sinks([Answer(200, delay=15.0), Answer(200)])
    trigger = broker.trigger(filter=WANTED, subscriber=slow, annotations=ORDERED)
    first = broker.produce_event(type="wanted", partition=0)
    expect(delivered(first, to=trigger))
    others = [broker.produce_event(type="wanted", partition=partition) for partition in (1, 2)]
    expect(*(not_held_up(event, to=trigger, by=trigger, during=first) for event in others), within=WITHIN)


@pytest.mark.requirement("EVT-RTE-015")
def test_an_ordered_trigger_delivers_other_partitions_before_a_retry(broker: Broker, sinks: Sinks) -> None:
    again = {"retry": 1, "backoffPolicy": "linear", "backoffDelay": "PT30S"}
    # Longer than a busy machine takes for the others, and shorter than the wait of the first one.
    slow, trigger = broker.several(
        {"filter": {"attributes": {"type": "slow"}}, "subscriber": sinks([Answer(200, delay=15.0)])},
        {
            "filter": WANTED,
            "subscriber": sinks([Answer(503), Answer(200)]),
            "annotations": ORDERED,
            "delivery": again,
        },
    )
    expect(delivered(broker.produce_event(type="wanted", partition=0), to=trigger))
    yardstick = broker.send(type="slow")
    expect(delivered(yardstick, to=slow))
    others = [broker.produce_event(type="wanted", partition=partition) for partition in (1, 2)]
    expect(*(not_held_up(event, to=trigger, by=slow, during=yardstick) for event in others), within=WITHIN)


@pytest.mark.requirement("EVT-RTE-016")
def test_no_event_is_lost_while_a_subscriber_is_slow(broker: Broker, sinks: Sinks) -> None:
    late = Answer(200, delay=0.8)
    triggers = broker.several(
        {"filter": WANTED, "subscriber": sinks([*[late] * IN_FLIGHT, Answer(200)])},
        {"filter": WANTED, "subscriber": sinks([late, Answer(200)]), "annotations": ORDERED},
    )
    sends = [{"type": "wanted", "partitionkey": "customer-17"}] * OVERFULL
    events = broker.send_many(sends, concurrency=2 * AT_ONCE)
    expect(*(each_once(events, to=trigger) for trigger in triggers), within=WITHIN)


@pytest.mark.requirement("EVT-ING-045")
def test_a_broker_accepts_while_others_come_and_go(broker: Broker, brokers: Brokers, kube: Kube) -> None:
    trigger = broker.trigger(filter=WANTED)
    events = broker.send_many([{"type": "wanted"}] * MEANWHILE, concurrency=2)
    others = [brokers(name=fresh("other"), wait=False).object for _ in range(OTHERS)]
    expect(*(condition(other, "Ready", "True") for other in others), within=60.0)  # one takes ten seconds at most
    events += broker.send_many([{"type": "wanted"}] * MEANWHILE, concurrency=2)
    deleted = [kube.delete(other, check=True) for other in others]
    expect(*(gone(other) for other in deleted), within=60.0)
    expect(*(accepted(event) for event in events))
    expect(*(delivered(event, to=trigger) for event in events), within=60.0)
