"""Events as Kafka records: what the Broker writes to its topic, and what it makes of records that others wrote."""

import pytest

from evidence.expectations import attribute_kept, delivered, in_order, record_key, record_shape, unchanged
from fixtures import Answer, Broker, Sinks, expect

WANTED = {"attributes": {"type": "wanted"}}
ORDERED = {"kafka.eventing.knative.dev/delivery.order": "ordered"}


@pytest.mark.requirement("EVT-KFK-001")
def test_an_event_is_a_record_in_binary_mode(broker: Broker) -> None:
    event = broker.send(
        data=b'{"n": 1}',
        datacontenttype="application/json; charset=utf-8",
        subject="orders/17",
        time="2025-07-02T08:20:12Z",
        correlationid="c-1",
    )
    expect(record_shape(event, on=broker))


@pytest.mark.requirement("EVT-KFK-002")
def test_partitionkey_is_the_record_key_and_stays_an_attribute(broker: Broker) -> None:
    event = broker.send(partitionkey="customer-17")
    expect(record_key(event, on=broker, key="customer-17"))
    expect(attribute_kept(event, to=broker, name="partitionkey"))


@pytest.mark.requirement("EVT-KFK-003")
def test_an_ordered_trigger_keeps_the_order_of_a_key_through_retries(broker: Broker, sinks: Sinks) -> None:
    sink = sinks([Answer(503), Answer(503), Answer(200)])
    trigger = broker.trigger(
        filter=WANTED,
        annotations=ORDERED,
        subscriber=sink,
        delivery={"retry": 3, "backoffPolicy": "linear", "backoffDelay": "PT0.1S"},
    )
    events = broker.send_many([{"type": "wanted", "partitionkey": "customer-17"} for _ in range(8)])
    expect(in_order(events, to=trigger))


@pytest.mark.requirement("EVT-KFK-004")
def test_a_record_in_structured_mode_is_delivered(broker: Broker) -> None:
    trigger = broker.trigger(filter=WANTED)
    event = broker.produce_event(type="wanted", data=b'{"n": 1}', mode="structured")
    expect(delivered(event, to=trigger))
    expect(unchanged(event, to=trigger))


@pytest.mark.requirement("EVT-KFK-005")
@pytest.mark.parametrize(
    ("value", "headers"),
    [
        (b"no event at all", []),
        (None, []),
        (b"{", [("content-type", "application/cloudevents+json")]),
        (b"{}", [("ce_specversion", "1.0"), ("ce_type", "wanted")]),
    ],
    ids=["text", "null", "broken-structured", "incomplete-binary"],
)
def test_a_foreign_record_does_not_keep_the_next_from_delivery(
    broker: Broker, value: bytes | None, headers: list[tuple[str, str]]
) -> None:
    trigger = broker.trigger(filter=WANTED)
    broker.produce(value, headers=headers)
    expect(delivered(broker.produce_event(type="wanted"), to=trigger))
