"""Results of the asynchronous inference flow as records and as events: how many, under which ids, in which form."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from evidence.attributes import name_fault, value_fault
from evidence.checks.base import check, failed, read_json, same_json, shorten, violation
from evidence.checks.inference import Results
from evidence.cloudevents import read_kafka
from evidence.history import octets
from evidence.verdict import PASSED, UNDECIDED, Judgement, Violation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from evidence.records import TopicRecord

MOST_APART = 60.0
"""The most seconds between the time that a result states and the time of its record."""
NO_ATTRIBUTES = ("data", "data_base64")
NAMING = "spec.md, Naming Conventions"
CAUSE = "cause"


class ResultsOfMany(Results):
    """The results of several trace ids."""

    @property
    def trace_ids(self) -> list[str]:
        """The trace ids."""
        ids: list[str] = self.args["trace_ids"]
        return ids

    def open_trace(self) -> str:
        """Return the first one that has no result yet, or else the first whose cause is not done with."""
        bare = next((trace_id for trace_id in self.trace_ids if not self.found(trace_id)), None)
        if bare is not None:
            return bare
        return next((trace_id for trace_id in self.trace_ids if self.over(trace_id)[0] is None), "")

    def lost(self) -> Judgement:
        """Return a failure for the results whose absence is proven, else no decision.

        A result has to be there when its cause is done with, so nobody waits for one that comes later.
        """
        bare = [trace_id for trace_id in self.trace_ids if not self.found(trace_id)]
        proofs = [self.absent(trace_id, f"a result for trace {trace_id} in topic {self.topic}") for trace_id in bare]
        proven = [proof for proof in proofs if proof is not None]
        return failed(*proven) if proven else UNDECIDED

    def all_there(self, *, final: bool) -> Judgement:
        """Pass when each trace id has a result; at the deadline, fail for those proven absent.

        For a check that asks what a result is, and not when: one may come that is published after the answer.
        """
        if all(self.found(trace_id) for trace_id in self.trace_ids):
            return PASSED
        return self.lost() if final else UNDECIDED


@check("results_counted")
class ResultsCounted(ResultsOfMany):
    """Each trace id has one result, or, where repeats are allowed, one that is repeated under the same id."""

    def decide(self, *, final: bool) -> Judgement:
        """Fail at a result too many, or at one that is proven absent; pass when each cause is done with."""
        del final
        surplus = [fault for trace_id in self.trace_ids if (fault := self._surplus(trace_id)) is not None]
        if surplus:
            return failed(*surplus)
        if not all(self.found(trace_id) for trace_id in self.trace_ids):
            return self.lost()
        if all(self.over(trace_id)[0] is not None for trace_id in self.trace_ids):
            return PASSED
        return UNDECIDED

    def _surplus(self, trace_id: str) -> Violation | None:
        found = self.found(trace_id)
        if len(found) < 2:
            return None
        ids = {json.dumps(value.get("id"), sort_keys=True) for _, value in found}
        if self.args["repeats"] and len(ids) == 1:
            return None
        wanted = "one result, or repeats under one event id," if self.args["repeats"] else "exactly one result"
        got = f"{len(found)} results with the ids {shorten(', '.join(sorted(ids)))}"
        witness = tuple(record["seq"] for record, _ in found[:2])
        return violation(f"{wanted} for trace {trace_id} in topic {self.topic}", got, witness, self.place(trace_id))


@check("result_ids_differ")
class ResultIdsDiffer(ResultsOfMany):
    """No two trace ids have results of one event id."""

    def decide(self, *, final: bool) -> Judgement:
        """Fail at the first id that two have, or that is no text; pass when each has a result."""
        owners: dict[str, tuple[str, int]] = {}
        for trace_id in self.trace_ids:
            for record, value in self.found(trace_id):
                name = value.get("id")
                expected = f"an id of its own, a text, in the result of trace {trace_id}"
                if not isinstance(name, str) or not name:
                    return failed(violation(expected, shorten(json.dumps(name)), (record["seq"],)))
                other, seq = owners.setdefault(name, (trace_id, record["seq"]))
                if other != trace_id:
                    text = f"id {shorten(name)}, which the result of trace {other} has"
                    return failed(violation(expected, text, (seq, record["seq"])))
        return self.all_there(final=final)


@check("result_record")
class ResultRecord(Results):
    """One side of each record of a trace id: its content mode, its attributes' names, their values, key or time."""

    def decide(self, *, final: bool) -> Judgement:
        """Judge every result of the trace id."""
        trace_id, aspect = self.args["trace_id"], self.args["aspect"]
        found = self.found(trace_id)
        expected = f"a result for trace {trace_id} in topic {self.topic} {WORDS[aspect]}"
        if not found:
            absent = self.absent(trace_id, expected) if final else None
            return failed(absent) if absent is not None else UNDECIDED
        faults = [(record, ASPECTS[aspect](record, value, trace_id)) for record, value in found]
        wrong = [violation(expected, text, (record["seq"],), self.place(trace_id)) for record, text in faults if text]
        return failed(*wrong) if wrong else PASSED


def _mode(record: TopicRecord, value: Mapping[str, Any], trace_id: str) -> str | None:
    del value, trace_id
    mode = read_kafka(record["headers"], octets(record["value"] or "")).mode
    return None if mode == "structured" else f"headers {shorten(json.dumps(record['headers']))}: {mode or 'no'} mode"


def _names(record: TopicRecord, value: Mapping[str, Any], trace_id: str) -> str | None:
    del record, trace_id
    return "; ".join(fault for name in value if name not in NO_ATTRIBUTES and (fault := name_fault(name))) or None


def _values(record: TopicRecord, value: Mapping[str, Any], trace_id: str) -> str | None:
    del record, trace_id
    attributes = {name: given for name, given in value.items() if name not in NO_ATTRIBUTES and isinstance(given, str)}
    return "; ".join(fault for name, given in attributes.items() if (fault := value_fault(name, given))) or None


def _key(record: TopicRecord, value: Mapping[str, Any], trace_id: str) -> str | None:
    del value
    return None if record["key"] == trace_id.encode().decode("latin-1") else f"key {shorten(json.dumps(record['key']))}"


def _time(record: TopicRecord, value: Mapping[str, Any], trace_id: str) -> str | None:
    del trace_id
    stated = value.get("time")
    if not isinstance(stated, str) or value_fault("time", stated):
        return f"time {shorten(json.dumps(stated))}, which is no timestamp of RFC 3339"
    # A leap second is a time, though not one that Python knows.
    seconds = datetime.fromisoformat(stated.upper().replace(":60", ":59")).timestamp()
    apart = abs(seconds - record.get("timestamp", 0) / 1000)
    return None if apart <= MOST_APART else f"time {shorten(stated)}, {apart:.0f} s from the time of its record"


ASPECTS: Mapping[str, Callable[[TopicRecord, Mapping[str, Any], str], str | None]] = {
    "mode": _mode,
    "names": _names,
    "values": _values,
    "key": _key,
    "time": _time,
}
WORDS = {
    "mode": "in the Kafka binding's structured mode",
    "names": "whose attributes are named by a-z and 0-9",
    "values": "whose attributes have values that the specification allows",
    "key": "whose key is the trace id",
    "time": f"that states a time, within {MOST_APART:g} s of its record's",
}


@check("caused")
class Caused(Results):
    """So many events with these attributes and this data are in a Broker's topic when their cause is done with."""

    def decide(self, *, final: bool) -> Judgement:
        """Fail at one too many; else count when the cause is done with."""
        del final
        wanted: int = self.args["count"]
        seqs = [record["seq"] for record in self.history.topics[self.topic].kept if self._matches(record)]
        about = ", ".join([f"{name} {value!r}" for name, value in self.args["attributes"].items()])
        expected = f"{wanted} events with {about} and data {shorten(json.dumps(self.args['json']))} in {self.topic}"
        if len(seqs) > wanted:
            return failed(violation(expected, f"{len(seqs)}", tuple(seqs[: wanted + 1]), self.place(CAUSE)))
        proof, text = self.over(CAUSE)
        if proof is None:
            return UNDECIDED
        if len(seqs) == wanted:
            return PASSED
        return failed(violation(expected, f"{len(seqs)}: {text}", (*seqs, *proof), self.place(CAUSE)))

    def _matches(self, record: TopicRecord) -> bool:
        reading = read_kafka(record["headers"], octets(record["value"] or ""))
        wanted: Mapping[str, str] = self.args["attributes"]
        if any(reading.attributes.get(name) != value for name, value in wanted.items()):
            return False
        return self.args["json"] is None or same_json(read_json(reading.data or b"")[1], self.args["json"])

    def missing(self) -> Violation:
        """Return what is missing for a count."""
        return Violation(
            f"expected {self.args['count']} events in {self.topic}; got no decision: {self.over(CAUSE)[1]}"
        )
