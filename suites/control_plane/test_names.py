"""Names of objects: long ones, and those that a platform could take for one, keep events apart; names of classes."""

import pytest

from evidence.expectations import condition, delivered, delivered_once, field, not_received
from fixtures import Broker, Brokers, Kube, Sinks, expect
from suites.manifests import broker_manifest, without_class
from suites.wire import fresh

WANTED = {"attributes": {"type": "wanted"}}
LONGEST = 63  # characters; what a label's value may have, and so what a Trigger may name


@pytest.mark.requirement("CTL-NAM-001")
def test_names_that_join_to_the_same_text_are_kept_apart(
    brokers: Brokers, sinks: Sinks, namespace: str, longer_namespace: str
) -> None:
    # A template like <namespace>-<name> makes one text of both.
    one = brokers(name=f"{longer_namespace.removeprefix(f'{namespace}-')}-b")
    own = one.trigger(filter=WANTED)
    other = brokers.within(longer_namespace)(name="b", wait=False)
    expect(condition(other.object, "Ready", ["True", "False"]))
    beside = sinks()
    foreign = other.trigger(filter=WANTED, subscriber=beside, wait=False)
    expect(condition(foreign.object, "Ready", ["True", "False"]))
    events = one.send_many([{"type": "wanted"}] * 3)
    expect(*(delivered(event, to=own) for event in events))
    expect(*(not_received(event, at=beside, by=own) for event in events))


@pytest.mark.requirement("CTL-NAM-003")
def test_the_same_names_in_two_namespaces_are_kept_apart(brokers: Brokers, sinks: Sinks, longer_namespace: str) -> None:
    name, near, far = fresh("same"), sinks(), sinks()
    here, there = brokers(name=name), brokers.within(longer_namespace)(name=name)
    own, other = (
        broker.trigger(filter=WANTED, subscriber=sink, name=name) for broker, sink in ((here, near), (there, far))
    )
    first, second = here.send(type="wanted"), there.send(type="wanted")
    expect(delivered_once(first, to=own), delivered_once(second, to=other))
    expect(not_received(first, at=far, by=own), not_received(second, at=near, by=other))
    other.delete()
    there.delete()
    expect(delivered_once(here.send(type="wanted"), to=own))


@pytest.mark.requirement("CTL-NAM-002")
def test_long_names_that_differ_at_their_end_are_kept_apart(brokers: Brokers, sinks: Sinks) -> None:
    first, second = (brokers(name=_long("broker", end)) for end in "ab")
    stem = fresh("trigger")
    triggers = [first.trigger(filter=WANTED, name=_long(stem, end)) for end in "ab"]
    aside = sinks()
    alone = second.trigger(filter=WANTED, subscriber=aside, name=_long(stem, "c"))
    events = first.send_many([{"type": "wanted"}] * 6)
    expect(*(delivered(event, to=trigger) for event in events for trigger in triggers))
    elsewhere = second.send(type="wanted")
    expect(delivered(elsewhere, to=alone))
    expect(*(not_received(event, at=aside, by=triggers[0]) for event in events))


@pytest.mark.requirement("CTL-NAM-006")
@pytest.mark.parametrize("how", ["dots", "long"])
def test_triggers_of_unusual_names_are_kept_apart(broker: Broker, sinks: Sinks, how: str) -> None:
    stem = fresh("trigger")
    names = {"dots": [f"{stem}.{end}" for end in ("a.b", "a-b")], "long": [_long(stem, end, 150) for end in "ab"]}[how]
    others = {"dots": [f"{stem}-{end}" for end in ("a.b", "a-b")], "long": [_long(stem, end, 150) for end in "cd"]}[how]
    given = {name: sinks() for name in [*names, *others]}
    triggers = broker.several(
        *(
            {"filter": {"attributes": {"type": f"wanted.{number}"}}, "subscriber": sink, "name": name}
            for number, (name, sink) in enumerate(given.items())
        )
    )
    events = broker.send_many([{"type": f"wanted.{number}"} for number in range(len(triggers))])
    own = list(zip(events, triggers, strict=True))
    expect(*(delivered_once(event, to=trigger) for event, trigger in own))
    expect(*(not_received(event, at=sink, by=to) for event, to in own for sink in given.values() if sink != to.sink))


@pytest.mark.requirement("CTL-NAM-007")
def test_triggers_whose_names_join_to_the_same_text_are_kept_apart(
    brokers: Brokers, sinks: Sinks, namespace: str, longer_namespace: str
) -> None:
    # A template like <namespace>-<name> makes one text of both, as a consumer group is named.
    near, far, name = sinks(), sinks(), fresh("trigger")
    here, there = brokers(), brokers.within(longer_namespace)()
    joined = f"{longer_namespace.removeprefix(f'{namespace}-')}-{name}"
    own = here.trigger(filter=WANTED, subscriber=near, name=joined)
    other = there.trigger(filter=WANTED, subscriber=far, name=name)
    first, second = here.send(type="wanted"), there.send(type="wanted")
    expect(delivered_once(first, to=own), delivered_once(second, to=other))
    expect(not_received(first, at=far, by=own), not_received(second, at=near, by=other))
    other.delete()
    expect(delivered_once(here.send(type="wanted"), to=own))


@pytest.mark.requirement("CTL-NAM-005")
def test_a_broker_that_names_no_class_is_told_the_default_one(broker: Broker, kube: Kube) -> None:
    unnamed = kube.apply(without_class(broker_manifest(broker)), check=True)
    expect(field(unnamed, "/metadata/annotations/eventing.knative.dev~1broker.class"))


def _long(stem: str, end: str, length: int = LONGEST) -> str:
    """Return a name of so many characters that begins with one text and ends with another."""
    return f"{stem}{'-x' * length}"[: length - len(end)] + end
