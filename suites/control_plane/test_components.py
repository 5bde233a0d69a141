"""The platform's own parts go on running, whatever comes to them."""

import pytest

from evidence.expectations import answered, each_once, not_restarted
from fixtures import Broker, Components, expect
from suites.wire import attributes, binary

WANTED = {"attributes": {"type": "wanted"}}
SIZES = (0, 1, 1000, 60_000, 250_000, 900_000)


@pytest.mark.requirement("CTL-CMP-001")
def test_no_part_restarts_by_itself(broker: Broker, components: Components) -> None:
    before = components.look()
    trigger = broker.trigger(filter=WANTED)
    nonsense = [
        broker.post(binary({**attributes(), "specversion": "9.9"}), b"{}"),
        broker.post([("content-type", "application/cloudevents+json")], b'{"specversion": "1.0"'),
        broker.post([("content-type", "application/cloudevents+json")], b"\xff\xfe"),
        broker.post(binary(attributes()), b"x" * 2_000_000),
    ]
    sends = [{"type": "wanted", "data": b"x" * size, "datacontenttype": "text/plain"} for size in SIZES]
    events = broker.send_many([*sends, *[{"type": "wanted", "subject": "\u00fc %ff"}] * 40], concurrency=4)
    expect(*(answered(request, range(400, 600)) for request in nonsense))
    expect(each_once(events, to=trigger))
    expect(not_restarted(before, components.look()))
