"""Deliveries counted: at least one, exactly n, none; and the gaps between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evidence.checks.base import Check, by_fate, check, describe, failed, observations, proven, undecidable, violation
from evidence.event_progress import EventProgress, Stage, handled, watch
from evidence.refs import EventRef, SinkRef, TriggerRef
from evidence.verdict import PASSED, UNDECIDED, Judgement, ObservationRequest, Violation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evidence.history_index import SeenEvent
    from evidence.records import Received

# Timers may fire this much early by the clock's grain; seconds.
CLOCK_GRAIN = 0.001


class DeliveryCheck(Check):
    """An event, the places it goes to, and what is known of its way there."""

    event: EventRef
    places: list[TriggerRef | SinkRef]
    replied_by: TriggerRef | None

    def watch(self) -> None:
        """Keep the event, and what shows whether the Triggers are done with it."""
        self.event = self.args["event"]
        self.places = self.args["to"] if isinstance(self.args["to"], list) else [self.args["to"]]
        self.replied_by = self.args.get("replied_by")
        self.triggers = [place for place in self.places if isinstance(place, TriggerRef)]
        self.sinks = {sink.name for place in self.places if (sink := _sink(place)) is not None}
        watch(self.history, self.event, self.triggers, self.replied_by)

    @property
    def expected(self) -> str:
        """The expectation in a few words."""
        return f"{describe(self.event)} to be {self.wording}"

    @property
    def wording(self) -> str:
        """What the event should be."""
        return f"delivered to {self.target}"

    @property
    def target(self) -> str:
        """The places, in a few words."""
        return " and ".join(
            f"Trigger {place.namespace}/{place.name}" if isinstance(place, TriggerRef) else f"sink {place.name}"
            for place in self.places
        )

    def deliveries(self) -> list[Received]:
        """Return the requests that brought the event."""
        return self.history.deliveries((self.event.source, self.event.id), self.sinks)

    def fate(self) -> EventProgress:
        """Return the least advanced of the Triggers' fates; all handled: the one handled last."""
        fates = [handled(self.history, self.event, trigger, self.replied_by) for trigger in self.triggers]
        if not fates:
            return EventProgress(Stage.OPEN, "a sink alone does not show whether more will come")
        undone = [fate for fate in fates if fate.stage is not Stage.HANDLED]
        return undone[0] if undone else max(fates, key=lambda fate: fate.at or (0, 0.0))

    def missing(self) -> Violation:
        """Return what keeps the fate open."""
        return self.no_decision(self.expected, self.fate().text, self.event)

    def needs(self) -> tuple[ObservationRequest, ...]:
        """Return the topic, and the groups' committed offsets."""
        if any(sent["send"] not in self.history.answered for sent in self._seen.sent):
            return ()
        # A fence at the Trigger that replied would only make it reply again.
        cause = self.replied_by if self.replied_by is not None and not self.replied_by.fenced else None
        needed = [need for trigger in [*self.triggers, cause] for need in observations(trigger)]
        return tuple(dict.fromkeys(needed))

    @property
    def _seen(self) -> SeenEvent:
        return self.history.events[self.event.source, self.event.id]

    def absent(self, fate: EventProgress, *, final: bool) -> Judgement:
        """Judge that the event did not come, although it should have."""
        proof = by_fate(self.expected, fate, self.where(self.event))
        if fate.stage is Stage.SILENT:
            # Neither the event nor a later one came in time: a Broker that has accepted both owed them.
            return failed(proof) if final and not self.deliveries() else UNDECIDED
        # A record that is stored late may still be delivered: only the deadline makes its loss a failure.
        if fate.stage in {Stage.HANDLED, Stage.REFUSED} or (fate.stage is Stage.LOST and final):
            return failed(proof, proof=fate.proof)
        return undecidable(proof) if fate.stage is Stage.UNDECIDABLE else UNDECIDED


def _sink(place: TriggerRef | SinkRef) -> SinkRef | None:
    return place if isinstance(place, SinkRef) else place.sink


@check("delivered")
class Delivered(DeliveryCheck):
    """At least one delivery."""

    def decide(self, *, final: bool) -> Judgement:
        """Pass at the first delivery."""
        if self.deliveries():
            return PASSED
        return self.absent(self.fate(), final=final)


@check("delivered_once")
@check("attempts")
class Attempts(DeliveryCheck):
    """Exactly n deliveries, when the Triggers are done with the event.

    With a control, an event that they are done with: no fewer by the deadline, done or not.
    """

    def watch(self) -> None:
        """Keep the control's way, too."""
        super().watch()
        self.control: EventRef | None = self.args.get("control")
        if self.control is not None:
            watch(self.history, self.control, self.triggers)

    @property
    def wording(self) -> str:
        """The expectation in a few words."""
        count = self.args["count"]
        return f"delivered to {self.target} in exactly {count} request{'' if count == 1 else 's'}"

    def decide(self, *, final: bool) -> Judgement:
        """Fail as soon as there are too many; else once the event is handled."""
        found, count = self.deliveries(), self.args["count"]
        if len(found) > count:
            witness = tuple(record["seq"] for record in found[: count + 1])
            return failed(violation(self.expected, f"{len(found)} requests", witness, self.where(self.event)))
        fate = self.fate()
        if fate.stage is not Stage.HANDLED:
            return (self._too_few(found) if final else None) or self.absent(fate, final=final)
        if len(found) == count:
            return proven(fate)
        got = f"{len(found)} when {fate.text}"
        witness = (*(record["seq"] for record in found), *fate.witness)
        return failed(violation(self.expected, got, witness, self.where(self.event)), proof=fate.proof)

    def _too_few(self, found: Sequence[Received]) -> Judgement | None:
        """Fail where there were some deliveries, but too few, of Triggers that are done with the control."""
        if self.control is None or not 0 < len(found) < self.args["count"]:
            return None
        fates = [handled(self.history, self.control, trigger) for trigger in self.triggers]
        if any(fate.stage is not Stage.HANDLED for fate in fates):
            return None
        got = f"{len(found)} by the deadline, though {self.target} was done with {describe(self.control)}"
        witness = (*(record["seq"] for record in found), *(seq for fate in fates for seq in fate.witness))
        return failed(violation(self.expected, got, witness, self.where(self.event)))


@check("not_delivered")
class NotDelivered(DeliveryCheck):
    """No delivery, when the Triggers are done with the event."""

    @property
    def wording(self) -> str:
        """The expectation in a few words."""
        return f"stored and not delivered to {self.target}"

    def decide(self, *, final: bool) -> Judgement:
        """Fail at the first delivery; pass once the event is handled, or, for a reply, once it is proven unstored."""
        found = self.deliveries()
        if found:
            got = f"a request at sink {found[0]['sink']}"
            return failed(violation(self.expected, got, (found[0]["seq"],), self.where(self.event)))
        fate = self.fate()
        if fate.stage is Stage.HANDLED or (fate.stage is Stage.LOST and self.replied_by is not None):
            return proven(fate)
        if fate.stage in {Stage.REFUSED, Stage.UNDECIDABLE} or (fate.stage is Stage.LOST and final):
            # An event that never got in proves nothing about the Trigger.
            return undecidable(by_fate(self.expected, fate, self.where(self.event)))
        return UNDECIDED


@check("spaced")
class Spaced(DeliveryCheck):
    """The gaps between the deliveries, as far as there were retries."""

    @property
    def wording(self) -> str:
        """The expectation in a few words."""
        gaps = ", ".join(f"{gap:g} s" for gap in self.args["at_least"])
        return f"retried to {self.target} with gaps of at least {gaps}"

    def decide(self, *, final: bool) -> Judgement:
        """Fail at the first gap that is too short; pass when all gaps were seen, or those of a handled event."""
        found = self.deliveries()
        for number, (wanted, before, after) in enumerate(zip(self.args["at_least"], found, found[1:], strict=False), 1):
            gap = after["t"] - before["t"]
            if gap < wanted - CLOCK_GRAIN:
                got = f"{gap:.3f} s before retry {number}"
                witness = (before["seq"], after["seq"])
                return failed(violation(self.expected, got, witness, self.where(self.event)))
        if len(found) > len(self.args["at_least"]):
            return PASSED
        fate = self.fate()
        if fate.stage is not Stage.HANDLED:
            return self.absent(fate, final=final)
        # Too few retries are another expectation's business (`attempts`); without any there is no gap to judge.
        return proven(fate) if len(found) > 1 else undecidable(by_fate(self.expected, fate, self.where(self.event)))
