"""Nothing of a request is where it would be, had the system taken it: in a topic, or at a Broker's witness."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evidence.checks.base import Check, check, describe, failed, observations, undecidable, violation
from evidence.checks.content import read_record
from evidence.cloudevents import read_http
from evidence.event_progress import Stage, fence_after, stored, watch
from evidence.history import octets
from evidence.history_index import moment
from evidence.identity import of_http, of_kafka
from evidence.refs import EventRef, ExchangeRef, TriggerRef
from evidence.verdict import PASSED, UNDECIDED, Judgement, ObservationRequest, Proof, Verdict, Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evidence.cloudevents import Reading
    from evidence.history_index import Moment
    from evidence.identity import Identity
    from evidence.records import Answered, Received, Sent, TopicRecord


@dataclass(frozen=True, slots=True)
class Message:
    """What the system has made of something: a record of a topic, or a delivery.

    Attributes:
        record: The record of the history that shows it.
        what: The words for it.
        where: The place where it was seen; empty: `what` says so.
        identity: The source and id of it, if it shows them.
        body: The bytes of it, as latin-1 text.
    """

    record: TopicRecord | Received
    what: str
    where: str
    identity: Identity | None
    body: str | None

    def read(self) -> Reading:
        """Read it strictly."""
        if self.record["record"] == "received":
            return read_http(self.record["headers"], octets(self.record["body"]))
        return read_record(self.record)


class NothingOf(Check):
    """Nothing of a request is somewhere, and nothing will come there."""

    ref: EventRef | ExchangeRef

    @property
    @abstractmethod
    def place(self) -> str:
        """The words for where nothing of it should be."""

    @abstractmethod
    def messages(self, sent: Sent) -> Iterator[Message]:
        """Yield what is there, and may stem from the request."""

    @abstractmethod
    def ended(self, since: Moment) -> Judgement:
        """Judge whether nothing more of what was answered up to a moment will come."""

    @property
    def expected(self) -> str:
        """The expectation in a few words."""
        what = describe(self.ref) if isinstance(self.ref, EventRef) else f"request {self.ref.send}"
        return f"nothing of {what} {self.place}"

    def decide(self, *, final: bool) -> Judgement:
        """Fail at the first message that carries it; pass when no more will come."""
        del final
        sent, answer = self.exchange()
        if sent is None:
            return UNDECIDED
        for message in self.messages(sent):
            if self._stems_from(message, sent):
                status = answer["status"] if answer else "not yet"
                got = f"{message.what} (the ingress answered {status})"
                return failed(violation(self.expected, got, (sent["seq"], message.record["seq"]), message.where))
        if answer is None:
            return UNDECIDED
        if answer["status"] is None and not sent.get("broken"):
            error = f"the ingress did not answer: {answer.get('error')}"
            return undecidable(violation(self.expected, error, (answer["seq"],)))
        return self.ended(moment(answer))

    def exchange(self) -> tuple[Sent | None, Answered | None]:
        """Return the request and its answer, as far as they are there."""
        send = self.ref.send or ""
        return self.history.sent.get(send), self.history.answered.get(send)

    def _stems_from(self, message: Message, sent: Sent) -> bool:
        """Return whether a message stems from a request, even if the system invented what that did not say.

        A message that has the identity of another request does not. Else all that the request says of id, source and
        type must agree, or the bytes; a request that says nothing is taken for the origin of whatever nobody else sent.
        """
        mine = of_http(sent["headers"], sent["body"])
        if mine is not None and all(mine):
            return message.identity == mine
        others = (other for other in self.history.all_sent() if other["send"] != sent["send"])
        if message.identity is not None and any(
            of_http(other["headers"], other["body"]) == message.identity for other in others
        ):
            return False
        if sent["body"] and message.body == sent["body"]:
            return True
        said = read_http(sent["headers"], octets(sent["body"])).attributes
        known = {name: said[name] for name in ("id", "source", "type") if said.get(name)}
        got = message.read().attributes
        return all(got.get(name) == value for name, value in known.items())


@check("not_recorded")
class NotRecorded(NothingOf):
    """Nothing of a request, or of a replied event, is in the topic."""

    def watch(self) -> None:
        """Keep the request and all records, to tell whose they are."""
        self.ref = self.args["event"]
        self.topic: str = self.args["on"].name
        self.replied_by: TriggerRef | None = self.args.get("replied_by")
        if isinstance(self.ref, EventRef):
            watch(self.history, self.ref, (), self.replied_by)
        if self.ref.send is not None:
            self.history.watch_exchange(self.ref.send)
        self.history.watch_all_events()
        self.history.watch_topic(self.topic, keep=True)

    @property
    def place(self) -> str:
        """The topic."""
        return f"in topic {self.topic}"

    def decide(self, *, final: bool) -> Judgement:
        """Fail at the first record that carries it; pass when the topic was read to its end."""
        if isinstance(self.ref, ExchangeRef) or self.ref.send is not None:
            return super().decide(final=final)
        fate = stored(self.history, self.ref, self.topic, self.replied_by)
        if fate.places:
            return failed(violation(self.expected, "a record", (fate.places[0]["seq"],), self.where(self.ref)))
        return PASSED if fate.stage is Stage.LOST else UNDECIDED

    def messages(self, sent: Sent) -> Iterator[Message]:
        """Yield all records of the topic."""
        del sent
        for record in self.history.topics[self.topic].kept:
            spot = f"{record['topic']}[{record['partition']}]@{record['offset']}"
            identity = of_kafka(record["headers"], record["value"])
            yield Message(record, f"a record at {spot}", f"topic {spot}", identity, record["value"])

    def ended(self, since: Moment) -> Judgement:
        """Pass when the topic was read to an end observed after the answer."""
        return PASSED if self.history.topics[self.topic].covered(since) is not None else UNDECIDED

    def missing(self) -> Violation:
        """Return what keeps it open."""
        _, answer = self.exchange()
        reason = "there is no answer" if answer is None else f"topic {self.topic} is not read to its end"
        return self.no_decision(self.expected, reason)

    def needs(self) -> tuple[ObservationRequest, ...]:
        """Return the topic's records and ends, once there is an answer."""
        _, answer = self.exchange()
        if answer is None and self.ref.send is not None:
            return (ObservationRequest("tap", self.topic),)
        return (
            ObservationRequest("tap", self.topic),
            *observations(self.replied_by),
            ObservationRequest("offsets", self.topic),
        )


@check("not_passed_on")
class NotPassedOn(NothingOf):
    """Nothing of a request comes to the witness of a Broker that shows no topic."""

    def watch(self) -> None:
        """Keep the request, all that comes to the witness, and its fences."""
        self.ref = self.args["event"]
        self.witness: TriggerRef = self.args["by"]
        if self.witness.sink is None or not self.witness.fenced or self.ref.send is None:
            raise ValueError("a request, and a witness with a sink whose silence a fence can prove")
        self.sink = self.witness.sink.name
        self.history.watch_exchange(self.ref.send)
        self.history.watch_sink(self.sink)
        self.history.watch_fences(self.witness.namespace, self.witness.name)

    @property
    def place(self) -> str:
        """The witness."""
        return f"at the witness, Trigger {self.witness.namespace}/{self.witness.name}"

    def messages(self, sent: Sent) -> Iterator[Message]:
        """Yield what has come to the witness since the request."""
        for request in self.history.at_sink[self.sink]:
            if request["seq"] > sent["seq"]:
                identity = of_http(request["headers"], request["body"])
                yield Message(request, f"a delivery at sink {self.sink}", "", identity, request["body"])

    def ended(self, since: Moment) -> Judgement:
        """Pass when a fence shows that no more will come."""
        fence = fence_after(self.history, self.witness, since, since)
        return UNDECIDED if fence is None else Judgement(Verdict.PASS, proof=Proof.FENCE)

    def missing(self) -> Violation:
        """Return what keeps it open."""
        _, answer = self.exchange()
        reason = "there is no answer" if answer is None else "no later event has come there"
        return self.no_decision(self.expected, reason)

    def needs(self) -> tuple[ObservationRequest, ...]:
        """Return a fence, once there is an answer."""
        _, answer = self.exchange()
        return () if answer is None else observations(self.witness)
