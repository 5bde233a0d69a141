"""Mutants of delivery: retries, backoff, dead letters, replies."""

import math
import re
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import replace
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from embedded.dataplane.backoff import DEFAULT_DELAY, DeliveryPlan
from embedded.dataplane.cloudevents import CloudEvent
from embedded.dataplane.cloudevents.event import CORE
from embedded.dataplane.policies import Attempt, DataPlanePolicies, NoTimerError, StandstillError
from embedded.dataplane.specs import TriggerSpec
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
def unresolved_host_dropped(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Drop an event whose subscriber's name does not resolve: there was no connection that could have failed."""

    def dead_letter(event: CloudEvent, subscriber: str, attempt: Attempt) -> CloudEvent | None:
        return None if "no such host" in attempt.error else honest.dead_letter(event, subscriber, attempt)

    return replace(honest, dead_letter=dead_letter)


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


@mutant(DATA_PLANE, replaces="redirect")
def redirects_followed(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Fetch the Location of a 301, 302, 307 or 308 by GET, and take its answer for the delivery's."""

    def redirect(attempt: Attempt) -> str | None:
        places = [value.decode("latin-1") for name, value in attempt.headers if name.lower() == b"location"]
        return places[0] if attempt.status in {301, 302, 307, 308} and places else None

    return replace(honest, redirect=redirect)


@mutant(DATA_PLANE, wraps="outcome")
def not_modified_is_success(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take an answer 300, 304 or 305 for a success, as clients do that raise for 4xx and 5xx only."""

    def outcome(attempt: Attempt) -> Attempt:
        return honest.outcome(replace(attempt, status=200) if attempt.status in {300, 304, 305} else attempt)

    return replace(honest, outcome=outcome)


@mutant(DATA_PLANE, wraps="outcome")
def only_200_and_202_succeed(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take any success but 200 and 202 for a failure (the data plane's table: other 2xx completes the delivery)."""

    def outcome(attempt: Attempt) -> Attempt:
        attempt = honest.outcome(attempt)
        return replace(attempt, status=500) if attempt.is_success and attempt.status not in {200, 202} else attempt

    return replace(honest, outcome=outcome)


@mutant(DATA_PLANE, wraps="outcome")
def half_answer_is_success(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take an answer that breaks off for a whole one (kserve issue 2833: connections break in the middle)."""
    return replace(honest, outcome=lambda attempt: honest.outcome(replace(attempt, error="", is_whole=True)))


@mutant(DATA_PLANE, replaces="timeout")
def timeout_ignored(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Wait ten minutes for each answer, whatever `timeout` says (knative/eventing issue 5148)."""
    return replace(honest, timeout=lambda _: 600.0)


@mutant(DATA_PLANE, replaces="body_timeout")
def timeout_until_answer_begins(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Wait ten minutes for the rest of an answer that has begun (Kafka Broker 1.22.3, seen: Vert.x' WebClient)."""
    return replace(honest, body_timeout=lambda _: 600.0)


@mutant(DATA_PLANE, wraps="timeout")
def timeout_cut_short(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Wait at most one second for each answer (eventing-kafka-broker issue 4187: long answers are cut)."""
    return replace(honest, timeout=lambda plan: min(honest.timeout(plan), 1.0))


@mutant(DATA_PLANE, wraps="waits")
def retries_unasked(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Retry three times where `delivery` asks for no retry."""
    return replace(honest, waits=lambda plan: honest.waits(plan if plan.retry else replace(plan, retry=3, delay=0.1)))


@mutant(DATA_PLANE, wraps="waits")
def backoff_always_linear(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Wait `backoffDelay` before each retry, also where the policy is exponential."""
    return replace(honest, waits=lambda plan: honest.waits(replace(plan, linear=True)))


@mutant(DATA_PLANE, wraps="waits")
def backoff_delay_ignored(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Wait for the delay that is taken where none is given, also where `backoffDelay` is longer."""
    return replace(honest, waits=lambda plan: honest.waits(replace(plan, delay=min(plan.delay, DEFAULT_DELAY))))


@mutant(DATA_PLANE, wraps="write_request")
def dead_letter_stripped(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Write dead letters without the event's own extensions; the reason of the failure is there."""

    def write_request(event: CloudEvent, spec: TriggerSpec) -> tuple[list[tuple[str, str]], bytes]:
        if "knativeerrordest" in event.attributes:
            kept = {name: value for name, value in event.attributes.items() if name in CORE or "knativeerror" in name}
            event = replace(event, attributes=kept)
        return honest.write_request(event, spec)

    return replace(honest, write_request=write_request)


@mutant(DATA_PLANE, wraps="letter_plan")
def dead_letter_tried_once(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Never retry the delivery to the dead letter sink (knative/eventing TestBrokerWithFlakyDLQ exists for it)."""
    return replace(honest, letter_plan=lambda plan: replace(honest.letter_plan(plan), retry=0))


@mutant(DATA_PLANE, wraps=("write_request", "outcome", "dead_letter"))
def dead_letter_of_first_failure(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Tell in a dead letter what the first attempt was answered, and not the last."""
    under_way: ContextVar[tuple[CloudEvent, list[Attempt]] | None] = ContextVar("under_way", default=None)

    def write_request(event: CloudEvent, spec: TriggerSpec) -> tuple[list[tuple[str, str]], bytes]:
        current = under_way.get()
        if current is None or current[0] is not event:
            under_way.set((event, []))
        return honest.write_request(event, spec)

    def outcome(attempt: Attempt) -> Attempt:
        attempt = honest.outcome(attempt)
        if (current := under_way.get()) is not None:
            current[1].append(attempt)
        return attempt

    def dead_letter(event: CloudEvent, subscriber: str, attempt: Attempt) -> CloudEvent | None:
        current = under_way.get()
        first = current[1][0] if current is not None and current[0] is event and current[1] else attempt
        return honest.dead_letter(event, subscriber, first)

    return replace(honest, write_request=write_request, outcome=outcome, dead_letter=dead_letter)


def _asked(attempt: Attempt) -> list[str]:
    """Return the values of Retry-After in an answer."""
    return [value.decode("latin-1") for name, value in attempt.headers if name.lower() == b"retry-after"]


@mutant(DATA_PLANE, wraps="pause")
def retry_after_obeyed(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Wait as many seconds as any Retry-After says, up to a day, also where nobody has opted in."""

    def pause(plan: DeliveryPlan, attempt: Attempt, wait: float) -> float:
        asked = [min(int(text), 86_400) for text in _asked(attempt) if text.isdecimal()]
        return max(honest.pause(plan, attempt, wait), *asked, 0.0)

    return replace(honest, pause=pause)


@mutant(DATA_PLANE, wraps="is_retryable")
def retry_after_nonsense_fails(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Do not retry an answer whose Retry-After is no number of seconds."""

    def is_retryable(attempt: Attempt) -> bool:
        return honest.is_retryable(attempt) and all(text.isdecimal() for text in _asked(attempt))

    return replace(honest, is_retryable=is_retryable)


@mutant(DATA_PLANE, replaces="pause")
def retry_after_ignored(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Wait as the back-off says, whatever Retry-After and `retryAfterMax` do (Kafka Broker 1.22.3, read)."""
    return replace(honest, pause=lambda _plan, _attempt, wait: wait)


@mutant(DATA_PLANE, wraps="pause")
def retry_after_date_ignored(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take a Retry-After that is a date for none."""

    def pause(plan: DeliveryPlan, attempt: Attempt, wait: float) -> float:
        dated = [text for text in _asked(attempt) if not text.isdecimal()]
        return wait if dated else honest.pause(plan, attempt, wait)

    return replace(honest, pause=pause)


@mutant(DATA_PLANE, wraps="write_request")
def host_of_the_ingress(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Name the host of the ingress in deliveries, as a proxy does that hands the sender's Host on."""

    def write_request(event: CloudEvent, spec: TriggerSpec) -> tuple[list[tuple[str, str]], bytes]:
        headers, body = honest.write_request(event, spec)
        return [*headers, ("Host", "kafka-broker-ingress.knative-eventing.svc.cluster.local")], body

    return replace(honest, write_request=write_request)


@mutant(DATA_PLANE, wraps="address")
def subscriber_query_dropped(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Ask a subscriber without the query of its URI."""
    return replace(honest, address=lambda url: honest.address(url).partition("?")[0])


@mutant(DATA_PLANE, wraps="address")
def subscriber_path_decoded(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Decode the path of a subscriber's URI and encode it anew: `%2F` becomes a slash."""

    def address(url: str) -> str:
        where, mark, query = honest.address(url).partition("?")
        parts = urlsplit(where)
        return urlunsplit(parts._replace(path=quote(unquote(parts.path)))) + mark + query

    return replace(honest, address=address)


@mutant(DATA_PLANE, replaces="is_lettered")
def dead_letter_after_success(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Dead-letter an event too that succeeded after a retry."""
    return replace(honest, is_lettered=lambda attempts: attempts > 1)


@mutant(DATA_PLANE, wraps="dead_letter")
def hostile_header_stalls(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Never end where a header of a failing answer is no ASCII, or longer than 1 KiB, or one of more than fifty."""

    def dead_letter(event: CloudEvent, subscriber: str, attempt: Attempt) -> CloudEvent | None:
        if len(attempt.headers) > 50 or any(not value.isascii() or len(value) > 1024 for _, value in attempt.headers):
            raise StandstillError("a header that cannot be read")
        return honest.dead_letter(event, subscriber, attempt)

    return replace(honest, dead_letter=dead_letter)
