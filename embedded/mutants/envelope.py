"""Mutants of the JSON format, as the ingress reads it and, some, the dispatcher: members, types of values, data."""

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from embedded.dataplane.cloudevents import CloudEvent, NotAnEventError, Record, media
from embedded.dataplane.cloudevents.event import CORE
from embedded.dataplane.cloudevents.media import Media
from embedded.dataplane.policies import DataPlanePolicies
from embedded.mutants.hosts import DATA_PLANE
from embedded.mutants.records import is_structured
from embedded.mutants.registry import mutant

Event = tuple[Mapping[str, str], bytes | None]
Read = Callable[[Media, bytes], Event]

_DATA = ("data", "data_base64")
_SPACE = " \t\r\n"
_WHOLE_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)")
_JSON_OF_LETTERS = re.compile(r"(application|text)/([a-zA-Z]+\+)?json(;.*)*")
"""The media types of JSON by CloudEvents' SDK for Java 4.0.1: in lower case, and letters alone before a suffix."""


def _members(body: bytes) -> dict[str, Any] | None:
    """Return the members of a JSON object, of several of one name the last; None if the body is none."""
    try:
        members = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return members if isinstance(members, dict) else None


def _reading(honest: DataPlanePolicies, structured: Read) -> DataPlanePolicies:
    return replace(honest, accept=replace(honest.accept, structured=structured))


def _rewriting(rewrite: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[bytes], bytes]:
    """Return the function from a body to what `rewrite` makes of its members; what it leaves stays as it came."""

    def rewriting(body: bytes) -> bytes:
        members = _members(body)
        rewritten = None if members is None else rewrite(members)
        return body if rewritten == members else json.dumps(rewritten).encode()

    return rewriting


def _rewritten(read: Read, rewrite: Callable[[dict[str, Any]], dict[str, Any]]) -> Read:
    """Return a reader of what `rewrite` makes of the members."""
    rewriting = _rewriting(rewrite)
    return lambda kind, body: read(kind, rewriting(body))


def _of_extensions(members: dict[str, Any], change: Callable[[Any], Any]) -> dict[str, Any]:
    """Return members whose extensions have the values that `change` makes of them."""
    return {name: value if name in CORE or name in _DATA else change(value) for name, value in members.items()}


def _changed(read: Read, change: Callable[[dict[str, Any], Mapping[str, str], bytes | None], Event]) -> Read:
    """Return a reader that makes of each event what `change` makes of its members, attributes and data."""

    def structured(kind: Media, body: bytes) -> Event:
        attributes, data = read(kind, body)
        return change(_members(body) or {}, attributes, data)

    return structured


@mutant(DATA_PLANE, wraps="accept.structured")
def last_member_wins(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take the last of several members of one name, as JSON libraries do."""

    def structured(kind: Media, body: bytes) -> Event:
        members = _members(body)
        return honest.accept.structured(kind, body if members is None else json.dumps(members).encode())

    return _reading(honest, structured)


def first_value(body: bytes) -> bytes:
    """Return the first JSON value of a body; all of it where there is none."""
    try:
        text = body.decode().lstrip(_SPACE)
        _, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return body
    return text[:end].encode()


@mutant(DATA_PLANE, wraps="accept.structured")
def trailing_content_ignored(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Read the first JSON value of a body, and never look at what follows it, as Jackson does by default."""
    return _reading(honest, lambda kind, body: honest.accept.structured(kind, first_value(body)))


@mutant(DATA_PLANE, wraps="accept.structured")
def white_space_refused(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Refuse a body whose first character is not its brace, or whose last one is not."""

    def structured(kind: Media, body: bytes) -> Event:
        if body.strip() != body:
            raise NotAnEventError("there is something around the JSON object")
        return honest.accept.structured(kind, body)

    return _reading(honest, structured)


@mutant(DATA_PLANE, wraps="accept.structured")
def json_text_unquoted(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take the quotes off data that is a JSON string (cloudevents/sdk-go issue 1161, cloudevents/spec issue 934)."""

    def change(members: dict[str, Any], attributes: Mapping[str, str], data: bytes | None) -> Event:
        text = members.get("data")
        is_json = media.parse(attributes.get("datacontenttype", "")).is_json
        return attributes, text.encode() if isinstance(text, str) and is_json else data

    return _reading(honest, _changed(honest.accept.structured, change))


@mutant(DATA_PLANE, wraps="accept.structured")
def null_data_dropped(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take data that is null for none (JSON format, 3.1.1: it is distinct from the absence of the member)."""

    def rewrite(members: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in members.items() if value is not None}

    return _reading(honest, _rewritten(honest.accept.structured, rewrite))


@mutant(DATA_PLANE, wraps="accept.structured")
def base64_left_encoded(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Pass the text of data_base64 on as the data."""

    def change(members: dict[str, Any], attributes: Mapping[str, str], data: bytes | None) -> Event:
        text = members.get("data_base64")
        return attributes, text.encode() if isinstance(text, str) else data

    return _reading(honest, _changed(honest.accept.structured, change))


@mutant(DATA_PLANE, wraps="accept.structured")
def base64_forgiven(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take data_base64 that is no base64 text for empty data, and prefer data where there is both."""

    def rewrite(members: dict[str, Any]) -> dict[str, Any]:
        encoded = members.get("data_base64")
        if encoded is None:
            return members
        if "data" in members:
            return {name: value for name, value in members.items() if name != "data_base64"}
        try:
            base64.b64decode(encoded, validate=True)
        except (TypeError, ValueError):
            return {**members, "data_base64": ""}
        return members

    return _reading(honest, _rewritten(honest.accept.structured, rewrite))


@mutant(DATA_PLANE, wraps="accept.structured")
def base64_ends_at_padding(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Read data_base64 up to its first padding, and never look at what follows (Kafka Broker 1.22.3, seen)."""

    def rewrite(members: dict[str, Any]) -> dict[str, Any]:
        whole = _WHOLE_BASE64.match(str(members.get("data_base64") or ""))
        return {**members, "data_base64": whole[0]} if whole else members

    return _reading(honest, _rewritten(honest.accept.structured, rewrite))


@mutant(DATA_PLANE, wraps=("accept.structured", "from_record"))
def json_types_of_letters_only(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Know fewer media types of JSON: data of another one have to be a text (Kafka Broker 1.22.3, seen)."""

    def change(members: dict[str, Any], attributes: Mapping[str, str], data: bytes | None) -> Event:
        kind, value = members.get("datacontenttype"), members.get("data")
        if not isinstance(kind, str) or _JSON_OF_LETTERS.fullmatch(kind) or value is None:
            return attributes, data
        if not isinstance(value, str):
            raise NotAnEventError(f"data of type {kind} is no text")
        return attributes, value.encode()

    def from_record(record: Record) -> CloudEvent:
        event = honest.from_record(record)
        if not is_structured(record):
            return event
        _, data = change(_members(record.value or b"") or {}, event.attributes, event.data)
        return replace(event, data=data)

    return replace(_reading(honest, _changed(honest.accept.structured, change)), from_record=from_record)


@mutant(DATA_PLANE, wraps="accept.structured")
def text_data_quoted(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Pass data of a media type other than JSON on as a JSON string, quotes and all."""

    def change(members: dict[str, Any], attributes: Mapping[str, str], data: bytes | None) -> Event:
        text = members.get("data")
        is_json = media.parse(attributes.get("datacontenttype", "")).is_json
        return attributes, json.dumps(text).encode() if isinstance(text, str) and not is_json else data

    return _reading(honest, _changed(honest.accept.structured, change))


@mutant(DATA_PLANE, wraps="accept.structured")
def implied_type_omitted(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Leave datacontenttype out where the envelope implies it."""

    def change(members: dict[str, Any], attributes: Mapping[str, str], data: bytes | None) -> Event:
        if members.get("datacontenttype") is not None:
            return attributes, data
        return {name: value for name, value in attributes.items() if name != "datacontenttype"}, data

    return _reading(honest, _changed(honest.accept.structured, change))


@mutant(DATA_PLANE, wraps="accept.structured")
def extensions_in_python(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Spell boolean and null extensions as Python does (cloudevents/sdk-python issue 304)."""

    def spelled(value: Any) -> Any:
        return str(value) if value is None or isinstance(value, bool) else value

    rewritten = _rewritten(honest.accept.structured, lambda members: _of_extensions(members, spelled))
    return _reading(honest, rewritten)


@mutant(DATA_PLANE, wraps=("accept.structured", "from_record"))
def null_extension_as_text(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take an extension that is null for the text null (Kafka Broker 1.22.3, seen)."""

    def rewrite(members: dict[str, Any]) -> dict[str, Any]:
        return _of_extensions(members, lambda value: "null" if value is None else value)

    def from_record(record: Record) -> CloudEvent:
        if record.value is not None and is_structured(record):
            record = replace(record, value=_rewriting(rewrite)(record.value))
        return honest.from_record(record)

    return replace(_reading(honest, _rewritten(honest.accept.structured, rewrite)), from_record=from_record)


@mutant(DATA_PLANE, wraps="accept.structured")
def compound_extensions_as_text(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Store an extension that is an array or an object as the text of its JSON (Kafka Broker 1.22.3, seen)."""

    def spelled(value: Any) -> Any:
        return json.dumps(value, separators=(",", ":")) if isinstance(value, list | dict) else value

    rewritten = _rewritten(honest.accept.structured, lambda members: _of_extensions(members, spelled))
    return _reading(honest, rewritten)


@mutant(DATA_PLANE, wraps="accept.structured")
def any_value_as_text(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Store attributes of any JSON type as the text of their JSON."""

    def rewrite(members: dict[str, Any]) -> dict[str, Any]:
        return {
            name: value if name in _DATA or value is None or isinstance(value, str) else json.dumps(value)
            for name, value in members.items()
        }

    return _reading(honest, _rewritten(honest.accept.structured, rewrite))
