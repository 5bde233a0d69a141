"""Events as Kafka records: what the Broker writes to its topic, and the order in which it reads them."""

import pytest

from evidence.expectations import attribute_kept, in_order, record_key, record_shape
from fixtures import Answer, Broker, Sinks, expect
from suites.manifests import ORDERED

WANTED = {"attributes": {"type": "wanted"}}


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
