"""What is referred to goes and comes back: who refers to it is Ready while it is there, and says where it leads."""

import pytest

from evidence.expectations import condition, dead_lettered, delivered, field
from fixtures import Answer, Broker, Brokers, Kube, Sinks, Trigger, expect
from suites.manifests import ORDERED, service, to_broker, to_service
from suites.wire import fresh

WANTED = {"attributes": {"type": "wanted"}}
ONE_KEY = {"type": "wanted", "partitionkey": "customer-17"}
WITHIN = 10.0  # seconds until a controller has looked again


def led_nowhere(trigger: Trigger, beside: Trigger, kube: Kube) -> None:
    """Let a Trigger's subscriber lead nowhere and then where it did; meanwhile another Trigger gets its event."""
    nowhere = {"uri": None, "ref": to_service(fresh("nothing"))}
    kube.patch(trigger.object, {"spec": {"subscriber": nowhere}}, check=True)
    expect(condition(trigger.object, "Ready", "False", explained=True), within=WITHIN)
    expect(delivered(beside.send({"type": "beside"}), to=beside))
    back = {"uri": trigger.spec["subscriber"]["uri"], "ref": None}
    kube.patch(trigger.object, {"spec": {"subscriber": back}}, check=True)
    expect(condition(trigger.object, "Ready", "True"), within=WITHIN)


@pytest.mark.requirement("EVT-DST-009")
def test_what_refers_to_a_service_is_ready_while_that_is_there(broker: Broker, brokers: Brokers, kube: Kube) -> None:
    manifest = service(broker.namespace, fresh("service"))
    referent = kube.apply(manifest, check=True)
    reference = {"ref": to_service(referent.name)}
    sink = {"deadLetterSink": reference}
    lettered = brokers(delivery=sink)
    subscribed, own = broker.several({"subscriber": reference}, {"delivery": sink})
    owners = [subscribed.object, own.object, lettered.object]
    kube.delete(referent, check=True)
    expect(*(condition(owner, "Ready", "False", explained=True) for owner in owners), within=WITHIN)
    kube.apply(manifest, check=True)
    expect(*(condition(owner, "Ready", "True") for owner in owners), within=WITHIN)


@pytest.mark.requirement("EVT-DST-009")
def test_what_refers_to_a_broker_is_ready_while_that_is_there(brokers: Brokers) -> None:
    first, second = brokers(), brokers()
    reference = {"ref": to_broker(second)}
    sink = {"deadLetterSink": reference}
    lettered = brokers(delivery=sink)
    subscribed, own = first.several({"filter": WANTED, "subscriber": reference}, {"delivery": sink})
    owners = [subscribed.object, own.object, lettered.object]
    second.delete()
    expect(*(condition(owner, "Ready", "False", explained=True) for owner in owners), within=WITHIN)
    second.make_again()
    behind = second.trigger(filter=WANTED)
    expect(*(condition(owner, "Ready", "True") for owner in owners), within=WITHIN)
    expect(delivered(first.send(type="wanted"), to=behind))


@pytest.mark.requirement("EVT-DST-010")
@pytest.mark.parametrize("how", ["deleted", "exchanged"])
def test_a_subscriber_that_leads_nowhere_is_told_no_more(broker: Broker, kube: Kube, how: str) -> None:
    referent = kube.apply(service(broker.namespace, fresh("service")), check=True)
    trigger = broker.trigger(subscriber={"ref": to_service(referent.name)})
    expect(field(trigger.object, "status.subscriberUri"))
    if how == "deleted":
        kube.delete(referent, check=True)
    else:
        kube.patch(trigger.object, {"spec": {"subscriber": {"ref": {"name": fresh("nothing")}}}}, check=True)
    expect(field(trigger.object, "status.subscriberUri", None), within=WITHIN)


@pytest.mark.requirement("EVT-DST-014")
def test_an_event_that_is_retried_while_its_subscriber_leads_nowhere_is_not_lost(
    broker: Broker, sinks: Sinks, kube: Kube
) -> None:
    letters = sinks()
    delivery = {"retry": 2, "backoffPolicy": "linear", "backoffDelay": "PT2S"}
    trigger, beside = broker.several(
        {
            "filter": WANTED,
            "subscriber": sinks([Answer(503)]),
            "delivery": delivery | {"deadLetterSink": {"uri": letters.url}},
        },
        {"filter": {"attributes": {"type": "beside"}}},
    )
    event = broker.send(type="wanted")
    expect(delivered(event, to=trigger))
    led_nowhere(trigger, beside, kube)
    later = broker.send(type="wanted")
    expect(delivered(later, to=trigger))
    expect(dead_lettered(event, to=letters, by=trigger), within=30.0)


@pytest.mark.requirement("EVT-DST-015")
def test_events_that_wait_while_a_subscriber_leads_nowhere_arrive(broker: Broker, sinks: Sinks, kube: Kube) -> None:
    trigger, beside = broker.several(
        {"filter": WANTED, "subscriber": sinks([Answer(200, delay=3.0), Answer(200)]), "annotations": ORDERED},
        {"filter": {"attributes": {"type": "beside"}}},
    )
    first, *waiting = broker.send_many([ONE_KEY] * 3)
    expect(delivered(first, to=trigger))
    led_nowhere(trigger, beside, kube)
    events = [*waiting, trigger.send(ONE_KEY)]
    expect(*(delivered(event, to=trigger) for event in events), within=30.0)
