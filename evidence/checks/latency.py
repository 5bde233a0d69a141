"""Latency budgets: a percentile's confidence bounds against a budget, from intended send times.

The bounds are order statistics of the samples: the number of samples below the true percentile is binomial, whatever
the distribution. Pass: the upper bound keeps the budget. Fail: the lower bound breaks it. Else unknown. Each of the two
decisions errs with probability 1 - confidence at most. A request without a success is slower than any budget; one whose
end was not seen may be anything. A generator that lags voids a failure that needs the lag: it is part of every latency,
so the system may be innocent, unless the lower bound breaks the budget even from the times at which requests left. It
cannot void a pass: without the lag, the latencies would only have been smaller. Nor can a machine that is short of
descriptors or too busy to judge on (`too_busy`), which voids a failure: the system runs on it, or waits for it. Only
where even the fastest request broke the budget does the failure stand (`slow_at_best`): a wait for a CPU comes and
goes, and one of many requests meets none; a delay that is built in meets all of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evidence.checks.base import Check, check, read_json, violation
from evidence.history import octets
from evidence.refs import LoadRef, TriggerRef
from evidence.verdict import UNDECIDED, Judgement, ObservationRequest, Verdict, Violation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from evidence.records import LoadChunk, TopicRecord

REPORTED = (50, 95, 99)
# What a machine may take from a measurement before a failure on it means nothing: a share of the budget, shares of the
# time, and tasks that want to run, a CPU, where the kernel does not count how long they wait.
MAX_SHARE, MAX_QUEUE = 0.25, 3.0
# Tasks that want to run, a CPU, up to which the fastest request of a load tells the system's own time. At 8 of them an
# honest platform was seen to answer its fastest of 80 requests in 43 ms while its p95 was 4.7 s.
MAX_CROWD = 16.0
BUSY = (
    ("pressure", 0.5, "tasks waited for a CPU"),
    ("run_wait", 0.2, "the probe waited for a CPU"),
    ("steal", 0.1, "the hypervisor kept the CPUs for"),
)


def below(n: int, p: float) -> list[float]:
    """P(X <= k) for k = 0..n of a binomial X(n, p), 0 < p < 1."""
    log_p, log_q, log_n = math.log(p), math.log1p(-p), math.lgamma(n + 1)
    total, sums = 0.0, []
    for k in range(n + 1):
        total += math.exp(log_n - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * log_p + (n - k) * log_q)
        sums.append(min(total, 1.0))
    return sums


def ranks(n: int, percentile: float, confidence: float) -> tuple[int | None, int | None]:
    """Ranks (from 1) of the samples that bound a percentile from below and from above, one-sided each.

    None where n samples cannot bound it. The k-th smallest sample is below the percentile with probability P(X >= k),
    and not below it with P(X <= k - 1), X being how many samples fall below the percentile.
    """
    if n == 0:
        return None, None
    sums = below(n, percentile / 100)
    lower = max((k for k in range(1, n + 1) if 1 - sums[k - 1] >= confidence), default=None)
    upper = next((k for k in range(1, n + 1) if sums[k - 1] >= confidence), None)
    return lower, upper


def too_busy(records: Iterable[LoadChunk], percentile: float, budget: float) -> str:
    """Why a load's machine was too busy for a failure to count; empty when it was not, or when nobody looked.

    The probe looks beside the load (`calibration` and `machine` of its last record). Its own exchange, which does no
    work, must leave most of the budget to the system, at the percentile that is claimed.

    Args:
        records: `load` records.
        percentile: Percentile that is claimed.
        budget: Seconds that it may take.
    """
    reasons = []
    for record in records:
        machine = record.get("machine") or {}
        reasons += _slow_echo(record.get("calibration") or {}, percentile, budget)
        for name, most, what in BUSY:
            reasons += [
                f"{what} {value:.0%} of the time, {most:.0%} at most"
                for value in _numbers([machine.get(name)])
                if value > most
            ]
        crowd = _crowd(machine)
        if "pressure" not in machine and crowd is not None and crowd > MAX_QUEUE:
            runnable, cpus = machine["runnable"], machine["cpus"]
            reasons.append(f"{runnable:.1f} tasks wanted to run on {cpus:g} CPUs, {MAX_QUEUE:g} a CPU at most")
    return "; ".join(reasons)


def slow_at_best(records: Sequence[LoadChunk], percentile: float, budget: float, fastest: float) -> bool:
    """Tell whether a system is slow on a busy machine all the same: its fastest request broke the budget.

    It must be known that the machine still ran every task now and then: no more than `MAX_CROWD` tasks a CPU wanted to
    run, and the probe's own exchange was quick.

    Args:
        records: `load` records.
        percentile: Percentile that is claimed.
        budget: Seconds that it may take.
        fastest: Seconds of the fastest request from its actual send; infinite where none succeeded.
    """
    crowds = [_crowd(record.get("machine") or {}) for record in records if record.get("done")]
    told = bool(crowds) and all(crowd is not None and crowd <= MAX_CROWD for crowd in crowds)
    quick = not any(_slow_echo(record.get("calibration") or {}, percentile, budget) for record in records)
    return told and quick and budget < fastest < math.inf


def _crowd(machine: Mapping[str, Any]) -> float | None:
    """Return how many tasks a CPU wanted to run; None where nobody counted them."""
    numbers = _numbers([machine.get("runnable"), machine.get("cpus")])
    return numbers[0] / numbers[1] if len(numbers) == 2 and numbers[1] > 0 else None


def _slow_echo(calibration: Mapping[str, Any], percentile: float, budget: float) -> list[str]:
    latencies = sorted(_numbers(calibration.get("latencies") or ()))
    if not latencies:
        return []
    own = latencies[math.ceil(percentile / 100 * len(latencies)) - 1]
    if own <= MAX_SHARE * budget:
        return []
    took = f"{_ms(own)} of a budget of {_ms(budget)}, {_ms(MAX_SHARE * budget)} at most"
    return [f"p{percentile:g} of an exchange with an echo beside the load took {took}"]


def _numbers(values: Iterable[Any]) -> list[float]:
    return [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]


@dataclass(frozen=True, slots=True)
class Latencies:
    """What each sample of a load took, in seconds; infinite where it never ended or was refused.

    Attributes:
        best: The latencies if every end that was not seen had come at once.
        innocent: The latencies from the times at which requests left: without the generator's own lag.
        worst: The latencies if no end that was not seen ever came.
    """

    best: list[float]
    innocent: list[float]
    worst: list[float]

    @property
    def open_ends(self) -> int:
        """How many ends were not seen."""
        return sum(map(math.isinf, self.worst)) - sum(map(math.isinf, self.best))


@check("within")
class Within(Check):
    """One percentile of one stage of one load."""

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
        return f"p{self.args['percentile']:g} of {self.stage} within {self.args['budget'] * 1000:g} ms"

    def records(self) -> list[LoadChunk]:
        """Return the records of the load so far."""
        return self.history.loads[self.load.load]

    def samples(self) -> list[list[Any]]:
        """Return the samples so far: intended, actual, done, status, event id."""
        return [sample for record in self.records() for sample in record["samples"]]

    def decide(self, *, final: bool) -> Judgement:
        """Judge when all sends are over and all ends seen, or at the deadline."""
        records = self.records()
        broken = next((record for record in records if record.get("error")), None)
        if broken is not None:
            return self._unknown(f"the load did not run: {broken['error']}", (broken["seq"],), {})
        samples = self.samples()
        if len(samples) < self.load.count:
            return UNDECIDED
        took = self.latencies()
        if took.open_ends and not final:
            return UNDECIDED
        return self._judge(sorted(took.best), sorted(took.innocent), sorted(took.worst), took.open_ends, samples)

    def latencies(self) -> Latencies:
        """Return what each sample took, in the order of the samples."""
        ends = self._ends()
        best, innocent, worst = [], [], []
        for intended, actual, done, status, event in self.samples():
            refused = status is None or not 200 <= status < 300
            end = done if self.stage == "ack" else ends.get(event)
            if refused and self.stage == "ack":
                best.append(math.inf)
                innocent.append(math.inf)
                worst.append(math.inf)
            else:
                best.append(0.0 if end is None else end - intended)
                innocent.append(0.0 if end is None else end - actual)
                worst.append(math.inf if end is None else end - intended)
        return Latencies(best, innocent, worst)

    def _judge(
        self, best: list[float], innocent: list[float], worst: list[float], open_ends: int, samples: list[list[Any]]
    ) -> Judgement:
        n, budget = len(worst), self.args["budget"]
        lower, upper = ranks(n, self.args["percentile"], self.args["confidence"])
        low = best[lower - 1] if lower is not None else 0.0
        high = worst[upper - 1] if upper is not None else math.inf
        lags = sorted(actual - intended for intended, actual, *_ in samples)
        lag = lags[min(n - 1, math.ceil(0.99 * n) - 1)]
        figures: dict[str, Any] = {
            "stage": self.stage,
            "samples": n,
            "unfinished": open_ends,
            "lag_p99": lag,
            "lower": low,
            "upper": _finite(high),
            **{f"p{q}": _finite(worst[min(n - 1, math.ceil(q / 100 * n) - 1)]) for q in REPORTED},
        }
        witness = self._witness()
        got = f"between {_ms(low)} and {_ms(high)} ({n} samples, confidence {self.args['confidence']:g})"
        if high <= budget:
            return Judgement(Verdict.PASS, (), figures)
        guilty = lower is not None and innocent[lower - 1] > budget
        if shortage := next((record["shortage"] for record in self.records() if record.get("shortage")), ""):
            return self._unknown(f"a shortage of the probe's machine, {shortage}; {got}", witness, figures)
        busy = too_busy(self.records(), self.args["percentile"], budget)
        if busy and not slow_at_best(self.records(), self.args["percentile"], budget, innocent[0]):
            return self._unknown(f"a machine too busy to judge on ({busy}); {got}", witness, figures)
        if lag > self.args["max_lag"] and not guilty:
            return self._unknown(f"a generator that lagged {_ms(lag)} behind; {got}", witness, figures)
        if low > budget:
            fault = violation(self.expected, got, witness, f"load {self.load.load}")
            return Judgement(Verdict.FAIL, (fault,), figures)
        unfinished = f"; {open_ends} never seen to end" if open_ends else ""
        return self._unknown(f"{got}{unfinished}, which decides neither way", witness, figures)

    def _unknown(self, got: str, witness: tuple[int, ...], figures: Mapping[str, Any]) -> Judgement:
        fault = violation(self.expected, got, witness, f"load {self.load.load}")
        return Judgement(Verdict.UNKNOWN, (fault,), figures)

    def _witness(self) -> tuple[int, ...]:
        return tuple(record["seq"] for record in self.records()[-1:])

    def _ends(self) -> dict[str, float]:
        found: dict[str, float] = {}
        for sink in self.sinks:
            for event, (t, _) in self.history.first_at[sink].items():
                found[event] = min(t, found.get(event, t))
        if self.topic:
            for record in self.history.topics[self.topic].kept:
                trace = _trace(record, self.args["key"])
                if trace is not None:
                    found.setdefault(trace, record["t"])
        return found

    def missing(self) -> Violation:
        """How much of the load is in the history."""
        reason = f"{len(self.samples())} of {self.load.count} samples are in the history"
        return Violation(f"expected {self.expected}; got no decision: {reason}", (), f"load {self.load.load}")

    def needs(self) -> tuple[ObservationRequest, ...]:
        """Return the result topic, where results count."""
        return (ObservationRequest("tap", self.topic),) if self.topic else ()


def _trace(record: TopicRecord, key: str) -> str | None:
    value = read_json(octets(record["value"] or ""))[1]
    trace = value.get(key) if isinstance(value, dict) else None
    return trace if isinstance(trace, str) else None


def _finite(value: float) -> float | None:
    return None if math.isinf(value) else value


def _ms(seconds: float) -> str:
    return "no bound" if math.isinf(seconds) else f"{seconds * 1000:.1f} ms"
