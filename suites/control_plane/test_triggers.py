"""Trigger objects: what the API refuses, and how their changes affect delivery."""

from typing import Any

import pytest

from evidence.expectations import api_accepted, api_refused, condition, delivered, field, not_delivered, not_received
from fixtures import Answer, Broker, Kube, Sinks, expect
from suites.manifests import NO_CERTIFICATES, NONSENSE, ORDER, ORDERED, trigger_manifest

WANTED = {"attributes": {"type": "wanted"}}


def naming(name: str) -> list[dict[str, Any]]:
    """Return filters of Triggers, in each form and at several depths, that name an attribute."""
    one = {name: "a"}
    forms = [
        *({dialect: one} for dialect in ("exact", "prefix", "suffix")),
        {"all": [{"not": {"prefix": one}}]},
        {"any": [{"exact": {"type": "a"}}, {"suffix": one}]},
    ]
    return [{"filter": {"attributes": one}}, *({"filters": [form]} for form in forms)]


@pytest.mark.requirement("CTL-TRG-001")
def test_a_trigger_without_its_broker_is_not_ready(broker: Broker, kube: Kube) -> None:
    # One with a Broker becomes Ready: the controller is at work, so its silence about the other one is its answer.
    control = broker.trigger(filter=WANTED).object
    trigger = kube.apply(trigger_manifest(broker.namespace, "no-such-broker"))
    expect(condition(trigger, "Ready", "False", control=control, explained=True), within=5.0)
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
    expect(api_refused(kube.apply(trigger_manifest(broker.namespace, broker.name, filters=filters))))
    admitted = kube.apply(trigger_manifest(broker.namespace, broker.name), check=True)
    expect(api_refused(kube.patch(admitted, {"spec": {"filters": filters}})))


@pytest.mark.requirement("CTL-TRG-003")
def test_a_deleted_trigger_gets_no_later_event(broker: Broker, sinks: Sinks) -> None:
    # Each has a sink of its own: an event that comes twice to the one that stays is no delivery by the other.
    slow, gone = sinks([Answer(200, delay=2.0), Answer(200, delay=0.3)]), sinks()
    staying = broker.trigger(filter=WANTED, subscriber=slow, annotations=ORDERED)
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


@pytest.mark.requirement("CTL-TRG-029")
def test_a_trigger_that_names_no_broker_is_refused(broker: Broker, kube: Kube) -> None:
    manifest = trigger_manifest(broker.namespace, "")
    left_out = {name: value for name, value in manifest["spec"].items() if name != "broker"}
    expect(api_refused(kube.apply(manifest)), api_refused(kube.apply({**manifest, "spec": left_out})))


@pytest.mark.requirement("CTL-TRG-006")
@pytest.mark.usefixtures("cesql")
@pytest.mark.parametrize(
    "expression",
    ["type =", "(type = 'a'", "type = 'a", "type LIKE source", "id IN ()", "2147483648 = 0"],
    ids=["no-operand", "open-parenthesis", "open-text", "pattern-no-literal", "empty-set", "integer-too-large"],
)
def test_what_is_no_cesql_expression_is_refused(broker: Broker, kube: Kube, expression: str) -> None:
    filters = [{"cesql": expression}]
    expect(api_refused(kube.apply(trigger_manifest(broker.namespace, broker.name, filters=filters))))
    admitted = kube.apply(trigger_manifest(broker.namespace, broker.name), check=True)
    expect(api_refused(kube.patch(admitted, {"spec": {"filters": filters}})))


@pytest.mark.requirement("CTL-TRG-027")
@pytest.mark.usefixtures("cesql")
@pytest.mark.parametrize("expression", ["id LIKE 123", "type LIKE source"], ids=["number", "attribute"])
def test_a_pattern_without_quotes_keeps_nobody_else_out(broker: Broker, kube: Kube, expression: str) -> None:
    filters = [{"cesql": expression}, {"cesql": "type LIKE 'wanted'"}]
    nonsense, right = (trigger_manifest(broker.namespace, broker.name, filters=[each]) for each in filters)
    expect(api_refused(kube.apply(nonsense)))
    expect(api_accepted(kube.apply(right)))


@pytest.mark.requirement("CTL-TRG-025")
def test_an_order_of_delivery_that_there_is_not_is_not_ready(broker: Broker) -> None:
    control = broker.trigger(filter=WANTED).object
    typos = [broker.trigger(annotations={ORDER: order}, wait=False) for order in ("orderd", "ordered ", "fifo")]
    expect(*(condition(typo.object, "Ready", "False", control=control, explained=True) for typo in typos))


@pytest.mark.requirement("CTL-TRG-007")
def test_nonsense_in_the_delivery_of_a_trigger_is_refused(broker: Broker, kube: Kube) -> None:
    expect(
        *(api_refused(kube.apply(trigger_manifest(broker.namespace, broker.name, delivery=one))) for one in NONSENSE)
    )
    trigger = broker.trigger(filter=WANTED)
    expect(*(api_refused(kube.patch(trigger.object, {"spec": {"delivery": one}})) for one in NONSENSE))


@pytest.mark.requirement("CTL-TRG-008")
def test_a_subscriber_that_is_no_destination_is_refused(broker: Broker, kube: Kube) -> None:
    service = {"apiVersion": "v1", "kind": "Service"}
    nowhere = [{}, {"uri": "/relative"}, {"uri": "relative"}, {"ref": service}, {"uri": ""}, {"ref": {"name": "x"}}]
    expect(
        *(api_refused(kube.apply(trigger_manifest(broker.namespace, broker.name, subscriber=one))) for one in nowhere)
    )
    untrusted = [{"uri": "https://127.0.0.1:1/", "CACerts": pem} for pem in NO_CERTIFICATES]
    expect(
        *(api_refused(kube.apply(trigger_manifest(broker.namespace, broker.name, subscriber=one))) for one in untrusted)
    )
    trigger, relative = broker.trigger(filter=WANTED), ("/relative", "relative", "")
    expect(*(api_refused(kube.patch(trigger.object, {"spec": {"subscriber": {"uri": uri}}})) for uri in relative))


@pytest.mark.requirement("CTL-TRG-018")
def test_a_filter_that_names_no_attribute_is_refused(broker: Broker, kube: Kube) -> None:
    specs = [spec for name in ("Type", "my-ext", "my_ext", "ext.one", "ext one") for spec in naming(name)]
    expect(*(api_refused(kube.apply(trigger_manifest(broker.namespace, broker.name, **spec))) for spec in specs))
    admitted = kube.apply(trigger_manifest(broker.namespace, broker.name), check=True)
    expect(*(api_refused(kube.patch(admitted, {"spec": spec})) for spec in naming("Type")))


@pytest.mark.requirement("CTL-TRG-031")
def test_a_ready_trigger_tells_whose_certificates_count(broker: Broker, sinks: Sinks) -> None:
    first, second = sinks.authority, sinks.stranger
    delivery = {"deadLetterSink": {"uri": sinks().url, "CACerts": second}}
    trigger = broker.trigger(filter=WANTED, ca_certs=first, delivery=delivery)
    expect(field(trigger.object, "status.subscriberCACerts", first))
    expect(field(trigger.object, "status.deadLetterSinkCACerts", second))


@pytest.mark.requirement("CTL-TRG-011")
def test_a_ready_trigger_tells_its_dead_letter_sink(broker: Broker, sinks: Sinks) -> None:
    sink = sinks()
    trigger = broker.trigger(filter=WANTED, delivery={"deadLetterSink": {"uri": sink.url}})
    expect(field(trigger.object, "status.deadLetterSinkUri", sink.url))
