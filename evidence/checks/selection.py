"""Laws between Triggers: one gets exactly the events that others get all of, any of, or none of.

Nobody says here which events a filter lets through. What one Trigger got is compared with what others got, so a law
needs no evaluator of filters that could be wrong in the same way.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from evidence.checks.base import Check, by_fate, check, describe, failed, observations, undecidable, violation
from evidence.event_progress import Stage, handled, watch
from evidence.identity import of_http
from evidence.verdict import PASSED, UNDECIDED, Judgement, ObservationRequest, Violation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from evidence.event_progress import EventProgress
    from evidence.records import Received
    from evidence.refs import EventRef, TriggerRef

API: Final = "eventing.knative.dev/v1"
OPERATORS: Final[dict[str, Callable[[Iterable[bool]], bool]]] = {
    "all": all,
    "any": any,
    "none": lambda got: not any(got),
}


@check("selection")
class Selection(Check):
    """For each event: the first Trigger gets it exactly when all, any or none of the others get it, or its twin."""

    def watch(self) -> None:
        """Keep the events, the Triggers as they were made, and what shows whether they are done with the events."""
        (self.whole,) = self.args["to"]
        self.others: list[TriggerRef] = self.args["of"]
        self.combined = OPERATORS[self.args["op"]]
        events, twins = self.args["events"], self.args["twins"]
        self.rows = [
            [(self.whole, event), *((trigger, twin) for trigger in self.others)]
            for event, twin in zip(events, twins, strict=True)
        ]
        self._got: dict[tuple[int, int], bool] = {}
        for trigger in (self.whole, *self.others):
            self.history.watch_object((API, "Trigger", trigger.namespace, trigger.name))
        for trigger, event in (cell for row in self.rows for cell in row):
            watch(self.history, event, [trigger])
            if event.send is not None:
                self.history.watch_exchange(event.send)

    def decide(self, *, final: bool) -> Judgement:
        """Fail at the events for which the law does not hold; pass when it holds for all."""
        decided = [self._row(number) for number in range(len(self.rows))]
        if broken := [self._broken(number) for number, got in enumerate(decided) if got and not self._holds(got)]:
            return failed(*broken)
        for trigger, event, fate in self._open():
            proof = by_fate(
                f"{describe(event)} to reach {_name(trigger)}, or to be passed over", fate, self.where(event)
            )
            if fate.stage is Stage.REFUSED or (fate.stage in {Stage.LOST, Stage.SILENT} and final):
                return failed(proof)
            return undecidable(proof) if fate.stage is Stage.UNDECIDABLE else UNDECIDED
        return PASSED

    def missing(self) -> Violation:
        """Return the first Trigger that is not done with an event."""
        for trigger, event, fate in self._open():
            return self.no_decision(self._law(), f"{describe(event)} at {_name(trigger)}: {fate.text}", event)
        return self.no_decision(self._law(), "the Triggers are done with all events")

    def needs(self) -> tuple[ObservationRequest, ...]:
        """Return the topics, and the groups' committed offsets."""
        waiting = {trigger for trigger, _, _ in self._open()}
        ordered = [trigger for trigger in (self.whole, *self.others) if trigger in waiting]
        return tuple(dict.fromkeys(need for trigger in ordered for need in observations(trigger)))

    def _holds(self, got: list[bool]) -> bool:
        return got[0] == self.combined(got[1:])

    def _row(self, number: int) -> list[bool] | None:
        """Return who got an event, or its twin; None while that is open."""
        cells = [self._cell(number, place) for place in range(len(self.rows[number]))]
        decided = [got for got in cells if got is not None]
        return decided if len(decided) == len(cells) else None

    def _cell(self, number: int, place: int) -> bool | None:
        """Return whether a Trigger got an event; None while it may still come."""
        if (number, place) in self._got:
            return self._got[number, place]
        trigger, event = self.rows[number][place]
        if self._deliveries(trigger, event):
            self._got[number, place] = True
        elif handled(self.history, event, trigger).stage is Stage.HANDLED:
            self._got[number, place] = False
        return self._got.get((number, place))

    def _open(self) -> Iterator[tuple[TriggerRef, EventRef, EventProgress]]:
        for number, row in enumerate(self.rows):
            for place, (trigger, event) in enumerate(row):
                if self._cell(number, place) is None:
                    yield trigger, event, handled(self.history, event, trigger)

    def _deliveries(self, trigger: TriggerRef, event: EventRef) -> list[Received]:
        sink = {trigger.sink.name} if trigger.sink is not None else set()
        return self.history.deliveries((event.source, event.id), sink)

    def _law(self) -> str:
        words = {"all": "all of", "any": "any of", "none": "none of"}[self.args["op"]]
        others = ", ".join(self._shown(trigger) for trigger in self.others)
        return f"{self._shown(self.whole)} to get an event exactly when {words} these get it: {others}"

    def _broken(self, number: int) -> Violation:
        row = self.rows[number]
        said: list[str] = []
        witness: list[int] = []
        for place, (trigger, event) in enumerate(row):
            got = bool(self._cell(number, place))
            twin = "" if event == row[0][1] else f" {self._event(event)}"
            said.append(f"{_name(trigger)} {'got' if got else 'did not get'}{twin or ' it'}")
            seen = self._deliveries(trigger, event)
            witness += [seen[0]["seq"]] if seen else handled(self.history, event, trigger).witness
        event = row[0][1]
        return violation(f"{self._law()}; {self._event(event)}", ", ".join(said), tuple(witness), self.where(event))

    def _event(self, event: EventRef) -> str:
        """Return an event with the attributes that it was sent with."""
        for sent in self.history.events[event.source, event.id].sent:
            if of_http(sent["headers"], sent["body"]) is not None:
                pairs = [(name[3:], value) for name, value in sent["headers"] if name.lower().startswith("ce-")]
                shown = " ".join(f"{name}={value}" for name, value in pairs if name not in {"id", "specversion"})
                return f"event {event.id} ({shown})"
        return describe(event)

    def _shown(self, trigger: TriggerRef) -> str:
        """Return a Trigger with its filters, as the API had them."""
        key = (API, "Trigger", trigger.namespace, trigger.name)
        for record in reversed(self.history.objects[key]):
            if (found := record.get("object")) is not None:
                spec = found.get("spec")
                filters = spec.get("filters") if isinstance(spec, dict) else None
                return f"{_name(trigger)} with filters {json.dumps(filters, ensure_ascii=False)}"
        return _name(trigger)


def _name(trigger: TriggerRef) -> str:
    return f"Trigger {trigger.name}"
