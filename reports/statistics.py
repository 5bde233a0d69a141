"""The statistics of a comparison of latencies. Pure: lists of seconds in, numbers out; infinite is what never ended."""

import math
from collections.abc import Sequence
from functools import cache
from typing import Final

from evidence.ranks import ranks

ALPHA: Final = 0.05
"""The most that the tests of all stages may err together (Holm)."""
BOUND: Final = 0.975
"""The confidence of each run's own bound; an end of the interval stands on two of them, so it holds with 0.95."""
FLOOR_SHARE: Final = 0.10
FLOOR_SECONDS: Final = 0.005
MOST_SAMPLES: Final = 1_000_000
_Z: Final = 1.96
"""The normal quantile of `BOUND`."""


def percentile(samples: Sequence[float], q: float) -> float:
    """Return a percentile of sorted samples, by the nearest rank."""
    return samples[max(0, math.ceil(q / 100 * len(samples)) - 1)]


def floor(base: float) -> float:
    """Return the least difference that counts: a tenth of the old value, and 5 ms at least."""
    return max(FLOOR_SECONDS, FLOOR_SHARE * base) if math.isfinite(base) else FLOOR_SECONDS


def interval(base: Sequence[float], new: Sequence[float], q: float) -> tuple[float, float]:
    """Return bounds of the difference of a percentile, new minus old, by the order statistics of sorted samples.

    They hold whatever the distribution is; an end that the samples cannot bound is infinite.
    """
    base_low, base_high = _bounds(base, q)
    new_low, new_high = _bounds(new, q)
    return _minus(new_low, base_high, -math.inf), _minus(new_high, base_low, math.inf)


def _bounds(samples: Sequence[float], q: float) -> tuple[float, float]:
    lower, upper = _ranks(len(samples), q)
    low = samples[lower - 1] if lower is not None else 0.0
    return low, samples[upper - 1] if upper is not None else math.inf


@cache
def _ranks(count: int, q: float) -> tuple[int | None, int | None]:
    """Return the ranks of a percentile's bounds; the loads of one suite have few sizes."""
    return ranks(count, q, BOUND)


def _minus(left: float, right: float, unknown: float) -> float:
    """Return a difference; what is said of two infinite values is unknown."""
    return unknown if math.isinf(left) and math.isinf(right) else left - right


def mann_whitney(base: Sequence[float], new: Sequence[float]) -> tuple[float, bool]:
    """Return the two-sided p-value of one distribution behind both samples, and whether the new ones are larger."""
    from scipy.stats import mannwhitneyu  # a second of imports, and only runs with loads need it

    if len({*base, *new}) < 2:
        return 1.0, False  # all equal
    result = mannwhitneyu(new, base, alternative="two-sided", method="asymptotic")
    return float(result.pvalue), float(result.statistic) > len(base) * len(new) / 2


def holm(values: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number (Holm's step-down), in the same order."""
    corrected, least = [0.0] * len(values), 0.0
    for step, index in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        least = max(least, min(1.0, (len(values) - step) * values[index]))
        corrected[index] = least
    return corrected


def needed(base: Sequence[float], new: Sequence[float], q: float, least: float) -> int | None:
    """Return how many samples a run would be needed, were the distributions those that were seen.

    With them the interval would be narrower than what it has to resolve: the difference that was seen, as far as it is
    above the floor, or the floor itself. None where a million would not do, or the tail was not seen far enough.

    Args:
        base: The sorted samples of the old run.
        new: The sorted samples of the new run.
        q: The percentile.
        least: The floor.
    """
    seen = abs(_minus(percentile(new, q), percentile(base, q), 0.0))
    wanted = seen - least if seen > least else least
    n = max(2, min(len(base), len(new)))
    while n <= MOST_SAMPLES:
        if _reach(base, q, n) + _reach(new, q, n) < wanted:
            return n
        n = math.ceil(n * 1.2)
    return None


def _reach(samples: Sequence[float], q: float, n: int) -> float:
    """Return how far the bounds of a percentile would lie from it, with n samples."""
    share = q / 100
    away = _Z * math.sqrt(share * (1 - share) / n)
    if share + away >= 1:
        return math.inf
    middle = percentile(samples, q)
    above = percentile(samples, 100 * (share + away))
    below = percentile(samples, 100 * max(0.0, share - away))
    return max(_minus(above, middle, math.inf), _minus(middle, below, math.inf))
