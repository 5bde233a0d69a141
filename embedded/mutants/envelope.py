"""Mutants of the JSON format, as the ingress reads it: members, types of values, data."""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from embedded.dataplane.cloudevents import NotAnEventError, media
from embedded.dataplane.cloudevents.event import CORE
from embedded.dataplane.cloudevents.media import Media
from embedded.dataplane.policies import DataPlanePolicies
from embedded.mutants.hosts import DATA_PLANE
from embedded.mutants.registry import mutant

Event = tuple[Mapping[str, str], bytes | None]
Read = Callable[[Media, bytes], Event]

_DATA = ("data", "data_base64")
_SPACE = " \t\r\n"


def _members(body: bytes) -> dict[str, Any] | None:
    """Return the members of a JSON object, of several of one name the last; None if the body is none."""
    try:
        members = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return members if isinstance(members, dict) else None


def _reading(honest: DataPlanePolicies, structured: Read) -> DataPlanePolicies:
    return replace(honest, accept=replace(honest.accept, structured=structured))


def _rewritten(read: Read, rewrite: Callable[[dict[str, Any]], dict[str, Any]]) -> Read:
    """Return a reader of what `rewrite` makes of the members; what it does not change is read as it came."""

    def structured(kind: Media, body: bytes) -> Event:
        members = _members(body)
        rewritten = None if members is None else rewrite(members)
        return read(kind, body if rewritten == members else json.dumps(rewritten).encode())

    return structured


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

    def rewrite(members: dict[str, Any]) -> dict[str, Any]:
        spelled = {
            name: str(value)
            for name, value in members.items()
            if name not in CORE and name not in _DATA and (value is None or isinstance(value, bool))
        }
        return {**members, **spelled}

    return _reading(honest, _rewritten(honest.accept.structured, rewrite))


@mutant(DATA_PLANE, wraps="accept.structured")
def any_value_as_text(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Store attributes of any JSON type as the text of their JSON."""

    def rewrite(members: dict[str, Any]) -> dict[str, Any]:
        return {
            name: value if name in _DATA or value is None or isinstance(value, str) else json.dumps(value)
            for name, value in members.items()
        }

    return _reading(honest, _rewritten(honest.accept.structured, rewrite))
