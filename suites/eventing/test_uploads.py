"""Requests whose body comes slowly, or never to its end: nothing of them is stored, and nobody else suffers."""

from typing import Any

import pytest

from evidence.expectations import accepted, answered_before, data_kept, delivered, not_recorded, recorded
from fixtures import Broker, expect

CHUNKED = [("transfer-encoding", "chunked")]
CHUNKS = b"40\r\n" + b"x" * 64 + b"\r\n0\r\n\r\n"
TEXT = {"data": b"0123456789abcdef" * 4, "datacontenttype": "text/plain"}
LONG = {"data": b"0123456789abcdef" * (60 << 6), "datacontenttype": "text/plain"}
LARGE = {"data": b"0123456789abcdef" * (32 << 10), "datacontenttype": "text/plain"}
GIVEN_UP = 1.0  # seconds behind which the probe ends a request that stalls
STALLS = 5.0  # longer than a good event takes on a busy machine
EXPECTING = [("expect", "100-continue")]
BREAKS: list[dict[str, Any]] = [
    {**TEXT, "broken": "unsent", "timeout": GIVEN_UP},
    {**TEXT, "broken": "stalled", "timeout": GIVEN_UP},
    {**TEXT, "broken": "closed", "timeout": GIVEN_UP},
    {**TEXT, "broken": "reset"},
    {"data": CHUNKS, "datacontenttype": "text/plain", "headers": CHUNKED, "broken": "closed", "timeout": GIVEN_UP},
]


@pytest.mark.requirement("EVT-UPL-001")
@pytest.mark.parametrize("request_", BREAKS, ids=["unsent", "stalled", "closed", "reset", "chunked"])
def test_an_event_whose_body_does_not_come_whole_is_not_stored(broker: Broker, request_: dict[str, Any]) -> None:
    broken, good = broker.send_many([request_, TEXT])
    expect(accepted(good), recorded(good, on=broker), not_recorded(broken, on=broker))


@pytest.mark.requirement("EVT-UPL-002")
def test_a_body_that_comes_slowly_is_taken_whole(broker: Broker) -> None:
    trigger = broker.trigger()
    slow, large = broker.send_many([{**TEXT, "parts": 4, "pause": 0.5}, {**LARGE, "parts": 8, "pause": 0.2}])
    expect(accepted(slow), accepted(large))
    expect(*(claim(event, to=trigger) for event in (slow, large) for claim in (delivered, data_kept)))


@pytest.mark.requirement("EVT-UPL-003")
def test_a_stalled_upload_holds_up_nobody(broker: Broker) -> None:
    stalled, *others = broker.send_many([{**LARGE, "broken": "stalled", "timeout": STALLS}, TEXT, LARGE], concurrency=2)
    expect(*(answered_before(other, stalled) for other in others))
    expect(*(recorded(other, on=broker) for other in others))


@pytest.mark.requirement("EVT-UPL-005")
@pytest.mark.parametrize("event", [TEXT, LONG], ids=["small", "60-kib"])
def test_a_body_that_waits_until_it_is_asked_for_is_asked_for(broker: Broker, event: dict[str, Any]) -> None:
    trigger = broker.trigger()
    stalled = {**TEXT, "broken": "stalled", "timeout": STALLS}
    waiting = [{**event, "mode": mode, "headers": EXPECTING} for mode in ("binary", "structured")]
    clock, *asked = broker.send_many([stalled, *waiting], concurrency=3)
    expect(*(answered_before(each, clock) for each in asked))
    expect(*(delivered(each, to=trigger) for each in asked), *(data_kept(each, to=trigger) for each in asked))


@pytest.mark.requirement("EVT-UPL-004")
def test_many_broken_uploads_at_once_leave_nothing_taken(broker: Broker) -> None:
    broken = broker.send_many([{**LARGE, "broken": how} for how in ("reset", "closed") * 10], concurrency=10)
    good = broker.send_many([LARGE] * 10, concurrency=5)
    expect(*(accepted(event) for event in good), *(recorded(event, on=broker) for event in good))
    expect(*(not_recorded(event, on=broker) for event in broken))
