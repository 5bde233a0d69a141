"""A strict reader of one CloudEvent 1.0 from an HTTP request, and a writer of the answer's event.

Sources: CloudEvents core specification 1.0.2, section 3 (attributes); HTTP protocol binding, sections 1.3, 3.1 and 3.2;
JSON event format, sections 2 and 3. The SDK's reader accepts much more than these allow.
"""

import base64
import binascii
import json
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NoReturn
from urllib.parse import unquote_to_bytes

STRUCTURED = "application/cloudevents+json"
_NAME = re.compile(r"[a-z0-9]+")
_URI_REFERENCE = re.compile(r"(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+")
_URI = re.compile(rf"[A-Za-z][A-Za-z0-9+\-.]*:{_URI_REFERENCE.pattern}")
_TIME = re.compile(r"(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:)(\d\d)(?:\.\d+)?([Zz]|[+-]\d\d:\d\d)")
_MEDIA_TYPE = re.compile(r"\s*(?P<type>[^\s;/]+/[^\s;/]+)\s*(?P<parameters>;.*)?")
_CHARSET = re.compile(r""";\s*charset\s*=\s*"?(?P<name>[^";\s]+)""", re.IGNORECASE)
_REQUIRED = ("id", "source", "specversion", "type")


class RefusedError(ValueError):
    """A request that is not a readable event; `status` is the HTTP status of the answer."""

    def __init__(self, reason: str, status: int = 400) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True)
class Event:
    """One event with JSON data: its attributes as strings, the bytes of its data, and its content mode."""

    attributes: Mapping[str, str]
    data: bytes
    structured: bool


def media_type(content_type: str) -> tuple[str, str]:
    """Return type and charset of a Content-Type, lower-case; the charset is utf-8 when not given.

    Raises:
        RefusedError: The value is not a media type.
    """
    match = _MEDIA_TYPE.fullmatch(content_type)
    if match is None:
        raise RefusedError(f"{content_type!r} is no media type", 415)
    charset = _CHARSET.search(match["parameters"] or "")
    return match["type"].lower(), charset["name"].lower() if charset else "utf-8"


def is_json(content_type: str) -> bool:
    """Return whether a Content-Type means JSON in UTF-8, whatever its letters' case and other parameters."""
    kind, charset = media_type(content_type)
    return (kind == "application/json" or kind.endswith("+json")) and charset in {"utf-8", "us-ascii", "ascii"}


def read(headers: Iterable[tuple[str, str]], body: bytes) -> Event | None:
    """Read the event that a request carries (names of headers in lower case); return None when it carries none.

    Raises:
        RefusedError: The request carries an event that breaks the specification.
    """
    fields = list(headers)
    content_type = next((value for name, value in fields if name == "content-type"), None)
    kind = media_type(content_type)[0] if content_type else None
    if kind == STRUCTURED:
        if not is_json(content_type or ""):
            raise RefusedError(f"cannot read {content_type!r}", 415)
        return _structured(body)
    if kind is not None and kind.startswith("application/cloudevents"):
        raise RefusedError(f"events as {kind} are not taken, one event as {STRUCTURED} is", 415)
    context = [(name.removeprefix("ce-"), value) for name, value in fields if name.startswith("ce-")]
    return _binary(context, content_type, body) if context else None


def _binary(context: list[tuple[str, str]], content_type: str | None, body: bytes) -> Event:
    attributes: dict[str, str] = {}
    for name, raw in context:
        if name in attributes:
            raise RefusedError(f"attribute {name!r} is given twice")
        if name == "datacontenttype":
            raise RefusedError("datacontenttype is what Content-Type says, and no header of its own")
        try:
            attributes[name] = unquote_to_bytes(raw.encode("latin-1")).decode()
        except UnicodeDecodeError as error:
            raise RefusedError(f"attribute {name!r} is no percent-encoded UTF-8") from error
    if content_type is not None:
        attributes["datacontenttype"] = content_type
    _validate(attributes)
    return Event(attributes, _json_data(body, content_type), structured=False)


def _structured(body: bytes) -> Event:
    envelope = parse(body)
    if not isinstance(envelope, dict):
        raise RefusedError("a structured event is a JSON object")
    values = {name: value for name, value in envelope.items() if value is not None}
    data, encoded = values.pop("data", None), values.pop("data_base64", None)
    attributes = {name: _attribute(name, value) for name, value in values.items()}
    _validate(attributes)
    if "data" in envelope and encoded is not None:
        raise RefusedError("data and data_base64 exclude each other")
    content_type = attributes.get("datacontenttype")
    if encoded is None:
        if content_type is not None and not is_json(content_type):
            raise RefusedError(f"data of type {content_type!r} is not taken, JSON is", 415)
        return Event(attributes, json.dumps(data).encode(), structured=True)
    try:
        raw = base64.b64decode(encoded, validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise RefusedError("data_base64 is no base64") from error
    return Event(attributes, _json_data(raw, content_type), structured=True)


def _json_data(data: bytes, content_type: str | None) -> bytes:
    if content_type is not None and not is_json(content_type):
        raise RefusedError(f"data of type {content_type!r} is not taken, JSON is", 415)
    parse(data)
    return data


def parse(text: bytes) -> Any:
    """Parse JSON as RFC 8259 defines it: UTF-8, no NaN, no name twice.

    Raises:
        RefusedError: The text is not such JSON.
    """

    def constant(name: str) -> NoReturn:
        raise RefusedError(f"{name} is no JSON")

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        if len(members) < len(pairs):
            raise RefusedError("a name is given twice in one JSON object")
        return members

    try:
        return json.loads(text.decode(), parse_constant=constant, object_pairs_hook=once)
    except UnicodeDecodeError as error:
        raise RefusedError("the JSON is not in UTF-8") from error
    except (json.JSONDecodeError, RecursionError) as error:
        raise RefusedError(f"not readable as JSON: {error}") from error


def _attribute(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, int) and -(2**31) <= value < 2**31 and name not in _REQUIRED:
        return str(value)
    raise RefusedError(f"attribute {name!r} is neither a string, a boolean nor a 32-bit integer")


def _validate(attributes: Mapping[str, str]) -> None:
    for name in _REQUIRED:
        if not attributes.get(name):
            raise RefusedError(f"attribute {name!r} is required and not empty")
    if attributes["specversion"] != "1.0":
        raise RefusedError(f"specversion {attributes['specversion']!r} is not known here, '1.0' is")
    for name in attributes:
        if not _NAME.fullmatch(name) or name == "data":
            raise RefusedError(f"{name!r} is no attribute name: a-z and 0-9, and not 'data'")
    if not _URI_REFERENCE.fullmatch(attributes["source"]):
        raise RefusedError("source is no URI reference")
    if "dataschema" in attributes and not _URI.fullmatch(attributes["dataschema"]):
        raise RefusedError("dataschema is no URI")
    if attributes.get("subject") == "":
        raise RefusedError("subject is empty")
    if "time" in attributes and not _is_time(attributes["time"]):
        raise RefusedError("time is no RFC 3339 timestamp")


def _is_time(text: str) -> bool:
    match = _TIME.fullmatch(text)
    if match is None:
        return False
    try:
        # A leap second is a time, though not one that Python knows.
        datetime.fromisoformat(f"{match[1].upper()}{'59' if match[2] == '60' else match[2]}{match[3].upper()}")
    except ValueError:
        return False
    return True


def answer_attributes(source: str, event_type: str) -> dict[str, str]:
    """Return the attributes of a new event with the current time."""
    now = datetime.now(UTC).isoformat()
    return {"specversion": "1.0", "id": str(uuid.uuid4()), "source": source, "type": event_type, "time": now}
