"""What is deleted goes, in whatever order, also while Kafka is away, and takes along what was made for it."""

from collections.abc import Callable, Mapping

import pytest

from evidence.expectations import (
    commits_ended,
    committed,
    condition,
    delivered,
    gone,
    not_received,
    recorded,
    topic_gone,
)
from evidence.refs import ObjectRef
from fixtures import Broker, Brokers, Faults, Kube, Sinks, expect
from suites.manifests import CREDENTIALS, config_map, open_secret, to_config, trigger_manifest
from suites.wire import fresh

COMMITTED_WITHIN = 30.0  # seconds; the Kafka Broker commits every five
NAMESPACE_GOES = 10.0
GIVEN_UP = 60.0  # seconds until a controller has given up to look for a Secret
TRIED_AGAIN = 30.0  # seconds until a controller has tried again what Kafka was away for
UNREACHED = 60.0  # seconds; a platform may try a few times to reach the Kafka that has the topic


@pytest.mark.requirement("CTL-DEL-001")
def test_the_topic_goes_with_its_broker(broker: Broker, kube: Kube) -> None:
    expect(recorded(broker.send(), on=broker))
    kube.delete(broker.object, check=True)
    expect(gone(broker.object), topic_gone(broker, owner=broker.object))


@pytest.mark.requirement("CTL-DEL-005")
def test_the_group_of_a_deleted_trigger_commits_nothing_more(broker: Broker, kube: Kube) -> None:
    deleted, other = broker.several({}, {})
    first = broker.send()
    expect(delivered(first, to=deleted), delivered(first, to=other))
    kube.delete(deleted.object, check=True)
    expect(gone(deleted.object))
    later = broker.send()
    expect(committed([later], to=other, control=first), within=COMMITTED_WITHIN)
    ended = commits_ended(later, by=deleted, obj=deleted.object, beside=other, control=broker.send())
    expect(ended, within=COMMITTED_WITHIN)


@pytest.mark.requirement("CTL-DEL-002")
def test_what_is_deleted_goes_whichever_goes_first(
    broker: Broker, kube: Kube, whole_namespace: Callable[[], tuple[Brokers, ObjectRef]]
) -> None:
    trigger = broker.trigger()
    others, namespace = whole_namespace()
    other = others()
    config = other.config
    other.trigger()
    kube.delete(broker.object, check=True)
    kube.delete(config, check=True)  # it may stay as long as its Broker does
    expect(gone(broker.object))
    kube.delete(trigger.object, check=True)
    kube.delete(other.object, check=True)
    expect(gone(trigger.object), gone(other.object), gone(config))
    kube.delete(namespace, check=True)
    expect(gone(namespace))


@pytest.mark.requirement("CTL-DEL-002")
def test_a_namespace_goes_with_all_that_is_in_it(
    kube: Kube, whole_namespace: Callable[[], tuple[Brokers, ObjectRef]]
) -> None:
    brokers, namespace = whole_namespace()
    broker = brokers()
    trigger = broker.trigger()
    event = broker.send()
    # A topic whose record was never read shows nothing of its end.
    expect(recorded(event, on=broker), delivered(event, to=trigger))
    kube.delete(namespace, check=True)
    expect(gone(namespace), topic_gone(broker, owner=namespace), within=NAMESPACE_GOES)


@pytest.mark.requirement("CTL-SEC-002")
def test_a_broker_can_be_deleted_when_its_secret_went_first(
    brokers: Brokers, kube: Kube, namespace: str, open_configuration: Mapping[str, str]
) -> None:
    secret = kube.apply(open_secret(namespace, fresh("secret")), check=True)
    data = {**open_configuration, CREDENTIALS: secret.name}
    config = kube.apply(config_map(namespace, fresh("config"), data), check=True)
    broker = brokers(config=to_config(namespace, config.name))
    kube.delete(secret, check=True)  # it may stay as long as its Broker does
    kube.delete(broker.object, check=True)
    expect(gone(broker.object), gone(secret), within=GIVEN_UP)


@pytest.mark.requirement("CTL-DEL-003")
@pytest.mark.parametrize("where", ["another-kind", "another-namespace"])
def test_a_broker_whose_configuration_is_elsewhere_can_be_deleted(
    brokers: Brokers, kube: Kube, namespace: str, where: str
) -> None:
    config = {
        "another-kind": to_config(namespace, fresh("config")) | {"kind": "Secret"},
        "another-namespace": to_config("touchstone-nowhere", fresh("config")),
    }
    broker = brokers(config=config[where], wait=False)
    expect(condition(broker.object, "Ready", {"False", "Unknown"}))
    kube.delete(broker.object, check=True)
    expect(gone(broker.object))


UNUSABLE: dict[str, Mapping[str, str] | None] = {
    "missing": None,
    "empty": {},
    "unreadable": {"default.topic.partitions": "many"},
    "unreachable": {"bootstrap.servers": "kafka.touchstone-nowhere.svc.cluster.local:9092"},
}
"""What a ConfigMap has in place of what it should; None: there is none, and {}: it has nothing."""


@pytest.mark.requirement("CTL-DEL-003")
@pytest.mark.parametrize("what", UNUSABLE)
def test_a_broker_that_never_became_ready_can_be_deleted(
    brokers: Brokers, kube: Kube, namespace: str, configuration: Mapping[str, str], what: str
) -> None:
    name, change = fresh("config"), UNUSABLE[what]
    if change is not None:
        kube.apply(config_map(namespace, name, {**configuration, **change} if change else {}), check=True)
    broker = brokers(config=to_config(namespace, name), wait=False)
    expect(condition(broker.object, "Ready", {"False", "Unknown"}))
    kube.delete(broker.object, check=True)
    expect(gone(broker.object), within=UNREACHED if what == "unreachable" else 20.0)


@pytest.mark.requirement("CTL-DEL-004")
def test_a_trigger_that_never_had_a_broker_can_be_deleted(broker: Broker, kube: Kube) -> None:
    trigger = kube.apply(trigger_manifest(broker.namespace, fresh("nobody")), check=True)
    broker.trigger()  # becomes Ready: the controller has looked at the other one
    kube.delete(trigger, check=True)
    expect(gone(trigger))


@pytest.mark.alone
@pytest.mark.requirement("CTL-OUT-001")
def test_nothing_is_ready_while_its_kafka_is_away(broker: Broker, faults: Faults) -> None:
    trigger = broker.trigger()
    with faults.kafka_away(of=broker):
        expect(condition(broker.object, "Ready", {"False", "Unknown"}))
        expect(condition(trigger.object, "Ready", {"False", "Unknown"}))
    expect(condition(broker.object, "Ready", "True"))
    expect(condition(trigger.object, "Ready", "True"))


@pytest.mark.alone
@pytest.mark.requirement("CTL-OUT-002")
@pytest.mark.requirement("CTL-OUT-003")
def test_what_is_made_and_deleted_while_kafka_is_away_is_so_afterwards(
    brokers: Brokers, kube: Kube, faults: Faults
) -> None:
    staying, leaving = brokers(), brokers()
    expect(recorded(leaving.send(), on=leaving))
    with faults.kafka_away(of=staying):
        kube.delete(leaving.object, check=True)
        late = brokers(wait=False)
        expect(condition(late.object, "Ready", {"False", "Unknown"}))
    expect(gone(leaving.object), topic_gone(leaving, owner=leaving.object), within=TRIED_AGAIN)
    expect(condition(late.object, "Ready", "True"), within=TRIED_AGAIN)
    late.wait()
    trigger = late.trigger()
    expect(delivered(late.send(), to=trigger))


@pytest.mark.alone
@pytest.mark.requirement("CTL-OUT-004")
def test_what_is_done_to_triggers_while_kafka_is_away_is_so_afterwards(
    broker: Broker, sinks: Sinks, kube: Kube, faults: Faults
) -> None:
    before, after, deleted_sink = sinks(), sinks(), sinks()
    changed, deleted = broker.several({"subscriber": before}, {"subscriber": deleted_sink})
    expect(delivered(broker.send(), to=changed), delivered(broker.send(), to=deleted))
    with faults.kafka_away(of=broker):
        expect(condition(broker.object, "Ready", {"False", "Unknown"}))
        late = broker.trigger(wait=False)
        kube.patch(changed.object, {"spec": {"subscriber": {"uri": after.url}}}, check=True)
        kube.delete(deleted.object, check=True)
    expect(condition(broker.object, "Ready", "True"))
    expect(gone(deleted.object), within=GIVEN_UP)
    changed.update(subscriber=after)  # it is so already: waits for Ready, and knows the other sink
    late.wait()
    event = broker.send()
    expect(delivered(event, to=late), delivered(event, to=changed))
    expect(not_received(event, at=before, by=changed), not_received(event, at=deleted_sink, by=late))
