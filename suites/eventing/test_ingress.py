"""The ingress of a Broker: what it accepts, and how it stores it."""

import pytest

from evidence.expectations import (
    accepted,
    answered,
    attribute_kept,
    data_kept,
    not_recorded,
    recorded,
    refused,
)
from fixtures import Broker, expect
from suites.wire import STRUCTURED, attributes, binary, structured, typed


@pytest.mark.requirement("EVT-ING-001")
@pytest.mark.parametrize("data", [b'{"n": 1}', None], ids=["data", "no-data"])
def test_a_binary_event_is_accepted_and_stored(broker: Broker, data: bytes | None) -> None:
    event = broker.send(data=data)
    expect(answered(event, 202))
    expect(recorded(event, on=broker))


@pytest.mark.requirement("EVT-ING-002")
@pytest.mark.parametrize(
    "media_type",
    [STRUCTURED, f"{STRUCTURED}; charset=utf-8", f'{STRUCTURED};charset="UTF-8"'],
    ids=["plain", "charset", "quoted-charset"],
)
def test_a_structured_event_is_accepted_and_stored(broker: Broker, media_type: str) -> None:
    event = broker.post(typed(media_type), structured(attributes()))
    expect(answered(event, 202))
    expect(recorded(event, on=broker))


@pytest.mark.requirement("EVT-ING-047")
@pytest.mark.parametrize(
    ("before", "behind"),
    [(b"", b"\n"), (b"\r\n", b""), (b" \t\r\n" * 20, b" \t\r\n" * 20)],
    ids=["behind", "before", "around"],
)
def test_white_space_around_a_structured_event_is_no_part_of_it(broker: Broker, before: bytes, behind: bytes) -> None:
    event = broker.post(typed(STRUCTURED), before + structured(attributes()) + behind)
    expect(answered(event, 202))
    expect(recorded(event, on=broker))


@pytest.mark.requirement("EVT-ING-009")
@pytest.mark.parametrize(
    "media_type",
    ["Application/CloudEvents+JSON", "APPLICATION/CLOUDEVENTS+JSON; CHARSET=UTF-8"],
    ids=["capitals", "all-capitals"],
)
def test_the_structured_media_type_is_read_in_any_case(broker: Broker, media_type: str) -> None:
    event = broker.post(typed(media_type), structured(attributes()))
    expect(answered(event, 202))
    expect(recorded(event, on=broker))


@pytest.mark.requirement("EVT-ING-010")
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_only_post_brings_events(broker: Broker, method: str) -> None:
    expect(answered(broker.post(binary(attributes()), b'{"n": 1}', method=method), 405))


@pytest.mark.requirement("EVT-ING-011")
def test_an_unknown_broker_is_not_found(broker: Broker, namespace: str) -> None:
    expect(answered(broker.post(binary(attributes()), b'{"n": 1}', path=f"/{namespace}/no-such-broker"), 404))


@pytest.mark.requirement("EVT-ING-012")
def test_every_acknowledged_event_is_stored_and_no_refused_one(broker: Broker) -> None:
    good = broker.send_many([{"data": b'{"n": %d}' % n} for n in range(60)], concurrency=30)
    bad = broker.post(binary(attributes(without=["type"])), b'{"n": 1}')
    expect(*[accepted(event) for event in good])
    expect(*[recorded(event, on=broker) for event in good])
    expect(refused(bad, 400))
    expect(not_recorded(bad, on=broker))


@pytest.mark.requirement("EVT-ING-013")
def test_an_event_of_64_kib_is_forwarded_whole(broker: Broker) -> None:
    trigger = broker.trigger(filter={"attributes": {"type": "large"}})
    event = broker.send(type="large", data=bytes(range(32, 96)) * 992, datacontenttype="text/plain")
    expect(data_kept(event, to=trigger))


@pytest.mark.requirement("EVT-ING-014")
@pytest.mark.parametrize(
    "value",
    [
        "Euro%20%E2%82%AC%20%F0%9F%98%80",
        "lower%20%e2%82%ac",
        "once%2541",
        "unneeded%41",
        '"in quotes"',
        r'"a \"quote\" and a \\"',
        '"both%20%E2%82%AC"',
    ],
    ids=["upper-case", "lower-case", "one-round", "needless", "quoted", "escaped", "quoted-and-encoded"],
)
def test_a_header_value_is_percent_decoded_once(broker: Broker, value: str) -> None:
    event = broker.post(binary(attributes(subject=value)), b'{"n": 1}')
    expect(accepted(event))
    expect(attribute_kept(event, to=broker, name="subject"))
