"""Results of the asynchronous inference flow: JSON events on a topic, told apart by the caller's trace id."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from evidence import near_misses
from evidence.checks.base import Check, check, describe, failed, observations, read_json, same_json, shorten, violation
from evidence.event_path import where
from evidence.event_progress import Stage, handled, watch
from evidence.history import octets
from evidence.history_index import Moment, moment
from evidence.refs import EventRef, ExchangeRef, TriggerRef
from evidence.verdict import PASSED, UNDECIDED, Judgement, ObservationRequest, Violation

if TYPE_CHECKING:
    from evidence.records import TopicRecord


class Results(Check):
    """A topic's results by trace id, and whether what caused them is over."""

    prompt = True

    def watch(self) -> None:
        """Keep the topic, and the causes."""
        self.topic: str = self.args["on"].name
        self.key: str = self.args["key"]
        self.by: TriggerRef | None = self.args["by"]
        self.causes: dict[str, EventRef | ExchangeRef] = self.args["of"]
        self.history.watch_topic(self.topic, keep=True)
        for cause in self.causes.values():
            if isinstance(cause, EventRef):
                watch(self.history, cause, [self.by] if self.by else [])
            if cause.send is not None:
                self.history.watch_exchange(cause.send)
        self._read = 0
        self._found: dict[str, list[tuple[TopicRecord, dict[str, Any]]]] = {}

    def found(self, trace_id: str) -> list[tuple[TopicRecord, dict[str, Any]]]:
        """Return the records whose JSON object has the trace id, each with the object. Each record is parsed once."""
        kept = self.history.topics[self.topic].kept
        for record in kept[self._read :]:
            self._read += 1
            value = read_json(octets(record["value"] or ""))[1]
            if isinstance(value, dict) and isinstance(value.get(self.key), str):
                self._found.setdefault(value[self.key], []).append((record, value))
        return self._found.get(trace_id, [])

    def over(self, trace_id: str) -> tuple[tuple[int, ...] | None, str]:
        """Return the proof that no more results will come, or why there is none."""
        cause = self.causes.get(trace_id)
        done: Moment | None = None
        if cause is None:
            return None, f"the test names no cause of trace {trace_id}"
        if isinstance(cause, ExchangeRef) or self.by is None:
            answer = self.history.answered.get(cause.send or "")
            if answer is None or answer["status"] is None:
                return None, f"request {cause.send} is not answered"
            if isinstance(cause, EventRef):
                return None, "no Trigger is named whose offsets would show that the event is done with"
            done = moment(answer)
        else:
            fate = handled(self.history, cause, self.by)
            if fate.stage is not Stage.HANDLED or fate.at is None:
                return None, fate.text
            done = fate.at
        covered = self.history.topics[self.topic].covered(done)
        if covered is None:
            return None, f"topic {self.topic} is not read to its end"
        return (done.seq, covered), f"its cause is done with and topic {self.topic} was read to its end"

    def place(self, trace_id: str) -> str:
        """Where the cause was last seen."""
        cause = self.causes.get(trace_id)
        if not isinstance(cause, EventRef):
            return f"topic {self.topic}"
        return where(self.history, (cause.source, cause.id))

    def needs(self) -> tuple[ObservationRequest, ...]:
        """Both topics and the Trigger's offsets."""
        return (
            ObservationRequest("tap", self.topic),
            *observations(self.by),
            ObservationRequest("offsets", self.topic),
        )

    def open_trace(self) -> str:
        """Return the first trace id that is not decided."""
        return str(self.args["trace_id"])

    def missing(self) -> Violation:
        """Which result is missing, and why its absence is not proven."""
        trace_id = self.open_trace()
        cause = self.causes.get(trace_id)
        event = describe(cause) if isinstance(cause, EventRef) else "its request"
        message = (
            f"expected a result of trace {trace_id} in topic {self.topic}; got no decision: {self.over(trace_id)[1]}"
        )
        return Violation(f"{message} ({event})", (), self.place(trace_id))

    def absent(self, trace_id: str, expected: str) -> Violation | None:
        """Return the violation that a result is absent, if that is proven."""
        proof, text = self.over(trace_id)
        if proof is None:
            return None
        others = {name: found[0][0]["seq"] for name, found in self._found.items() if name not in self.causes}
        near = near_misses.of_name(trace_id, others)
        return violation(expected, f"none: {text}{near}", proof, self.place(trace_id))


@check("result_for")
@check("results_paired")
class ResultsPaired(Results):
    """Every trace id has a result, and every result of a trace id is its own."""

    def decide(self, *, final: bool) -> Judgement:
        """Fail at a wrong result; pass when each is there; at the deadline, fail for those proven absent."""
        wrong = [fault for trace_id, wanted in self._wanted() for fault in self._faults(trace_id, wanted)]
        if wrong:
            return failed(*wrong)
        absent = [(trace_id, wanted) for trace_id, wanted in self._wanted() if not self.found(trace_id)]
        if not absent:
            return PASSED
        if not final:  # A result that a system publishes after it has answered may still come.
            return UNDECIDED
        proofs = [self.absent(trace_id, self._wording(trace_id, wanted)) for trace_id, wanted in absent]
        proven = [proof for proof in proofs if proof is not None]
        return failed(*proven) if proven else UNDECIDED

    def _wanted(self) -> list[tuple[str, Any]]:
        return list(self.args["results"].items())

    def _wording(self, trace_id: str, wanted: Any) -> str:
        return f"predictions {wanted} for trace {trace_id} in topic {self.topic}"

    def _faults(self, trace_id: str, wanted: Any) -> list[Violation]:
        faults = []
        for record, value in self.found(trace_id):
            data = value.get("data")
            got = data.get("predictions") if isinstance(data, dict) else None
            if not same_json(got, wanted):
                spot = f"{self.topic}[{record['partition']}]@{record['offset']}"
                text = f"{shorten(json.dumps(got))} at {spot}"
                faults.append(violation(self._wording(trace_id, wanted), text, (record["seq"],), self.place(trace_id)))
        return faults

    def open_trace(self) -> str:
        """Return the first one without a result."""
        return next((trace_id for trace_id, _ in self._wanted() if not self.found(trace_id)), "")


@check("exactly_one_result")
class ExactlyOneResult(Results):
    """One result when its cause is done with."""

    def decide(self, *, final: bool) -> Judgement:
        """Fail at the second; else count when it is over."""
        trace_id = self.args["trace_id"]
        expected = f"exactly one result for trace {trace_id} in topic {self.topic}"
        found = self.found(trace_id)
        if len(found) > 1:
            witness = tuple(record["seq"] for record, _ in found[:2])
            return failed(violation(expected, f"{len(found)} results", witness, self.place(trace_id)))
        proof, _ = self.over(trace_id)
        if found:
            return PASSED if proof is not None else UNDECIDED
        absent = self.absent(trace_id, expected) if final else None
        return failed(absent) if absent is not None else UNDECIDED


@check("envelope")
class Envelope(Results):
    """Members of the result's JSON object."""

    def decide(self, *, final: bool) -> Judgement:
        """Judge every result of the trace id."""
        trace_id = self.args["trace_id"]
        found = self.found(trace_id)
        expected = f"a result for trace {trace_id} in topic {self.topic}"
        if not found:
            absent = self.absent(trace_id, expected) if final else None
            return failed(absent) if absent is not None else UNDECIDED
        faults = []
        for record, value in found:
            for name, wanted in self.args["fields"].items():
                got = value.get(name)
                if (got in (None, "", {}, [])) if wanted is None else not same_json(got, wanted):
                    said = "any value" if wanted is None else json.dumps(wanted)
                    text = shorten(json.dumps(got)) if name in value else "none"
                    faults.append(
                        violation(f"{expected} with {name} {said}", text, (record["seq"],), self.place(trace_id))
                    )
        return failed(*faults) if faults else PASSED
