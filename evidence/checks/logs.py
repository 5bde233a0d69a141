"""What the logger of an inference service has posted of a call: KServe's events of requests and responses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from common import jsontext
from evidence.attributes import instant
from evidence.checks.base import (
    Check,
    check,
    failed,
    header_values,
    shorten,
    undecidable,
    violation,
)
from evidence.cloudevents import Reading, read_kafka
from evidence.event_progress import UNAVAILABLE
from evidence.history import octets
from evidence.history_index import moment
from evidence.verdict import PASSED, UNDECIDED, Judgement, ObservationRequest, Violation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from evidence.records import Answered, Sent, TopicRecord
    from evidence.refs import ExchangeRef

TYPES = {
    "request": "org.kubeflow.serving.inference.request",
    "response": "org.kubeflow.serving.inference.response",
}
ID = "ce-id"
OK = 200
MOST_APART = 60.0
"""The most seconds between the time that an event states and that of its record."""


class LogCheck(Check):
    """A topic with events, and the calls that they are about."""

    prompt = True
    calls: tuple[str, ...] = ("exchange",)

    def watch(self) -> None:
        """Keep the topic and the calls."""
        self.topic: str = self.args["on"].name
        self.history.watch_topic(self.topic, keep=True)
        for name in self.calls:
            self.history.watch_exchange(self._send(name))
        self._events: list[tuple[TopicRecord, Reading]] = []

    def needs(self) -> tuple[ObservationRequest, ...]:
        """Ask for the topic, and for its ends."""
        return ObservationRequest("tap", self.topic), ObservationRequest("offsets", self.topic)

    def call(self, name: str) -> tuple[Sent, Answered] | None:
        """Return a call and its answer; None: it has none yet."""
        sent, answer = self.history.sent.get(self._send(name)), self.history.answered.get(self._send(name))
        return None if sent is None or answer is None else (sent, answer)

    def events(self, call: tuple[Sent, Answered], kind: str) -> Iterator[tuple[TopicRecord, Reading]]:
        """Yield the events of a kind that are a call's: by its id, or by their data."""
        kept = self.history.topics[self.topic].kept
        for record in kept[len(self._events) :]:
            self._events.append((record, read_kafka(record["headers"], octets(record["value"] or ""))))
        payload = payload_of(call, kind)
        for record, event in self._events:
            own = event.attributes.get("id") in id_of(call) or (payload and event.data == payload)
            if own and event.attributes.get("type") == TYPES[kind]:
                yield record, event

    def place(self, record: TopicRecord) -> str:
        """Return where an event is."""
        return f"{self.topic}[{record['partition']}]@{record['offset']}"

    def missing(self) -> Violation:
        """Return what a decision lacks."""
        return self.no_decision(self.expected, self.lacking())

    @property
    def expected(self) -> str:
        """The expectation in a few words."""
        raise NotImplementedError

    def lacking(self) -> str:
        """Return what has not been seen."""
        raise NotImplementedError

    def _send(self, name: str) -> str:
        ref: ExchangeRef = self.args[name]
        return ref.send or ""


@check("logged")
class Logged(LogCheck):
    """The events of one call."""

    @property
    def expected(self) -> str:
        """The expectation in a few words."""
        args = self.args
        named = [f"{name} {value or 'of any value'}" for name, value in args["attributes"].items()]
        about = [*([args["aspect"]] if args["aspect"] else []), *named]
        more = f" with the right {', '.join(about)}" if about else ""
        kinds = " and ".join(f"a {kind} event" for kind in args["kinds"])
        return f"{kinds} of call {self._send('exchange')} in {self.topic}{more}"

    def decide(self, *, final: bool) -> Judgement:
        """Fail at a wrong event; pass when each is there; at the deadline, fail for one that is not."""
        call = self.call("exchange")
        if call is None:
            return UNDECIDED
        _, answer = call
        if answer["status"] != self.args.get("status", OK):
            fault = self._fault(f"a call that was answered HTTP {answer['status']}, and so not logged", answer["seq"])
            return undecidable(fault) if answer["status"] in {None, *UNAVAILABLE} else failed(fault)
        found = {kind: list(self.events(call, kind)) for kind in self.args["kinds"]}
        wrong = [
            self._fault(f"{text} at {self.place(record)}", answer["seq"], record["seq"])
            for kind, events in found.items()
            for record, event in events
            for text in self._differences(call, kind, record, event)
        ]
        wrong += list(self._twins(found)) if self.args["aspect"] == "apart" else []
        wrong += list(self._strangers(found)) if self.args["aspect"] == "id" else []
        if wrong:
            return failed(*wrong)
        absent = [kind for kind, events in found.items() if not events]
        if not absent:
            return PASSED
        covered = self.history.topics[self.topic].covered(moment(answer)) if final else None
        if covered is None:
            return UNDECIDED
        got = f"no {' and no '.join(absent)} event: the call is answered, and topic {self.topic} was read to its end"
        return failed(self._fault(got, answer["seq"], covered))

    def lacking(self) -> str:
        """Return what has not been seen."""
        return f"call {self._send('exchange')} has no answer, or topic {self.topic} is not read to its end"

    def _differences(
        self, call: tuple[Sent, Answered], kind: str, record: TopicRecord, event: Reading
    ) -> Iterator[str]:
        """Yield what is wrong with an event, in words."""
        attributes: Mapping[str, str] = event.attributes
        if self.args["aspect"] == "pair":
            yield from (f"the {kind} event: {problem}" for problem in event.problems)
            if attributes.get("id") not in id_of(call):
                yield f"the {kind} event under the id {attributes.get('id')!r}"
            if (event.data or b"") != payload_of(call, kind):
                yield f"the {kind} event with the data {shorten((event.data or b'').decode('latin-1'))}"
        if self.args["aspect"] == "media_type":
            own = media_type_of(call, kind)
            if attributes.get("datacontenttype") != own:
                yield f"the {kind} event with {attributes.get('datacontenttype')!r} for data of the type {own!r}"
        if self.args["aspect"] == "time" and (fault := _fault_of_time(attributes.get("time"), record)):
            yield f"the {kind} event with {fault}"
        told = _metadata_of(attributes)
        for name in self.args.get("metadata", ()):
            if told.get(name.lower()) != header_values(call[0]["headers"], name):
                yield f"the {kind} event with metadata {attributes.get('metadata')!r}, not those of {name}"
        for name, wanted in self.args["attributes"].items():
            got = attributes.get(name)
            if not got or (wanted and got != wanted):
                yield f"the {kind} event with {name} {got!r}"

    def _twins(self, found: Mapping[str, list[tuple[TopicRecord, Reading]]]) -> Iterator[Violation]:
        """Yield a violation for two events of different kinds that have one id and one source."""
        seen: dict[tuple[str | None, str | None], tuple[str, TopicRecord]] = {}
        for kind, events in found.items():
            for record, event in events:
                identity = (event.attributes.get("source"), event.attributes.get("id"))
                other, first = seen.setdefault(identity, (kind, record))
                if other != kind:
                    yield self._fault(f"one source {identity[0]!r} and one id for both", first["seq"], record["seq"])

    def _strangers(self, found: Mapping[str, list[tuple[TopicRecord, Reading]]]) -> Iterator[Violation]:
        """Yield a violation for an id that is empty, or that not all events of the call have, or other calls' have."""
        own = [(record, event.attributes.get("id")) for events in found.values() for record, event in events]
        seqs = {record["seq"] for record, _ in own}
        for record, name in own:
            if not name or name != own[0][1]:
                yield self._fault(f"the ids {own[0][1]!r} and {name!r}", own[0][0]["seq"], record["seq"])
        for record, event in self._events:
            if own and own[0][1] == event.attributes.get("id") and record["seq"] not in seqs:
                got = f"the id {own[0][1]!r} for the event at {self.place(record)} too, of another call"
                yield self._fault(got, own[0][0]["seq"], record["seq"])

    def _fault(self, got: str, *witness: int) -> Violation:
        return violation(self.expected, got, witness, f"topic {self.topic}")


@check("not_logged")
class NotLogged(LogCheck):
    """A kind of events that a call must not have."""

    calls = ("exchange", "control")
    most = 0

    @property
    def expected(self) -> str:
        """The expectation in a few words."""
        return f"{self.most or 'no'} {self.args['kind']} event of call {self._send('exchange')} in {self.topic}"

    def decide(self, *, final: bool) -> Judgement:
        """Fail at an event too many; pass once a later call's event is there, and all that came before it is read."""
        del final
        call, control = self.call("exchange"), self.call("control")
        if call is None:
            return UNDECIDED
        found = [record for record, _ in self.events(call, self.args["kind"])]
        for record in found[self.most :]:
            got = f"{'one' if len(found) == 1 else 'another'} at {self.place(record)}"
            witness = (call[1]["seq"], *(each["seq"] for each in found))
            return failed(violation(self.expected, got, witness, f"topic {self.topic}"))
        if control is None or len(found) < self.most:
            return UNDECIDED
        if control[0]["seq"] < call[1]["seq"]:
            return undecidable(self.no_decision(self.expected, "the control was sent before the call was answered"))
        after = next((record for kind in TYPES for record, _ in self.events(control, kind)), None)
        if after is None or self.history.topics[self.topic].covered(moment(after)) is None:
            return UNDECIDED
        return PASSED

    def lacking(self) -> str:
        """Return what has not been seen."""
        later = self._send("control")
        return f"an event of the call or of the later one, {later}, is missing, or {self.topic} is not read to its end"


@check("logged_once")
class LoggedOnce(NotLogged):
    """A kind of events that a call must have one of."""

    most = 1


def _fault_of_time(stated: str | None, record: TopicRecord) -> str | None:
    """Return what is wrong with the time that the event of a record states; None: nothing."""
    seconds = None if stated is None else instant(stated)
    if seconds is None:
        return f"time {stated!r}"
    apart = abs(float(seconds) - record.get("timestamp", 0) / 1000)
    return None if apart <= MOST_APART else f"time {stated!r}, {apart:.0f} s from that of its record"


def _metadata_of(attributes: Mapping[str, str]) -> Mapping[str, Any]:
    """Return the headers in an event's attribute `metadata`, a JSON object, by their names in small letters."""
    try:
        value = jsontext.parse(attributes.get("metadata", "").encode())
    except ValueError:
        return {}
    return {name.lower(): each for name, each in value.items()} if isinstance(value, dict) else {}


def id_of(call: tuple[Sent, Answered]) -> list[str]:
    """Return the values of a call's header `ce-id`."""
    return header_values(call[0]["headers"], ID)


def payload_of(call: tuple[Sent, Answered], kind: str) -> bytes:
    """Return the body of a call's request or response."""
    sent, answer = call
    return octets((sent if kind == "request" else answer)["body"] or "")


def media_type_of(call: tuple[Sent, Answered], kind: str) -> str | None:
    """Return the media type of a call's request or response."""
    sent, answer = call
    return next(iter(header_values((sent if kind == "request" else answer)["headers"], "content-type")), None)
