"""Broker objects: the promises of their status, and their immutable fields."""

import pytest

from evidence.expectations import (
    accepted,
    answered,
    api_accepted,
    api_refused,
    condition,
    delivered,
    field,
    recorded,
    refused,
    untouched,
)
from fixtures import Broker, Brokers, Kube, Sinks, expect
from suites.manifests import NONSENSE, broker_manifest
from suites.wire import attributes, binary, fresh


@pytest.mark.requirement("CTL-BRK-001")
def test_a_ready_broker_publishes_an_address_that_accepts(broker: Broker) -> None:
    expect(field(broker.object, "status.address.url"))
    event = broker.post(binary(attributes()), b'{"n": 1}', url=broker.address)
    expect(answered(event, 202))
    expect(recorded(event, on=broker))


@pytest.mark.requirement("CTL-BRK-002")
@pytest.mark.parametrize(
    "change",
    [
        {"metadata": {"annotations": {"eventing.knative.dev/broker.class": "MTChannelBasedBroker"}}},
        {"spec": {"config": {"name": "another-config"}}},
    ],
    ids=["class", "config"],
)
def test_class_and_config_cannot_be_changed(broker: Broker, kube: Kube, change: dict[str, object]) -> None:
    expect(api_refused(kube.patch(broker.object, change)))


@pytest.mark.requirement("CTL-BRK-003")
def test_the_topic_annotation_names_the_topic_of_the_events(broker: Broker) -> None:
    # `broker` means the topic that exists: the one named, or else the one that Knative's default template names.
    expect(field(broker.object, "/status/annotations/default.topic", broker.ref.topic))
    expect(recorded(broker.send(), on=broker))


@pytest.mark.requirement("CTL-BRK-004")
def test_a_ready_broker_tells_its_dead_letter_sink(brokers: Brokers, sinks: Sinks) -> None:
    sink = sinks()
    broker = brokers(delivery={"deadLetterSink": {"uri": sink.url}})
    expect(field(broker.object, "status.deadLetterSinkUri", sink.url))


@pytest.mark.requirement("CTL-BRK-005")
def test_a_broker_whose_dead_letter_sink_is_nowhere_is_not_ready(brokers: Brokers) -> None:
    reference = {"apiVersion": "v1", "kind": "Service", "name": fresh("nothing")}
    broker = brokers(delivery={"deadLetterSink": {"ref": reference}}, wait=False)
    expect(condition(broker.object, "Ready", "False"))


@pytest.mark.requirement("CTL-BRK-006")
def test_nonsense_in_the_delivery_of_a_broker_is_refused(broker: Broker, kube: Kube) -> None:
    expect(*(api_refused(kube.patch(broker.object, {"spec": {"delivery": delivery}})) for delivery in NONSENSE))
    expect(*(api_refused(kube.apply(broker_manifest(broker, delivery=delivery))) for delivery in NONSENSE))


@pytest.mark.requirement("CTL-CFG-004")
@pytest.mark.parametrize("lacking", ["apiVersion", "kind", "name"])
def test_a_configuration_that_is_named_by_half_is_refused(broker: Broker, kube: Kube, lacking: str) -> None:
    config = {"apiVersion": "v1", "kind": "ConfigMap", "name": fresh("config")}
    half, whole = (broker_manifest(broker, config=each) for each in ({**config, lacking: ""}, config))
    expect(api_refused(kube.apply(half)), api_accepted(kube.apply(whole)))


@pytest.mark.requirement("CTL-BRK-007")
def test_a_broker_of_a_class_that_nobody_runs_is_left_alone(brokers: Brokers) -> None:
    foreign = brokers(annotations={"eventing.knative.dev/broker.class": "touchstone.dev/nobody"}, wait=False)
    trigger = foreign.trigger(wait=False)
    control = brokers()
    expect(untouched(foreign.object, control=control.object))
    expect(untouched(trigger.object, control=control.trigger().object))


@pytest.mark.requirement("CTL-BRK-008")
def test_a_broker_that_is_made_again_accepts_when_it_is_ready(broker: Broker) -> None:
    trigger = broker.trigger()
    expect(delivered(broker.send(), to=trigger))
    trigger.delete()
    broker.delete()
    broker.make_again()
    trigger.make_again()
    event = broker.send()
    expect(accepted(event))
    expect(delivered(event, to=trigger))


@pytest.mark.requirement("CTL-BRK-011")
def test_a_trigger_outlives_its_broker_until_that_is_made_again(broker: Broker, kube: Kube) -> None:
    standing = broker.trigger()
    expect(delivered(broker.send(), to=standing))
    broker.delete()
    broker.make_again()
    kube.get(standing.object, check=True)  # what it was before counts no more
    expect(condition(standing.object, "Ready", "True"))
    # One that is made now gets its events: the new Broker works, and what is missing is missing at the old Trigger.
    control = broker.trigger()
    expect(delivered(broker.send(), to=control))
    expect(delivered(broker.send(), to=standing))


@pytest.mark.requirement("CTL-BRK-009")
def test_a_broker_that_is_gone_acknowledges_nothing(broker: Broker) -> None:
    before = broker.send()
    expect(accepted(before))
    broker.delete()
    expect(refused(broker.send(), 404))
