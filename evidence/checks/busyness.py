"""Whether the machine of a load was too busy to judge on, and which failures stand all the same.

The probe looks at its machine beside a load (`calibration` and `machine` of the load's last record). A machine that is
too busy voids a failure: the system runs on it, or waits for it. Two kinds of failures stand in spite of it, since no
wait for a CPU explains them: where even the fastest request broke the budget (`slow_at_best`), for a wait comes and
goes, and one of many requests meets none; and where requests came late while others, which left after them, had gone
all the way (`held_back`), for a busy machine delays all alike.
"""

from __future__ import annotations

import bisect
import math
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from evidence.records import LoadChunk

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
# With 15 tasks a CPU an honest platform was seen to hold back a few of 300 requests, at 100 a second, for 2.4 s.
MAX_HELD_CROWD = 4.0
OVERTAKERS: Final = 5
"""How many requests that left later must have ended before one that is still under way counts as held back."""


def too_busy(records: Iterable[LoadChunk], percentile: float, budget: float) -> str:
    """Why a load's machine was too busy for a failure to count; empty when it was not, or when nobody looked.

    The probe's own exchange, which does no work, must leave most of the budget to the system, at the percentile that is
    claimed.

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
    quick = not any(_slow_echo(record.get("calibration") or {}, percentile, budget) for record in records)
    return _room(records, MAX_CROWD) and quick and budget < fastest < math.inf


def held_by_itself(records: Sequence[LoadChunk], budget: float, held: float) -> bool:
    """Tell whether a system held requests back for longer than the budget, on a machine that is not too crowded.

    Args:
        records: `load` records.
        budget: Seconds that a request may take.
        held: Seconds for which it was held back.
    """
    return held > budget and _room(records, MAX_HELD_CROWD)


def held_back(requests: Sequence[tuple[float, float]]) -> list[float]:
    """Return how long each request went on when `OVERTAKERS` requests that left later had ended; 0 where it did not.

    Args:
        requests: The time when each left, and when it ended; an infinite end was not seen, and holds nothing back.
    """
    order = sorted(range(len(requests)), key=lambda number: requests[number][0], reverse=True)
    held, soonest = [0.0] * len(requests), list[float]()
    for number in order:
        end = requests[number][1]
        if len(soonest) == OVERTAKERS and math.isfinite(end):
            held[number] = max(0.0, end - soonest[-1])
        if math.isfinite(end):
            bisect.insort(soonest, end)
            del soonest[OVERTAKERS:]
    return held


def _room(records: Sequence[LoadChunk], most: float) -> bool:
    """Tell whether it is known that no more tasks a CPU wanted to run than a number."""
    crowds = [_crowd(record.get("machine") or {}) for record in records if record.get("done")]
    return bool(crowds) and all(crowd is not None and crowd <= most for crowd in crowds)


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
    took = f"{own * 1000:.1f} ms of a budget of {budget * 1000:.1f} ms, {MAX_SHARE * budget * 1000:.1f} ms at most"
    return [f"p{percentile:g} of an exchange with an echo beside the load took {took}"]


def _numbers(values: Iterable[Any]) -> list[float]:
    return [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
