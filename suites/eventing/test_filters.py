"""Trigger.spec.filter.attributes: which events a Trigger gets."""

from typing import Any

import pytest

from evidence.expectations import delivered, not_delivered
from fixtures import Broker, expect
from suites.wire import STRUCTURED, attributes, structured, typed

CHARACTERS = [
    "gr\u00f6\u00dfe",
    "gro\u0308\u00dfe",
    "\u65e5\u672c\u8a9e \U0001f600",
    "a b",
    "a%20b",
    'a"b',
    "a,b=c&d",
    "a\\b",
]


@pytest.mark.requirement("EVT-FLT-001")
@pytest.mark.parametrize(
    "fields",
    [{}, {"filter": {}}, {"filter": {"attributes": {}}}, {"filters": []}],
    ids=["absent", "empty-filter", "empty-attributes", "empty-filters"],
)
def test_no_filter_matches_every_event(broker: Broker, fields: dict[str, Any]) -> None:
    trigger = broker.trigger(**fields)
    expect(delivered(broker.send(type="any.type", source="/any/source"), to=trigger))


@pytest.mark.requirement("EVT-FLT-002")
def test_all_attributes_of_a_filter_must_match(broker: Broker) -> None:
    trigger = broker.trigger(filter={"attributes": {"type": "order.created", "source": "/shop"}})
    hit = broker.send(type="order.created", source="/shop")
    other_source = broker.send(type="order.created", source="/depot")
    other_type = broker.send(type="order.cancelled", source="/shop")
    expect(delivered(hit, to=trigger))
    expect(not_delivered(other_source, to=trigger))
    expect(not_delivered(other_type, to=trigger))


@pytest.mark.requirement("EVT-FLT-002")
@pytest.mark.parametrize("near", ["order.create", "order.createdx", "xorder.created"])
def test_a_value_must_match_exactly(broker: Broker, near: str) -> None:
    trigger = broker.trigger(filter={"attributes": {"type": "order.created"}})
    hit, miss = broker.send(type="order.created"), broker.send(type=near)
    expect(delivered(hit, to=trigger))
    expect(not_delivered(miss, to=trigger))


@pytest.mark.requirement("EVT-FLT-002")
@pytest.mark.parametrize("value", ["Any", "*", ".*", "?", "[x]"], ids=["any", "star", "expression", "question", "set"])
def test_a_value_is_no_pattern(broker: Broker, value: str) -> None:
    trigger = broker.trigger(filter={"attributes": {"type": value}})
    hit, miss = broker.send(type=value), broker.send(type="x")
    expect(delivered(hit, to=trigger))
    expect(not_delivered(miss, to=trigger))


@pytest.mark.requirement("EVT-FLT-002")
def test_a_value_may_have_any_characters(broker: Broker) -> None:
    # In structured mode: no header has to carry them to the ingress.
    triggers = broker.several(*({"filter": {"attributes": {"tenant": value}}} for value in CHARACTERS))
    events = [broker.post(typed(STRUCTURED), structured(attributes(tenant=value))) for value in CHARACTERS]
    expect(*(delivered(event, to=trigger) for event, trigger in zip(events, triggers, strict=True)))
    others = zip([*events[1:], events[0]], triggers, strict=True)
    expect(*(not_delivered(other, to=trigger) for other, trigger in others))


@pytest.mark.requirement("EVT-FLT-003")
def test_attribute_values_are_compared_case_sensitively(broker: Broker) -> None:
    trigger = broker.trigger(filter={"attributes": {"type": "order.created"}})
    hit, miss = broker.send(type="order.created"), broker.send(type="Order.Created")
    expect(delivered(hit, to=trigger))
    expect(not_delivered(miss, to=trigger))


@pytest.mark.requirement("EVT-FLT-004")
def test_an_empty_value_asks_only_for_presence(broker: Broker) -> None:
    trigger = broker.trigger(filter={"attributes": {"subject": ""}})
    hit, miss = broker.send(subject="anything"), broker.send()
    expect(delivered(hit, to=trigger))
    expect(not_delivered(miss, to=trigger))


@pytest.mark.requirement("EVT-FLT-005")
@pytest.mark.parametrize("name", ["subject", "dataschema"])
def test_an_absent_attribute_is_no_match_and_no_harm(broker: Broker, name: str) -> None:
    trigger = broker.trigger(filter={"attributes": {name: "x:17"}})
    present: dict[str, Any] = {name: "x:17"}
    miss, hit = broker.send(), broker.send(**present)
    expect(not_delivered(miss, to=trigger))
    expect(delivered(hit, to=trigger))


@pytest.mark.requirement("EVT-FLT-017")
def test_an_extension_that_json_has_as_no_text_can_be_filtered(broker: Broker) -> None:
    texts = {"tenant": "42", "flag": "true"}
    triggers = broker.several(
        *({"filter": {"attributes": {name: value}}} for name, value in texts.items()),
        *({"filters": [{dialect: {name: value}}]} for name, value in texts.items() for dialect in ("exact", "prefix")),
        *({"filters": [{"cesql": expression}]} for expression in ("tenant = 42", "flag = TRUE")),
    )
    hit = broker.post(typed(STRUCTURED), structured(attributes(tenant=42, flag=True)))
    miss = broker.post(typed(STRUCTURED), structured(attributes(tenant=17, flag=False)))
    expect(*(delivered(hit, to=trigger) for trigger in triggers))
    expect(*(not_delivered(miss, to=trigger) for trigger in triggers))


@pytest.mark.requirement("EVT-FLT-006")
def test_an_extension_attribute_can_be_filtered(broker: Broker) -> None:
    trigger = broker.trigger(filter={"attributes": {"tenant": "blue"}})
    hit, miss = broker.send(tenant="blue"), broker.send(tenant="green")
    expect(delivered(hit, to=trigger))
    expect(not_delivered(miss, to=trigger))
