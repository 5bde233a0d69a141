"""Retries and their timing: what happens when a subscriber does not take an event at once."""

from typing import Any

import pytest

from evidence.expectations import attempts, delivered, not_held_up, spaced
from evidence.refs import EventRef
from fixtures import Answer, Broker, Sinks, expect
from suites.wire import attributes, binary, fresh

WANTED = {"attributes": {"type": "wanted"}}
SOURCE = "/touchstone/subscriber"
# Codes that the table of the specification does not name: each says something of its own, and counts as its class does.
OTHER_REFUSALS = [402, 405, 406, 410, 412, 415, 417, 421, 423, 424, 425, 426, 428, 451]
OTHER_FAILURES = [501, 505, 507, 508, 511, 520, 599]
# More failures in a row than those after which a circuit breaker opens.
FAILURES = 30
# More than the connections that a client has to one host (the Kafka Broker's: 100).
POOL = 120


# A real control plane reads periods in tenths of a second: a shorter delay is none, and then it does not retry at all.
def retries(count: int, delay: str = "PT0.1S", policy: str = "linear") -> dict[str, Any]:
    """Return a delivery specification with retries."""
    return {"retry": count, "backoffPolicy": policy, "backoffDelay": delay}


@pytest.mark.requirement("EVT-DLV-001")
def test_a_failing_delivery_is_retried_until_it_succeeds(broker: Broker, sinks: Sinks) -> None:
    sink = sinks([Answer(503), Answer(500), Answer(503), Answer(200)])
    trigger = broker.trigger(filter=WANTED, subscriber=sink, delivery=retries(3))
    expect(attempts(broker.send(type="wanted"), to=trigger, count=4))


@pytest.mark.requirement("EVT-DLV-004")
@pytest.mark.parametrize("status", [400, 401, 403, 413, 422])
def test_a_refusal_for_good_is_not_retried(broker: Broker, sinks: Sinks, status: int) -> None:
    trigger = broker.trigger(filter=WANTED, subscriber=sinks([Answer(status)]), delivery=retries(2))
    expect(attempts(broker.send(type="wanted"), to=trigger, count=1))


@pytest.mark.requirement("EVT-DLV-004")
def test_no_other_refusal_is_retried(broker: Broker, sinks: Sinks) -> None:
    # Each event gets one of the answers: whoever tries one again takes the answer of another event.
    sink = sinks([Answer(status) for status in OTHER_REFUSALS])
    trigger = broker.trigger(filter=WANTED, subscriber=sink, delivery=retries(1))
    events = broker.send_many([{"type": "wanted"}] * len(OTHER_REFUSALS))
    expect(*(attempts(event, to=trigger, count=1) for event in events))


@pytest.mark.requirement("EVT-DLV-005")
@pytest.mark.parametrize("status", [404, 408, 409, 429, 500, 502, 503, 504])
def test_a_passing_refusal_is_retried(broker: Broker, sinks: Sinks, status: int) -> None:
    sink = sinks([Answer(status), Answer(200)])
    trigger = broker.trigger(filter=WANTED, subscriber=sink, delivery=retries(2))
    expect(attempts(broker.send(type="wanted"), to=trigger, count=2))


@pytest.mark.requirement("EVT-DLV-005")
def test_every_other_failure_of_a_server_is_retried(broker: Broker, sinks: Sinks) -> None:
    triggers = broker.several(
        *(
            {"filter": WANTED, "subscriber": sinks([Answer(status), Answer(200)]), "delivery": retries(2)}
            for status in OTHER_FAILURES
        )
    )
    event = broker.send(type="wanted")
    expect(*(attempts(event, to=trigger, count=2) for trigger in triggers))


@pytest.mark.requirement("EVT-DLV-006")
@pytest.mark.parametrize(
    ("policy", "delay", "gaps"),
    [
        ("linear", "PT0.1S", [0.1, 0.1, 0.1]),
        ("exponential", "PT0.1S", [0.1, 0.2, 0.4]),
        # Longer than the delay that a system takes by itself.
        ("linear", "PT1S", [1.0]),
        ("linear", "P0DT0H0M1S", [1.0]),
    ],
    ids=["linear", "exponential", "a-second", "a-second-by-all-units"],
)
def test_retries_wait_as_long_as_the_policy_says(
    broker: Broker, sinks: Sinks, policy: str, delay: str, gaps: list[float]
) -> None:
    # One retry more than failures: their number is another requirement.
    sink = sinks([*[Answer(503)] * len(gaps), Answer(200)])
    trigger = broker.trigger(filter=WANTED, subscriber=sink, delivery=retries(len(gaps) + 1, delay, policy))
    expect(spaced(broker.send(type="wanted"), to=trigger, at_least=gaps))


@pytest.mark.requirement("EVT-DLV-010")
def test_a_short_delay_is_a_delay(broker: Broker, sinks: Sinks) -> None:
    sink = sinks([Answer(503), Answer(200)])
    trigger = broker.trigger(filter=WANTED, subscriber=sink, delivery=retries(2, "PT0.02S"))
    expect(attempts(broker.send(type="wanted"), to=trigger, count=2))


@pytest.mark.requirement("EVT-DLV-028")
@pytest.mark.usefixtures("retry_after")
def test_a_retry_waits_as_long_as_the_answer_asks_for(broker: Broker, sinks: Sinks) -> None:
    # A date is later than any wait; what is waited for is then the longest wait.
    never = "Fri, 31 Dec 2999 23:59:59 GMT"
    asked = [(429, "2", "PT5S"), (503, "2", "PT1M"), (503, never, "PT2S"), (429, never, "PT2S")]
    triggers = broker.several(
        *(
            {
                "filter": WANTED,
                "subscriber": sinks([Answer(status, headers=[("Retry-After", told)]), Answer(200)]),
                "delivery": retries(3) | {"retryAfterMax": longest},
            }
            for status, told, longest in asked
        )
    )
    event = broker.send(type="wanted")
    expect(*(attempts(event, to=trigger, count=2) for trigger in triggers))
    expect(*(spaced(event, to=trigger, at_least=[2.0]) for trigger in triggers))


@pytest.mark.requirement("EVT-DLV-030")
def test_retries_need_neither_a_policy_nor_a_delay(broker: Broker, sinks: Sinks) -> None:
    given = [{}, {"backoffPolicy": "linear"}, {"backoffPolicy": "exponential"}, {"backoffDelay": "PT0.1S"}]
    triggers = broker.several(
        *({"filter": WANTED, "subscriber": sinks([Answer(503)]), "delivery": {"retry": 2, **each}} for each in given)
    )
    event = broker.send(type="wanted")
    # The delay that nobody gave is the system's own.
    expect(*(attempts(event, to=trigger, count=3) for trigger in triggers), within=60.0)


@pytest.mark.requirement("EVT-DLV-031")
@pytest.mark.parametrize("failure", [Answer(503), Answer(broken="reset")], ids=["503", "reset"])
def test_earlier_failures_keep_no_event_from_its_subscriber(broker: Broker, sinks: Sinks, failure: Answer) -> None:
    trigger = broker.trigger(filter=WANTED, subscriber=sinks([*[failure] * FAILURES, Answer(200)]))
    earlier = broker.send_many([{"type": "wanted"}] * FAILURES, concurrency=8)
    expect(*(delivered(event, to=trigger) for event in earlier))
    expect(delivered(broker.send(type="wanted"), to=trigger))


@pytest.mark.requirement("EVT-DLV-031")
def test_no_number_of_failures_with_a_body_uses_the_connections_up(broker: Broker, sinks: Sinks) -> None:
    failure = Answer(500, headers=[("content-type", "text/plain")], body=b"no such model\n" * 40)
    trigger = broker.trigger(filter=WANTED, subscriber=sinks([*[failure] * POOL, Answer(200)]))
    earlier = broker.send_many([{"type": "wanted"}] * POOL, concurrency=8)
    expect(*(delivered(event, to=trigger) for event in earlier), within=60.0)  # a busy machine handles ten a second
    expect(delivered(broker.send(type="wanted"), to=trigger))


@pytest.mark.requirement("EVT-DLV-032")
def test_retries_wait_no_longer_than_they_are_asked_to(broker: Broker, sinks: Sinks) -> None:
    # The last attempt is answered by a reply, which shows when it was made: by the policies after 3 s at most. Whoever
    # waits for much longer comes behind the slow answer, nobody else does.
    policies = ["linear", "exponential"]
    answers = [fresh("reply") for _ in policies]
    carriers = [
        Answer(200, headers=binary(attributes(id=name, source=SOURCE, type="answer")), body=b"1") for name in answers
    ]
    slow, receiver, *_ = broker.several(
        {"filter": {"attributes": {"type": "slow"}}, "subscriber": sinks([Answer(200, delay=15.0)])},
        {"filter": {"attributes": {"type": "answer"}}},
        *(
            {
                "filter": {"attributes": {"type": policy}},
                "subscriber": sinks([*[Answer(503)] * 4, carrier]),
                # One retry more than failures: their number is another requirement.
                "delivery": retries(5, policy=policy),
            }
            for policy, carrier in zip(policies, carriers, strict=True)
        ),
    )
    first = broker.send(type="slow")
    expect(delivered(first, to=slow))
    broker.send_many([{"type": policy} for policy in policies])
    asked = [EventRef(SOURCE, name) for name in answers]
    expect(*(not_held_up(answer, to=receiver, by=slow, during=first) for answer in asked), within=30.0)
