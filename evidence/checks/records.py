"""What a broker's topic holds: the event, once, in the Kafka binding's shape."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evidence.checks.base import Check, by_fate, check, describe, failed, observations, undecidable, violation
from evidence.checks.content import ADDED_TO_RECORDS, changes, halves, origins, read_record
from evidence.event_progress import EventProgress, Stage, stored, watch
from evidence.history_index import moment
from evidence.verdict import PASSED, UNDECIDED, Judgement, ObservationRequest, Violation

if TYPE_CHECKING:
    from evidence.cloudevents import Reading
    from evidence.refs import EventRef, TriggerRef


class Stored(Check):
    """An event and its records in a topic."""

    event: EventRef
    replied_by: TriggerRef | None

    def watch(self) -> None:
        """Keep the event and the topic."""
        self.event = self.args["event"]
        self.topic: str = self.args["on"].name
        self.replied_by = self.args.get("replied_by")
        watch(self.history, self.event, (), self.replied_by)
        self.history.watch_topic(self.topic)

    @property
    def expected(self) -> str:
        """The expectation in a few words."""
        return f"{describe(self.event)} to be in topic {self.topic}"

    def fate(self) -> EventProgress:
        """Whether the topic holds it."""
        return stored(self.history, self.event, self.topic, self.replied_by)

    def missing(self) -> Violation:
        """Return what keeps it open."""
        return self.no_decision(self.expected, self.fate().text, self.event)

    def needs(self) -> tuple[ObservationRequest, ...]:
        """Return the topic's records and ends."""
        return (
            ObservationRequest("tap", self.topic),
            *observations(self.replied_by),
            ObservationRequest("offsets", self.topic),
        )

    def unstored(self, fate: EventProgress) -> Judgement:
        """Judge that the event is not there, although it should be."""
        proof = by_fate(self.expected, fate, self.where(self.event))
        if fate.stage in {Stage.REFUSED, Stage.LOST}:
            return failed(proof)
        return undecidable(proof) if fate.stage is Stage.UNDECIDABLE else UNDECIDED


@check("recorded")
class Recorded(Stored):
    """As many records as the event was accepted times."""

    def decide(self, *, final: bool) -> Judgement:
        """Fail on a record too many, or proven missing; pass when the topic was read to its end."""
        del final
        fate = self.fate()
        seen = self.history.events[self.event.source, self.event.id]
        sources = len(seen.sent) or len(seen.produced) or len(seen.replied)
        if sources and len(fate.places) > sources:
            witness = tuple(place["seq"] for place in fate.places[: sources + 1])
            got = f"{len(fate.places)} records of what was sent {sources} time{'' if sources == 1 else 's'}"
            return failed(violation(f"{self.expected} once", got, witness, self.where(self.event)))
        if fate.stage is not Stage.STORED:
            return self.unstored(fate)
        answers = [self.history.answered[sent["send"]] for sent in seen.sent] or seen.produced or seen.replied
        since = moment(answers[-1]) if answers else moment(fate.places[-1])
        return PASSED if self.history.topics[self.topic].covered(since) is not None else UNDECIDED


@check("record_shape")
class RecordShape(Stored):
    """Binary mode of the Kafka binding, with what was sent."""

    @property
    def expected(self) -> str:
        """The expectation in a few words."""
        return f"{describe(self.event)} to be in topic {self.topic} in binary content mode"

    def decide(self, *, final: bool) -> Judgement:
        """Judge every record of the event."""
        del final
        fate = self.fate()
        for place in fate.places:
            seen = read_record(place)
            faults = [("a valid CloudEvent record", str(problem)) for problem in seen.problems]
            if seen.mode != "binary":
                faults.append(("content mode binary", seen.mode or "no event"))
            sent = origins(self.history, self.event)
            if place["value"] == "" and sent and not any(map(_has_data, sent)):
                faults.append(("no value, as there is no data", "an empty value (Kafka binding §3.2.2)"))
            unlike = [changes(origin, seen, set(), ADDED_TO_RECORDS) for origin in sent]
            if all(unlike) and unlike and not faults:
                faults += [halves(fault) for fault in unlike[0]]
            if faults:
                where = self.where(self.event)
                return failed(*(violation(expected, got, (place["seq"],), where) for expected, got in faults))
        return PASSED if fate.stage is Stage.STORED and fate.places else self.unstored(fate)


def _has_data(sent: Reading) -> bool:
    """Return whether an event has data. An empty body is none; an envelope can say that data are empty."""
    return bool(sent.data) or (sent.mode == "structured" and sent.data is not None)


@check("record_key")
class RecordKey(Stored):
    """The record's key."""

    @property
    def expected(self) -> str:
        """The expectation in a few words."""
        key = self.args["key"]
        return f"{describe(self.event)} to be in topic {self.topic} under {'no key' if key is None else f'key {key!r}'}"

    def decide(self, *, final: bool) -> Judgement:
        """Judge every record of the event."""
        del final
        fate = self.fate()
        for place in fate.places:
            if place["key"] != self.args["key"]:
                got = "no key" if place["key"] is None else f"key {place['key']!r}"
                return failed(violation(self.expected, got, (place["seq"],), self.where(self.event)))
        return PASSED if fate.stage is Stage.STORED and fate.places else self.unstored(fate)
