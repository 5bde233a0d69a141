"""Broker objects: the promises of their status, and their immutable fields."""

import pytest

from evidence.expectations import answered, api_refused, field, recorded
from fixtures import Broker, Kube, expect
from suites.wire import attributes, binary


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
