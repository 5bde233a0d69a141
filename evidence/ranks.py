"""Order statistics: which samples bound a percentile, and how many samples a decision takes.

The number of samples below the true percentile is binomial, whatever the distribution. So the k-th smallest sample is a
one-sided bound of the percentile, with a confidence that depends on k, the number of samples and the percentile alone
(Conover, Practical Nonparametric Statistics, "Confidence interval for a quantile").
"""

from __future__ import annotations

import math
from functools import cache
from typing import Final

METHOD: Final = "order statistics, binomial, one-sided"
MOST_NEEDED: Final = 1_000_000
_GROWTH: Final = 1.1


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


@cache
def fewest(percentile: float, confidence: float) -> int:
    """Return the fewest samples that can bound a percentile from above: the least n with p^n <= 1 - confidence."""
    n = max(1, math.floor(math.log(1 - confidence) / math.log(percentile / 100)))
    while (percentile / 100) ** n > 1 - confidence:
        n += 1
    return n


def needed(n: int, over: int, percentile: float, confidence: float) -> int | None:
    """Return how many samples would decide, were the share of those above the budget the one that was seen.

    Args:
        n: The number of samples.
        over: How many of them were above the budget.
        percentile: The percentile.
        confidence: The confidence of each decision.

    Returns:
        The number; None where a million samples would not do: the percentile is about at the budget.
    """
    count, least = max(n, 1), fewest(percentile, confidence)
    share = over / count
    count = max(count + 1, least)
    while count <= MOST_NEEDED:
        if _decides(count, round(share * count), percentile, confidence):
            return count
        count = math.ceil(count * _GROWTH)
    return None


def _decides(n: int, over: int, percentile: float, confidence: float) -> bool:
    """Tell by Hoeffding's cheaper relative for large numbers, and exactly for small ones, whether n samples decide."""
    share = percentile / 100
    if n > 20_000:  # the normal approximation of the binomial is exact enough there, and a sum of a million is slow
        return abs((n - over) - n * share) > 1.645 * math.sqrt(n * share * (1 - share)) + 1
    lower, upper = ranks(n, percentile, confidence)
    return (upper is not None and upper <= n - over) or (lower is not None and lower > n - over)
