"""Topics of Brokers and the groups that read them: as the configuration asks for, and as the status names them."""

import pytest

from evidence.expectations import condition, delivered, field, gone, group_commits, partitions, recorded, topic_kept
from fixtures import Broker, Brokers, Kube, Topics, expect
from suites.manifests import ORDER

EXTERNAL = "kafka.eventing.knative.dev/external.topic"


@pytest.mark.requirement("CTL-EXT-001")
def test_a_broker_stores_its_events_in_the_topic_that_it_names(brokers: Brokers, topic: Topics) -> None:
    external = topic(partitions=2)
    broker = brokers(annotations={EXTERNAL: external.name})
    trigger = broker.trigger()
    expect(field(broker.object, "/status/annotations/default.topic", external.name))
    event = broker.send()
    expect(recorded(event, on=external), delivered(event, to=trigger))


@pytest.mark.requirement("CTL-EXT-002")
def test_a_broker_whose_topic_is_missing_becomes_ready_when_it_comes(brokers: Brokers, topic: Topics) -> None:
    name = topic.name()
    broker = brokers(annotations={EXTERNAL: name}, wait=False)
    expect(condition(broker.object, "Ready", "False", explained=True))
    external = topic(name=name)
    broker.wait()
    trigger = broker.trigger()
    event = broker.send()
    expect(recorded(event, on=external), delivered(event, to=trigger))


@pytest.mark.requirement("CTL-EXT-003")
def test_a_topic_that_somebody_else_has_made_outlives_the_broker(brokers: Brokers, topic: Topics, kube: Kube) -> None:
    external = topic()
    broker = brokers(annotations={EXTERNAL: external.name})
    expect(recorded(broker.send(), on=external))
    kube.delete(broker.object, check=True)
    expect(gone(broker.object), topic_kept(external, owner=broker.object))


@pytest.mark.requirement("CTL-TOP-001")
def test_each_topic_has_the_partitions_of_its_own_configuration(brokers: Brokers) -> None:
    few, many = brokers(partitions=1), brokers(partitions=5)
    expect(partitions(few, 1), partitions(many, 5))


@pytest.mark.requirement("CTL-NAM-004")
def test_the_group_that_a_trigger_names_is_the_one_that_moves(broker: Broker) -> None:
    triggers = [broker.trigger(annotations={ORDER: order}) for order in ("ordered", "unordered")]
    event, later = broker.send(), broker.send()
    expect(*(delivered(each, to=trigger) for each in (event, later) for trigger in triggers))
    expect(*(group_commits(event, by=trigger, control=later) for trigger in triggers))
