"""Mutants of retries: options that are left out, waits that are too long, and failures that count for later events."""

from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import replace
from itertools import islice
from typing import TypeAlias

from embedded.dataplane.backoff import DeliveryPlan
from embedded.dataplane.cloudevents import CloudEvent
from embedded.dataplane.cloudevents.event import CORE
from embedded.dataplane.policies import Attempt, DataPlanePolicies
from embedded.dataplane.specs import TriggerSpec
from embedded.mutants.hosts import DATA_PLANE
from embedded.mutants.registry import mutant

Fields: TypeAlias = list[tuple[str, str]]
Write: TypeAlias = Callable[[CloudEvent, TriggerSpec], tuple[Fields, bytes]]

_FAILURES = 10
_OVERFLOW = 4
_MOST = 10
_LONGEST = 10.0
_POOL = 100


@mutant(DATA_PLANE, wraps="waits")
def retry_needs_delay(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Make no retry unless backoffPolicy and backoffDelay are both given (google/knative-gcp issue 1072)."""

    def waits(plan: DeliveryPlan) -> Iterator[float]:
        return honest.waits(plan if plan.is_timed else replace(plan, retry=0))

    return replace(honest, waits=waits)


@mutant(DATA_PLANE, wraps="waits")
def exponential_waits_overflow(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Wait an hour from the fourth exponential retry on (knative/eventing issue 9278: waits that are far too long)."""

    def waits(plan: DeliveryPlan) -> Iterator[float]:
        for number, wait in enumerate(honest.waits(plan), 1):
            yield wait if plan.linear or number < _OVERFLOW else 3600.0

    return replace(honest, waits=waits)


@mutant(DATA_PLANE, wraps=("closes", "write_request"))
def change_drops_what_is_retried(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Give up what waits for another attempt when its Trigger changes (modelled: a sender closed with its consumer)."""
    begun: ContextVar[tuple[CloudEvent, int] | None] = ContextVar("begun", default=None)
    changes: list[None] = []

    def closes(matches: Callable[[CloudEvent], bool]) -> bool:
        changes.append(None)
        return honest.closes(matches)

    def write_request(event: CloudEvent, spec: TriggerSpec) -> tuple[Fields, bytes]:
        first = begun.get()
        if first is None or first[0] is not event:
            begun.set((event, len(changes)))
        elif first[1] != len(changes):
            raise RuntimeError("the sender is closed")
        return honest.write_request(event, spec)

    return replace(honest, closes=closes, write_request=write_request)


@mutant(DATA_PLANE, wraps="waits")
def ten_retries_at_most(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Make ten retries at most, however many are asked for (eventing-kafka-broker issue 3746 asks for twelve)."""
    return replace(honest, waits=lambda plan: islice(honest.waits(plan), _MOST))


@mutant(DATA_PLANE, wraps="timeout")
def answers_cut_after_ten_seconds(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Wait for no answer longer than ten seconds, whatever `timeout` says (knative/eventing issue 5148)."""
    return replace(honest, timeout=lambda plan: min(honest.timeout(plan), _LONGEST))


@mutant(DATA_PLANE, wraps="waits")
def timeout_for_all_attempts(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Have `timeout` count for all attempts together: there is none once the waits between them last longer."""

    def waits(plan: DeliveryPlan) -> Iterator[float]:
        whole = 0.0
        for wait in honest.waits(plan):
            whole += wait
            if whole > plan.timeout:
                return
            yield wait

    return replace(honest, waits=waits)


@mutant(DATA_PLANE, wraps="is_retryable")
def retries_named_codes_only(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Retry, of 5xx, 500, 502, 503 and 504 only."""

    def is_retryable(attempt: Attempt) -> bool:
        return honest.is_retryable(attempt) and (attempt.status or 0) in {*range(500), 500, 502, 503, 504}

    return replace(honest, is_retryable=is_retryable)


@mutant(DATA_PLANE, wraps="is_retryable")
def retries_too_early(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Retry 421, 423, 424 and 425, too, which say that something is in the way for now."""

    def is_retryable(attempt: Attempt) -> bool:
        return honest.is_retryable(attempt) or attempt.status in {421, 423, 424, 425}

    return replace(honest, is_retryable=is_retryable)


def _at_further_attempts(honest: DataPlanePolicies, change: Callable[[Fields], Fields]) -> Write:
    """Return how requests are written whose header fields are changed from the second attempt on."""
    written: ContextVar[CloudEvent | None] = ContextVar("written", default=None)

    def write_request(event: CloudEvent, spec: TriggerSpec) -> tuple[Fields, bytes]:
        headers, body = honest.write_request(event, spec)
        if written.get() is event:
            return change(headers), body
        written.set(event)
        return headers, body

    return write_request


@mutant(DATA_PLANE, wraps="write_request")
def reply_invited_once(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Announce `Prefer: reply` at the first attempt only."""

    def change(headers: Fields) -> Fields:
        return [field for field in headers if field[0] != "Prefer"]

    return replace(honest, write_request=_at_further_attempts(honest, change))


@mutant(DATA_PLANE, wraps="write_request")
def retries_without_extensions(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Bring the event without its extensions from the second attempt on."""
    named = {f"ce-{name}" for name in CORE}

    def change(headers: Fields) -> Fields:
        return [field for field in headers if not field[0].startswith("ce-") or field[0] in named]

    return replace(honest, write_request=_at_further_attempts(honest, change))


@mutant(DATA_PLANE, wraps=("address", "outcome"))
def breaker_opens_after_ten(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Ask a URL no more once ten attempts in a row have failed there (eventing-kafka-broker issues 2239, 710)."""
    failures: dict[str, int] = {}
    asked: ContextVar[str] = ContextVar("asked", default="")

    def address(url: str) -> str:
        asked.set(url)
        # A target without a host is asked for nowhere: the attempt fails before a connection is made.
        return "" if failures.get(url, 0) >= _FAILURES else honest.address(url)

    def outcome(attempt: Attempt) -> Attempt:
        attempt = honest.outcome(attempt)
        failures[asked.get()] = 0 if attempt.is_success else failures.get(asked.get(), 0) + 1
        return attempt

    return replace(honest, address=address, outcome=outcome)


@mutant(DATA_PLANE, wraps="write_request")
def retries_encoded_twice(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Percent-encode the values of attributes once more from the second attempt on."""

    def change(headers: Fields) -> Fields:
        return [(name, value.replace("%", "%25") if name.startswith("ce-") else value) for name, value in headers]

    return replace(honest, write_request=_at_further_attempts(honest, change))


@mutant(DATA_PLANE, wraps=("address", "outcome"))
def failing_answers_leak(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Leave the body of each failing answer unread, which keeps a connection of a hundred; fail when none is left."""
    kept = 0

    def outcome(attempt: Attempt) -> Attempt:
        nonlocal kept
        attempt = honest.outcome(attempt)
        kept += not attempt.is_success and bool(attempt.body)
        return attempt

    # A target without a host is asked for nowhere: the attempt fails before a connection is made.
    return replace(honest, address=lambda url: honest.address(url) if kept < _POOL else "", outcome=outcome)
