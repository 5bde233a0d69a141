"""Order of delivery per partition."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from evidence.checks.base import Check, by_fate, check, describe, failed, observations, undecidable, violation
from evidence.event_progress import EventProgress, Stage, handled, watch
from evidence.verdict import PASSED, UNDECIDED, Judgement, ObservationRequest, Violation

if TYPE_CHECKING:
    from evidence.records import Received
    from evidence.refs import EventRef, TriggerRef


@check("in_order")
class InOrder(Check):
    """Of the events in one partition, none comes, or comes again, after a later one of the topic's order; all come."""

    def watch(self) -> None:
        """Keep all the events."""
        self.events: list[EventRef] = self.args["events"]
        self.trigger: TriggerRef = self.args["to"][0]
        for event in self.events:
            watch(self.history, event, [self.trigger])

    def decide(self, *, final: bool) -> Judgement:
        """Fail at the first inversion; pass when all events are handled and came."""
        inversion = self._inversion()
        if inversion is not None:
            return failed(inversion)
        for event in self.events:
            fate = handled(self.history, event, self.trigger)
            came = self._deliveries(event)
            if fate.stage is Stage.HANDLED and came:
                continue
            proof = by_fate(f"{describe(event)} to be delivered in order", fate, self.where(event))
            if fate.stage in {Stage.HANDLED, Stage.REFUSED} or (fate.stage is Stage.LOST and final):
                return failed(proof)
            return undecidable(proof) if fate.stage is Stage.UNDECIDABLE else UNDECIDED
        return PASSED

    def missing(self) -> Violation:
        """Return the first event that is still open."""
        event, fate = self._open()
        expected = f"{len(self.events)} events to be delivered in order to Trigger {self.trigger.name}"
        return self.no_decision(expected, f"{describe(event)}: {fate.text}", event)

    def needs(self) -> tuple[ObservationRequest, ...]:
        """Return the topic, and the group's committed offsets."""
        return observations(self.trigger)

    def _open(self) -> tuple[EventRef, EventProgress]:
        fates = [(event, handled(self.history, event, self.trigger)) for event in self.events]
        return next((pair for pair in fates if pair[1].stage is not Stage.HANDLED), fates[0])

    def _deliveries(self, event: EventRef) -> list[Received]:
        sink = self.trigger.sink.name if self.trigger.sink else ""
        return self.history.deliveries((event.source, event.id), {sink})

    def _inversion(self) -> Violation | None:
        """Return the first delivery of an event after a delivery of a later one of its partition."""
        partitions: dict[int, list[tuple[int, int, EventRef]]] = defaultdict(list)
        for event in self.events:
            for place in self.history.places((event.source, event.id), self.trigger.topic)[:1]:
                came = [(record["seq"], place["offset"], event) for record in self._deliveries(event)]
                partitions[place["partition"]] += came
        first: Violation | None = None
        for deliveries in partitions.values():
            deliveries.sort(key=lambda delivery: delivery[0])
            furthest = deliveries[0] if deliveries else None
            for seq, rank, event in deliveries:
                if furthest is None or rank >= furthest[1]:
                    furthest = (seq, rank, event)
                elif first is None or seq < first.witness[-1]:
                    expected = f"{describe(event)} before {describe(furthest[2])} at Trigger {self.trigger.name}"
                    first = violation(expected, "it after that one", (furthest[0], seq), self.where(event))
                    break
        return first
