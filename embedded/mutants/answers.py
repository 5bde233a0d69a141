"""Mutants of what is taken for a reply: headers beside it, flaws that are mended, and what is no event at all."""

import json
import re
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import replace
from typing import Any

from embedded.dataplane.cloudevents import CloudEvent, HttpReader, NotAnEventError, Record
from embedded.dataplane.cloudevents.event import NEVER_EMPTY, check, is_timestamp
from embedded.dataplane.cloudevents.http import percent_encode
from embedded.dataplane.cloudevents.media import EVENT_JSON, parse
from embedded.dataplane.codings import UnknownCodingError
from embedded.dataplane.policies import Attempt, DataPlanePolicies
from embedded.mutants.envelope import first_value
from embedded.mutants.hosts import DATA_PLANE
from embedded.mutants.registry import mutant

_NAME = re.compile(r"[a-z0-9]+")
_PREFIX = b"ce-"
_EMPTY = b"?"
_MEDIA_TYPE = "datacontenttype"
_NO_CONTENT = 204
_MAY_BE_EMPTY = ("id", "source", "type")


def _media_type(attempt: Attempt) -> str:
    """Return the media type of an answer, in lower case and without parameters; empty for none."""
    return next((parse(v.decode("latin-1")).type for name, v in attempt.headers if name.lower() == b"content-type"), "")


def _hiding(honest: DataPlanePolicies, *names: bytes) -> DataPlanePolicies:
    """Return policies that find no reply in an answer that has one of these header fields."""

    def reply(attempt: Attempt) -> CloudEvent | None:
        event = honest.reply(attempt)
        return None if any(name.lower() in names for name, _ in attempt.headers) else event

    return replace(honest, reply=reply)


@mutant(DATA_PLANE, wraps="reply")
def cookies_hide_reply(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Drop a reply whose answer has a Set-Cookie or a WWW-Authenticate (eventing-kafka issue 1341: replies lost)."""
    return _hiding(honest, b"set-cookie", b"www-authenticate")


@mutant(DATA_PLANE, wraps="reply")
def request_headers_hide_reply(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Drop a reply whose answer gives back Prefer or Kn-Namespace (knative/eventing issue 6276, knative/func 2532)."""
    return _hiding(honest, b"prefer", b"kn-namespace")


@mutant(DATA_PLANE, wraps=("reply", "is_lettered"))
def dead_letter_after_reply(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Dead-letter an event too that was answered with a reply (knative/eventing issue 5209)."""
    replied: ContextVar[bool] = ContextVar("replied", default=False)

    def reply(attempt: Attempt) -> CloudEvent | None:
        event = honest.reply(attempt)
        replied.set(event is not None)
        return event

    return replace(honest, reply=reply, is_lettered=lambda count: replied.get() or honest.is_lettered(count))


def _without_body(honest: DataPlanePolicies, is_meant: Callable[[Attempt], bool]) -> DataPlanePolicies:
    """Take the answers that are meant for ones without a body."""

    def outcome(attempt: Attempt) -> Attempt:
        attempt = honest.outcome(attempt)
        return replace(attempt, body=b"") if is_meant(attempt) else attempt

    return replace(honest, outcome=outcome)


def _is_chunked(attempt: Attempt) -> bool:
    return any(name.lower() == b"transfer-encoding" for name, _ in attempt.headers)


@mutant(DATA_PLANE, wraps="outcome")
def chunked_answer_empty(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take a whole answer without a Content-Length for one without a body (knative/eventing issue 4834)."""
    return _without_body(honest, _is_chunked)


def _is_unmeasured(attempt: Attempt) -> bool:
    """Tell whether nothing but the end of its connection told where a whole answer ended."""
    told = any(name.lower() in {b"content-length", b"transfer-encoding"} for name, _ in attempt.headers)
    return attempt.is_whole and attempt.status is not None and attempt.status != _NO_CONTENT and not told


@mutant(DATA_PLANE, wraps="outcome")
def unmeasured_answer_empty(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take an answer that ends with its connection for one without a body (eclipse-vertx/vert.x pull 876)."""
    return _without_body(honest, _is_unmeasured)


@mutant(DATA_PLANE, wraps="outcome")
def unmeasured_answer_fails(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take an answer that ends with its connection for one that broke off (knative/eventing issue 4834)."""

    def outcome(attempt: Attempt) -> Attempt:
        attempt = honest.outcome(attempt)
        return Attempt(None, error="unexpected EOF") if _is_unmeasured(attempt) else attempt

    return replace(honest, outcome=outcome)


@mutant(DATA_PLANE, wraps=("address", "outcome"))
def ended_connection_used_again(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Send the next delivery on a connection that its subscriber has ended (eclipse-vertx/vert.x issue 1213)."""
    asked: ContextVar[str] = ContextVar("asked", default="")
    ended: set[str] = set()

    def address(url: str) -> str:
        asked.set(url)
        return honest.address(url)

    def outcome(attempt: Attempt) -> Attempt:
        url = asked.get()
        if url in ended:
            ended.discard(url)
            return Attempt(None, error="connection was closed")
        if any(name.lower() == b"connection" and value.lower() == b"close" for name, value in attempt.headers):
            ended.add(url)
        return honest.outcome(attempt)

    return replace(honest, address=address, outcome=outcome)


@mutant(DATA_PLANE, wraps="reply")
def chunked_answer_full(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take an answer in chunks for one with a body, which is no event, also where it has none."""

    def reply(attempt: Attempt) -> CloudEvent | None:
        event = honest.reply(attempt)
        if event is None and attempt.status == 200 and _is_chunked(attempt):
            raise NotAnEventError("there is no event in the body")
        return event

    return replace(honest, reply=reply)


def _mended(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return attributes without those whose name is none, and without a time that is none."""
    return {
        name: value
        for name, value in attributes.items()
        if _NAME.fullmatch(name.replace("_base64", "")) and (name != "time" or is_timestamp(str(value)))
    }


@mutant(DATA_PLANE, wraps="reply")
def reply_flaws_dropped(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Route a reply without its attributes that have an illegal name, and without a time that is none."""

    def reply(attempt: Attempt) -> CloudEvent | None:
        try:
            return honest.reply(attempt)
        except NotAnEventError:
            if _media_type(attempt) == EVENT_JSON:
                return honest.reply(replace(attempt, body=_mended_body(attempt.body)))
            told = {name: value.decode("latin-1") for name, value in attempt.headers if name.startswith(_PREFIX)}
            kept = _mended({name.decode()[len(_PREFIX) :]: value for name, value in told.items()})
            headers = [
                (name, value)
                for name, value in attempt.headers
                if name not in told or name.decode()[len(_PREFIX) :] in kept
            ]
            return honest.reply(replace(attempt, headers=headers))

    return replace(honest, reply=reply)


def _mended_body(body: bytes) -> bytes:
    try:
        envelope = json.loads(body)
    except ValueError:
        return body
    return json.dumps(_mended(envelope)).encode() if isinstance(envelope, dict) else body


@mutant(DATA_PLANE, wraps="reply")
def other_format_is_no_reply(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take an answer in an event format other than JSON for a success without a reply."""

    def reply(attempt: Attempt) -> CloudEvent | None:
        kind = parse(_media_type(attempt))
        return None if kind.is_event and not kind.is_batch and kind.type != EVENT_JSON else honest.reply(attempt)

    return replace(honest, reply=reply)


@mutant(DATA_PLANE, wraps="reply")
def null_is_no_reply(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take a structured answer that is JSON, and no object, for a success without a reply."""

    def reply(attempt: Attempt) -> CloudEvent | None:
        if _media_type(attempt) == EVENT_JSON:
            try:
                if not isinstance(json.loads(attempt.body), dict):
                    return None
            except ValueError:
                pass
        return honest.reply(attempt)

    return replace(honest, reply=reply)


@mutant(DATA_PLANE, wraps="reply")
def reply_trailing_content_ignored(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Read the first JSON value of a structured answer, and never look at what follows it (sdk-java 4.0.1, read)."""

    def reply(attempt: Attempt) -> CloudEvent | None:
        is_event = _media_type(attempt) == EVENT_JSON
        return honest.reply(replace(attempt, body=first_value(attempt.body)) if is_event else attempt)

    return replace(honest, reply=reply)


@mutant(DATA_PLANE, wraps="reply")
def reply_coding_dropped(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Route a reply whose body is in a content coding as it came, without a word of it (Kafka Broker 1.22.3, read)."""
    return replace(honest, reply=lambda attempt: honest.reply(_without_codings(attempt)))


@mutant(DATA_PLANE, wraps="reply")
def unknown_reply_coding_ignored(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take the body of a reply in a content coding that is not known as it came."""

    def reply(attempt: Attempt) -> CloudEvent | None:
        try:
            return honest.reply(attempt)
        except NotAnEventError as error:
            if not isinstance(error.__cause__, UnknownCodingError):
                raise
            return honest.reply(_without_codings(attempt))

    return replace(honest, reply=reply)


def _without_codings(attempt: Attempt) -> Attempt:
    return replace(attempt, headers=[field for field in attempt.headers if field[0].lower() != b"content-encoding"])


@mutant(DATA_PLANE, wraps=("reply", "from_record"))
def empty_reply_attributes_accepted(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Route and deliver a reply whose id, source or type is empty (sdk-java 4.0.1 `CloudEventBuilder.build`, read)."""

    def checked(attributes: Mapping[str, str]) -> Mapping[str, str]:
        return check(attributes, never_empty=tuple(name for name in NEVER_EMPTY if name not in _MAY_BE_EMPTY))

    def reply(attempt: Attempt) -> CloudEvent | None:
        try:
            return honest.reply(attempt)
        except NotAnEventError:
            event = HttpReader(check=checked)(attempt.headers, attempt.body)
            if not any(event.attributes.get(name) == "" for name in _MAY_BE_EMPTY):
                raise
            return event

    def from_record(record: Record) -> CloudEvent:
        empty = [name for name, value in record.headers if value == b"" and name.removeprefix("ce_") in _MAY_BE_EMPTY]
        filled = [(name, _EMPTY if name in empty else value) for name, value in record.headers]
        event = honest.from_record(replace(record, headers=filled) if empty else record)
        return event.having(**{name.removeprefix("ce_"): "" for name in empty})

    return replace(honest, reply=reply, from_record=from_record)


@mutant(DATA_PLANE, wraps="reply")
def every_success_read_as_reply(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Read the body of any success as a reply, also that of a 202 or 201 (Kafka Broker 1.22.3, read)."""
    return replace(honest, reply=lambda attempt: honest.reply(replace(attempt, status=200)))


@mutant(DATA_PLANE, wraps="reply")
def reply_values_left_encoded(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Leave the values of `ce-` headers of an answer percent-encoded, and encode them once more on their way."""

    def reply(attempt: Attempt) -> CloudEvent | None:
        event = honest.reply(attempt)
        if event is None or _media_type(attempt) == EVENT_JSON:
            return event
        encoded = {name: percent_encode(value) for name, value in event.attributes.items() if name != _MEDIA_TYPE}
        return event.having(**encoded)

    return replace(honest, reply=reply)
