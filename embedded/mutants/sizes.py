"""Mutants of size: events of less than 64 KiB that are too large for somebody all the same."""

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
