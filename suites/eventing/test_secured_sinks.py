"""Subscribers and dead letter sinks at https URIs: who proves to be the one that is meant gets events, nobody else."""

from typing import Any

import pytest

from evidence.expectations import attempts, dead_lettered, delivered, not_delivered, not_received, unchanged
from evidence.refs import SinkRef
from fixtures import Answer, Broker, Brokers, Kube, Sinks, expect

WANTED = {"attributes": {"type": "wanted"}}
UNPROVEN = {
    "of-nobody-known": ("valid", "nobody"),
    "of-a-stranger": ("valid", "stranger"),
    "expired": ("expired", "own"),
    "of-another-host": ("misnamed", "own"),
}
"""What a sink shows, and whose certificates are trusted in."""
unproven = pytest.mark.parametrize(("shown", "trusted"), UNPROVEN.values(), ids=UNPROVEN)


def authorities(sinks: Sinks, trusted: str) -> str:
    """Return the CACerts that trust so."""
    return {"own": sinks.authority, "stranger": sinks.stranger, "both": sinks.stranger + sinks.authority}.get(
        trusted, ""
    )


def letters_to(sink: SinkRef, ca_certs: str = "") -> dict[str, Any]:
    """Return delivery options with this dead letter sink."""
    return {"deadLetterSink": {"uri": sink.url} | ({"CACerts": ca_certs} if ca_certs else {})}


@pytest.mark.requirement("EVT-TLS-001")
@pytest.mark.parametrize("trusted", ["own", "both"], ids=["one-authority", "two-authorities"])
def test_an_event_reaches_a_subscriber_whose_certificate_is_trusted(broker: Broker, sinks: Sinks, trusted: str) -> None:
    sink = sinks(certificate="valid")
    trigger = broker.trigger(filter=WANTED, subscriber=sink, ca_certs=authorities(sinks, trusted))
    event = broker.send(type="wanted")
    expect(delivered(event, to=trigger), unchanged(event, to=trigger))


@pytest.mark.requirement("EVT-TLS-002")
@unproven
def test_a_subscriber_that_does_not_prove_who_it_is_gets_nothing(
    broker: Broker, sinks: Sinks, shown: str, trusted: str
) -> None:
    sink, letters = sinks(certificate=shown), sinks()
    trigger = broker.trigger(
        filter=WANTED, subscriber=sink, ca_certs=authorities(sinks, trusted), delivery=letters_to(letters)
    )
    event = broker.send(type="wanted")
    expect(dead_lettered(event, to=letters, by=trigger), not_delivered(event, to=trigger))


@pytest.mark.requirement("EVT-TLS-003")
@pytest.mark.parametrize("owner", ["trigger", "broker"])
def test_a_dead_letter_reaches_a_sink_whose_certificate_is_trusted(brokers: Brokers, sinks: Sinks, owner: str) -> None:
    # The subscriber has the same certificate, and is not trusted: what counts for the one counts for it alone.
    sink, letters = sinks(certificate="valid"), sinks(certificate="valid")
    delivery = letters_to(letters, sinks.authority)
    broker = brokers(delivery=delivery if owner == "broker" else None)
    trigger = broker.trigger(
        filter=WANTED,
        subscriber=sink,
        ca_certs=sinks.stranger,
        delivery=delivery if owner == "trigger" else None,
    )
    event = broker.send(type="wanted")
    expect(dead_lettered(event, to=letters, by=trigger), not_delivered(event, to=trigger))


@pytest.mark.requirement("EVT-TLS-004")
@unproven
def test_a_dead_letter_sink_that_does_not_prove_who_it_is_gets_nothing(
    broker: Broker, sinks: Sinks, shown: str, trusted: str
) -> None:
    # The subscriber is trusted, by the authority of both certificates.
    sink, letters = sinks([Answer(400)], certificate="valid"), sinks(certificate=shown)
    delivery = letters_to(letters, authorities(sinks, trusted))
    trigger = broker.trigger(filter=WANTED, subscriber=sink, ca_certs=sinks.authority, delivery=delivery)
    event = broker.send(type="wanted")
    expect(attempts(event, to=trigger, count=1), not_received(event, at=letters, by=trigger))


@pytest.mark.requirement("EVT-TLS-005")
def test_changed_authorities_count_for_what_follows(broker: Broker, sinks: Sinks) -> None:
    sink, letters = sinks(certificate="valid"), sinks()
    trigger = broker.trigger(filter=WANTED, subscriber=sink, ca_certs=sinks.stranger, delivery=letters_to(letters))
    early = broker.send(type="wanted")
    expect(dead_lettered(early, to=letters, by=trigger), not_delivered(early, to=trigger))
    trigger.update(subscriber={"uri": sink.url, "CACerts": sinks.authority})
    event = broker.send(type="wanted")
    expect(delivered(event, to=trigger))
    trigger.update(subscriber={"uri": sink.url, "CACerts": sinks.stranger})
    late = broker.send(type="wanted")
    expect(dead_lettered(late, to=letters, by=trigger), not_delivered(late, to=trigger))


@pytest.mark.requirement("EVT-TLS-006")
def test_authorities_that_are_taken_out_count_no_more(broker: Broker, sinks: Sinks, kube: Kube) -> None:
    sink, letters = sinks(certificate="valid"), sinks()
    trigger = broker.trigger(filter=WANTED, subscriber=sink, ca_certs=sinks.authority, delivery=letters_to(letters))
    expect(delivered(broker.send(type="wanted"), to=trigger))
    # Who applies an object takes out nothing that its creation gave it.
    kube.patch(trigger.object, {"spec": {"subscriber": {"CACerts": None}}}, check=True)
    trigger.wait()
    event = broker.send(type="wanted")
    expect(dead_lettered(event, to=letters, by=trigger), not_delivered(event, to=trigger))
