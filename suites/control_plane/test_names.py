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


@pytest.mark.requirement("CTL-NAM-005")
def test_a_broker_that_names_no_class_is_told_the_default_one(broker: Broker, kube: Kube) -> None:
    unnamed = kube.apply(without_class(broker_manifest(broker)), check=True)
    expect(field(unnamed, "/metadata/annotations/eventing.knative.dev~1broker.class"))


def _long(stem: str, end: str) -> str:
    """Return the longest name that begins with one text and ends with another."""
    return f"{stem}{'-x' * LONGEST}"[: LONGEST - len(end)] + end
