"""The JSON event format (CloudEvents JSON format 1.0.2), one event at a time.

The data member is cut out of the text as it was written: parsing and printing it again would change number forms and
white space, and a broker may not change data.
"""

import base64
import binascii
import json
import math
import re
from typing import Any, NoReturn

from embedded.dataplane.cloudevents import media
from embedded.dataplane.cloudevents.event import CORE, NotAnEventError, attribute_name

_SPACE = re.compile(r"[ \t\r\n]*")
# Attributes that the specifications type as String, URI or Timestamp: JSON numbers and booleans are wrong for them.
_STRINGS = CORE | {"partitionkey", "traceparent", "tracestate"}


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


def read_json(body: bytes, charset: str = "utf-8") -> tuple[dict[str, str], bytes | None]:
    """Read one event in the JSON format.

    Returns:
        The attributes (names and types checked, presence not) and the data.

    Raises:
        NotAnEventError: The body is not a JSON object, or a member has an invalid value.
    """
    if charset.lower() not in {"utf-8", "utf8", "us-ascii"}:
        raise NotAnEventError(f"charset {charset[:32]!r} is not UTF-8")
    try:
        text = body.decode("utf-8")
        members = _members(text)
    except UnicodeDecodeError as error:
        raise NotAnEventError(f"the body is not UTF-8: {error.reason} at byte {error.start}") from error
    except RecursionError as error:
        raise NotAnEventError("the body is nested too deeply") from error
    except ValueError as error:
        raise NotAnEventError(f"the body is not a JSON object: {error}") from error
    data, encoded = members.pop("data", None), members.pop("data_base64", None)
    attributes = {
        attribute_name(name): _attribute(name, value)
        for name, (value, _) in members.items()
        # "unset attributes MAY be encoded to the JSON value of null" (JSON format, 2.2).
        if value is not None
    }
    return attributes, _data(attributes, data, encoded)


def _members(text: str) -> dict[str, tuple[Any, str]]:
    """Split a JSON object into its members, each with its value and the text of its value."""
    at = _skip(text, 0)
    if text[at : at + 1] != "{":
        raise ValueError("it does not begin with '{'")
    members: dict[str, tuple[Any, str]] = {}
    at = _skip(text, at + 1)
    while text[at : at + 1] != "}":
        if members:
            at = _skip(text, _expect(text, at, ","))
        if text[at : at + 1] != '"':
            raise ValueError(f"a member name is missing at character {at}")
        name, at = _DECODER.raw_decode(text, at)
        start = _skip(text, _expect(text, _skip(text, at), ":"))
        value, end = _DECODER.raw_decode(text, start)
        if name in members:
            raise ValueError(f"member {name[:64]!r} is given twice")
        members[name] = (value, text[start:end])
        at = _skip(text, end)
    if _skip(text, at + 1) != len(text):
        raise ValueError(f"something follows the object at character {at + 1}")
    return members


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _expect(text: str, at: int, mark: str) -> int:
    if text[at : at + 1] != mark:
        raise ValueError(f"{mark!r} is missing at character {at}")
    return at + 1


def _attribute(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if name in _STRINGS:
        raise NotAnEventError(f"attribute {name!r} is not a string")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and -(2**31) <= value < 2**31:
        return str(value)
    raise NotAnEventError(f"attribute {name!r} is neither string, boolean nor 32-bit integer")


def _data(attributes: dict[str, str], data: tuple[Any, str] | None, encoded: tuple[Any, str] | None) -> bytes | None:
    if encoded is not None and encoded[0] is not None:
        if data is not None:
            raise NotAnEventError("'data' and 'data_base64' exclude each other")
        if not isinstance(encoded[0], str):
            raise NotAnEventError("'data_base64' is not a string")
        try:
            return base64.b64decode(encoded[0], validate=True)
        except (binascii.Error, ValueError) as error:
            raise NotAnEventError(f"'data_base64' is not base64: {error}") from error
    if data is None:
        return None
    value, text = data
    # "A JSON-format event with no datacontenttype is exactly equivalent to one with application/json."
    kind = attributes.setdefault("datacontenttype", "application/json")
    try:
        if not media.parse(kind).is_json:
            if value is None:
                return None
            if isinstance(value, str):
                return value.encode()
        # "An explicit null payload" is data: distinct from the absence of the member (3.1.1).
        return text.encode()
    except UnicodeEncodeError as error:
        raise NotAnEventError("'data' has an unpaired surrogate") from error
