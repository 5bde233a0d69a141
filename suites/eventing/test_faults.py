"""Parts of a Broker's data plane fail: nothing accepted is lost, and only what was uncommitted comes again."""

from collections.abc import Sequence

import pytest

from evidence.expectations import (
    accepted,
    accepted_again,
    attempts,
    committed,
    dead_letter_attempts,
    dead_lettered,
    delivered,
    each_once,
    in_flight,
    not_delivered,
    not_held_up,
    not_restarted,
    recorded,
    refused_meanwhile,
    survived,
)
from evidence.refs import EventRef
from fixtures import Answer, Broker, Brokers, Components, Faults, Sinks, expect
from suites.manifests import ORDERED

WANTED = {"attributes": {"type": "wanted"}}
OTHER, CHANGED = {"attributes": {"type": "other"}}, {"attributes": {"type": "changed"}}
ONE_KEY = {"type": "wanted", "partitionkey": "customer-17"}
IN_FLIGHT = 40  # an unordered Trigger of the Kafka Broker has up to 50
WITHIN = 30.0  # seconds; what was in flight is delivered a second time
COMMITTED_WITHIN = 60.0  # seconds; a busy machine handles ten events a second
REFUSED_WITHIN = 20.0  # seconds; the ingress waits for Kafka before it refuses


def one_in_five(broker: Broker, count: int) -> list[EventRef]:
    """Send so many events, of which the first one and, up to the last, every fifth one is wanted.

    The first one is stored first, and the last one last: whoever goes back by a single record delivers it again.
    """
    first = broker.send(type="wanted")
    types = ["other" if (count - number) % 5 else "wanted" for number in range(2, count)]
    between = broker.send_many([{"type": kind} for kind in types], concurrency=8)
    return [first, *between, *([broker.send(type="wanted")] if count > 1 else [])]


def wanted_of(events: Sequence[EventRef]) -> list[EventRef]:
    """Return those of `one_in_five` that are wanted."""
    return [events[0], *events[-1:0:-5]]


def one_a_partition(broker: Broker, count: int) -> list[EventRef]:
    """Write wanted events into the three partitions of a Broker's topic, in turn."""
    return [broker.produce_event(type="wanted", partition=number % 3) for number in range(count)]


@pytest.mark.alone("pods")
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


@pytest.mark.alone("pods")
@pytest.mark.requirement("EVT-FAU-002")
@pytest.mark.requirement("EVT-FAU-012")
def test_a_restart_repeats_nothing_committed_and_forgets_no_trigger(
    broker: Broker, sinks: Sinks, faults: Faults
) -> None:
    trigger = broker.trigger(filter=WANTED)
    changed = broker.trigger(filter=OTHER, subscriber=sinks([Answer(503), Answer(200)]))
    changed.update(filter=CHANGED, delivery={"retry": 2, "backoffPolicy": "linear", "backoffDelay": "PT0.1S"})
    earlier = broker.send_many([ONE_KEY] * 20)
    expect(each_once(earlier, to=trigger), within=WITHIN)
    faults.kill("dispatcher", of=broker, before=[trigger])
    later = broker.send_many([ONE_KEY] * 5)
    hit, miss = broker.send(type="changed"), broker.send(type="other")
    expect(survived([*earlier, *later], to=trigger, of=broker), within=WITHIN)
    expect(attempts(hit, to=changed, count=2))
    expect(*(not_delivered(event, to=changed) for event in (miss, later[0])))


@pytest.mark.alone("pods")
@pytest.mark.requirement("EVT-FAU-003")
def test_a_restart_before_the_first_commit_loses_nothing(broker: Broker, sinks: Sinks, faults: Faults) -> None:
    trigger = broker.trigger(filter=WANTED, subscriber=sinks([Answer(200, delay=6.0), Answer(200)]))
    first = broker.send(type="wanted")
    expect(delivered(first, to=trigger))
    faults.kill("dispatcher", of=broker, before=[trigger])
    expect(survived([first, broker.send(type="wanted")], to=trigger, of=broker), within=WITHIN)


@pytest.mark.alone("pods")
@pytest.mark.requirement("EVT-FAU-016")
def test_a_dispatcher_killed_over_a_dead_letter_sends_it_again(broker: Broker, sinks: Sinks, faults: Faults) -> None:
    letters = sinks([Answer(200, delay=6.0), Answer(200)])
    trigger = broker.trigger(
        filter=WANTED, subscriber=sinks([Answer(400)]), delivery={"deadLetterSink": {"uri": letters.url}}
    )
    event = broker.send(type="wanted")
    expect(dead_lettered(event, to=letters, by=trigger))
    faults.kill("dispatcher", of=broker, before=[trigger])
    expect(dead_letter_attempts(event, to=letters, count=2, by=trigger), within=WITHIN)


@pytest.mark.alone("pods")
@pytest.mark.requirement("EVT-FAU-004")
def test_an_ingress_killed_after_its_answers_loses_nothing(broker: Broker, faults: Faults) -> None:
    trigger = broker.trigger(filter=WANTED)
    events = broker.send_many([{"type": "wanted"}] * IN_FLIGHT, concurrency=8)
    expect(*(accepted(event) for event in events))
    faults.kill("ingress", of=broker)
    expect(survived([*events, broker.send(type="wanted")], to=trigger, of=broker), within=WITHIN)


@pytest.mark.alone("pods")
@pytest.mark.requirement("EVT-FAU-009")
def test_no_part_restarts_but_the_one_that_is_killed(broker: Broker, faults: Faults, components: Components) -> None:
    trigger, before = broker.trigger(filter=WANTED), components.look()
    earlier = broker.send_many([{"type": "wanted"}] * 15, concurrency=4)
    expect(each_once(earlier, to=trigger))
    faults.kill("ingress", of=broker)
    later = broker.send_many([{"type": "wanted"}] * 15, concurrency=4)
    expect(survived([*earlier, *later], to=trigger, of=broker), within=WITHIN)
    expect(not_restarted(before, components.look()))


@pytest.mark.alone("pods")
@pytest.mark.requirement("EVT-FAU-010")
def test_an_ingress_that_is_asked_to_end_keeps_what_it_acknowledges(broker: Broker, faults: Faults) -> None:
    trigger = broker.trigger(filter=WANTED)
    uploads = broker.send_many([{"type": "wanted", "parts": 2, "pause": 1.0}] * 4, concurrency=4)
    faults.end("ingress", of=broker)
    expect(survived([*uploads, broker.send(type="wanted")], to=trigger, of=broker), within=WITHIN)


@pytest.mark.alone("pods")
@pytest.mark.requirement("EVT-FAU-011")
def test_a_dispatcher_that_is_asked_to_end_finishes_its_deliveries(
    broker: Broker, sinks: Sinks, faults: Faults
) -> None:
    # Six seconds: all of them are still in flight when a cluster has taken the order.
    trigger = broker.trigger(filter=WANTED, subscriber=sinks([*[Answer(200, delay=6.0)] * 10, Answer(200)]))
    events = broker.send_many([{"type": "wanted"}] * 10, concurrency=5)
    expect(*(delivered(event, to=trigger) for event in events))
    faults.end("dispatcher", of=broker, before=[trigger])
    expect(survived([*events, broker.send(type="wanted")], to=trigger, of=broker), within=WITHIN)


@pytest.mark.alone
@pytest.mark.requirement("EVT-FAU-005")
@pytest.mark.requirement("EVT-FAU-006")
def test_while_kafka_is_away_nothing_is_acknowledged_and_nothing_is_lost(
    broker: Broker, sinks: Sinks, faults: Faults
) -> None:
    trigger = broker.trigger(filter=WANTED, subscriber=sinks([*[Answer(200)] * 5, *[Answer(200, delay=0.5)] * 5]))
    before = broker.send_many([{"type": "wanted"}] * 10, concurrency=5)
    expect(*(accepted(event) for event in before))
    with faults.kafka_away(of=broker, before=[trigger]):
        refused = broker.send(type="wanted")
        expect(refused_meanwhile(refused, by=broker), within=REFUSED_WITHIN)
    after = broker.send_many([{"type": "wanted"}] * 2)
    expect(*(accepted_again(event, by=broker, control=before[0]) for event in after))
    expect(survived([*before, refused, *after], to=trigger, of=broker), within=WITHIN)


@pytest.mark.requirement("EVT-FAU-007")
@pytest.mark.requirement("EVT-FAU-008")
def test_consumers_that_change_hands_lose_nothing_and_repeat_nothing_committed(
    broker: Broker, sinks: Sinks, faults: Faults
) -> None:
    sink = sinks([*[Answer(200)] * 5, Answer(200, delay=1.0), Answer(200)])
    trigger = broker.trigger(filter=WANTED, subscriber=sink, annotations=ORDERED)
    earlier = broker.send_many([ONE_KEY] * 5)
    expect(each_once(earlier, to=trigger))
    waiting = broker.send_many([ONE_KEY] * 5)
    expect(delivered(waiting[0], to=trigger))
    faults.rebalance(of=broker, before=[trigger])
    events = [*earlier, *waiting, *broker.send_many([ONE_KEY] * 2)]
    expect(survived(events, to=trigger, of=broker), within=WITHIN)
    expect(in_flight(events, to=trigger, at_most=1))


@pytest.mark.alone("pods")
@pytest.mark.requirement("EVT-FAU-013")
def test_offsets_are_committed_of_any_number_of_records(brokers: Brokers, faults: Faults) -> None:
    # The partition has five records when the first Trigger begins, and then gets 200, 65, 64 and 63 for the four.
    broker = brokers(partitions=1)
    before = [broker.produce_event(type="other") for _ in range(5)]
    expect(*(recorded(event, on=broker) for event in before))
    made = [(broker.trigger(filter=WANTED), one_in_five(broker, count)) for count in (135, 1, 1, 63)]
    triggers = [trigger for trigger, _ in made]
    sent = [[events for _, events in made[number:]] for number in range(len(made))]
    every = [[event for events in lists for event in events] for lists in sent]
    wanted = [[event for events in lists for event in wanted_of(events)] for lists in sent]
    asked = zip(every, triggers, strict=True)
    expect(*(committed(events, to=to, control=events[0]) for events, to in asked), within=COMMITTED_WITHIN)
    faults.kill("dispatcher", of=broker, before=triggers)
    later = broker.send(type="wanted")
    again = zip(wanted, triggers, strict=True)
    expect(*(survived([*events, later], to=to, of=broker) for events, to in again), within=WITHIN)


@pytest.mark.requirement("EVT-FAU-013")
def test_offsets_are_committed_of_what_was_given_up(brokers: Brokers, sinks: Sinks) -> None:
    trigger = brokers(partitions=1).trigger(filter=WANTED, subscriber=sinks([Answer(200), Answer(400)]))
    control = trigger.send({"type": "wanted"})
    expect(delivered(control, to=trigger))
    events = [trigger.send({"type": "wanted"}) for _ in range(IN_FLIGHT)]
    expect(committed(events, to=trigger, control=control), within=WITHIN)


@pytest.mark.requirement("EVT-FAU-015")
def test_what_is_retried_when_consumers_change_hands_ends_as_it_would(
    brokers: Brokers, sinks: Sinks, faults: Faults
) -> None:
    # Two hands give up what waits for its second attempt, the third makes that.
    broker, letters = brokers(partitions=1), sinks()
    delivery = {"retry": 1, "backoffPolicy": "linear", "backoffDelay": "PT2.5S"}
    trigger = broker.trigger(
        filter=WANTED,
        subscriber=sinks([Answer(400), Answer(503)]),
        delivery=delivery | {"deadLetterSink": {"uri": letters.url}},
    )
    control = broker.send(type="wanted")
    expect(dead_lettered(control, to=letters, by=trigger))
    events = broker.send_many([{"type": "wanted"}] * 2)
    expect(*(delivered(event, to=trigger) for event in events))
    faults.rebalance(of=broker, before=[trigger])
    expect(*(dead_lettered(each, to=letters, by=trigger, control=control) for each in events), within=WITHIN)


@pytest.mark.requirement("EVT-FAU-014")
def test_consumers_that_change_hands_go_on_with_each_partition(brokers: Brokers, sinks: Sinks, faults: Faults) -> None:
    # What is read again comes before the slow answer; who waits for a partition that nobody reads comes behind it.
    slow = brokers().trigger(filter=OTHER, subscriber=sinks([Answer(200, delay=15.0)]))
    broker, late = brokers(), Answer(200, delay=1.0)
    trigger = broker.trigger(filter=WANTED, subscriber=sinks([*[Answer(200)] * 6, *[late] * 6, Answer(200)]))
    earlier = one_a_partition(broker, 6)
    expect(each_once(earlier, to=trigger))
    waiting = one_a_partition(broker, 6)
    expect(*(delivered(event, to=trigger) for event in waiting))
    faults.rebalance(of=broker, before=[trigger])
    first = slow.send({"type": "other"})
    expect(delivered(first, to=slow))
    later = one_a_partition(broker, 3)
    expect(*(not_held_up(event, to=trigger, by=slow, during=first) for event in later), within=WITHIN)
    expect(survived([*earlier, *waiting, *later], to=trigger, of=broker), within=WITHIN)
