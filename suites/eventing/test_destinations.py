"""Destinations: what a reference to an object, a URI, or both lead to."""

from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest

from evidence.expectations import (
    attempts,
    committed,
    condition,
    dead_lettered,
    delivered,
    delivered_once,
    field,
    not_delivered,
    request_header,
    request_target,
)
from fixtures import Answer, Broker, Brokers, Kube, Sinks, expect
from suites.manifests import service, to_broker, to_service
from suites.wire import fresh

WANTED = {"attributes": {"type": "wanted"}}
URIS = ("subscriberUri", "deadLetterSinkUri")
PREDICT = "/v1/models/mnist:predict"


def failed_with(code: str, **attributes: str) -> dict[str, Any]:
    """Return a filter for events that say so, with these attributes."""
    return {"attributes": {"knativeerrorcode": code, **attributes}}


@pytest.mark.requirement("EVT-DST-001")
def test_a_service_is_its_name_in_the_clusters_dns(broker: Broker, kube: Kube) -> None:
    name = fresh("service")
    kube.apply(service(broker.namespace, name), check=True)
    reference = {"ref": to_service(name)}
    plain, relative = broker.several({"subscriber": reference}, {"subscriber": {**reference, "uri": PREDICT}})
    hosts = [f"http://{name}.{broker.namespace}.svc{domain}" for domain in ("", ".cluster.local")]
    expect(field(plain.object, "status.subscriberUri", *hosts, *(f"{host}/" for host in hosts)))
    expect(field(relative.object, "status.subscriberUri", *(f"{host}{PREDICT}" for host in hosts)))


@pytest.mark.requirement("EVT-DST-013")
def test_a_service_with_authorities_is_asked_by_https(broker: Broker, sinks: Sinks, kube: Kube) -> None:
    name = fresh("service")
    kube.apply(service(broker.namespace, name), check=True)
    secured = {"ref": to_service(name), "CACerts": sinks.authority}
    trigger = broker.trigger(subscriber=secured, delivery={"deadLetterSink": secured})
    hosts = [f"https://{name}.{broker.namespace}.svc{domain}" for domain in ("", ".cluster.local")]
    expect(*(field(trigger.object, f"status.{uri}", *hosts, *(f"{host}/" for host in hosts)) for uri in URIS))


@pytest.mark.requirement("EVT-DST-002")
def test_a_reference_to_a_broker_leads_to_its_address(brokers: Brokers) -> None:
    first, second = brokers(), brokers()
    behind = second.trigger(filter=WANTED)
    first.trigger(filter=WANTED, subscriber={"ref": to_broker(second)})
    expect(delivered(first.send(type="wanted"), to=behind))


@pytest.mark.requirement("EVT-DST-003")
def test_a_uri_beside_a_reference_is_relative_to_it(brokers: Brokers) -> None:
    first, second, third = brokers(), brokers(), brokers()
    behind = third.trigger(filter=WANTED)
    first.trigger(filter=WANTED, subscriber={"ref": to_broker(second), "uri": urlsplit(third.address).path})
    expect(delivered(first.send(type="wanted"), to=behind))


@pytest.mark.requirement("EVT-DST-004")
def test_a_reference_to_nothing_is_not_ready(broker: Broker, kube: Kube) -> None:
    name = fresh("service")
    kube.apply(service(broker.namespace, name), check=True)
    missing = broker.trigger(subscriber={"ref": to_service(fresh("nothing"))}, wait=False)
    elsewhere = broker.trigger(subscriber={"ref": to_service(name, namespace="touchstone-nowhere")}, wait=False)
    control = broker.trigger(subscriber={"ref": to_service(name)})
    expect(
        condition(missing.object, "Ready", "False", control=control.object),
        condition(elsewhere.object, "Ready", "False", control=control.object),
    )


@pytest.mark.requirement("EVT-DST-012")
def test_a_reference_to_what_has_no_address_is_not_ready(broker: Broker) -> None:
    # A Trigger is looked at by whoever resolves references, and nothing can be sent to it.
    other = broker.trigger()
    reference = {"apiVersion": "eventing.knative.dev/v1", "kind": "Trigger", "name": other.name}
    subscribed = broker.trigger(subscriber={"ref": reference}, wait=False)
    completed = broker.trigger(subscriber={"ref": reference, "uri": "/path"}, wait=False)
    lettered = broker.trigger(delivery={"deadLetterSink": {"ref": reference}}, wait=False)
    expect(
        *(
            condition(each.object, "Ready", "False", control=other.object, explained=True)
            for each in (subscribed, completed, lettered)
        )
    )


@pytest.mark.requirement("EVT-DST-005")
def test_a_dead_letter_sink_may_be_a_reference(brokers: Brokers, sinks: Sinks) -> None:
    first, second = brokers(), brokers()
    behind = second.trigger(filter=WANTED)
    delivery = {"deadLetterSink": {"ref": to_broker(second)}}
    first.trigger(filter=WANTED, subscriber=sinks([Answer(400)]), delivery=delivery)
    expect(delivered(first.send(type="wanted"), to=behind))


@pytest.mark.requirement("EVT-DST-011")
@pytest.mark.parametrize("how", ["taken-back", "kept-out"])
def test_a_dead_letter_for_its_own_broker_is_an_event_of_that(brokers: Brokers, sinks: Sinks, how: str) -> None:
    # The failing Trigger either takes its own letter, or its filter keeps that out: it never goes round and round.
    wanted = {"taken-back": WANTED, "kept-out": failed_with("0", type="wanted")}[how]
    broker = brokers(partitions=1)
    subscriber, letters, aside = sinks([Answer(400, body=b"no"), Answer(202)]), sinks([Answer(202)]), sinks()
    delivery = {"deadLetterSink": {"ref": to_broker(broker)}}
    failing = broker.trigger(filter=wanted, subscriber=subscriber, delivery=delivery)
    watching = broker.trigger(filter=failed_with("400"), subscriber=letters)
    elsewhere = broker.trigger(filter=failed_with("500"), subscriber=aside)
    event = broker.send(type="wanted", knativeerrorcode="0")
    # Its letter has its id: it is stored by the time that the event is done with, before what is sent then.
    expect(committed([event], to=failing, control=event))
    expect(committed([broker.send(type="later")], to=elsewhere, control=event))
    expect(dead_lettered(event, to=letters, by=watching, code=400, dest=subscriber.url, data=b"no"))
    expect(delivered_once(event, to=watching), attempts(event, to=failing, count={"taken-back": 2, "kept-out": 1}[how]))
    expect(not_delivered(event, to=elsewhere))


@pytest.mark.requirement("EVT-DST-008")
def test_the_reference_of_a_dead_letter_sink_has_a_namespace_and_a_uri(
    brokers: Brokers, kube: Kube, namespace: str, longer_namespace: str
) -> None:
    # There is one of this name in the Broker's namespace too: whoever looks there finds another one.
    name = fresh("service")
    kube.apply(service(namespace, name), check=True)
    kube.apply(service(longer_namespace, name), check=True)
    sink = {"deadLetterSink": {"ref": to_service(name, namespace=longer_namespace), "uri": "/letters"}}
    broker = brokers(delivery=sink)
    inheriting, own = broker.several({}, {"delivery": {"retry": 1, **sink}})
    urls = [f"http://{name}.{longer_namespace}.svc{domain}/letters" for domain in ("", ".cluster.local")]
    expect(*(field(owner.object, "status.deadLetterSinkUri", *urls) for owner in (broker, inheriting, own)))


@pytest.mark.requirement("EVT-DST-006")
def test_a_reference_to_what_comes_later_is_resolved_then(broker: Broker, kube: Kube) -> None:
    name = fresh("service")
    trigger = broker.trigger(subscriber={"ref": to_service(name)}, wait=False)
    expect(condition(trigger.object, "Ready", "False"))
    broker.trigger()  # becomes Ready: the controller is done with the first one
    kube.apply(service(broker.namespace, name), check=True)
    expect(condition(trigger.object, "Ready", "True"))


@pytest.mark.requirement("EVT-RTE-021")
def test_a_delivery_names_the_host_that_it_is_for(broker: Broker, sinks: Sinks) -> None:
    # Who stands before several services, as Knative Serving does, finds the right one by this name.
    subscriber, letters = sinks([Answer(503), Answer(400)]), sinks()
    again = {"retry": 2, "backoffPolicy": "linear", "backoffDelay": "PT0.1S"}
    delivery = {**again, "deadLetterSink": {"uri": letters.url}}
    trigger = broker.trigger(filter=WANTED, subscriber=subscriber, delivery=delivery)
    event = broker.send(type="wanted")
    expect(dead_lettered(event, to=letters, by=trigger))
    expect(
        request_header(event, to=trigger, name="host", value=urlsplit(subscriber.url).netloc),
        request_header(event, to=letters, name="host", value=urlsplit(letters.url).netloc),
    )


@pytest.mark.requirement("EVT-DST-007")
def test_a_uri_is_asked_for_as_it_stands(broker: Broker, sinks: Sinks) -> None:
    tails = ["?token=a%2Fb&n=1&n=2", "/v1/models/mnist:predict?a=b=c", "/a%2Fb/%20c", "/a+b;c=d?e=%3F&f"]
    subscribers, letters = [sinks() for _ in tails], sinks()
    asked = [replace(sink, url=sink.url + tail) for sink, tail in zip(subscribers, tails, strict=True)]
    kept = {"deadLetterSink": {"uri": f"{letters.url}?token=a%2Fb"}}
    failing = {"filter": WANTED, "subscriber": sinks([Answer(400)]), "delivery": kept}
    *triggers, refused = broker.several(*({"filter": WANTED, "subscriber": sink} for sink in asked), failing)
    event = broker.send(type="wanted")
    targets = [sink.url.removeprefix(urlsplit(sink.url)._replace(path="", query="").geturl()) for sink in asked]
    expect(
        *(request_target(event, to=each, target=target) for each, target in zip(triggers, targets, strict=True)),
        dead_lettered(event, to=letters, by=refused),
        request_target(event, to=letters, target=f"{urlsplit(letters.url).path}?token=a%2Fb"),
    )
