"""Trigger objects: what the API refuses, and how their changes affect delivery."""

from typing import Any

import pytest

from evidence.expectations import api_refused, condition, delivered, not_delivered, not_received
from fixtures import Answer, Broker, Kube, Sinks, expect
from suites.wire import fresh

WANTED = {"attributes": {"type": "wanted"}}


def manifest(namespace: str, broker: str, **spec: Any) -> dict[str, Any]:
    """Return a Trigger that no fixture waits for."""
    subscriber = {"uri": "http://127.0.0.1:1/"}
    return {
        "apiVersion": "eventing.knative.dev/v1",
        "kind": "Trigger",
        "metadata": {"name": fresh("trigger"), "namespace": namespace},
        "spec": {"broker": broker, "subscriber": subscriber, **spec},
    }


@pytest.mark.requirement("CTL-TRG-001")
def test_a_trigger_without_its_broker_is_not_ready(broker: Broker, kube: Kube) -> None:
    # One with a Broker becomes Ready: the controller is at work, so its silence about the other one is its answer.
    control = broker.trigger(filter=WANTED).object
    trigger = kube.apply(manifest(broker.namespace, "no-such-broker"))
    expect(condition(trigger, "Ready", "False", control=control), within=5.0)
    expect(condition(trigger, "BrokerReady", "False", control=control), within=5.0)


@pytest.mark.requirement("CTL-TRG-002")
@pytest.mark.parametrize(
    "filters",
    [
        [{"exact": {"type": "a"}, "prefix": {"type": "a"}}],
        [{"not": {"exact": {"type": "a"}, "suffix": {"type": "a"}}}],
    ],
    ids=["top", "nested"],
)
def test_two_dialects_in_one_filter_object_are_refused(
    broker: Broker, kube: Kube, filters: list[dict[str, Any]]
) -> None:
    expect(api_refused(kube.apply(manifest(broker.namespace, broker.name, filters=filters))))


@pytest.mark.requirement("CTL-TRG-003")
def test_a_deleted_trigger_gets_no_later_event(broker: Broker, sinks: Sinks) -> None:
    # Each has a sink of its own: an event that comes twice to the one that stays is no delivery by the other.
    slow, gone = sinks([Answer(200, delay=2.0), Answer(200, delay=0.3)]), sinks()
    ordered = {"kafka.eventing.knative.dev/delivery.order": "ordered"}
    staying = broker.trigger(filter=WANTED, subscriber=slow, annotations=ordered)
    broker.trigger(filter=WANTED, subscriber=gone).delete()
    # A few events may still come. What counts is sent after an ordered Trigger has waited for two seconds.
    early = broker.send_many([{"type": "wanted", "partitionkey": "early"}] * 2)
    expect(delivered(early[1], to=staying))
    expect(not_received(broker.send(type="wanted"), at=gone, by=staying))


@pytest.mark.requirement("CTL-TRG-004")
def test_a_changed_filter_takes_effect(broker: Broker) -> None:
    trigger = broker.trigger(filter=WANTED)
    trigger.update(filter={"attributes": {"type": "wanted.now"}})
    hit, miss = broker.send(type="wanted.now"), broker.send(type="wanted")
    expect(delivered(hit, to=trigger))
    expect(not_delivered(miss, to=trigger))


@pytest.mark.requirement("CTL-TRG-005")
def test_the_broker_of_a_trigger_cannot_be_changed(broker: Broker, kube: Kube) -> None:
    trigger = broker.trigger(filter=WANTED)
    expect(api_refused(kube.patch(trigger.object, {"spec": {"broker": "another"}})))


@pytest.mark.requirement("CTL-TRG-006")
@pytest.mark.usefixtures("cesql")
@pytest.mark.parametrize(
    "expression",
    ["type =", "(type = 'a'", "type = 'a", "type LIKE source", "id IN ()", "2147483648 = 0"],
    ids=["no-operand", "open-parenthesis", "open-text", "pattern-no-literal", "empty-set", "integer-too-large"],
)
def test_what_is_no_cesql_expression_is_refused(broker: Broker, kube: Kube, expression: str) -> None:
    expect(api_refused(kube.apply(manifest(broker.namespace, broker.name, filters=[{"cesql": expression}]))))
