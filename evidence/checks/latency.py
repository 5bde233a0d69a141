"""Latency budgets: a percentile's confidence bounds against a budget, from intended send times.

The bounds are order statistics of the samples (`evidence.ranks`). Pass: the upper bound keeps the budget. Fail: the
lower bound breaks it. Else unknown, with the number of samples that would decide. Each of the two decisions errs with
probability 1 - confidence at most. A request without a success is slower than any budget; one whose end was not seen
may be anything, but at a sink it is later than the last one that came there.

A generator that lags voids a pass: the system was not asked at the rate that is claimed. It also voids a failure that
needs the lag, which is part of every latency, unless the lower bound breaks the budget even from the times at which
requests left. A machine that is short of descriptors, or too busy to judge on, voids a failure and no pass: the system
runs on it, or waits for it (`busyness` says which failures stand all the same).

The first request after a cold start is judged apart (`first_within`): it is part of no percentile.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from evidence import ranks as order_statistics
from evidence.checks.base import Check, check, read_json, violation
from evidence.checks.busyness import held_back, held_by_itself, slow_at_best, too_busy
from evidence.history import octets
from evidence.identity import of_kafka
from evidence.refs import LoadRef, TriggerRef
from evidence.verdict import UNDECIDED, Judgement, ObservationRequest, Verdict, Violation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evidence.records import LoadChunk, TopicRecord

REPORTED = (50, 95, 99)


@dataclass(frozen=True, slots=True)
class Latencies:
    """What each sample of a load took, in seconds; infinite where it never ended or was refused.

    Attributes:
        best: The latencies if every end that was not seen had come as soon as it can have come.
        innocent: The latencies from the times at which requests left: without the generator's own lag.
        worst: The latencies if no end that was not seen ever came.
        held: The seconds for which others, which left later, had gone all the way already.
    """

    best: list[float]
    innocent: list[float]
    worst: list[float]
    held: list[float]

    @property
    def open_ends(self) -> int:
        """How many ends were not seen."""
        return sum(map(math.isinf, self.worst)) - sum(map(math.isinf, self.best))


class Measured(Check):
    """One stage of one load: when each of its requests came to the end of that stage."""

    def watch(self) -> None:
        """Keep the load, and first history at the sink or all records of the topic."""
        self.load: LoadRef = self.args["load"]
        self.stage: str = self.args["stage"]
        self.history.watch_load(self.load.load)
        self.sinks = [
            place.sink.name if isinstance(place, TriggerRef) and place.sink else getattr(place, "name", "")
            for place in self.args["to"]
        ]
        for sink in self.sinks:
            self.history.watch_first(sink)
        self.topic: str | None = self.args["on"].name if self.args["on"] else None
        if self.topic:
            self.history.watch_topic(self.topic, keep=True)

    @property
    def expected(self) -> str:
        """The expectation in a few words."""
        raise NotImplementedError

    def records(self) -> list[LoadChunk]:
        """Return the records of the load so far."""
        return self.history.loads[self.load.load]

    def samples(self) -> list[list[Any]]:
        """Return the samples so far: intended, actual, done, status, event id."""
        return [sample for record in self.records() for sample in record["samples"]]

    def decide(self, *, final: bool) -> Judgement:
        """Judge when all sends are over and enough ends are seen, or at the deadline."""
        records = self.records()
        broken = next((record for record in records if record.get("error")), None)
        if broken is not None:
            return self.unknown(f"the load did not run: {broken['error']}", {})
        if len(self.samples()) < self.load.count:
            return UNDECIDED
        return self.rule(self.latencies(), final=final)

    def rule(self, took: Latencies, *, final: bool) -> Judgement:
        """Judge a load all of whose requests were sent."""
        raise NotImplementedError

    def latencies(self) -> Latencies:
        """Return what each sample took, in the order of the samples."""
        ends, since = self._ends()
        best, innocent, worst = [], [], []
        ways: list[tuple[float, float]] = []
        for intended, actual, done, status, event in self.samples():
            of_load = self.stage in {"ack", "answer"}
            refused = of_load and (status is None or not 200 <= status < 300)
            end = math.inf if refused else done if of_load else ends.get(event)
            best.append(max(0.0, since - intended) if end is None else end - intended)
            innocent.append(max(0.0, since - actual) if end is None else end - actual)
            worst.append(math.inf if end is None else end - intended)
            ways.append((actual, math.inf if end is None else end))
        return Latencies(best, innocent, worst, held_back(ways))

    def unknown(self, got: str, figures: Mapping[str, Any]) -> Judgement:
        """Return the judgement that nothing can be said, and why."""
        return Judgement(Verdict.UNKNOWN, (self.fault(got),), figures)

    def fault(self, got: str) -> Violation:
        """Return a violation whose witness is the end of the load."""
        witness = tuple(record["seq"] for record in self.records()[-1:])
        return violation(self.expected, got, witness, f"load {self.load.load}")

    def shortage(self) -> str:
        """Return what the probe's machine ran short of; empty where it did not."""
        return next((str(record["shortage"]) for record in self.records() if record.get("shortage")), "")

    def _ends(self) -> tuple[dict[str, float], float]:
        """Return when each event came, and the moment up to which another one would have been seen.

        That moment is known of sinks: the probe itself writes down what comes there. A topic is read with a delay.
        """
        found: dict[str, float] = {}
        for sink in self.sinks:
            for event, (t, _) in self.history.first_at[sink].items():
                found[event] = min(t, found.get(event, t))
        since = max(found.values(), default=0.0)
        if self.topic:
            for record in self.history.topics[self.topic].kept:
                event_id = _trace(record, self.args["key"]) if self.stage == "result" else _event(record)
                if event_id is not None:
                    found.setdefault(event_id, record["t"])
        return found, since

    def missing(self) -> Violation:
        """How much of the load is in the history."""
        reason = f"{len(self.samples())} of {self.load.count} samples are in the history"
        return Violation(f"expected {self.expected}; got no decision: {reason}", (), f"load {self.load.load}")

    def needs(self) -> tuple[ObservationRequest, ...]:
        """Return the topic, where records count."""
        return (ObservationRequest("tap", self.topic),) if self.topic else ()


@check("within")
class Within(Measured):
    """One percentile of one stage of one load."""

    @property
    def expected(self) -> str:
        """The expectation in a few words."""
        return f"p{self.args['percentile']:g} of {self.stage} within {self.args['budget'] * 1000:g} ms"

    def rule(self, took: Latencies, *, final: bool) -> Judgement:
        """Judge when all ends are seen, or those that are not can change nothing any more."""
        percentile, confidence = self.args["percentile"], self.args["confidence"]
        lower, _ = order_statistics.ranks(len(took.best), percentile, confidence)
        broken = lower is not None and sorted(took.best)[lower - 1] > self.args["budget"]
        if took.open_ends and not final and not broken:
            return UNDECIDED
        return replace(self._judge(took, final=final), samples=sorted(took.worst))

    def _judge(self, took: Latencies, *, final: bool) -> Judgement:
        best, innocent, worst, held = (sorted(part) for part in (took.best, took.innocent, took.worst, took.held))
        n, budget, percentile = len(worst), self.args["budget"], self.args["percentile"]
        lower, upper = order_statistics.ranks(n, percentile, self.args["confidence"])
        low = best[lower - 1] if lower is not None else 0.0
        high = worst[upper - 1] if upper is not None else math.inf
        lags = sorted(actual - intended for intended, actual, *_ in self.samples())
        figures = self._figures(worst, low, high, lags, took.open_ends)
        got = f"between {_ms(low)} and {_ms(high)} ({n} samples, confidence {self.args['confidence']:g})"
        late = _late(lags) if _at(lags, 99) > self.args["max_lag"] else ""
        if high <= budget:
            wrong_rate = f"{late}, so the rate was not the one claimed; {got}"
            return self.unknown(wrong_rate, figures) if late else Judgement(Verdict.PASS, (), figures)
        guilty = lower is not None and innocent[lower - 1] > budget
        if shortage := self.shortage():
            return self.unknown(f"a shortage of the probe's machine, {shortage}; {got}", figures)
        own = lower is not None and held_by_itself(self.records(), budget, held[lower - 1])
        busy = "" if own else too_busy(self.records(), percentile, budget)
        if busy and not slow_at_best(self.records(), percentile, budget, innocent[0]):
            open_still = took.open_ends and not final
            return UNDECIDED if open_still else self.unknown(f"a machine too busy to judge on ({busy}); {got}", figures)
        if late and not guilty:
            return self.unknown(f"{late}; {got}", figures)
        if low > budget:
            return Judgement(Verdict.FAIL, (self.fault(got),), figures)
        unfinished = f"; {took.open_ends} never seen to end" if took.open_ends else ""
        return self.unknown(f"{got}{unfinished}, which decides neither way{self._needed(worst, figures)}", figures)

    def _figures(
        self, worst: list[float], low: float, high: float, lags: list[float], open_ends: int
    ) -> dict[str, Any]:
        return {
            "stage": self.stage,
            "rate": next((record["rate"] for record in self.records() if "rate" in record), None),
            "samples": len(worst),
            "unfinished": open_ends,
            **{f"lag_p{q}": _at(lags, q) for q in (95, 99)},
            "lag_worst": lags[-1],
            "lower": low,
            "upper": _finite(high),
            **{f"p{q}": _finite(_at(worst, q)) for q in REPORTED},
        }

    def _needed(self, worst: list[float], figures: dict[str, Any]) -> str:
        """Note how many samples would decide, and say so."""
        over = sum(latency > self.args["budget"] for latency in worst)
        count = order_statistics.needed(len(worst), over, self.args["percentile"], self.args["confidence"])
        figures["needed"] = count
        return f"; about {count} samples would" if count else "; the percentile lies about at the budget"


@check("first_within")
class FirstWithin(Measured):
    """The first request of one load: what comes first after a cold start, or after a silence."""

    @property
    def expected(self) -> str:
        """The expectation in a few words."""
        return f"the first {self.stage} within {self.args['budget'] * 1000:g} ms"

    def rule(self, took: Latencies, *, final: bool) -> Judgement:
        """Judge the first request as soon as it cannot be in time any more, or was."""
        budget, samples = self.args["budget"], self.samples()
        first = min(range(len(samples)), key=lambda number: samples[number][0])
        low, high = took.best[first], took.worst[first]
        if low <= budget < high and not final:
            return UNDECIDED
        figures = {"stage": self.stage, "samples": 1, "first": _finite(high), "rest_p50": _finite(_rest(took, first))}
        if high <= budget:
            return Judgement(Verdict.PASS, (), figures)
        got = f"{_ms(low)} at least" if math.isinf(high) else _ms(high)
        if shortage := self.shortage():
            return self.unknown(f"a shortage of the probe's machine, {shortage}; {got}", figures)
        stands = held_by_itself(self.records(), budget, took.held[first]) or slow_at_best(
            self.records(), 100, budget, min(took.innocent)
        )
        if (busy := too_busy(self.records(), 100, budget)) and not stands:
            open_still = math.isinf(high) and not final
            return UNDECIDED if open_still else self.unknown(f"a machine too busy to judge on ({busy}); {got}", figures)
        if took.innocent[first] <= budget:
            return self.unknown(f"a generator that lagged; {got}", figures)
        return Judgement(Verdict.FAIL, (self.fault(got),), figures)


def _rest(took: Latencies, first: int) -> float:
    """Return the median of all requests but the first."""
    others = sorted(latency for number, latency in enumerate(took.worst) if number != first)
    return _at(others, 50) if others else math.inf


def _event(record: TopicRecord) -> str | None:
    identity = of_kafka(record["headers"], record["value"])
    return identity[1] if identity else None


def _trace(record: TopicRecord, key: str) -> str | None:
    value = read_json(octets(record["value"] or ""))[1]
    trace = value.get(key) if isinstance(value, dict) else None
    return trace if isinstance(trace, str) else None


def _late(lags: list[float]) -> str:
    """Return in words how late a generator sent; latencies hold its lag, since they count from the intended times."""
    p95, p99, worst = (_ms(lag) for lag in (_at(lags, 95), _at(lags, 99), lags[-1]))
    return f"a generator that lagged {p99} behind in one request of a hundred (p95 {p95}, at the worst {worst})"


def _at(ordered: list[float], q: float) -> float:
    return ordered[min(len(ordered) - 1, math.ceil(q / 100 * len(ordered)) - 1)]


def _finite(value: float) -> float | None:
    return None if math.isinf(value) else value


def _ms(seconds: float) -> str:
    return "no bound" if math.isinf(seconds) else f"{seconds * 1000:.1f} ms"
