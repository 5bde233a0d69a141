"""What the data plane decides, each decision a policy: the honest ones are the defaults of `DataPlanePolicies`.

A faulty platform has other `DataPlanePolicies`; nothing here knows of it. Policies decide, they move nothing: ingress,
dispatcher and delivery do.
"""

import base64
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from embedded.dataplane import backoff, tracing
from embedded.dataplane.backoff import DeliveryPlan
from embedded.dataplane.cloudevents import (
    CloudEvent,
    HttpReader,
    NotAnEventError,
    Record,
    claims_to_be_event,
    read_record,
    write_binary,
    write_record,
)
from embedded.dataplane.filters import Matcher
from embedded.dataplane.specs import TriggerSpec
from embedded.dataplane.tracing import Trace

MAX_BODY = 1024 * 1024
"""Bytes of a request's body; the Kafka Broker's `max.request.size`."""

MAX_ERROR_DATA = 1024
"""Bytes of a failing answer's body that its dead letter carries."""


@dataclass(frozen=True, slots=True)
class IngressAnswer:
    """An HTTP answer of the ingress; a refusal says why in its body."""

    status: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """How one delivery attempt ended.

    Attributes:
        status: of the answer; None when there was none.
        headers: of the answer, raw.
        body: of the answer, whole (the answer is a failure when it is larger than we read).
        error: why this is a failure, when the status alone does not say.
    """

    status: int | None
    headers: Sequence[tuple[bytes, bytes]] = ()
    body: bytes = b""
    error: str = ""

    @property
    def is_success(self) -> bool:
        """Whether the subscriber accepted the event: 2xx, and nothing wrong with the answer."""
        return self.status is not None and 200 <= self.status < 300 and not self.error


class Candidate(Protocol):
    """A Trigger of a Broker, as far as routing is concerned."""

    @property
    def spec(self) -> TriggerSpec:
        """Return what it asks for."""

    def matches(self, event: CloudEvent) -> bool:
        """Return whether its filter lets the event through."""


def allows(method: str) -> bool:
    """Allow POST (knative/specs data-plane, "HTTP Verbs")."""
    return method == "POST"


async def store(send: Callable[[], Awaitable[None]], event: CloudEvent) -> None:  # noqa: ARG001 - a policy's shape
    """Return, which lets the ingress acknowledge, once the record is durable ("Event Acknowledgement")."""
    await send()


def to_record(event: CloudEvent, partitions: int) -> Record:  # noqa: ARG001 - a policy's shape
    """Make the record of an event: Kafka binding, binary mode; Kafka's partitioner chooses the partition."""
    return write_record(event)


def begin(ends: Mapping[int, int]) -> Mapping[int, int]:
    """Begin at the end: a Trigger gets what is stored once it is Ready (control-plane, "Trigger Lifecycle")."""
    return ends


def takes(candidate: Candidate, event: CloudEvent, earlier: Iterable[Candidate]) -> bool:  # noqa: ARG001 - likewise
    """Whether a matching Trigger gets the event: always, whichever others (made before it) match too."""
    return True


def is_ordered(spec: TriggerSpec) -> bool:
    """Whether one record of a partition must be finished before the next begins."""
    return spec.ordered


def write_request(event: CloudEvent, spec: TriggerSpec) -> tuple[list[tuple[str, str]], bytes]:
    """Write a delivery: HTTP binding, binary mode, `Prefer: reply` ("Derived (Reply) Events") and `Kn-Namespace`."""
    headers, body = write_binary(event)
    return [*headers, ("Prefer", "reply"), ("Kn-Namespace", spec.namespace)], body


async def pace() -> None:
    """Wait before a delivery: not at all."""


def is_again(attempts: int) -> bool:  # noqa: ARG001 - a policy's shape
    """Whether a delivery that succeeded after so many attempts is made once more: never."""
    return False


def is_retryable(attempt: Attempt) -> bool:
    """Whether a failed attempt is worth another ("Event Acknowledgement", the table of codes)."""
    return backoff.is_retryable(attempt.status)


_read_reply = HttpReader()


def read_reply(attempt: Attempt) -> CloudEvent | None:
    """Return the reply in a successful answer, if there is one ("Derived (Reply) Events").

    202 means accepted without reply. An empty body without event is success, and no reply.

    Raises:
        NotAnEventError: the answer says or holds something, but no valid event: the delivery failed.
    """
    if attempt.status == 202:
        return None
    if not claims_to_be_event(attempt.headers):
        if not attempt.body:
            return None
        raise NotAnEventError("the answer has a body that is no CloudEvent")
    return _read_reply(attempt.headers, attempt.body)


def dead_letter(event: CloudEvent, subscriber: str, attempt: Attempt) -> CloudEvent | None:
    """Return what the dead letter sink gets: the event, and what became of it (Knative's `knativeerror*` extensions).

    `knativeerrordata` is the base64 of the first 1024 bytes of the answer. The Kafka Broker also makes extensions of
    `Kne-` answer headers, and stalls on one that is no attribute name (knative-v1.22.3, by reading); we leave them
    alone.
    """
    extensions = {"knativeerrordest": subscriber}
    if attempt.status is not None:
        extensions["knativeerrorcode"] = str(attempt.status)
        if attempt.body:
            extensions["knativeerrordata"] = base64.b64encode(attempt.body[:MAX_ERROR_DATA]).decode()
    return event.having(**extensions)


@dataclass(frozen=True, kw_only=True)
class DataPlanePolicies:
    """All decisions of the data plane for one namespace.

    Attributes:
        allows: ingress: the HTTP methods that post an event.
        unknown_broker: ingress: the answer on the path of no Broker.
        max_body: ingress: bytes of data that are read at most.
        accept: ingress: request to event.
        store: ingress: when an event counts as accepted.
        to_record: event (and the topic's partition count) to record, for events and replies.
        from_record: record to event.
        begin: where a Trigger without committed offsets begins, given each partition's end.
        matcher: filters.
        takes: which of the matching Triggers get an event.
        is_ordered: order of delivery.
        pace: what a delivery waits for.
        write_request: event to request.
        is_again: whether a successful delivery is repeated.
        is_retryable: which failures are tried again.
        waits: how often and after how many seconds.
        reply: answer to reply.
        dead_letter: what the dead letter sink gets; None for nothing.
        trace_record: trace of a request to that of its record.
        trace_delivery: trace of a record to that of a delivery attempt.
        trace_reply: trace of a record to that of the record of a reply to it.
    """

    allows: Callable[[str], bool] = allows
    unknown_broker: IngressAnswer = IngressAnswer(404, "no Broker has this path")
    max_body: int = MAX_BODY
    accept: HttpReader = field(default_factory=HttpReader)
    store: Callable[[Callable[[], Awaitable[None]], CloudEvent], Awaitable[None]] = store
    to_record: Callable[[CloudEvent, int], Record] = to_record
    from_record: Callable[[Record], CloudEvent] = read_record
    begin: Callable[[Mapping[int, int]], Mapping[int, int]] = begin
    matcher: Matcher = field(default_factory=Matcher)
    takes: Callable[[Candidate, CloudEvent, Iterable[Candidate]], bool] = takes
    is_ordered: Callable[[TriggerSpec], bool] = is_ordered
    pace: Callable[[], Awaitable[None]] = pace
    write_request: Callable[[CloudEvent, TriggerSpec], tuple[list[tuple[str, str]], bytes]] = write_request
    is_again: Callable[[int], bool] = is_again
    is_retryable: Callable[[Attempt], bool] = is_retryable
    waits: Callable[[DeliveryPlan], Iterator[float]] = backoff.waits
    reply: Callable[[Attempt], CloudEvent | None] = read_reply
    dead_letter: Callable[[CloudEvent, str, Attempt], CloudEvent | None] = dead_letter
    trace_record: Callable[[Trace | None], Trace | None] = tracing.carry
    trace_delivery: Callable[[Trace | None], Trace | None] = tracing.carry
    trace_reply: Callable[[Trace | None], Trace | None] = tracing.carry


HONEST = DataPlanePolicies()
