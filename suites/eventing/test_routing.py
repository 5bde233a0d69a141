"""Routing: the way of events from a Broker to its Triggers, and the shape in which they arrive."""

from typing import Any

import pytest

from evidence.expectations import (
    accepted,
    attempts,
    data_kept,
    delivered,
    delivered_once,
    not_delivered,
    not_received,
    recorded,
    request_header,
    unchanged,
)
from fixtures import Answer, Broker, Brokers, Sinks, expect
from suites.wire import ODD, fresh

PAST = "2025-07-02T08:20:12Z"
WANTED = {"attributes": {"type": "wanted"}}
SCHEMAS = [
    "https://example.com/schemas/order.json#/definitions/order",
    "http://user@example.com:8080/a;b/c?d=e&f=g#h",
    "urn:example:schemas:order:1.2",
    "tag:example.com,2024:order",
]
# Texts, each of which is another one where somebody takes it for a number, a boolean, nothing, or a time.
LOOK_ALIKES = ["007", "+5", "-0", "1.0", "1e3", "0x1F", "TRUE", "False", "null", "NaN", "2025-07-02T08:20:12.500+02:00"]
# Each is another text once somebody has read and written it: marks and white space at its ends, ends of lines, a member
# that is there twice, forms of numbers and escapes. The last one fills a buffer to its end.
WRITTEN = [
    ("text/plain", b"\xef\xbb\xbf line\r\n\tindented \n\n"),
    ("application/json", b'{"b" : 1.0,\r\n "a": 1e2, "a": 9007199254740993, "u": "\\u00e4\\/"}\n'),
    ("application/vnd.acme+json", b" [1 ,2.50] "),
    ("application/xml", b"<a>\r\n </a>\r\n"),
    ("text/plain", b"0123456789abcdef" * (4 << 10)),
]


@pytest.mark.requirement("EVT-RTE-001")
def test_every_matching_trigger_gets_one_delivery(broker: Broker) -> None:
    first, second = broker.trigger(filter=WANTED), broker.trigger(filter=WANTED)
    other = broker.trigger(filter={"attributes": {"type": "other"}})
    event = broker.send(type="wanted")
    expect(delivered_once(event, to=first))
    expect(delivered_once(event, to=second))
    expect(not_delivered(event, to=other))


@pytest.mark.requirement("EVT-RTE-002")
@pytest.mark.parametrize(
    "data",
    [None, b"\x00 \x00\x00", b"\xff\xfe\x80 not UTF-8 \xc3", b"0123456789abcdef" * 57_600],
    ids=["no-data", "nul", "not-utf8", "900-kib"],
)
def test_data_arrives_byte_for_byte(broker: Broker, data: bytes | None) -> None:
    trigger = broker.trigger(filter=WANTED)
    event = broker.send(type="wanted", data=data, datacontenttype="application/octet-stream")
    expect(data_kept(event, to=trigger))


@pytest.mark.requirement("EVT-RTE-002")
def test_data_arrives_as_it_was_written(broker: Broker) -> None:
    trigger = broker.trigger(filter=WANTED)
    events = broker.send_many([{"type": "wanted", "datacontenttype": kind, "data": data} for kind, data in WRITTEN])
    expect(*(data_kept(event, to=trigger) for event in events))


@pytest.mark.requirement("EVT-RTE-003")
def test_all_attributes_arrive_as_sent(broker: Broker) -> None:
    trigger = broker.trigger(filter=WANTED)
    event = broker.send(
        type="wanted",
        subject="orders/17",
        time="2025-07-02T08:20:12.908936Z",
        dataschema="https://example.com/schema",
        correlationid="c-1",
        hop2="17",
        listed="a, b,c; d=e #1 (x) \\ 'y'",
        anextensionofsomelength0="long",
    )
    expect(unchanged(event, to=trigger))


@pytest.mark.requirement("EVT-RTE-003")
def test_attributes_that_brokers_make_arrive_as_sent(broker: Broker) -> None:
    # As an event has them that comes from another Broker, or from its dead letter sink.
    told = {"knativeerrordest": "http://subscriber/", "knativeerrorcode": "500", "knativeerrordata": "bm8="}
    given = [*({"knativebrokerttl": left} for left in ("0", "1", "255")), {"knativearrivaltime": PAST}, told]
    trigger = broker.trigger(filter=WANTED)
    events = broker.send_many([{"type": "wanted", **attributes} for attributes in given])
    expect(*(unchanged(event, to=trigger) for event in events))


@pytest.mark.requirement("EVT-RTE-003")
@pytest.mark.parametrize("mode", ["binary", "structured"])
def test_an_empty_extension_arrives_as_such(broker: Broker, mode: str) -> None:
    trigger = broker.trigger(filter=WANTED)
    event = broker.send(type="wanted", mode=mode, empty="", beside="x")
    expect(unchanged(event, to=trigger))


@pytest.mark.requirement("EVT-RTE-003")
@pytest.mark.parametrize("mode", ["binary", "structured"])
def test_a_text_that_looks_like_another_type_arrives_as_sent(broker: Broker, mode: str) -> None:
    trigger = broker.trigger(filter=WANTED)
    attributes: dict[str, Any] = {f"ext{number}": text for number, text in enumerate(LOOK_ALIKES)}
    expect(unchanged(broker.send(type="wanted", mode=mode, **attributes), to=trigger))


@pytest.mark.requirement("EVT-RTE-003")
@pytest.mark.parametrize("mode", ["binary", "structured"])
def test_a_dataschema_of_any_form_arrives_as_sent(broker: Broker, mode: str) -> None:
    trigger = broker.trigger(filter=WANTED)
    events = broker.send_many([{"type": "wanted", "dataschema": schema, "mode": mode} for schema in SCHEMAS])
    expect(*(unchanged(event, to=trigger) for event in events))


@pytest.mark.requirement("EVT-RTE-004")
def test_two_triggers_with_one_destination_make_two_deliveries(broker: Broker, sinks: Sinks) -> None:
    sink = sinks()
    both = [broker.trigger(filter=WANTED, subscriber=sink), broker.trigger(filter=WANTED, subscriber=sink)]
    expect(attempts(broker.send(type="wanted"), to=both, count=2))


@pytest.mark.requirement("EVT-RTE-005")
def test_a_second_event_with_the_same_source_and_id_is_delivered_too(broker: Broker) -> None:
    trigger, name = broker.trigger(filter=WANTED), fresh()
    first = broker.send(type="wanted", id=name, data=b"1")
    expect(recorded(first, on=broker))
    second = broker.send(type="wanted", id=name, data=b"2")
    expect(accepted(second))
    expect(attempts(second, to=trigger, count=2))


@pytest.mark.requirement("EVT-RTE-006")
def test_a_trigger_that_is_ready_misses_no_event(broker: Broker) -> None:
    # One key, so that the Trigger begins in the middle of a partition's records.
    expect(recorded(broker.send(type="earlier", partitionkey="k"), on=broker))
    trigger = broker.trigger(filter=WANTED)
    expect(delivered(broker.send(type="wanted", partitionkey="k"), to=trigger))


@pytest.mark.requirement("EVT-RTE-007")
def test_a_delivery_is_a_post_that_invites_a_reply(broker: Broker, sinks: Sinks) -> None:
    again = {"retry": 2, "backoffPolicy": "linear", "backoffDelay": "PT0.1S"}
    trigger = broker.trigger(filter=WANTED, subscriber=sinks([Answer(503), Answer(200)]), delivery=again)
    event = broker.send(type="wanted", correlationid="c-1", **ODD)
    expect(attempts(event, to=trigger, count=2))
    expect(unchanged(event, to=trigger))
    expect(request_header(event, to=trigger, name="prefer", value="reply"))


@pytest.mark.requirement("EVT-RTE-014")
def test_an_event_goes_to_no_other_broker_with_a_name_alike(brokers: Brokers, sinks: Sinks) -> None:
    plain = brokers(name=fresh("alike"))
    dotted = brokers(name=f"{plain.name}.two")
    beside, aside = sinks(), sinks()
    to_plain = plain.trigger(filter=WANTED, subscriber=beside)
    to_dotted = dotted.trigger(filter=WANTED, subscriber=aside)
    first, second = dotted.send(type="wanted"), plain.send(type="wanted")
    expect(delivered(first, to=to_dotted), delivered(second, to=to_plain))
    expect(not_received(first, at=beside, by=to_dotted), not_received(second, at=aside, by=to_plain))
