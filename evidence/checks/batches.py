"""Many events at once: each exactly once, none late, so many in flight; and a slow subscriber that holds up nobody."""

from __future__ import annotations

import math
from abc import abstractmethod
from bisect import bisect_left, insort
from typing import TYPE_CHECKING

from evidence.checks.base import Check, by_fate, check, describe, failed, observations, undecidable, violation
from evidence.checks.delivery import DeliveryCheck
from evidence.event_progress import Stage, handled, watch
from evidence.verdict import PASSED, UNDECIDED, Judgement, ObservationRequest, Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evidence.event_progress import EventProgress
    from evidence.records import Received
    from evidence.refs import EventRef, TriggerRef


class Batch(Check):
    """Many events, and the Triggers whose deliveries of them are judged together."""

    def watch(self) -> None:
        """Keep the events, and what shows whether the Triggers are done with them."""
        self.events: list[EventRef] = self.args["events"]
        self.triggers: list[TriggerRef] = self.args["to"]
        self.sinks = {trigger.sink.name for trigger in self.triggers if trigger.sink is not None}
        for event in self.events:
            watch(self.history, event, self.triggers)
            if event.send is not None:
                self.history.watch_exchange(event.send)
        self._handled: set[int] = set()

    @property
    def expected(self) -> str:
        """The expectation in a few words."""
        target = " and ".join(f"Trigger {trigger.namespace}/{trigger.name}" for trigger in self.triggers)
        return f"{len(self.events)} events to be delivered to {target} {self.wording}"

    @property
    @abstractmethod
    def wording(self) -> str:
        """How the events should be delivered."""

    def deliveries(self, event: EventRef) -> list[Received]:
        """Return the requests that brought an event."""
        return self.history.deliveries((event.source, event.id), self.sinks)

    def open(self) -> tuple[EventRef, EventProgress] | None:
        """Return the first event that a Trigger is not done with, and how far it is; None when all are done with."""
        for number, event in enumerate(self.events):
            if number in self._handled:
                continue
            for trigger in self.triggers:
                fate = handled(self.history, event, trigger)
                if fate.stage is not Stage.HANDLED:
                    return event, fate
            self._handled.add(number)
        return None

    def unfinished(self, event: EventRef, fate: EventProgress, *, final: bool) -> Judgement:
        """Judge by an event that no Trigger is done with."""
        proof = by_fate(f"{describe(event)} to be delivered {self.wording}", fate, self.where(event))
        if fate.stage is Stage.REFUSED or (fate.stage in {Stage.LOST, Stage.SILENT} and final):
            return failed(proof)
        return undecidable(proof) if fate.stage is Stage.UNDECIDABLE else UNDECIDED

    def missing(self) -> Violation:
        """Return the first event that is still open."""
        unfinished = self.open()
        if unfinished is None:
            return self.no_decision(self.expected, "the Triggers are done with all of them")
        event, fate = unfinished
        return self.no_decision(self.expected, f"{describe(event)}: {fate.text}", event)

    def needs(self) -> tuple[ObservationRequest, ...]:
        """Return the topic, and the groups' committed offsets."""
        return tuple(dict.fromkeys(need for trigger in self.triggers for need in observations(trigger)))


@check("each_once")
class EachOnce(Batch):
    """Each event in exactly one request, when the Triggers are done with all."""

    @property
    def wording(self) -> str:
        """How the events should be delivered."""
        return "in exactly one request each"

    def decide(self, *, final: bool) -> Judgement:
        """Fail at the first event that came twice, or never; pass when all were handled."""
        faults = [self._doubled(event, found) for event in self.events if len(found := self.deliveries(event)) > 1]
        unfinished = self.open()
        faults += [self._lost(event) for number, event in enumerate(self.events) if self._is_lost(number, event)]
        if faults:
            return failed(*faults)
        if unfinished is not None:
            return self.unfinished(*unfinished, final=final)
        return PASSED

    def _is_lost(self, number: int, event: EventRef) -> bool:
        return number in self._handled and not self.deliveries(event)

    def _doubled(self, event: EventRef, found: list[Received]) -> Violation:
        witness = tuple(record["seq"] for record in found[:2])
        return violation(f"{describe(event)} in one request", f"{len(found)} requests", witness, self.where(event))

    def _lost(self, event: EventRef) -> Violation:
        fate = handled(self.history, event, self.triggers[0])
        return violation(f"{describe(event)} in one request", f"none when {fate.text}", fate.witness, self.where(event))


@check("none_received")
class NoneReceived(Batch):
    """No event at a sink that none of them should come to, when the Triggers are done with all."""

    @property
    def wording(self) -> str:
        """How the events should be delivered."""
        return f"and none to sink {self.args['at'].name}"

    def decide(self, *, final: bool) -> Judgement:
        """Fail at the events that came there; pass when all were handled."""
        strayed = [(event, found[0]) for event in self.events if (found := self._strayed(event))]
        if strayed:
            return failed(*(self._stray(event, request) for event, request in strayed))
        unfinished = self.open()
        return PASSED if unfinished is None else self.unfinished(*unfinished, final=final)

    def _strayed(self, event: EventRef) -> list[Received]:
        return self.history.deliveries((event.source, event.id), {self.args["at"].name})

    def _stray(self, event: EventRef, request: Received) -> Violation:
        expected = f"nothing of {describe(event)} at sink {self.args['at'].name}"
        return violation(expected, f"request {request['receive']}", (request["seq"],), self.where(event))


@check("none_late")
class NoneLate(Batch):
    """No event waits on its own: none comes long after many that were accepted after it.

    A busy machine delays all alike, so it makes nobody late in this sense.
    """

    @property
    def wording(self) -> str:
        """How the events should be delivered."""
        return f"none {self.args['by']:g} s after {self.args['overtaken']} that were accepted later"

    def decide(self, *, final: bool) -> Judgement:
        """Fail at an event that was overtaken; pass when all came, or were handled."""
        came = [(event, found[0]) for event in self.events if (found := self.deliveries(event))]
        if late := list(self._late(came)):
            return failed(*late)
        if len(came) < len(self.events) and (unfinished := self.open()) is not None:
            return self.unfinished(*unfinished, final=final)
        return PASSED

    def _late(self, came: list[tuple[EventRef, Received]]) -> Iterator[Violation]:
        """Yield the events that were overtaken; from the last that was accepted to the first."""
        answered = self.history.answered
        rows = [(answered[event.send]["seq"], event, got) for event, got in came if event.send in answered]
        later: list[tuple[float, int]] = []
        for _, event, delivery in sorted(rows, key=lambda row: row[0], reverse=True):
            before = bisect_left(later, (delivery["t"] - self.args["by"], 0))
            if before >= self.args["overtaken"]:
                expected = f"{describe(event)} before, or soon after, events that were accepted later"
                got = f"{before} of them more than {self.args['by']:g} s before it"
                yield violation(expected, got, (later[before - 1][1], delivery["seq"]), self.where(event))
            insort(later, (delivery["t"], delivery["seq"]))


@check("in_flight")
class InFlight(Batch):
    """How many of the events are with the subscriber at once: between a request and its answer."""

    @property
    def wording(self) -> str:
        """How the events should be delivered."""
        least, most = self.args["at_least"], self.args["at_most"]
        return f"at most {most} at once" if least is None else f"at least {least} at once"

    def decide(self, *, final: bool) -> Judgement:
        """Fail at the first request too many; pass at enough, or when all events were handled."""
        least, most = self.args["at_least"], self.args["at_most"]
        at_once, witness = self._most_at_once()
        if most is not None and at_once > most:
            return failed(violation(self.expected, f"{at_once} at once", witness))
        if least is not None and at_once >= least:
            return PASSED
        if (unfinished := self.open()) is not None:
            return self.unfinished(*unfinished, final=final)
        if lost := [event for event in self.events if not self.deliveries(event)]:
            return undecidable(violation(self.expected, f"no request for {describe(lost[0])}", (), self.where(lost[0])))
        if least is not None:
            return failed(violation(self.expected, f"never more than {at_once}", witness))
        return PASSED

    def _most_at_once(self) -> tuple[int, tuple[int, ...]]:
        """Return the most requests that were unanswered at one moment, and those requests."""
        spans = []
        for event in self.events:
            for request in self.deliveries(event):
                answer = self.history.replied.get(request["receive"])
                spans.append((request["seq"], math.inf if answer is None else answer["seq"]))
        most: list[int] = []
        for begin, _ in spans:
            at_once = [other for other, end in spans if other <= begin < end]
            if len(at_once) > len(most):
                most = at_once
        return len(most), tuple(most)


@check("not_held_up")
class NotHeldUp(DeliveryCheck):
    """The event reaches a subscriber while another one has not answered what it got before."""

    def watch(self) -> None:
        """Keep the event, and what comes to the slow subscriber."""
        super().watch()
        by, during = self.args["by"], self.args["during"]
        self.history.watch_event((during.source, during.id))
        self.during = (during.source, during.id)
        self.slow = {by.sink.name}
        self.holder = f"Trigger {by.namespace}/{by.name}"

    @property
    def wording(self) -> str:
        """What the event should be."""
        return f"delivered to {self.target} before {self.holder} had its answer"

    def decide(self, *, final: bool) -> Judgement:
        """Pass at a delivery before the slow answer; fail as soon as that answer is there without one."""
        found = self.deliveries()
        requests = self.history.deliveries(self.during, self.slow)
        answer = self.history.replied.get(requests[0]["receive"]) if requests else None
        if found and (answer is None or found[0]["seq"] < answer["seq"]):
            return PASSED
        if answer is None:
            return self.absent(self.fate(), final=final)
        got = f"it {found[0]['t'] - answer['t']:.2f} s after that answer" if found else "no delivery until that answer"
        witness = (requests[0]["seq"], answer["seq"], *(record["seq"] for record in found[:1]))
        return failed(violation(self.expected, got, witness, self.where(self.event)))
