"""Parts of a Broker's data plane are killed: nothing accepted is lost, and only what was uncommitted comes again."""

import pytest

from evidence.expectations import accepted, delivered, each_once, survived
from fixtures import Answer, Broker, Faults, Sinks, expect

WANTED = {"attributes": {"type": "wanted"}}
ONE_KEY = {"type": "wanted", "partitionkey": "customer-17"}
IN_FLIGHT = 40  # an unordered Trigger of the Kafka Broker has up to 50
WITHIN = 30.0  # seconds; what was in flight is delivered a second time


@pytest.mark.requirement("EVT-FAU-001")
def test_a_dispatcher_killed_in_the_middle_of_a_batch_loses_nothing(
    broker: Broker, sinks: Sinks, faults: Faults
) -> None:
    sink = sinks([*[Answer(200, delay=6.0)] * IN_FLIGHT, Answer(200)])
    trigger = broker.trigger(filter=WANTED, subscriber=sink)
    events = broker.send_many([{"type": "wanted"}] * IN_FLIGHT, concurrency=8)
    expect(*(delivered(event, to=trigger) for event in events))
    faults.kill("dispatcher", of=broker, before=[trigger])
    expect(survived(events, to=trigger, of=broker), within=WITHIN)


@pytest.mark.requirement("EVT-FAU-002")
def test_nothing_committed_comes_again_after_a_restart(broker: Broker, faults: Faults) -> None:
    trigger = broker.trigger(filter=WANTED)
    earlier = broker.send_many([ONE_KEY] * 20)
    expect(each_once(earlier, to=trigger))
    faults.kill("dispatcher", of=broker, before=[trigger])
    later = broker.send_many([ONE_KEY] * 5)
    expect(survived([*earlier, *later], to=trigger, of=broker), within=WITHIN)


@pytest.mark.requirement("EVT-FAU-003")
def test_a_restart_before_the_first_commit_loses_nothing(broker: Broker, sinks: Sinks, faults: Faults) -> None:
    trigger = broker.trigger(filter=WANTED, subscriber=sinks([Answer(200, delay=6.0), Answer(200)]))
    first = broker.send(type="wanted")
    expect(delivered(first, to=trigger))
    faults.kill("dispatcher", of=broker, before=[trigger])
    expect(survived([first, broker.send(type="wanted")], to=trigger, of=broker), within=WITHIN)


@pytest.mark.requirement("EVT-FAU-004")
def test_an_ingress_killed_after_its_answers_loses_nothing(broker: Broker, faults: Faults) -> None:
    trigger = broker.trigger(filter=WANTED)
    events = broker.send_many([{"type": "wanted"}] * IN_FLIGHT, concurrency=8)
    expect(*(accepted(event) for event in events))
    faults.kill("ingress", of=broker)
    expect(survived([*events, broker.send(type="wanted")], to=trigger, of=broker), within=WITHIN)
