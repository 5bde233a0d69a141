"""Faults of one event, or one Trigger, in many: so many are asked that one in fifty, or one in ten, shows."""

import pytest

from evidence.expectations import delivered, each_once, none_received
from fixtures import Answer, Broker, Sinks, expect

WANTED = {"attributes": {"type": "wanted"}}
# A fault of one event in fifty, by chance, is missed once in 150 runs (0.98 ** 250).
MANY = 250
# A fault of one new Trigger in ten, by chance, is missed once in 25 runs (0.9 ** 30); of one in five, once in 800.
NEW = 30
AT_ONCE = 8
WITHIN = 60.0  # seconds; 500 deliveries take two on an idle machine
AGAIN = {"retry": 20, "backoffPolicy": "linear", "backoffDelay": "PT0.1S"}


@pytest.mark.requirement("EVT-RAR-001")
def test_no_event_of_many_is_dead_lettered_after_its_retry(broker: Broker, sinks: Sinks) -> None:
    # Every other request fails: of two Triggers' deliveries of 250 events about 250 succeed after a retry.
    letters = sinks()
    delivery = AGAIN | {"deadLetterSink": {"uri": letters.url}}
    triggers = broker.several(
        *(
            {"filter": WANTED, "subscriber": sinks([Answer(503), Answer(200)] * MANY), "delivery": delivery}
            for _ in range(2)
        )
    )
    events = broker.send_many([{"type": "wanted"}] * MANY, concurrency=AT_ONCE)
    expect(*(none_received(events, at=letters, by=trigger) for trigger in triggers), within=WITHIN)


@pytest.mark.requirement("EVT-RAR-002")
def test_no_redirect_of_many_is_followed(broker: Broker, sinks: Sinks) -> None:
    elsewhere = sinks()
    moved = sinks([Answer(307, headers=[("Location", elsewhere.url)])])
    trigger = broker.trigger(filter=WANTED, subscriber=moved)
    events = broker.send_many([{"type": "wanted"}] * MANY, concurrency=AT_ONCE)
    expect(each_once(events, to=trigger), none_received(events, at=elsewhere, by=trigger), within=WITHIN)


@pytest.mark.requirement("EVT-RAR-003")
def test_no_new_trigger_of_many_gets_earlier_events(broker: Broker) -> None:
    witness = broker.trigger(filter=WANTED)
    earlier = broker.send_many([{"type": "wanted"}] * 3)
    expect(each_once(earlier, to=witness))
    triggers = broker.several(*[{"filter": WANTED}] * NEW)
    later = broker.send(type="wanted")
    expect(*(delivered(later, to=trigger) for trigger in triggers), within=WITHIN)
    expect(*(none_received(earlier, at=trigger.sink, by=trigger) for trigger in triggers if trigger.sink))
