"""Mutants of the Brokers' ingress: what is accepted as an event, and when it counts as accepted."""

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial

from embedded.dataplane.cloudevents import CloudEvent, NotAnEventError, check
from embedded.dataplane.cloudevents.event import NEVER_EMPTY
from embedded.dataplane.cloudevents.http import read_format, utf8
from embedded.dataplane.cloudevents.media import EVENT_JSON, Media, parse
from embedded.dataplane.policies import Attempt, DataPlanePolicies
from embedded.dataplane.producer import NotStoredError
from embedded.dataplane.specs import TriggerSpec
from embedded.mutants.hosts import DATA_PLANE
from embedded.mutants.registry import mutant

_MUCH = 32 * 1024
_BUFFER = 8
# Seconds that a store takes at least: a Kafka as quick as the mock would never let the buffer fill.
_SLOW = 0.05
_UNREADABLE = "urn:touchstone:unreadable"


@mutant(DATA_PLANE, wraps="store")
def ingress_acks_without_storing(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Acknowledge and drop events while as many as its buffer holds wait for Kafka.

    knative-extensions/eventing-kafka issue 279: 202 for an event that was then dropped.
    """
    waiting = 0

    async def store(send: Callable[[], Awaitable[None]], event: CloudEvent) -> None:
        nonlocal waiting
        if waiting >= _BUFFER:
            return
        waiting += 1
        try:
            await asyncio.sleep(_SLOW)
            await honest.store(send, event)
        finally:
            waiting -= 1

    return replace(honest, store=store)


@mutant(DATA_PLANE, wraps="store")
def dataless_event_dropped(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Acknowledge an event without data, but do not store it.

    Eventing-kafka-broker issue 1455: null values caused failures.
    """

    async def store(send: Callable[[], Awaitable[None]], event: CloudEvent) -> None:
        if event.data is not None:
            await honest.store(send, event)

    return replace(honest, store=store)


@mutant(DATA_PLANE, replaces="accept.structured")
def structured_refused(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Refuse structured JSON, which receivers must support too, with 400; only binary mode is read.

    knative/specs data-plane, "Minimum supported protocol".
    """

    def structured(kind: Media, body: bytes) -> tuple[Mapping[str, str], bytes | None]:
        raise NotAnEventError(f"structured mode is not supported ({kind.type}, {len(body)} bytes)")

    return replace(honest, accept=replace(honest.accept, structured=structured))


@mutant(DATA_PLANE, replaces="accept.check")
def missing_id_invented(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Invent an id for an event without one (the CloudEvents Python SDK 2.2.0 does so)."""

    def checked(attributes: Mapping[str, str]) -> Mapping[str, str]:
        return check({"id": str(uuid.uuid4()), **attributes})

    return replace(honest, accept=replace(honest.accept, check=checked))


@mutant(DATA_PLANE, replaces="accept.check")
def empty_attributes_accepted(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Accept an empty id, source, type or partitionkey (sdk-java 4.0.1 `CloudEventBuilder.build`)."""
    never_empty = tuple(name for name in NEVER_EMPTY if name not in {"id", "source", "type", "partitionkey"})
    return replace(honest, accept=replace(honest.accept, check=partial(check, never_empty=never_empty)))


@mutant(DATA_PLANE, replaces="accept.check")
def any_specversion_accepted(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Accept any specversion (the Python SDK up to 1.x reads unknown ones as 1.0; so does kserve 0.21.0)."""
    return replace(honest, accept=replace(honest.accept, check=partial(check, versions=None)))


@mutant(DATA_PLANE, wraps="accept.check")
def older_specversion_renamed(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take an event of specversion 0.3 for one of 1.0, base64 and all (so does kserve 0.21.0)."""

    def checked(attributes: Mapping[str, str]) -> Mapping[str, str]:
        older = attributes.get("specversion") == "0.3"
        return honest.accept.check({**attributes, "specversion": "1.0"} if older else attributes)

    return replace(honest, accept=replace(honest.accept, check=checked))


@mutant(DATA_PLANE, wraps=("accept.structured", "store"))
def malformed_structured_accepted(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Acknowledge and drop a structured body that cannot be read.

    See reports/known/kserve.toml, INF-CEV-004: passed on, answered 200.
    """
    unreadable = {"specversion": "1.0", "id": "?", "source": _UNREADABLE, "type": "?"}

    def structured(kind: Media, body: bytes) -> tuple[Mapping[str, str], bytes | None]:
        try:
            return honest.accept.structured(kind, body)
        except NotAnEventError:
            if kind.type == EVENT_JSON and _is_object(body):
                raise
            return unreadable, None

    async def store(send: Callable[[], Awaitable[None]], event: CloudEvent) -> None:
        if event.attributes["source"] != _UNREADABLE:
            await honest.store(send, event)

    return replace(honest, accept=replace(honest.accept, structured=structured), store=store)


def _is_object(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body), dict)
    except (ValueError, RecursionError):
        return False


@mutant(DATA_PLANE, replaces="accept.batch")
def batch_as_one_event(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take the first event of a batch and lose the others ("never 202 with one garbage event")."""

    def batch(_: Media, body: bytes) -> CloudEvent:
        try:
            first = json.loads(body)[0]
        except (ValueError, IndexError, KeyError, TypeError) as error:
            raise NotAnEventError(f"the batch cannot be read: {error}") from error
        attributes, data = read_format(Media(EVENT_JSON), json.dumps(first).encode())
        return CloudEvent(check(attributes), data)

    return replace(honest, accept=replace(honest.accept, batch=batch))


@mutant(DATA_PLANE, replaces=("accept.name", "accept.structured"))
def attribute_names_mangled(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Cut attribute names to legal characters instead of refusing them (CloudEvents, "Naming Conventions")."""

    def name(given: str) -> str:
        return "".join(character for character in given.lower() if character.isascii() and character.isalnum())

    def structured(kind: Media, body: bytes) -> tuple[Mapping[str, str], bytes | None]:
        try:
            members = json.loads(body)
        except ValueError:
            return read_format(kind, body)
        if isinstance(members, dict):
            body = json.dumps(
                {key if key in {"data", "data_base64"} else name(key): value for key, value in members.items()}
            ).encode()
        return read_format(kind, body)

    return replace(honest, accept=replace(honest.accept, name=name, structured=structured))


@mutant(DATA_PLANE, replaces="accept.media")
def media_type_case_sensitive(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Fail to recognise `Application/CloudEvents+JSON` (sdk-java `EventFormatProvider.resolveFormat`)."""

    def media(value: str) -> Media:
        return replace(parse(value), type=value.split(";", maxsplit=1)[0].strip())

    return replace(honest, accept=replace(honest.accept, media=media))


@mutant(DATA_PLANE, wraps="to_record")
def truncates_large_data(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Cut data after 32 KiB (knative/eventing issue 6648: long messages cut; events of 64 KiB must pass)."""

    def cut(event: CloudEvent) -> CloudEvent:
        return event if event.data is None else replace(event, data=event.data[:_MUCH])

    return replace(honest, to_record=lambda event, count: honest.to_record(cut(event), count))


@mutant(DATA_PLANE, replaces="accept.decode", wraps=("write_request", "reply"))
def percent_encoding_ignored(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Pass `ce-` header values undecoded and unencoded (cloudevents/sdk-java issue 748, sdk-go issue 1331)."""

    def reply(attempt: Attempt) -> CloudEvent | None:
        event = honest.reply(attempt)
        if event is None:
            return None
        fields = {name.decode("latin-1").lower(): value for name, value in attempt.headers}
        is_envelope = parse(fields.get("content-type", b"").decode("latin-1")).type == EVENT_JSON
        came = {} if is_envelope else {name: fields.get(f"ce-{name}") for name in event.attributes}
        return event.having(**{name: utf8(value) for name, value in came.items() if value is not None})

    def write_request(event: CloudEvent, spec: TriggerSpec) -> tuple[list[tuple[str, str]], bytes]:
        headers, body = honest.write_request(event, spec)
        raw = {f"ce-{name}": value for name, value in event.attributes.items()}
        return [(name, raw.get(name, value)) for name, value in headers], body

    return replace(honest, accept=replace(honest.accept, decode=utf8), write_request=write_request, reply=reply)


@mutant(DATA_PLANE, wraps="store")
def deduplicates_by_id(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Acknowledge and drop a second event of the same source and id (brokers must not)."""
    seen: set[tuple[str, str]] = set()

    async def store(send: Callable[[], Awaitable[None]], event: CloudEvent) -> None:
        identity = (event.attributes["source"], event.attributes["id"])
        if identity not in seen:
            seen.add(identity)
            await honest.store(send, event)

    return replace(honest, store=store)


@mutant(DATA_PLANE, wraps=("accept.structured", "store"))
def partitionkey_breaks_ingress(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Answer 503 to a `partitionkey` that is a number or a boolean: a cast fails (Kafka Broker 1.22.3, seen)."""

    def structured(kind: Media, body: bytes) -> tuple[Mapping[str, str], bytes | None]:
        try:
            return honest.accept.structured(kind, body)
        except NotAnEventError:
            if not _is_object(body) or not isinstance(json.loads(body).get("partitionkey"), int):
                raise
            return {"specversion": "1.0", "id": "?", "source": _UNREADABLE, "type": "?"}, None

    async def store(send: Callable[[], Awaitable[None]], event: CloudEvent) -> None:
        if event.attributes["source"] == _UNREADABLE:
            raise NotStoredError("Integer cannot be cast to String")
        await honest.store(send, event)

    return replace(honest, accept=replace(honest.accept, structured=structured), store=store)
