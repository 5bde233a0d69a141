"""Which event a message carries: source and id, found leniently and fast.

Lenient on purpose: to judge a message one must first tell whose it is, however it is spelled (`cloudevents` then judges
the spelling). A message without a readable source and id has no identity.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import unquote_to_bytes

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Identity: TypeAlias = tuple[str, str]


def of_http(headers: Iterable[Sequence[str]], body: str) -> Identity | None:
    """Return the (source, id) of an HTTP request or response, by a structured body (latin-1 text) or ce- headers.

    Where there are both, the body counts: Content-Type chooses the mode (HTTP binding §3).
    """
    source = event_id = kind = None
    for name, value in headers:
        size = len(name)
        if size == 5:
            if event_id is None and name.lower() == "ce-id":
                event_id = value
        elif size == 9:
            if source is None and name.lower() == "ce-source":
                source = value
        elif size == 12 and name.lower() == "content-type":
            kind = value
    told = None if kind is None else _of_structured(kind, body)
    if told is None and source is not None and event_id is not None:
        return _plain(source), _plain(event_id)
    return told


def of_kafka(headers: Iterable[Sequence[str | None]], value: str | None) -> Identity | None:
    """Return the (source, id) of a Kafka record, by a structured value in latin-1, or ce_ (or misspelt ce-) headers."""
    source = event_id = kind = None
    for name, content in headers:
        size = len(name or "")
        if size == 5:
            if event_id is None and name in {"ce_id", "ce-id"}:
                event_id = content
        elif size == 9:
            if source is None and name in {"ce_source", "ce-source"}:
                source = content
        elif size == 12 and name is not None and name.lower() == "content-type":
            kind = content
    told = None if kind is None else _of_structured(kind, value or "")
    if told is None and source is not None and event_id is not None:
        return _text(source), _text(event_id)
    return told


def _of_structured(kind: str, body: str) -> Identity | None:
    if not kind.lstrip().lower().startswith("application/cloudevents"):
        return None
    try:
        envelope: Any = orjson.loads(body.encode("latin-1"))
    except ValueError:
        return None
    if not isinstance(envelope, dict):
        return None
    source, event_id = envelope.get("source"), envelope.get("id")
    return (source, event_id) if isinstance(source, str) and isinstance(event_id, str) else None


def _plain(value: str) -> str:
    if "%" in value:
        return unquote_to_bytes(value.encode("latin-1", "replace")).decode("utf-8", "replace")
    return value if value.isascii() else _text(value)


def _text(value: str) -> str:
    return value if value.isascii() else value.encode("latin-1", "replace").decode("utf-8", "replace")
