"""What a Broker that shows no storage holds: seen through a Trigger without a filter, its witness."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evidence.checks.base import Check, check, describe, failed, observations, undecidable, violation
from evidence.checks.records import stems_from
from evidence.cloudevents import read_http
from evidence.event_progress import fence_after
from evidence.history import octets
from evidence.history_index import moment
from evidence.identity import of_http
from evidence.refs import EventRef, ExchangeRef, TriggerRef
from evidence.verdict import UNDECIDED, Judgement, ObservationRequest, Proof, Verdict, Violation

if TYPE_CHECKING:
    from evidence.records import Received, Sent


@check("not_passed_on")
class NotPassedOn(Check):
    """Nothing of a request comes to the witness, nor will."""

    def watch(self) -> None:
        """Keep the request, all that comes to the witness, and its fences."""
        self.ref: EventRef | ExchangeRef = self.args["event"]
        self.witness: TriggerRef = self.args["by"]
        if self.witness.sink is None or not self.witness.fenced or self.ref.send is None:
            raise ValueError("a request, and a witness with a sink whose silence a fence can prove")
        self.send: str = self.ref.send
        self.sink = self.witness.sink.name
        self.history.watch_exchange(self.send)
        self.history.watch_sink(self.sink)
        self.history.watch_fences(self.witness.namespace, self.witness.name)

    @property
    def expected(self) -> str:
        """The expectation in a few words."""
        what = describe(self.ref) if isinstance(self.ref, EventRef) else f"request {self.send}"
        return f"nothing of {what} at the witness, Trigger {self.witness.namespace}/{self.witness.name}"

    def decide(self, *, final: bool) -> Judgement:
        """Fail at the first delivery that carries it; pass when a fence shows that no more will come."""
        del final
        sent, answer = self.history.sent.get(self.send), self.history.answered.get(self.send)
        if sent is None:
            return UNDECIDED
        for request in self.history.at_sink[self.sink]:
            if request["seq"] > sent["seq"] and self._carries(request, sent):
                status = answer["status"] if answer else "not yet"
                got = f"a delivery at sink {self.sink} (the ingress answered {status})"
                return failed(violation(self.expected, got, (sent["seq"], request["seq"])))
        if answer is None:
            return UNDECIDED
        if answer["status"] is None:
            error = f"the ingress did not answer: {answer.get('error')}"
            return undecidable(violation(self.expected, error, (answer["seq"],)))
        fence = fence_after(self.history, self.witness, moment(answer), moment(answer))
        return UNDECIDED if fence is None else Judgement(Verdict.PASS, proof=Proof.FENCE)

    def missing(self) -> Violation:
        """Say what keeps it open."""
        answered = self.send in self.history.answered
        return self.no_decision(self.expected, "no later event has come there" if answered else "there is no answer")

    def needs(self) -> tuple[ObservationRequest, ...]:
        """Ask for a fence, once there is an answer."""
        return observations(self.witness) if self.send in self.history.answered else ()

    def _carries(self, request: Received, sent: Sent) -> bool:
        headers, body = request["headers"], request["body"]
        attributes = read_http(headers, octets(body))
        return stems_from(self.history, sent, of_http(headers, body), body, lambda: attributes.attributes)
