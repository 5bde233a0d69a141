"""Retries of deliveries: their number and waits (Knative DeliverySpec), and ISO 8601 durations.

The waits follow the specification's text: linear waits `backoffDelay` before every retry, exponential
`backoffDelay * 2^<number of the retry>`, counted from 1, so that every reading of that text is a lower bound of it. The
Knative Kafka Broker also increases linear waits (`delay * n`), which the specification does not ask for.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

DEFAULT_DELAY = 0.2
"""The delay in seconds that the Kafka Broker's control plane fills in for a `retry` without `backoffDelay`."""

DEFAULT_TIMEOUT = 600.0
"""The time, in seconds, for an attempt without a `timeout` (as in the Kafka Broker)."""

_MAX_WAIT = 86_400.0
_DURATION = re.compile(
    r"P(?=.)(?:(?P<years>\d+(?:\.\d+)?)Y)?(?:(?P<months>\d+(?:\.\d+)?)M)?(?:(?P<weeks>\d+(?:\.\d+)?)W)?"
    r"(?:(?P<days>\d+(?:\.\d+)?)D)?"
    r"(?:T(?=.)(?:(?P<hours>\d+(?:\.\d+)?)H)?(?:(?P<minutes>\d+(?:\.\d+)?)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?"
)
_SECONDS = {
    "years": 31_556_952.0,
    "months": 2_629_746.0,
    "weeks": 604_800.0,
    "days": 86_400.0,
    "hours": 3600.0,
    "minutes": 60.0,
    "seconds": 1.0,
}


def seconds(duration: str) -> float:
    """Return an ISO 8601 duration in seconds (years and months by their Gregorian average).

    Raises:
        ValueError: The text is not an ISO 8601 duration.
    """
    match = _DURATION.fullmatch(duration.replace(",", "."))
    if match is None:
        raise ValueError(f"{duration!r} is no ISO 8601 duration such as PT0.2S")
    return sum(float(number) * _SECONDS[unit] for unit, number in match.groupdict().items() if number is not None)


@dataclass(frozen=True, slots=True)
class DeliveryPlan:
    """A DeliverySpec made ready to use.

    Attributes:
        retry: The number of attempts after the first.
        linear: True for the policy linear, False for exponential.
        delay: The base delay in seconds.
        timeout: The time for one attempt, in seconds.
        retry_after_max: The most seconds that an answer may ask for by Retry-After; 0 where it is not asked.
        is_timed: Whether policy and delay were both given, and neither was filled in.
    """

    retry: int = 0
    linear: bool = False
    delay: float = DEFAULT_DELAY
    timeout: float = DEFAULT_TIMEOUT
    retry_after_max: float = 0.0
    is_timed: bool = True

    @classmethod
    def of(cls, delivery: Mapping[str, Any]) -> "DeliveryPlan":
        """Read a DeliverySpec (`retry`, `backoffPolicy`, `backoffDelay`, `timeout`, `retryAfterMax`).

        Raises:
            ValueError: A field has a value that is not allowed.
        """
        retry, policy = delivery.get("retry", 0), delivery.get("backoffPolicy", "exponential")
        delay, timeout = delivery.get("backoffDelay"), delivery.get("timeout")
        if not isinstance(retry, int) or isinstance(retry, bool) or retry < 0:
            raise ValueError(f"retry is {retry!r}, not a number from 0")
        if policy not in {"linear", "exponential"}:
            raise ValueError(f"backoffPolicy is {policy!r}, neither linear nor exponential")
        return cls(
            retry=retry,
            linear=policy == "linear",
            delay=DEFAULT_DELAY if delay is None else seconds(delay),
            # A timeout of zero would be no attempt at all; the specification asks for more than zero.
            timeout=(seconds(timeout) if timeout is not None else 0.0) or DEFAULT_TIMEOUT,
            retry_after_max=min(seconds(delivery.get("retryAfterMax") or "PT0S"), _MAX_WAIT),
            is_timed=delay is not None and "backoffPolicy" in delivery,
        )


def waits(plan: DeliveryPlan) -> Iterator[float]:
    """Yield the seconds to wait before each retry, `plan.retry` of them."""
    for number in range(1, plan.retry + 1):
        yield min(plan.delay if plan.linear else plan.delay * 2.0 ** min(number, 64), _MAX_WAIT)


def is_retryable(status: int | None) -> bool:
    """Return whether an attempt with this outcome is repeated: no answer (None), 404, 408, 409, 429 and 5xx."""
    return status is None or status in {404, 408, 409, 429} or status >= 500


def retry_after(text: str, now: datetime) -> float:
    """Return the seconds that a Retry-After asks for, by number or date (RFC 9110, 10.2.3); 0 for what is neither."""
    if re.fullmatch(r"[0-9]{1,20}", text):
        return min(float(text), _MAX_WAIT)
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    aware = date if date.tzinfo is not None else date.replace(tzinfo=UTC)
    return min(max((aware - now).total_seconds(), 0.0), _MAX_WAIT)
