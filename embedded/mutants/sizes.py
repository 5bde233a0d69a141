"""Mutants of size: events that are too large for somebody, at once, at a retry, as a dead letter or as a reply."""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import replace

from embedded.dataplane.cloudevents import CloudEvent
from embedded.dataplane.policies import Attempt, DataPlanePolicies
from embedded.dataplane.specs import TriggerSpec
from embedded.mutants.hosts import DATA_PLANE
from embedded.mutants.registry import mutant

_MANY = 8192
"""The most bytes of header fields by default: of Vert.x, and of many another server."""
_SHORT = 1024
_LONG = 32 * 1024
_VERY_LONG = 256 * 1024


@mutant(DATA_PLANE, wraps="reply")
def reply_cut_at_1024(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Read the first 1024 bytes of a reply in binary mode (knative/eventing issues 6648, 6889)."""

    def reply(attempt: Attempt) -> CloudEvent | None:
        is_binary = any(name.lower() == b"ce-specversion" for name, _ in attempt.headers)
        return honest.reply(replace(attempt, body=attempt.body[:_SHORT]) if is_binary else attempt)

    return replace(honest, reply=reply)


@mutant(DATA_PLANE, replaces="max_fields")
def long_headers_refused(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Refuse requests with header fields of more than 8 KiB (Kafka Broker 1.22.3, read)."""
    return replace(honest, max_fields=_MANY)


@mutant(DATA_PLANE, wraps=("write_request", "address"))
def long_headers_not_delivered(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Send no request with header fields of more than 8 KiB: the delivery fails (eventing-kafka-broker issue 2340)."""
    too_many: ContextVar[bool] = ContextVar("too_many", default=False)

    def write_request(event: CloudEvent, spec: TriggerSpec) -> tuple[list[tuple[str, str]], bytes]:
        headers, body = honest.write_request(event, spec)
        too_many.set(sum(len(name) + len(value) for name, value in headers) > _MANY)
        return headers, body

    def address(url: str) -> str:
        # A target without a host is asked for nowhere: the attempt fails before a connection is made.
        return "" if too_many.get() else honest.address(url)

    return replace(honest, write_request=write_request, address=address)


@mutant(DATA_PLANE, wraps="outcome")
def long_reply_headers_fail(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take an answer with header fields of more than 8 KiB for none (Kafka Broker 1.22.3, read)."""

    def outcome(attempt: Attempt) -> Attempt:
        attempt = honest.outcome(attempt)
        if sum(len(name) + len(value) for name, value in attempt.headers) <= _MANY:
            return attempt
        return Attempt(None, error="the header fields of the answer are too large")

    return replace(honest, outcome=outcome)


def _retrying(honest: DataPlanePolicies, changed: Callable[[bytes], bytes]) -> DataPlanePolicies:
    """Return policies that write the data of an event in another way from its second attempt on."""
    under_way: ContextVar[CloudEvent | None] = ContextVar("under_way", default=None)

    def write_request(event: CloudEvent, spec: TriggerSpec) -> tuple[list[tuple[str, str]], bytes]:
        headers, body = honest.write_request(event, spec)
        is_again = under_way.get() is event
        under_way.set(event)
        return headers, changed(body) if is_again else body

    return replace(honest, write_request=write_request)


@mutant(DATA_PLANE, wraps="write_request")
def retry_without_long_data(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Send data of more than 32 KiB with the first attempt only (knative/eventing issue 4425: a body read once)."""
    return _retrying(honest, lambda body: body if len(body) <= _LONG else b"")


@mutant(DATA_PLANE, wraps="write_request")
def retried_data_through_text(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Keep data for a retry as text, whatever its bytes are."""
    return _retrying(honest, lambda body: body.decode(errors="replace").encode())


@mutant(DATA_PLANE, wraps=("write_request", "is_retryable"))
def dataless_not_retried(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Do not retry the delivery of an event without data: there is nothing to send again."""
    has_data: ContextVar[bool] = ContextVar("has_data", default=True)

    def write_request(event: CloudEvent, spec: TriggerSpec) -> tuple[list[tuple[str, str]], bytes]:
        has_data.set(event.data is not None)
        return honest.write_request(event, spec)

    return replace(
        honest,
        write_request=write_request,
        is_retryable=lambda attempt: has_data.get() and honest.is_retryable(attempt),
    )


@mutant(DATA_PLANE, wraps="dead_letter")
def long_dead_letter_cut(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Cut the data of a dead letter behind 32 KiB (knative/eventing issue 6889)."""

    def dead_letter(event: CloudEvent, subscriber: str, attempt: Attempt) -> CloudEvent | None:
        letter = honest.dead_letter(event, subscriber, attempt)
        return letter if letter is None or letter.data is None else replace(letter, data=letter.data[:_LONG])

    return replace(honest, dead_letter=dead_letter)


@mutant(DATA_PLANE, wraps="reply")
def very_long_reply_cut(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Cut the data of a reply behind 256 KiB (knative/eventing issues 6648, 6889)."""

    def reply(attempt: Attempt) -> CloudEvent | None:
        event = honest.reply(attempt)
        return event if event is None or event.data is None else replace(event, data=event.data[:_VERY_LONG])

    return replace(honest, reply=reply)
