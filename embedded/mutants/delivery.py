"""Mutants of delivery: retries, backoff, dead letters, replies."""

import math
import re
from collections.abc import Iterator
from dataclasses import replace

from embedded.dataplane.backoff import DeliveryPlan
from embedded.dataplane.cloudevents import CloudEvent, NotAnEventError
from embedded.dataplane.policies import Attempt, DataPlanePolicies, NoTimerError, StandstillError
from embedded.mutants.hosts import DATA_PLANE
from embedded.mutants.registry import divergence, mutant


@mutant(DATA_PLANE, wraps="waits")
def retries_one_short(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Make one retry too few: `retry: 3` makes three attempts, not four."""

    def waits(plan: DeliveryPlan) -> Iterator[float]:
        return honest.waits(replace(plan, retry=max(plan.retry - 1, 0)))

    return replace(honest, waits=waits)


@mutant(DATA_PLANE, replaces="is_retryable")
def retries_everything(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Retry 400, 401, 403 and the like (the data-plane's table forbids it)."""
    return replace(honest, is_retryable=lambda _: True)


@mutant(DATA_PLANE, replaces="is_retryable")
def retries_only_5xx(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Retry only 5xx, and not 404, 408, 409 and 429."""

    def is_retryable(attempt: Attempt) -> bool:
        return attempt.status is None or attempt.status >= 500

    return replace(honest, is_retryable=is_retryable)


@mutant(DATA_PLANE, wraps="waits")
def no_backoff(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Retry at once, without waiting."""
    return replace(honest, waits=lambda plan: (0.0 for _ in honest.waits(plan)))


@mutant(DATA_PLANE, wraps=("is_retryable", "dead_letter"))
def connection_error_dropped(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Drop an event where nobody answers: no retry, no dead letter (eventing-kafka-broker issue 2662)."""

    def dead_letter(event: CloudEvent, subscriber: str, attempt: Attempt) -> CloudEvent | None:
        return None if attempt.status is None else honest.dead_letter(event, subscriber, attempt)

    return replace(
        honest,
        is_retryable=lambda attempt: attempt.status is not None and honest.is_retryable(attempt),
        dead_letter=dead_letter,
    )


@mutant(DATA_PLANE, wraps="dead_letter")
def dead_letter_skipped(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Drop an event whose retries are used up (eventing-kafka-broker issues 1011, 3746)."""

    def dead_letter(event: CloudEvent, subscriber: str, attempt: Attempt) -> CloudEvent | None:
        if attempt.status is not None and honest.is_retryable(attempt):
            return None
        return honest.dead_letter(event, subscriber, attempt)

    return replace(honest, dead_letter=dead_letter)


@mutant(DATA_PLANE, replaces="dead_letter")
def dead_letter_bare(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Omit the reason from dead letters (no `knativeerror*` extensions)."""
    return replace(honest, dead_letter=lambda event, _subscriber, _attempt: event)


@mutant(DATA_PLANE, wraps="reply")
def reply_dropped(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Drop replies in binary mode (they must be routed to all Triggers)."""

    def reply(attempt: Attempt) -> CloudEvent | None:
        event = honest.reply(attempt)
        return None if _is_binary(attempt) else event

    return replace(honest, reply=reply)


@mutant(DATA_PLANE, wraps="reply")
def structured_reply_dropped(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Drop replies in structured mode."""

    def reply(attempt: Attempt) -> CloudEvent | None:
        event = honest.reply(attempt)
        return event if _is_binary(attempt) else None

    return replace(honest, reply=reply)


def _is_binary(attempt: Attempt) -> bool:
    return any(name.lower() == b"ce-specversion" for name, _ in attempt.headers)


@mutant(DATA_PLANE, wraps="reply")
def reply_on_202(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Route an event in a 202 answer as a reply (eventing-kafka-broker `BaseResponseHandler.handle`)."""

    def reply(attempt: Attempt) -> CloudEvent | None:
        if attempt.status != 202:
            return honest.reply(attempt)
        try:
            return honest.reply(replace(attempt, status=200))
        except NotAnEventError:
            return None

    return replace(honest, reply=reply)


@mutant(DATA_PLANE, wraps="reply")
def empty_reply_is_failure(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take a 200 without a body for a malformed reply (it is a success)."""

    def reply(attempt: Attempt) -> CloudEvent | None:
        event = honest.reply(attempt)
        if event is None and attempt.status == 200:
            raise NotAnEventError("there is no event")
        return event

    return replace(honest, reply=reply)


@mutant(DATA_PLANE, wraps="reply")
def malformed_reply_ignored(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take an answer that is not an event for a success.

    The delivery must count as failed; knative/eventing issues 6950, 7503.
    """

    def reply(attempt: Attempt) -> CloudEvent | None:
        try:
            return honest.reply(attempt)
        except NotAnEventError:
            return None

    return replace(honest, reply=reply)


_NAME = re.compile(r"[a-z0-9]+")


@mutant(DATA_PLANE, wraps="waits")
def short_delay_no_retry(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Read delays in tenths of a second, and give up at once where that makes none (Kafka Broker 1.22.3, seen)."""

    def waits(plan: DeliveryPlan) -> Iterator[float]:
        delay = math.floor(plan.delay * 10 + 1e-9) / 10
        if plan.retry and not delay:
            raise NoTimerError("Cannot schedule a timer with delay < 1 ms")
        yield from honest.waits(replace(plan, delay=delay))

    return replace(honest, waits=waits)


@divergence(DATA_PLANE, wraps="waits")
def linear_waits_grow(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Wait the linear delay times the number of the retry (Kafka Broker 1.22.3, seen)."""

    def waits(plan: DeliveryPlan) -> Iterator[float]:
        for number, wait in enumerate(honest.waits(plan), 1):
            yield wait * number if plan.linear else wait

    return replace(honest, waits=waits)


@mutant(DATA_PLANE, replaces="redirect")
def see_other_followed(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Fetch the Location of a 303 by GET, and take its answer for the delivery's (Kafka Broker 1.22.3, seen)."""

    def redirect(attempt: Attempt) -> str | None:
        places = [value.decode("latin-1") for name, value in attempt.headers if name.lower() == b"location"]
        return places[0] if attempt.status == 303 and places else None

    return replace(honest, redirect=redirect)


@mutant(DATA_PLANE, wraps="dead_letter")
def kne_header_stalls(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Make extensions of `Kne-` headers, and never end where the name is not one (Kafka Broker 1.22.3, seen)."""

    def dead_letter(event: CloudEvent, subscriber: str, attempt: Attempt) -> CloudEvent | None:
        fields = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in attempt.headers]
        extensions = {name.removeprefix("kne-"): value for name, value in fields if name.startswith("kne-")}
        if wrong := [name for name in extensions if not _NAME.fullmatch(name)]:
            raise StandstillError(f"Invalid extensions name: {wrong[0]}")
        return honest.dead_letter(event.having(**extensions), subscriber, attempt)

    return replace(honest, dead_letter=dead_letter)
