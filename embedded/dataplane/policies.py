"""The decisions of the data plane as policies; the honest ones are the defaults of `DataPlanePolicies`.

A faulty platform has other `DataPlanePolicies`; this module does not know it. Policies only decide: ingress, dispatcher
and delivery act.
"""

import base64
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ssl import SSLContext
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
from embedded.dataplane.cloudevents.http import RawHeaders
from embedded.dataplane.codings import UnknownCodingError, codings_of, unpacked
from embedded.dataplane.filters import Matcher
from embedded.dataplane.progress import Progress
from embedded.dataplane.specs import TriggerSpec
from embedded.dataplane.tracing import Trace
from embedded.dataplane.trust import trust

MAX_BODY = 1024 * 1024
"""The most bytes of a request's body: the Kafka Broker's `max.request.size`."""

MAX_FIELDS = 128 * 1024
"""The most bytes of a request's header fields: an event of 64 KiB may have all of it in them."""

MAX_ERROR_DATA = 1024
"""The most bytes of a failing answer's body in its dead letter."""


@dataclass(frozen=True, slots=True)
class IngressAnswer:
    """An HTTP answer of the ingress; a refusal says why in its body."""

    status: int
    reason: str = ""


MOST_ANSWER = 4 << 20
"""The most bytes of an answer, also without its content codings."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """The outcome of one delivery attempt.

    Attributes:
        status: The status of the answer; None when there was none.
        headers: The raw header fields of the answer.
        body: The body of the answer (an answer that is larger than we read is a failure).
        error: The reason for a failure that the status does not show.
        is_whole: False for an answer that broke off; what came of it is there.
    """

    status: int | None
    headers: Sequence[tuple[bytes, bytes]] = ()
    body: bytes = b""
    error: str = ""
    is_whole: bool = True

    @property
    def is_success(self) -> bool:
        """True if the subscriber accepted the event: 2xx, and the answer has no fault."""
        return self.status is not None and 200 <= self.status < 300 and not self.error


class NoTimerError(Exception):
    """A wait that cannot be scheduled, raised by faulty policies alone: the delivery fails, as without an answer."""


class StandstillError(Exception):
    """A step that never ends, raised by faulty policies alone: the record's offset is never committed."""


class Candidate(Protocol):
    """A Trigger of a Broker as routing sees it."""

    @property
    def spec(self) -> TriggerSpec:
        """The spec of the Trigger."""

    def matches(self, event: CloudEvent) -> bool:
        """Return whether the Trigger's filter lets the event through."""


def allows(method: str) -> bool:
    """Return whether a method posts an event: only POST does (knative/specs data-plane, "HTTP Verbs")."""
    return method == "POST"


def locate(target: str) -> tuple[str, str]:
    """Return the namespace and name of the Broker that a request's target means; empty ones for none.

    `/<namespace>/<broker>`; a slash at the end and a query make no difference, as on the Kafka Broker.
    """
    path = target.partition("?")[0].removesuffix("/").split("/")
    return (path[1], path[2]) if len(path) == 3 and not path[0] else ("", "")


def origin_form(target: str) -> str:
    """Return the path and the query of a request's target, which may be a whole URL (RFC 9112, "absolute-form")."""
    scheme, found, rest = target.partition("://")
    return "/" + rest.partition("/")[2] if found and "/" not in scheme else target


def door() -> AbstractAsyncContextManager[None]:
    """Return what a request holds while its body is read: nothing that another one waits for."""
    return nullcontext()


def message(
    connection: object,  # noqa: ARG001 - a policy's shape
    headers: RawHeaders,
    body: bytes,
) -> tuple[RawHeaders, bytes]:
    """Return the header fields and the body that count for a request: its own.

    Args:
        connection: What tells the connections of senders apart.
        headers: The raw header fields of the request.
        body: The body of the request.
    """
    return headers, body


def part(body: bytes) -> bytes | None:  # noqa: ARG001 - a policy's shape
    """Return what counts as the body where only a part came: nothing (RFC 9112, "Handling Incomplete Messages")."""
    return None


async def store(send: Callable[[], Awaitable[None]], event: CloudEvent) -> None:  # noqa: ARG001 - a policy's shape
    """Store an event; the ingress acknowledges it once this returns ("Event Acknowledgement")."""
    await send()


def to_record(event: CloudEvent, partitions: int) -> Record:  # noqa: ARG001 - a policy's shape
    """Make the record of an event: Kafka binding, binary mode; Kafka's partitioner chooses the partition."""
    return write_record(event)


def begin(ends: Mapping[int, int]) -> Mapping[int, int]:
    """Return the offsets to begin at: the ends, as a Ready Trigger gets later events only ("Trigger Lifecycle")."""
    return ends


def resumed(
    committed: Mapping[int, int],
    taken: Mapping[int, int],  # noqa: ARG001 - a policy's shape
    ends: Mapping[int, int],  # noqa: ARG001 - likewise
) -> Mapping[int, int]:
    """Return the offsets where a restarted dispatcher goes on: where its group has committed, for nothing may be lost.

    Args:
        committed: What the group has committed.
        taken: What the dispatcher before it had taken up.
        ends: The topic's ends.
    """
    return committed


def restored(spec: TriggerSpec) -> TriggerSpec:
    """Return a Trigger as a dispatcher that begins again has it: as it was when the one before it ended."""
    return spec


def takes(candidate: Candidate, event: CloudEvent, earlier: Iterable[Candidate]) -> bool:  # noqa: ARG001 - likewise
    """Return whether a matching Trigger gets the event: always, no matter which earlier Triggers match too."""
    return True


def closes(matches: Callable[[CloudEvent], bool]) -> bool:  # noqa: ARG001 - a policy's shape
    """Return whether the consumer of a filter can be closed, as a change of the Trigger asks for: always."""
    return True


def trace_delivery(trace: Trace | None, spec: TriggerSpec) -> Trace | None:  # noqa: ARG001 - likewise
    """Return the trace of a delivery attempt: that of the event, as a span of its own, whatever the Trigger."""
    return tracing.carry(trace)


def is_ordered(spec: TriggerSpec) -> bool:
    """Return whether each record of a partition must be finished before the next begins."""
    return spec.ordered


def write_request(event: CloudEvent, spec: TriggerSpec) -> tuple[list[tuple[str, str]], bytes]:
    """Write a delivery: HTTP binding, binary mode, `Prefer: reply` ("Derived (Reply) Events") and `Kn-Namespace`."""
    headers, body = write_binary(event)
    return [*headers, ("Prefer", "reply"), ("Kn-Namespace", spec.namespace)], body


async def pace() -> None:
    """Wait before a delivery; the honest policy does not wait."""


def is_again(attempts: int) -> bool:  # noqa: ARG001 - a policy's shape
    """Return whether a delivery that succeeded after so many attempts is repeated: never."""
    return False


def room(spec: TriggerSpec) -> AbstractAsyncContextManager[None]:  # noqa: ARG001 - a policy's shape
    """Return what a delivery holds from its first attempt to its end: nothing that another one waits for."""
    return nullcontext()


def address(url: str) -> str:
    """Return the URL that is asked for a subscriber or a dead letter sink: its own, to the last character."""
    return url


def letter_authorities(trigger: TriggerSpec) -> str:
    """Return the `CACerts` that count for a Trigger's dead letter sink: that destination's own."""
    return trigger.dead_letter_authorities


def timeout(plan: DeliveryPlan) -> float:
    """Return the seconds that an attempt may take."""
    return plan.timeout


def body_timeout(plan: DeliveryPlan) -> float | None:  # noqa: ARG001 - a policy's shape
    """Return the seconds that an answer that has begun may take; None: what is left of those of the attempt."""
    return None


def outcome(attempt: Attempt) -> Attempt:
    """Return what came of an exchange: an answer that broke off is none (RFC 9112, "Handling Incomplete Messages")."""
    return attempt if attempt.is_whole else Attempt(None, error=attempt.error)


def unstored_reply(attempt: Attempt, why: str) -> Attempt:  # noqa: ARG001 - a policy's shape
    """Return what came of an attempt whose reply was not stored: a failure worth another attempt.

    "The entire event delivery MUST be failed and the delivery to the Trigger's subscriber MUST be retried" (control
    plane specification, "Content Based Routing").
    """
    return Attempt(None, error=f"the reply was not stored: {why}")


async def letter(send: Callable[[], Awaitable[None]]) -> None:
    """Dead-letter an event; return when its sink has taken it or it is given up, since the record is done then."""
    await send()


def letter_plan(plan: DeliveryPlan) -> DeliveryPlan:
    """Return the plan for deliveries to the dead letter sink: that of the subscriber ("Event Delivery")."""
    return plan


def is_lettered(attempts: int) -> bool:  # noqa: ARG001 - a policy's shape
    """Return whether an event that was delivered after so many attempts is dead-lettered all the same: never."""
    return False


def is_retryable(attempt: Attempt) -> bool:
    """Return whether a failed attempt is worth another ("Event Acknowledgement", the table of codes)."""
    return backoff.is_retryable(attempt.status)


def pause(plan: DeliveryPlan, attempt: Attempt, wait: float) -> float:
    """Return the seconds before the retry of a failed attempt: what the plan says, or a 429 or 503 by Retry-After.

    The header counts where `retryAfterMax` opts in, and up to that (knative/eventing, `DeliverySpec.RetryAfterMax`).
    """
    if not plan.retry_after_max or attempt.status not in {429, 503}:
        return wait
    asked = [value.decode("latin-1").strip() for name, value in attempt.headers if name.lower() == b"retry-after"]
    longest = max((backoff.retry_after(text, datetime.now(UTC)) for text in asked), default=0.0)
    return max(wait, min(longest, plan.retry_after_max))


def redirect(attempt: Attempt) -> str | None:  # noqa: ARG001 - a policy's shape
    """Return the URL that an answer sends the delivery to: none, since no redirect is followed."""
    return None


_read_reply = HttpReader()


def read_reply(attempt: Attempt) -> CloudEvent | None:
    """Return the reply in a successful answer, if there is one ("Derived (Reply) Events").

    Only a 200 may carry one: any other success accepts the event, whatever its body is. An empty body without an event
    is a success without a reply.

    Raises:
        NotAnEventError: The answer has content that is not a valid event, or in a content coding that is not known: the
            delivery failed.
    """
    if attempt.status != 200:
        return None
    if not claims_to_be_event(attempt.headers):
        if not attempt.body:
            return None
        raise NotAnEventError("the answer has a body that is no CloudEvent")
    return _read_reply(attempt.headers, _unpacked_body(attempt) if attempt.body else b"")


def _unpacked_body(attempt: Attempt) -> bytes:
    try:
        body = unpacked(codings_of(attempt.headers), attempt.body, MOST_ANSWER)
    except UnknownCodingError as error:
        raise NotAnEventError(str(error)) from error
    if body is None:
        raise NotAnEventError(f"the answer is larger than {MOST_ANSWER} bytes")
    return body


def dead_letter(event: CloudEvent, subscriber: str, attempt: Attempt) -> CloudEvent | None:
    """Return the dead letter: the event with the reason of its failure (Knative's `knativeerror*` extensions).

    `knativeerrordata` is the base64 of the first 1024 bytes of the answer. The Kafka Broker also turns `Kne-` answer
    headers into extensions, and stalls on one that is not an attribute name (knative-v1.22.3, by reading); this
    platform ignores them.
    """
    extensions = {"knativeerrordest": subscriber}
    if attempt.status is not None:
        extensions["knativeerrorcode"] = str(attempt.status)
        if attempt.body:
            extensions["knativeerrordata"] = base64.b64encode(attempt.body[:MAX_ERROR_DATA]).decode()
    return event.having(**extensions)


def fatal(_part: str, _event: CloudEvent) -> bool:
    """Return whether a part of the data plane ends of an event, once it is done with it."""
    return False


@dataclass(frozen=True, kw_only=True)
class DataPlanePolicies:
    """All decisions of the data plane for one namespace.

    Attributes:
        allows: The check of the ingress for HTTP methods that post an event.
        allow: The value of `Allow` in the answer to other methods; empty for no such header.
        locate: The function from a request's target to the namespace and name of its Broker.
        unknown_broker: The answer of the ingress on a path without a Broker.
        origin_form: The function from a request's target to its path and query.
        needs_length: The refusal (411) of bodies whose length is not announced.
        max_body: The most bytes of a body that the ingress reads.
        max_fields: The most bytes of a request's header fields that the ingress reads.
        door: The function to what a request holds while its body is read.
        body_seconds: The most seconds that a body may take to come.
        says_continue: Whether a client that expects 100-continue is told to send its body.
        part: The function from a part of a body, behind which the connection ended, to what counts as the body.
        unpacked: The function from content codings, a body and the most bytes it may have to the body without them.
        too_large: The status for a body, or a record, that is larger.
        not_stored: The status for an event that Kafka did not take.
        message: The function from a request and its connection to what counts as its fields and body.
        accept: The reader of the ingress, from request to event.
        store: The storing of an event, after which the ingress acknowledges it.
        to_record: The function from an event and the topic's partition count to a record, for events and replies.
        from_record: The function from a record to an event.
        begin: The function from each partition's end to the offset where a Trigger without committed offsets begins.
        fatal: The choice of events of which a part (`dispatcher` or `ingress`) ends when it is done with them.
        drains: Whether a dispatcher that is asked to end finishes what it has in flight.
        hands_on: Whether what a consumer cannot finish, when it gives its partitions up, is left to the next one.
        stores_to_the_end: Whether an ingress that is asked to end stores what it acknowledges meanwhile.
        cuts_off: Whether a Trigger is changed or removed without waiting for the answers to what it has in flight.
        drops_backlog: Whether a Trigger that is removed leaves what it has taken up and not begun to deliver.
        progress: The maker of what says, of the records of a Trigger, which offsets may be committed.
        resumed: The function from the offsets that are known at a restart to those where the dispatcher goes on.
        restored: The function from a Trigger to what a dispatcher that begins again has of it.
        waits_for_predecessor: Whether a consumer that takes over waits until the one before it has ended.
        matcher: The rules of filtering.
        closes: The check of a filter before its Trigger changes: whether its consumer can be closed.
        takes: The choice among matching Triggers.
        is_ordered: The order of delivery.
        pace: The wait before a delivery.
        room: The function from a Trigger to what each of its deliveries holds.
        address: The function from the URL of a subscriber or a dead letter sink to the one that is asked.
        trust: The function from certificates in PEM to the TLS context of a client that trusts in their authorities.
        letter_authorities: The function from a Trigger to the `CACerts` that count for its dead letter sink.
        timeout: The function from a plan to the seconds that an attempt may take.
        body_timeout: The function from a plan to the seconds that an answer may take from its head on; None: what is
            left of those of the attempt.
        outcome: The function from what came back to what the attempt counts as.
        unstored_reply: The function from a successful attempt, and the reason why its reply was not stored, likewise.
        letter: The dead-lettering of an event, after which its record is done.
        letter_plan: The function from the subscriber's plan to the dead letter sink's.
        is_lettered: The choice of delivered events that are dead-lettered too.
        reply_copies: The number of records that a reply becomes.
        answers_back: Whether a reply is also sent to the subscriber that gave it.
        resumes: Whether a Trigger that is made again under its old name goes on where that one ended.
        write_request: The function from an event to a request.
        redirect: The function from an answer to the URL that is fetched in its place; None for none.
        is_again: The repetition of successful deliveries.
        is_retryable: The choice of failures that are retried.
        waits: The function from a plan to the waits before retries, in seconds.
        pause: The function from a plan, a failed attempt and the plan's wait to the seconds before the retry.
        reply: The function from an answer to a reply.
        dead_letter: The function from a failed event to its dead letter; None for nothing.
        read_trace: The reader of the ingress, from the header fields of a request to its trace; None for none.
        trace_record: The function from the trace of a request to that of its record.
        trace_delivery: The function from the trace of a record, and a Trigger, to the trace of a delivery attempt.
        trace_reply: The function from the trace of a record to that of the record of a reply.
    """

    allows: Callable[[str], bool] = allows
    allow: str = "POST"
    locate: Callable[[str], tuple[str, str]] = locate
    unknown_broker: IngressAnswer = IngressAnswer(404, "no Broker has this path")
    origin_form: Callable[[str], str] = origin_form
    needs_length: bool = False
    max_body: int = MAX_BODY
    max_fields: int = MAX_FIELDS
    door: Callable[[], AbstractAsyncContextManager[None]] = door
    body_seconds: float = 30.0
    says_continue: bool = True
    part: Callable[[bytes], bytes | None] = part
    unpacked: Callable[[str, bytes, int], bytes | None] = unpacked
    too_large: int = 413
    not_stored: int = 503
    message: Callable[[object, RawHeaders, bytes], tuple[RawHeaders, bytes]] = message
    accept: HttpReader = field(default_factory=HttpReader)
    store: Callable[[Callable[[], Awaitable[None]], CloudEvent], Awaitable[None]] = store
    to_record: Callable[[CloudEvent, int], Record] = to_record
    from_record: Callable[[Record], CloudEvent] = read_record
    begin: Callable[[Mapping[int, int]], Mapping[int, int]] = begin
    cuts_off: bool = True
    drops_backlog: bool = True
    progress: Callable[[], Progress] = Progress
    resumed: Callable[[Mapping[int, int], Mapping[int, int], Mapping[int, int]], Mapping[int, int]] = resumed
    restored: Callable[[TriggerSpec], TriggerSpec] = restored
    waits_for_predecessor: bool = True
    fatal: Callable[[str, CloudEvent], bool] = fatal
    drains: bool = True
    hands_on: bool = True
    stores_to_the_end: bool = True
    matcher: Matcher = field(default_factory=Matcher)
    closes: Callable[[Callable[[CloudEvent], bool]], bool] = closes
    takes: Callable[[Candidate, CloudEvent, Iterable[Candidate]], bool] = takes
    is_ordered: Callable[[TriggerSpec], bool] = is_ordered
    pace: Callable[[], Awaitable[None]] = pace
    room: Callable[[TriggerSpec], AbstractAsyncContextManager[None]] = room
    address: Callable[[str], str] = address
    trust: Callable[[str], SSLContext] = trust
    letter_authorities: Callable[[TriggerSpec], str] = letter_authorities
    timeout: Callable[[DeliveryPlan], float] = timeout
    body_timeout: Callable[[DeliveryPlan], float | None] = body_timeout
    outcome: Callable[[Attempt], Attempt] = outcome
    unstored_reply: Callable[[Attempt, str], Attempt] = unstored_reply
    letter: Callable[[Callable[[], Awaitable[None]]], Awaitable[None]] = letter
    letter_plan: Callable[[DeliveryPlan], DeliveryPlan] = letter_plan
    is_lettered: Callable[[int], bool] = is_lettered
    reply_copies: int = 1
    answers_back: bool = False
    resumes: bool = False
    write_request: Callable[[CloudEvent, TriggerSpec], tuple[list[tuple[str, str]], bytes]] = write_request
    redirect: Callable[[Attempt], str | None] = redirect
    is_again: Callable[[int], bool] = is_again
    is_retryable: Callable[[Attempt], bool] = is_retryable
    waits: Callable[[DeliveryPlan], Iterator[float]] = backoff.waits
    pause: Callable[[DeliveryPlan, Attempt, float], float] = pause
    reply: Callable[[Attempt], CloudEvent | None] = read_reply
    dead_letter: Callable[[CloudEvent, str, Attempt], CloudEvent | None] = dead_letter
    read_trace: Callable[[Iterable[tuple[str, bytes | None]]], Trace | None] = tracing.extract
    trace_record: Callable[[Trace | None], Trace | None] = tracing.carry
    trace_delivery: Callable[[Trace | None, TriggerSpec], Trace | None] = trace_delivery
    trace_reply: Callable[[Trace | None], Trace | None] = tracing.carry


HONEST = DataPlanePolicies()
