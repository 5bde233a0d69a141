"""What must hold through a fault, and after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evidence.arguments import Event, Expectation, Trigger, event_of, expectation, ref_of, triggers_of
from evidence.refs import BrokerRef, Has

if TYPE_CHECKING:
    from collections.abc import Sequence


def survived(events: Sequence[Event], to: Trigger, *, of: BrokerRef | Has[BrokerRef]) -> Expectation:
    """Expect that faults made on purpose lost no accepted event, and repeated only what was uncommitted.

    A request that a fault left without an answer is no delivery. An event comes again at most once for each fault
    window of the Broker, and only where its offset was not seen committed when that window began. An event that the
    ingress did not accept is not asked about.

    Args:
        events: The events.
        to: The Trigger.
        of: The Broker whose fault windows count.
    """
    broker = ref_of(of, BrokerRef)
    refs = [event_of(event) for event in events]
    return expectation("survived", events=refs, to=triggers_of(to), namespace=broker.namespace, broker=broker.name)


def not_restarted(before: int, after: int) -> Expectation:
    """Expect that no part of the platform was restarted between two looks at its pods, but those that a test ended.

    Args:
        before: The number of the record of the first look.
        after: The number of the record of the last one.
    """
    return expectation("not_restarted", before=before, after=after)


def refused_meanwhile(event: Event, by: BrokerRef | Has[BrokerRef]) -> Expectation:
    """Expect that an event that was sent while a fault of the Broker lasted was answered 5xx before that was over."""
    broker = ref_of(by, BrokerRef)
    return expectation("refused_meanwhile", exchange=event_of(event), namespace=broker.namespace, broker=broker.name)


def accepted_again(event: Event, by: BrokerRef | Has[BrokerRef], *, control: Event) -> Expectation:
    """Expect that an event that was sent after a fault of the Broker was accepted, as `control` was before it."""
    broker = ref_of(by, BrokerRef)
    return expectation(
        "accepted_again",
        exchange=event_of(event),
        control=event_of(control),
        namespace=broker.namespace,
        broker=broker.name,
    )
