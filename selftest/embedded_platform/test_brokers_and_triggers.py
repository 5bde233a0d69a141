"""Conditions and effects of the Broker and Trigger controllers."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import pytest

from embedded.api.resources import BROKER, CONFIGMAP, NAMESPACE, SERVICE, TRIGGER
from embedded.controllers.faults import FAULT
from embedded.controllers.topics import KAFKA_HOST
from selftest.embedded_platform.doubles import (
    CONFIG,
    REFERENCE,
    URI,
    Cluster,
    is_false,
    is_true,
    says,
)

pytestmark = pytest.mark.anyio


def repeats(order: str, status: Mapping[str, Any]) -> bool:
    """Tell whether a status repeats an order to make a fault."""
    return bool(status["annotations"].get(FAULT) == order)


async def test_broker_becomes_ready_with_address_and_topic(cluster: Cluster) -> None:
    cluster.broker()
    status = await cluster.until(BROKER, "broker", is_true())
    url = "http://kafka-broker-ingress.knative-eventing.svc.cluster.local/ns/broker"
    assert status["address"] == {"name": "http", "url": url}
    assert status["addresses"] == [status["address"]]
    assert status["annotations"]["default.topic"] == "knative-broker-ns-broker"
    assert set(status["conditions"]) == {
        "Addressable", "ConfigMapUpdated", "ConfigParsed", "DataPlaneAvailable", "EventPoliciesReady", "ProbeSucceeded",
        "Ready", "TopicReady",
    }  # fmt: skip
    assert cluster.topics.made == {"knative-broker-ns-broker": 10}
    assert cluster.plane.brokers["ns", "broker"].partitions == 10


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param({"bootstrap.servers": ""}, "bootstrap.servers is missing or empty", id="bootstrap"),
        pytest.param({"default.topic.partitions": "0"}, "must be a positive number, not '0'", id="partitions"),
        pytest.param({"default.topic.replication.factor": "x"}, "must be a positive number, not 'x'", id="replication"),
    ],
)
async def test_broker_with_bad_configuration_says_which_part(
    cluster: Cluster, data: dict[str, str], message: str
) -> None:
    config = {**REFERENCE, "name": "bad"}
    cluster.create(CONFIGMAP, "bad", "knative-eventing", data={**CONFIG, **data})
    cluster.broker(config=config)
    status = await cluster.until(BROKER, "broker", is_false())
    assert says(status, "ConfigParsed") == ("False", "FailedToResolveConfig")
    assert message in status["conditions"]["Ready"]["message"]
    assert "address" not in status


async def test_broker_waits_for_its_config_map(cluster: Cluster) -> None:
    cluster.broker(config={**REFERENCE, "name": "later"})
    await cluster.until(BROKER, "broker", is_false("ConfigParsed"))
    cluster.create(CONFIGMAP, "later", "knative-eventing", data=CONFIG)
    await cluster.until(BROKER, "broker", is_true())


async def test_broker_on_another_kafka_is_told_which_there_is(cluster: Cluster) -> None:
    data = {**CONFIG, "bootstrap.servers": "elsewhere:9092"}
    cluster.create(CONFIGMAP, "other", "knative-eventing", data=data)
    cluster.broker(config={**REFERENCE, "name": "other"})
    status = await cluster.until(BROKER, "broker", is_false("TopicReady"))
    assert KAFKA_HOST in status["conditions"]["TopicReady"]["message"]


async def test_external_topic_is_used_but_neither_made_nor_deleted(cluster: Cluster) -> None:
    cluster.broker(annotations={"kafka.eventing.knative.dev/external.topic": "theirs"})
    status = await cluster.until(BROKER, "broker", is_false("TopicReady"))
    assert "theirs: not present" in status["conditions"]["TopicReady"]["message"]
    cluster.topics.made["theirs"] = 3
    status = await cluster.until(BROKER, "broker", is_true())
    assert status["annotations"]["default.topic"] == "theirs"
    assert cluster.plane.brokers["ns", "broker"].partitions == 3
    cluster.store.delete(BROKER, "ns", "broker")
    await cluster.gone(BROKER, "broker")
    assert cluster.topics.made == {"theirs": 3}


async def test_deleted_broker_takes_its_topic_along(cluster: Cluster) -> None:
    cluster.broker()
    await cluster.until(BROKER, "broker", is_true())
    cluster.store.delete(BROKER, "ns", "broker")
    await cluster.gone(BROKER, "broker")
    assert (cluster.topics.made, cluster.plane.brokers) == ({}, {})


async def test_consumers_change_hands_once_for_each_order(cluster: Cluster) -> None:
    cluster.broker()
    await cluster.until(BROKER, "broker", is_true())
    for order in ("consumers/1", "consumers/2"):
        obj = cluster.store.get(BROKER, "ns", "broker")
        obj["metadata"]["annotations"][FAULT] = order
        cluster.store.update(BROKER, obj)
        await cluster.until(BROKER, "broker", partial(repeats, order))
    assert cluster.plane.faults == [("consumers", "ns", "broker")] * 2


async def test_kafka_is_taken_away_once_and_comes_back(cluster: Cluster) -> None:
    cluster.broker()
    await cluster.until(BROKER, "broker", is_true())
    for order in ("kafka-away/1", "kafka-back/2"):
        obj = cluster.store.get(BROKER, "ns", "broker")
        obj["metadata"]["annotations"][FAULT] = order
        cluster.store.update(BROKER, obj)
        await cluster.until(BROKER, "broker", partial(repeats, order))
    await cluster.until(BROKER, "broker", is_true())
    topic = "knative-broker-ns-broker"
    assert cluster.topics.went == [(topic, True), (topic, False)]


async def test_broker_of_another_class_is_left_alone(cluster: Cluster) -> None:
    annotations = {"eventing.knative.dev/broker.class": "MTChannelBasedBroker"}
    theirs = cluster.create(BROKER, "theirs", annotations=annotations, spec={})
    cluster.broker()
    await cluster.until(BROKER, "broker", is_true())
    assert cluster.store.get(BROKER, "ns", "theirs") == theirs


# Trigger.


async def test_trigger_becomes_ready(cluster: Cluster) -> None:
    cluster.broker()
    cluster.trigger(filter={"attributes": {"type": "a"}})
    status = await cluster.until(TRIGGER, "trigger", is_true())
    assert status["subscriberUri"] == URI
    assert status["annotations"] == {"group.id": "knative-trigger-ns-trigger"}
    assert set(status["conditions"]) == {
        "BrokerReady", "DeadLetterSinkResolved", "DependencyReady", "OIDCIdentityCreated", "Ready",
        "SubscriberResolved", "SubscriptionReady",
    }  # fmt: skip
    spec = cluster.plane.triggers["ns", "trigger"]
    assert (spec.topic, spec.group) == ("knative-broker-ns-broker", "knative-trigger-ns-trigger")
    assert spec.filter == {"attributes": {"type": "a"}}
    assert not spec.ordered


async def test_trigger_without_broker_is_not_ready_until_there_is_one(cluster: Cluster) -> None:
    cluster.trigger()
    status = await cluster.until(TRIGGER, "trigger", is_false())
    assert says(status) == ("False", "BrokerDoesNotExist")
    cluster.broker()
    await cluster.until(TRIGGER, "trigger", is_true())
    cluster.store.delete(BROKER, "ns", "broker")
    await cluster.until(TRIGGER, "trigger", is_false())
    assert cluster.plane.triggers == {}


async def test_trigger_of_a_broken_broker_gives_its_reason(cluster: Cluster) -> None:
    cluster.broker(config={**REFERENCE, "name": "nowhere"})
    cluster.trigger()
    status = await cluster.until(TRIGGER, "trigger", is_false())
    assert says(status, "BrokerReady") == ("False", "FailedToResolveConfig")


async def test_subscriber_by_reference_and_path(cluster: Cluster) -> None:
    cluster.broker()
    cluster.trigger(
        subscriber={"ref": {"apiVersion": "v1", "kind": "Service", "name": "model"}, "uri": "/v1/x:predict"}
    )
    status = await cluster.until(TRIGGER, "trigger", is_false())
    assert says(status, "SubscriberResolved") == ("False", "NotFound")
    assert "subscriberUri" not in status
    cluster.create(SERVICE, "model", spec={"ports": [{"port": 80}]})
    status = await cluster.until(TRIGGER, "trigger", is_true())
    assert status["subscriberUri"] == "http://model.ns.svc.cluster.local/v1/x:predict"


@pytest.mark.parametrize("order", ["ordered", "unordered"])
async def test_order_is_the_annotations(cluster: Cluster, order: str) -> None:
    cluster.broker()
    cluster.trigger(annotations={"kafka.eventing.knative.dev/delivery.order": order})
    await cluster.until(TRIGGER, "trigger", is_true())
    assert cluster.plane.triggers["ns", "trigger"].ordered is (order == "ordered")


async def test_wrong_order_is_refused(cluster: Cluster) -> None:
    cluster.broker()
    cluster.trigger(annotations={"kafka.eventing.knative.dev/delivery.order": "sorted"})
    status = await cluster.until(TRIGGER, "trigger", is_false())
    assert says(status, "DependencyReady") == ("False", "InvalidDeliveryOrder")


async def test_delivery_of_a_trigger_replaces_that_of_its_broker(cluster: Cluster) -> None:
    cluster.broker(delivery={"retry": 5, "deadLetterSink": {"uri": "http://dead.example.com/"}})
    cluster.trigger("own", delivery={"retry": 1})
    cluster.trigger("inherits")
    await cluster.until(TRIGGER, "own", is_true())
    status = await cluster.until(TRIGGER, "inherits", is_true())
    own, inherits = cluster.plane.triggers["ns", "own"], cluster.plane.triggers["ns", "inherits"]
    assert (own.delivery, own.dead_letter) == ({"retry": 1}, None)
    assert (inherits.delivery["retry"], inherits.dead_letter) == (5, "http://dead.example.com/")
    assert status["deadLetterSinkUri"] == "http://dead.example.com/"


async def test_changed_filter_reaches_the_data_plane(cluster: Cluster) -> None:
    cluster.broker()
    cluster.trigger(filter={"attributes": {"type": "a"}})
    await cluster.until(TRIGGER, "trigger", is_true())
    obj = cluster.store.get(TRIGGER, "ns", "trigger")
    obj["spec"]["filter"]["attributes"]["type"] = "b"
    generation = cluster.store.update(TRIGGER, obj)["metadata"]["generation"]
    await cluster.until(TRIGGER, "trigger", lambda status: status.get("observedGeneration") == generation)
    assert cluster.plane.triggers["ns", "trigger"].filter == {"attributes": {"type": "b"}}


async def test_filter_that_cannot_be_honoured_is_told(cluster: Cluster) -> None:
    cluster.broker()
    cluster.trigger(filter={"attributes": {"unsupported": "a"}})
    status = await cluster.until(TRIGGER, "trigger", is_false())
    assert status["conditions"]["DependencyReady"]["message"] == "no such filter"


async def test_deleted_trigger_is_forgotten(cluster: Cluster) -> None:
    cluster.broker()
    cluster.trigger()
    await cluster.until(TRIGGER, "trigger", is_true())
    cluster.store.delete(TRIGGER, "ns", "trigger")
    await cluster.gone(TRIGGER, "trigger")
    assert cluster.plane.triggers == {}


async def test_namespace_goes_with_all_that_is_in_it(cluster: Cluster) -> None:
    cluster.broker()
    cluster.trigger()
    await cluster.until(TRIGGER, "trigger", is_true())
    cluster.store.delete(NAMESPACE, None, "ns")
    await cluster.gone(NAMESPACE, "ns", "")
    assert (cluster.topics.made, cluster.plane.brokers, cluster.plane.triggers) == ({}, {}, {})
