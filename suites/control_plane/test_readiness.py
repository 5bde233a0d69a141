"""Ready is taken back: what an object stands on goes, or changes to nothing, and comes."""

from collections.abc import Mapping

import pytest

from evidence.expectations import condition, delivered, each_once, field, recorded
from fixtures import Broker, Brokers, Kube, expect
from suites.manifests import CREDENTIALS, config_map, open_secret, to_config, trigger_manifest
from suites.wire import fresh

WANTED = {"attributes": {"type": "wanted"}}
AT_ONCE = 1.0
WITHIN = 10.0  # seconds until a controller has looked again


@pytest.mark.requirement("CTL-TRG-015")
def test_a_trigger_whose_broker_goes_is_ready_no_more(broker: Broker) -> None:
    trigger = broker.trigger(filter=WANTED)
    expect(delivered(broker.send(type="wanted"), to=trigger))
    broker.delete()
    expect(condition(trigger.object, "Ready", "False"), within=WITHIN)


@pytest.mark.requirement("CTL-TRG-016")
def test_a_subscriber_that_is_changed_to_nothing_takes_ready_back(broker: Broker, kube: Kube) -> None:
    trigger = broker.trigger(filter=WANTED)
    before = dict(trigger.spec)
    nothing = {"ref": {"apiVersion": "v1", "kind": "Service", "name": fresh("nothing")}}
    kube.patch(trigger.object, {"spec": {"subscriber": {"uri": None, **nothing}}}, check=True)
    expect(condition(trigger.object, "Ready", "False"), within=WITHIN)
    kube.patch(trigger.object, {"spec": {"subscriber": {"ref": None, **before["subscriber"]}}}, check=True)
    expect(condition(trigger.object, "Ready", "True"), within=WITHIN)
    expect(delivered(broker.send(type="wanted"), to=trigger))


@pytest.mark.requirement("CTL-CFG-001")
def test_a_broker_becomes_ready_when_its_configuration_comes(
    brokers: Brokers, kube: Kube, namespace: str, configuration: Mapping[str, str]
) -> None:
    name = fresh("config")
    broker = brokers(config=to_config(namespace, name), wait=False)
    expect(condition(broker.object, "Ready", "False"), within=WITHIN)
    kube.apply(config_map(namespace, name, configuration), check=True)
    broker.wait()
    expect(recorded(broker.send(), on=broker))


@pytest.mark.requirement("CTL-CFG-002")
def test_a_configuration_that_means_nothing_makes_no_broker_ready(
    brokers: Brokers, kube: Kube, namespace: str, configuration: Mapping[str, str]
) -> None:
    wrong = [
        {"default.topic.partitions": "many"},
        {"default.topic.partitions": ""},
        {"default.topic.replication.factor": "1.5"},
        {"bootstrap.servers": ""},
    ]
    maps = [config_map(namespace, fresh("config"), {**configuration, **change}) for change in wrong]
    named = [kube.apply(manifest, check=True).name for manifest in maps]
    made = [brokers(config=to_config(namespace, name), wait=False) for name in named]
    expect(*(condition(broker.object, "Ready", "False") for broker in made), within=WITHIN)
    kube.apply(config_map(namespace, named[0], configuration), check=True)
    made[0].wait()
    expect(recorded(made[0].send(), on=made[0]))


@pytest.mark.requirement("CTL-SEC-001")
def test_a_broker_becomes_ready_when_its_secret_comes(
    brokers: Brokers, kube: Kube, namespace: str, open_configuration: Mapping[str, str]
) -> None:
    secret = fresh("secret")
    config = kube.apply(config_map(namespace, fresh("config"), {**open_configuration, CREDENTIALS: secret}), check=True)
    broker = brokers(config=to_config(namespace, config.name), wait=False)
    expect(condition(broker.object, "Ready", "False", explained=True), within=WITHIN)
    kube.apply(open_secret(namespace, secret), check=True)
    broker.wait()
    expect(recorded(broker.send(), on=broker))


@pytest.mark.requirement("CTL-SEC-001")
def test_an_empty_name_of_a_secret_is_none(
    brokers: Brokers, kube: Kube, namespace: str, open_configuration: Mapping[str, str]
) -> None:
    config = kube.apply(config_map(namespace, fresh("config"), {**open_configuration, CREDENTIALS: ""}), check=True)
    broker = brokers(config=to_config(namespace, config.name), wait=False)
    expect(condition(broker.object, "Ready", "True"), within=WITHIN)
    broker.wait()
    expect(recorded(broker.send(), on=broker))


@pytest.mark.requirement("CTL-CFG-003")
def test_the_status_tells_nothing_of_a_configuration_but_the_topics_settings(
    brokers: Brokers, kube: Kube, namespace: str, configuration: Mapping[str, str]
) -> None:
    notes = {"touchstone.note": "not for a status", "default.topic.config.cleanup.policy": "delete"}
    config = kube.apply(config_map(namespace, fresh("config"), {**configuration, **notes}), check=True)
    broker = brokers(config=to_config(namespace, config.name))
    expect(field(broker.object, "/status/annotations/default.topic"))
    expect(*(field(broker.object, f"/status/annotations/{name}", None) for name in notes))


@pytest.mark.requirement("CTL-CND-001")
def test_what_is_not_ready_says_why(broker: Broker, brokers: Brokers) -> None:
    nothing = {"ref": {"apiVersion": "v1", "kind": "Service", "name": fresh("nothing")}}
    astray = broker.trigger(subscriber=nothing, wait=False)
    unlettered = broker.trigger(delivery={"deadLetterSink": nothing}, wait=False)
    owner = brokers(delivery={"deadLetterSink": nothing}, wait=False)
    expect(
        *(condition(each.object, "Ready", "False", explained=True) for each in (astray, unlettered, owner)),
        within=WITHIN,
    )


@pytest.mark.requirement("CTL-CND-002")
def test_what_is_at_rest_is_not_written_again(broker: Broker, brokers: Brokers, kube: Kube) -> None:
    trigger = broker.trigger(filter=WANTED)
    orphan = kube.apply(trigger_manifest(broker.namespace, fresh("nobody")), check=True)

    def be_at_work() -> None:
        """Have the controllers look at other objects, and their data plane deliver."""
        expect(condition(brokers().trigger().object, "Ready", "True"))
        expect(each_once(broker.send_many([{"type": "wanted"}] * 20), to=trigger))

    be_at_work()  # until then somebody may have had something to say
    resting = (broker.object, trigger.object, orphan)
    versions = [kube.read(each)["metadata"]["resourceVersion"] for each in resting]
    be_at_work()
    again = [kube.get(each, check=True) for each in resting]
    same = (field(each, "metadata.resourceVersion", was) for each, was in zip(again, versions, strict=True))
    expect(*same, within=AT_ONCE)
