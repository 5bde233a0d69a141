"""Topic-to-topic streaming: requests that the probe produced, answers under the request's key on the output topic.

An absent answer is proven once the input group's committed offset has passed the request, the output topic has then
been read to its end, and the deadline is over: a system that commits first may still answer, which another
expectation judges. A system that stands still commits nothing. Then the answer to an earlier request of the test, the
control, shows that the system was at work, and silence until the deadline is a failure.

A server without a consumer group commits nothing either. There a later request to the same partition, the fence, takes
the place of the offset: once it is answered, the request before it was read. That is weaker, as a server that keeps no
order may still answer; the output topic has been read to its end once more by then.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from evidence import near_misses
from evidence.checks.base import (
    Check,
    check,
    failed,
    read_json,
    same_json,
    shorten,
    spelled_alike,
    undecidable,
    violation,
)
from evidence.event_path import in_a_line, of_produced
from evidence.history import octets
from evidence.history_index import is_taken, moment
from evidence.messages import MessageError, canonical
from evidence.tensorflow import TensorError, read_response
from evidence.verdict import PASSED, UNDECIDED, Judgement, ObservationRequest, Violation

if TYPE_CHECKING:
    from evidence.history_index import Moment, TopicPlace
    from evidence.records import Produced, TopicRecord
    from evidence.refs import ProducedRef


class StreamCheck(Check):
    """Requests of one input topic, and the records of the output topic."""

    prompt = True

    def watch(self) -> None:
        """Keep the output topic, the requests and the group's offsets."""
        refs = self.args["produced"]
        self.requests: list[ProducedRef] = refs if isinstance(refs, list) else [refs]
        self.output: str = self.args["on"].name
        self.group: str = self.args["group"]
        self.fence: ProducedRef | None = self.args.get("fence")
        self.history.watch_topic(self.output, keep=True)
        self.control: ProducedRef | None = self.args.get("control")
        for request in (*self.requests, *(other for other in (self.control, self.fence) if other is not None)):
            self.history.watch_produced(request.produce)
            if self.group:
                self.history.watch_group(self.group, request.topic)

    @property
    def request(self) -> ProducedRef:
        """The one request, where there is one."""
        return self.requests[0]

    @property
    def expected(self) -> str:
        """The expectation in a few words."""
        return f"an answer to {self.name_of(self.request)} in topic {self.output}"

    def name_of(self, request: ProducedRef) -> str:
        """Return a request in a sentence."""
        return f"request {request.produce} (key {request.key!r})"

    def answers(self, request: ProducedRef) -> list[TopicRecord]:
        """Return the records of the output topic that answer the request."""
        return self.all_answers(request)

    def produced(self, request: ProducedRef) -> Produced | None:
        """Return the request as Kafka took it."""
        return self.history.produced.get(request.produce)

    def passed(self, request: ProducedRef) -> Moment | None:
        """When the group was first seen past the request, or the fence behind it answered."""
        record = self.produced(request)
        if record is None or not is_taken(record):
            return None
        return self.history.passed(self.group, record) if self.fence is None else self._fenced(record, self.fence)

    def _fenced(self, record: TopicPlace, fence: ProducedRef) -> Moment | None:
        behind = self.produced(fence)
        if behind is None or not is_taken(behind) or behind["topic"] != record["topic"]:
            return None
        if behind["partition"] != record["partition"] or behind["offset"] <= record["offset"]:
            return None
        return next((moment(answer) for answer in self.all_answers(fence)), None)

    def all_answers(self, request: ProducedRef) -> list[TopicRecord]:
        """Return the records of the output topic under the request's key, whatever a check takes for an answer."""
        return [record for record in self.history.topics[self.output].kept if record["key"] == request.key]

    def over(self, request: ProducedRef) -> tuple[int, ...] | None:
        """Return the proof that the group is past the request and the output topic was read to its end after that."""
        past = self.passed(request)
        covered = None if past is None else self.history.topics[self.output].covered(past)
        return None if past is None or covered is None else (past.seq, covered)

    def refused(self, request: ProducedRef) -> Judgement | None:
        """Unknown, when Kafka did not take the request."""
        record = self.produced(request)
        if record is None or record["error"] is None:
            return None
        return undecidable(violation(self.expected, f"Kafka took no request: {record['error']}", (record["seq"],)))

    def where(self, request: Any) -> str:
        """Where the request, and what became of it, was last seen."""
        if self.produced(request) is None:
            return f"producer {request.produce}: not acknowledged"
        return in_a_line(of_produced(self.history, request.produce))

    def missing(self) -> Violation:
        """Return what keeps it open."""
        request = next((request for request in self.requests if self.over(request) is None), self.request)
        if self.produced(request) is None:
            reason = "Kafka has not acknowledged the request"
        elif self.passed(request) is None:
            reason = f"{self.passing} has not passed the request"
        else:
            reason = f"topic {self.output} is not read to its end, or holds no answer"
        return Violation(f"expected {self.expected}; got no decision: {reason}", (), self.where(request))

    @property
    def passing(self) -> str:
        """What tells that a request was read."""
        return f"group {self.group}" if self.fence is None else f"the answer to {self.name_of(self.fence)}"

    def needs(self) -> tuple[ObservationRequest, ...]:
        """Return the output topic, the input group's offsets if there is a group, then the output's ends."""
        offsets = (ObservationRequest("offsets", self.request.topic, self.group),) if self.group else ()
        return (ObservationRequest("tap", self.output), *offsets, ObservationRequest("offsets", self.output))


_NULL = "a null value, which is no answer, not even an empty one: it says that the topic holds nothing under the key"


class Valued(StreamCheck):
    """Answers compared with an expected value."""

    def fault(self, answer: TopicRecord) -> str | None:
        """How the answer differs from what is wanted, or None."""
        if answer["value"] is None:
            return _NULL
        value = octets(answer["value"])
        if (message := self.args.get("message")) is not None:
            return _fault_of_message(value, message["type"], octets(message["value"]))
        wanted = self.args["json"]
        if wanted is not None:
            readable, got = read_json(value)
            if not readable:
                return f"no JSON: {shorten(value.decode('latin-1'))}"
            same = same_json(got, wanted) and (not self.args.get("spelled") or spelled_alike(got, wanted))
            return None if same else shorten(json.dumps(got))
        try:
            tensors = read_response(value)
        except TensorError as error:
            return f"no PredictResponse: {error}"
        if len(tensors) != 1:
            return f"{len(tensors)} output tensors"
        got = next(iter(tensors.values()))
        return None if same_json(got, self.args["tensor"]) else shorten(json.dumps(got, default=repr))

    @property
    def wanted(self) -> Any:
        """The value that is wanted."""
        return next(self.args[name] for name in ("message", "json", "tensor") if self.args.get(name) is not None)

    def silent(self) -> Judgement | None:
        """Fail where Kafka has the request, nothing came of it, and the control was rightly answered before."""
        request, control = self.produced(self.request), self.control
        asked = None if control is None else self.produced(control)
        if control is None or asked is None or request is None or not is_taken(request):
            return None
        before = [answer for answer in self.answers(control) if answer["seq"] < request["seq"]]
        if asked["seq"] > request["seq"] or not before:
            return None
        got = f"nothing until the deadline, while {self.name_of(control)}, sent before it, was answered"
        witness = (asked["seq"], before[0]["seq"], request["seq"])
        return failed(violation(self.expected, got, witness, self.where(self.request)))

    def absent(self, *, final: bool) -> Judgement:
        """Judge that there is no answer."""
        proof = self.over(self.request) if final else None
        if proof is None:
            return self.refused(self.request) or (self.silent() if final else None) or UNDECIDED
        keys = {record["key"]: record["seq"] for record in self.history.topics[self.output].kept if record["key"]}
        near = near_misses.of_name(self.request.key or "", keys)
        got = f"none: {self.passing} passed it, and the topic was read to its end{near}"
        return failed(violation(self.expected, got, proof, self.where(self.request)))


def _fault_of_message(value: bytes, name: str, wanted: bytes) -> str | None:
    """Return how an answer differs from a wanted message, or None."""
    try:
        got = canonical(name, value)
    except MessageError as error:
        return str(error)
    if got == canonical(name, wanted):
        return None
    return f"another {name}: {shorten(got.hex())}"


@check("stream_answer")
class StreamAnswer(Valued):
    """There is an answer, and all of them are right."""

    def decide(self, *, final: bool) -> Judgement:
        """By key: fail at a wrong one, pass at a right one. Without key: pass at any right one."""
        if not self.args["keyed"]:
            right = any(self.fault(record) is None for record in self.history.topics[self.output].kept)
            return PASSED if right else self.absent(final=final)
        found = self.answers(self.request)
        for answer in found:
            fault = self.fault(answer)
            if fault:
                expected = f"{self.expected} of {shorten(json.dumps(self.wanted))}"
                return failed(violation(expected, fault, (answer["seq"],), self.where(self.request)))
        return PASSED if found else self.absent(final=final)


@check("stream_key_kept")
class StreamKeyKept(Valued):
    """The right answer has the request's key."""

    def decide(self, *, final: bool) -> Judgement:
        """Judge the answers by their value."""
        right = [record for record in self.history.topics[self.output].kept if self.fault(record) is None]
        if any(record["key"] == self.request.key for record in right):
            return PASSED
        if not right:
            return self.absent(final=final)
        expected = f"{self.expected} under key {self.request.key!r}"
        got = f"key {right[0]['key']!r}"
        return failed(violation(expected, got, (right[0]["seq"],), self.where(self.request))) if final else UNDECIDED


@check("one_stream_answer")
class OneStreamAnswer(Valued):
    """Exactly one answer under the key."""

    def decide(self, *, final: bool) -> Judgement:
        """Fail at the second; else count when it is over."""
        found = self.answers(self.request)
        if len(found) > 1:
            witness = tuple(record["seq"] for record in found[:2])
            got = f"{len(found)} answers"
            return failed(violation(f"exactly one, {self.expected}", got, witness, self.where(self.request)))
        if found and found[0]["value"] is None:
            return failed(violation(self.expected, _NULL, (found[0]["seq"],), self.where(self.request)))
        if found:
            return PASSED if self.over(self.request) is not None else UNDECIDED
        return self.absent(final=final)


@check("no_stream_answer")
class NoStreamAnswer(StreamCheck):
    """No answer under the key."""

    @property
    def expected(self) -> str:
        """The expectation in a few words."""
        return f"no answer to {self.name_of(self.request)} in topic {self.output}"

    def decide(self, *, final: bool) -> Judgement:
        """Fail at the first; pass when it is over."""
        del final
        found = self.answers(self.request)
        if found:
            got = shorten(found[0]["value"] or "")
            return failed(violation(self.expected, got, (found[0]["seq"],), self.where(self.request)))
        return PASSED if self.over(self.request) is not None else self.refused(self.request) or UNDECIDED


@check("no_prediction")
class NoPrediction(NoStreamAnswer):
    """No answer under the key that is a prediction; an error is none."""

    @property
    def expected(self) -> str:
        """The expectation in a few words."""
        return f"no prediction for {self.name_of(self.request)} in topic {self.output}"

    def answers(self, request: ProducedRef) -> list[TopicRecord]:
        """Return the predictions under the request's key."""
        return [record for record in super().answers(request) if _is_prediction(octets(record["value"] or ""))]


def _is_prediction(value: bytes) -> bool:
    """Tell whether a value is JSON with `predictions` or `outputs`, or a PredictResponse with an output tensor."""
    readable, got = read_json(value)
    if readable:
        return isinstance(got, dict) and not {"predictions", "outputs"}.isdisjoint(got)
    try:
        return bool(read_response(value))
    except TensorError:
        return False


@check("offset_after_answer")
class OffsetAfterAnswer(StreamCheck):
    """No observation shows the group past a request whose answer was not in the output topic by then.

    By then: an end of the output topic that was observed after the group was seen past the request, and that lies at or
    before the answer.
    """

    @property
    def expected(self) -> str:
        """The expectation in a few words."""
        return f"group {self.group} to pass a request only when its answer is in topic {self.output}"

    def decide(self, *, final: bool) -> Judgement:
        """Fail at a proven early commit; pass when all requests are passed and answered."""
        for request in self.requests:
            past, found = self.passed(request), self.answers(request)
            early = self._early(past, found) if past is not None and found else None
            if early is not None and past is not None:
                got = f"{self.name_of(request)} passed before it was answered"
                return failed(violation(self.expected, got, (past.seq, *early), self.where(request)))
        open_requests = [
            request for request in self.requests if not self.answers(request) or self.over(request) is None
        ]
        if not open_requests:
            return PASSED
        if final:
            for request in open_requests:
                proof = self.over(request)
                if proof is not None:
                    got = f"{self.name_of(request)} passed and never answered"
                    return failed(violation(self.expected, got, proof, self.where(request)))
        return UNDECIDED

    def _early(self, past: Moment, found: list[TopicRecord]) -> tuple[int, int] | None:
        answer = found[0]
        for seq, ends in self.history.topics[self.output].observed_after(past):
            if ends.get(answer["partition"], 0) <= answer["offset"]:
                return seq, answer["seq"]
        return None
