"""What a broker's topic holds: the event, once, in the Kafka binding's shape; or nothing of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evidence.checks.base import Check, by_fate, check, describe, failed, observations, undecidable, violation
from evidence.checks.content import ADDED_TO_RECORDS, changes, halves, origins, read_record
from evidence.cloudevents import read_http
from evidence.event_progress import EventProgress, Stage, stored, watch
from evidence.history import octets
from evidence.history_index import moment
from evidence.identity import of_http, of_kafka
from evidence.refs import EventRef, ExchangeRef, TriggerRef
from evidence.verdict import PASSED, UNDECIDED, Judgement, ObservationRequest, Verdict, Violation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from evidence.history_index import HistoryIndex
    from evidence.identity import Identity
    from evidence.records import Answered, Sent, TopicRecord


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
            unlike = [changes(origin, seen, set(), ADDED_TO_RECORDS) for origin in origins(self.history, self.event)]
            if all(unlike) and unlike and not faults:
                faults += [halves(fault) for fault in unlike[0]]
            if faults:
                where = self.where(self.event)
                return failed(*(violation(expected, got, (place["seq"],), where) for expected, got in faults))
        return PASSED if fate.stage is Stage.STORED and fate.places else self.unstored(fate)


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


@check("not_recorded")
class NotRecorded(Check):
    """Nothing of a request, or of a replied event, is in the topic."""

    def watch(self) -> None:
        """Keep the request and all records, to tell whose they are."""
        self.ref: EventRef | ExchangeRef = self.args["event"]
        self.topic: str = self.args["on"].name
        self.replied_by: TriggerRef | None = self.args.get("replied_by")
        if isinstance(self.ref, EventRef):
            watch(self.history, self.ref, (), self.replied_by)
        if self.ref.send is not None:
            self.history.watch_exchange(self.ref.send)
        self.history.watch_all_events()
        self.history.watch_topic(self.topic, keep=True)

    @property
    def expected(self) -> str:
        """The expectation in a few words."""
        what = describe(self.ref) if isinstance(self.ref, EventRef) else f"request {self.ref.send}"
        return f"nothing of {what} in topic {self.topic}"

    def decide(self, *, final: bool) -> Judgement:
        """Fail at the first record that carries it; pass when the topic was read to its end."""
        del final
        if isinstance(self.ref, EventRef) and self.ref.send is None:
            fate = stored(self.history, self.ref, self.topic, self.replied_by)
            if fate.places:
                return failed(violation(self.expected, "a record", (fate.places[0]["seq"],), self.where(self.ref)))
            return PASSED if fate.stage is Stage.LOST else UNDECIDED
        sent, answer = self._exchange()
        if sent is None:
            return UNDECIDED
        for record in self.history.topics[self.topic].kept:
            if self._carries(record, sent):
                spot = f"{record['topic']}[{record['partition']}]@{record['offset']}"
                status = answer["status"] if answer else "not yet"
                got = f"a record at {spot} (the ingress answered {status})"
                return failed(violation(self.expected, got, (sent["seq"], record["seq"]), f"topic {spot}"))
        if answer is None:
            return UNDECIDED
        if answer["status"] is None:
            error = f"the ingress did not answer: {answer.get('error')}"
            return Judgement(Verdict.UNKNOWN, (violation(self.expected, error, (answer["seq"],)),))
        return PASSED if self.history.topics[self.topic].covered(moment(answer)) is not None else UNDECIDED

    def missing(self) -> Violation:
        """Return what keeps it open."""
        _, answer = self._exchange()
        reason = "there is no answer" if answer is None else f"topic {self.topic} is not read to its end"
        return self.no_decision(self.expected, reason)

    def needs(self) -> tuple[ObservationRequest, ...]:
        """Return the topic's records and ends, once there is an answer."""
        _, answer = self._exchange()
        if answer is None and self.ref.send is not None:
            return (ObservationRequest("tap", self.topic),)
        return (
            ObservationRequest("tap", self.topic),
            *observations(self.replied_by),
            ObservationRequest("offsets", self.topic),
        )

    def _exchange(self) -> tuple[Sent | None, Answered | None]:
        send = self.ref.send or ""
        return self.history.sent.get(send), self.history.answered.get(send)

    def _carries(self, record: TopicRecord, sent: Sent) -> bool:
        identity = of_kafka(record["headers"], record["value"])
        return stems_from(self.history, sent, identity, record["value"], lambda: read_record(record).attributes)


def stems_from(
    history: HistoryIndex,
    sent: Sent,
    identity: Identity | None,
    body: str | None,
    attributes: Callable[[], Mapping[str, str]],
) -> bool:
    """Return whether a message of the system stems from a request, even if the system invented what that did not say.

    A message that has the identity of another request does not. Else all that the request says of id, source and type
    must agree, or the bytes; a request that says nothing is taken for the origin of whatever nobody else sent.

    Args:
        history: All requests of the scope.
        sent: The request.
        identity: The source and id of the message, if it shows them.
        body: The bytes of the message, as latin-1 text.
        attributes: A function that reads the attributes of the message.
    """
    mine = of_http(sent["headers"], sent["body"])
    if mine is not None and all(mine):
        return identity == mine
    others = (other for other in history.all_sent() if other["send"] != sent["send"])
    if identity is not None and any(of_http(other["headers"], other["body"]) == identity for other in others):
        return False
    if sent["body"] and body == sent["body"]:
        return True
    said = read_http(sent["headers"], octets(sent["body"])).attributes
    known = {name: said[name] for name in ("id", "source", "type") if said.get(name)}
    got = attributes()
    return all(got.get(name) == value for name, value in known.items())
