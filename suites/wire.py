"""Requests byte by byte: a test says exactly what goes on the wire, valid or not.

This is not a CloudEvents library: nothing here validates, completes or repairs.
"""

import json
from collections.abc import Collection, Mapping
from typing import Any

from fixtures import mint

Headers = list[tuple[str, str]]
STRUCTURED = "application/cloudevents+json"
# Values of attributes that their encoding changes, and those that a second round of it, or of decoding, changes.
ODD: dict[str, Any] = {"subject": 'Euro € 😀 100% "quoted"', "encoded": "%41%2541", "spaced": " a  b "}


def fresh(prefix: str = "e") -> str:
    """Return an id that no other test uses."""
    return f"{prefix}-{mint()}"


def attributes(without: Collection[str] = (), **changes: Any) -> dict[str, Any]:
    """Return the required attributes of a valid event, some left out, some changed or added."""
    valid = {"specversion": "1.0", "source": "/touchstone/sender", "type": "touchstone.test"}
    if "id" not in {*without, *changes}:
        valid["id"] = fresh()  # only where it is used: a challenge asks where each id has gone
    return {name: value for name, value in (valid | changes).items() if name not in without}


def binary(event: Mapping[str, Any], content_type: str | None = "application/json") -> Headers:
    """Return the headers of a binary mode request: every attribute as it stands, unencoded."""
    headers = [(f"ce-{name}", str(value)) for name, value in event.items()]
    return headers + ([("content-type", content_type)] if content_type is not None else [])


def structured(event: Mapping[str, Any], data: Any = None) -> bytes:
    """Return the body of a structured mode request."""
    return json.dumps(dict(event) | {"data": {"n": 1} if data is None else data}).encode()


def typed(content_type: str) -> Headers:
    """Return the header of a structured mode request."""
    return [("content-type", content_type)]


def as_bytes(text: str) -> str:
    """Return the UTF-8 bytes of a text as the history holds bytes: latin-1, one character a byte."""
    return text.encode().decode("latin-1")
