"""What is referred to goes and comes back: who refers to it is Ready while it is there, and says where it leads."""

import pytest

from evidence.expectations import condition, delivered, field
from fixtures import Broker, Brokers, Kube, expect
from suites.manifests import service, to_broker, to_service
from suites.wire import fresh

WANTED = {"attributes": {"type": "wanted"}}
WITHIN = 10.0  # seconds until a controller has looked again


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
