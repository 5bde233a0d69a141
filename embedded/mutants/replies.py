"""Mutants of replies: which answers are events, and what becomes of these."""

from collections import OrderedDict
from contextvars import ContextVar
from dataclasses import replace

from embedded.dataplane.cloudevents import CloudEvent, NotAnEventError, Record
from embedded.dataplane.cloudevents.event import CORE
from embedded.dataplane.policies import Attempt, DataPlanePolicies
from embedded.dataplane.specs import TriggerSpec
from embedded.mutants.hosts import DATA_PLANE
from embedded.mutants.registry import mutant

_MOST_HOPS = 10
_REMEMBERED = 1000


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
def typed_empty_reply_is_failure(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take a 200 with a media type for an answer that is no event, though it has no body."""

    def reply(attempt: Attempt) -> CloudEvent | None:
        event = honest.reply(attempt)
        if event is None and any(name.lower() == b"content-type" for name, _ in attempt.headers):
            raise NotAnEventError("there is a media type, and no event")
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


@mutant(DATA_PLANE, wraps="outcome")
def failing_answer_replies(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take a failing answer that carries an event for a success with a reply."""

    def outcome(attempt: Attempt) -> Attempt:
        attempt = honest.outcome(attempt)
        return replace(attempt, status=200) if (attempt.status or 0) >= 300 and _is_binary(attempt) else attempt

    return replace(honest, outcome=outcome)


@mutant(DATA_PLANE, replaces="unstored_reply")
def reply_loss_not_retried(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Dead-letter the event whose reply was not stored, without asking again (Kafka Broker 1.22.3, seen)."""
    return replace(honest, unstored_reply=lambda attempt, why: replace(attempt, error=why))


@mutant(DATA_PLANE, replaces="unstored_reply")
def reply_loss_is_success(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Do not look whether a reply was stored (google/knative-gcp issue 2106)."""
    return replace(honest, unstored_reply=lambda attempt, _why: attempt)


@mutant(DATA_PLANE, replaces="reply_copies")
def reply_doubled(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Store each reply twice."""
    return replace(honest, reply_copies=2)


@mutant(DATA_PLANE, replaces="answers_back")
def reply_answers_back(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Send each reply also to the subscriber that gave it, whether its Trigger matches it or not."""
    return replace(honest, answers_back=True)


@mutant(DATA_PLANE, wraps="reply")
def reply_stripped(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Drop all extensions and the subject of a reply, and keep the rest."""

    def reply(attempt: Attempt) -> CloudEvent | None:
        event = honest.reply(attempt)
        if event is None:
            return None
        kept = {name: value for name, value in event.attributes.items() if name in CORE and name != "subject"}
        return replace(event, attributes=kept)

    return replace(honest, reply=reply)


@mutant(DATA_PLANE, wraps=("write_request", "outcome", "reply"))
def reply_after_retry_dropped(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Drop a reply that comes with the answer to a retry: what retries looks at the status alone."""
    under_way: ContextVar[tuple[CloudEvent, bool] | None] = ContextVar("under_way", default=None)

    def write_request(event: CloudEvent, spec: TriggerSpec) -> tuple[list[tuple[str, str]], bytes]:
        current = under_way.get()
        if current is None or current[0] is not event:
            under_way.set((event, False))
        return honest.write_request(event, spec)

    def outcome(attempt: Attempt) -> Attempt:
        attempt = honest.outcome(attempt)
        if not attempt.is_success and (current := under_way.get()) is not None:
            under_way.set((current[0], True))
        return attempt

    def reply(attempt: Attempt) -> CloudEvent | None:
        event, current = honest.reply(attempt), under_way.get()
        return None if current is not None and current[1] else event

    return replace(honest, write_request=write_request, outcome=outcome, reply=reply)


@mutant(DATA_PLANE, wraps="reply")
def reply_needs_body(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take an answer with an empty body for one without a reply, whatever its headers say."""
    return replace(honest, reply=lambda attempt: honest.reply(attempt) if attempt.body else None)


@mutant(DATA_PLANE, wraps="reply")
def reply_headers_in_lower_case(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Find the attributes of a reply in headers whose names are in lower case only."""

    def reply(attempt: Attempt) -> CloudEvent | None:
        headers = [(name, value) for name, value in attempt.headers if name.islower()]
        return honest.reply(replace(attempt, headers=headers))

    return replace(honest, reply=reply)


@mutant(DATA_PLANE, wraps="reply")
def reply_completed(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Give a reply without an id, or of another version, an id and the version 1.0."""

    def reply(attempt: Attempt) -> CloudEvent | None:
        try:
            return honest.reply(attempt)
        except NotAnEventError:
            if not _is_binary(attempt):
                raise
            kept = [(name, value) for name, value in attempt.headers if name.lower() != b"ce-specversion"]
            completed = [(b"ce-specversion", b"1.0"), *kept]
            if not any(name.lower() == b"ce-id" for name, _ in kept):
                completed.append((b"ce-id", b"completed"))
            return honest.reply(replace(attempt, headers=completed))

    return replace(honest, reply=reply)


@mutant(DATA_PLANE, wraps=("reply", "to_record"))
def reply_without_key(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Store replies without a key, so that those of one partitionkey go to any partition."""
    replying: ContextVar[bool] = ContextVar("replying", default=False)

    def reply(attempt: Attempt) -> CloudEvent | None:
        replying.set(True)
        return honest.reply(attempt)

    def to_record(event: CloudEvent, partitions: int) -> Record:
        record = honest.to_record(event, partitions)
        return replace(record, key=None) if replying.get() else record

    return replace(honest, reply=reply, to_record=to_record)


_HOPS: OrderedDict[tuple[str, str], int] = OrderedDict()
"""How many replies have led to an event, by its source and id: policies are made for each Trigger anew."""


@mutant(DATA_PLANE, wraps=("write_request", "reply"))
def replies_end_after_ten(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Drop the eleventh reply of a chain, as a guard against loops (knative/eventing issues 1011, 900)."""
    under_way: ContextVar[tuple[str, str]] = ContextVar("under_way", default=("", ""))

    def write_request(event: CloudEvent, spec: TriggerSpec) -> tuple[list[tuple[str, str]], bytes]:
        under_way.set((event.attributes["source"], event.attributes["id"]))
        return honest.write_request(event, spec)

    def reply(attempt: Attempt) -> CloudEvent | None:
        answer, hops = honest.reply(attempt), _HOPS.get(under_way.get(), 0)
        if answer is None or hops >= _MOST_HOPS:
            return None
        _HOPS[answer.attributes["source"], answer.attributes["id"]] = hops + 1
        while len(_HOPS) > _REMEMBERED:
            _HOPS.popitem(last=False)
        return answer

    return replace(honest, write_request=write_request, reply=reply)
