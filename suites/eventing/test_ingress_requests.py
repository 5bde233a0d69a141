"""Requests to the ingress of a Broker: size and number, methods, paths, chunks."""

from typing import Any

import pytest

from evidence.expectations import (
    accepted,
    answered,
    delivered,
    delivered_once,
    header,
    not_recorded,
    recorded,
    refused,
    unchanged,
)
from evidence.refs import EventRef
from fixtures import Broker, expect
from suites.wire import STRUCTURED, attributes, binary, fresh, typed

DATA = b'{"n": 1}'
CHUNKED = [("transfer-encoding", "chunked")]
CHUNKS = [b'8\r\n{"n": 1}\r\n0\r\n\r\n', b'3;x=y\r\n{"n\r\n5\r\n": 1}\r\n0\r\n\r\n', b"0\r\n\r\n"]
LARGE = b"0123456789abcdef" * (60 << 6)
SIZES = [(1 << 20) + 1, 3 << 19, 3 << 20]


@pytest.mark.requirement("EVT-ING-038")
def test_an_event_that_is_too_large_is_refused_and_not_stored(broker: Broker) -> None:
    sent = [(broker.post(binary(attributes()), b"x" * size), broker.send()) for size in SIZES]
    expect(*[refused(event, range(400, 600)) for event, _ in sent])
    expect(*[not_recorded(event, on=broker) for event, _ in sent])
    expect(*[recorded(good, on=broker) for _, good in sent])


@pytest.mark.requirement("EVT-ING-039")
def test_an_event_that_is_too_large_is_not_to_be_sent_again(broker: Broker) -> None:
    event = broker.post(binary(attributes()), b"x" * SIZES[0])
    expect(refused(event, control=broker.send()))


@pytest.mark.requirement("EVT-ING-040")
def test_many_large_events_at_once_are_all_stored(broker: Broker) -> None:
    events = broker.send_many([{"data": LARGE, "datacontenttype": "text/plain"} for _ in range(60)], concurrency=30)
    expect(*[accepted(event) for event in events])
    expect(*[recorded(event, on=broker) for event in events])


@pytest.mark.requirement("EVT-ING-041")
@pytest.mark.parametrize("method", ["OPTIONS", "GET", "HEAD", "PUT", "PATCH", "DELETE"])
def test_the_answer_to_another_method_names_post(broker: Broker, method: str) -> None:
    expect(header(broker.post(binary(attributes()), method=method), "allow", "POST"))


@pytest.mark.requirement("EVT-ING-042")
def test_a_path_below_or_beside_a_broker_is_not_found(broker: Broker, namespace: str) -> None:
    own = f"/{namespace}/{broker.name}"
    paths = ["/", f"/{namespace}", f"{own}/more", f"{own}/{broker.name}", f"{own}x", f"/other/{broker.name}"]
    sent = [(broker.post(binary(attributes()), DATA, path=path), broker.send()) for path in paths]
    expect(*[answered(event, 404) for event, _ in sent])
    expect(*[not_recorded(event, on=broker) for event, _ in sent])
    expect(*[recorded(good, on=broker) for _, good in sent])


@pytest.mark.requirement("EVT-ING-043")
@pytest.mark.parametrize("tail", ["/", "?a=1&b", "/?a=1"], ids=["slash", "query", "both"])
def test_a_slash_or_a_query_behind_the_path_makes_no_difference(broker: Broker, namespace: str, tail: str) -> None:
    event = broker.post(binary(attributes()), DATA, path=f"/{namespace}/{broker.name}{tail}")
    expect(answered(event, 202), recorded(event, on=broker))


@pytest.mark.requirement("EVT-ING-054")
def test_a_request_line_may_name_the_whole_url(broker: Broker) -> None:
    trigger = broker.trigger(filter={"attributes": {"type": "wanted"}})
    event = broker.post(binary(attributes(type="wanted")), DATA, absolute=True)
    expect(answered(event, 202), delivered(event, to=trigger))


@pytest.mark.requirement("EVT-ING-044")
def test_a_body_in_chunks_is_accepted_and_stored(broker: Broker) -> None:
    events = [broker.post([*binary(attributes()), *CHUNKED], body) for body in CHUNKS]
    expect(*[answered(event, 202) for event in events])
    expect(*[recorded(event, on=broker) for event in events])


@pytest.mark.requirement("EVT-ING-048")
def test_events_that_share_a_connection_are_each_stored_as_they_are(broker: Broker) -> None:
    trigger = broker.trigger()
    given: list[dict[str, Any]] = [
        {"data": LARGE, "datacontenttype": "text/plain", "subject": "first", "ext": "first"},
        {"data": None},
        {"data": {"n": 3}, "mode": "structured", "time": "2026-01-01T00:00:00Z", "third": "third"},
        {"data": b"\x00\xff", "datacontenttype": "application/octet-stream"},
        *({"data": {"n": number}} for number in range(20)),
    ]
    events = broker.send_many([{**one, "connection": "shared"} for one in given])
    expect(*[accepted(event) for event in events])
    expect(*[delivered_once(event, to=trigger) for event in events])
    expect(*[unchanged(event, to=trigger) for event in events])


def taken_for_a_request(broker: Broker) -> tuple[str, bytes]:
    """Return the id of an event, and bytes that would be a request with it if they were not a body."""
    event = attributes(id=fresh("inside"))
    fields = "".join(f"{name}: {value}\r\n" for name, value in binary(event))
    path = f"/{broker.namespace}/{broker.name}"
    head = f"POST {path} HTTP/1.1\r\nhost: broker\r\n{fields}content-length: {len(DATA)}\r\n\r\n"
    return event["id"], head.encode() + DATA


REFUSED: dict[str, dict[str, Any]] = {
    "no-id": {"headers": binary(attributes(without=["id"]))},
    "broken-envelope": {"headers": typed(STRUCTURED)},
    "unknown-format": {"headers": typed("application/cloudevents+touchstone")},
    "method": {"headers": binary(attributes(without=["id"])), "method": "PUT"},
    "path": {"headers": binary(attributes(without=["id"])), "path": "/nobody/here"},
}


@pytest.mark.requirement("EVT-ING-049")
@pytest.mark.parametrize("request_", REFUSED.values(), ids=REFUSED)
def test_a_refused_request_changes_nothing_of_the_next_on_its_connection(
    broker: Broker, request_: dict[str, Any]
) -> None:
    trigger = broker.trigger()
    inside, body = taken_for_a_request(broker)
    first = broker.send(connection="shared")
    bad = broker.post(**request_, body=body, connection="shared")
    behind = [broker.send(data={"n": number}, connection="shared") for number in range(3)]
    hidden = EventRef("/touchstone/sender", inside, send=bad.send)
    expect(refused(bad, range(400, 500)), *[accepted(event) for event in (first, *behind)])
    expect(not_recorded(hidden, on=broker), not_recorded(bad, on=broker))
    expect(*[delivered_once(event, to=trigger) for event in behind])
    expect(*[unchanged(event, to=trigger) for event in behind])
