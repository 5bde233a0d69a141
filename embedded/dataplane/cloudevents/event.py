"""A CloudEvent and the rules of its validity (CloudEvents 1.0, "Context Attributes" and "Type System").

Attribute values are kept in their canonical string form, which is what every binary binding carries.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from embedded.dataplane.cloudevents import media, uri

REQUIRED = ("specversion", "id", "source", "type")
OPTIONAL = ("datacontenttype", "dataschema", "subject", "time")
CORE = frozenset(REQUIRED + OPTIONAL)
# `partitionkey` is an extension, but one whose specification asks for a non-empty string.
NEVER_EMPTY = (*REQUIRED, "dataschema", "subject", "datacontenttype", "time", "partitionkey")

_NAME = re.compile(r"[a-z0-9]+")
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d):(\d\d)(?:\.\d+)?([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)", re.ASCII)
# Control characters, surrogates and the noncharacters: the CloudEvents type String excludes them.
_FORBIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"
    + "".join(chr(plane * 0x10000 + last) for plane in range(1, 17) for last in (0xFFFE, 0xFFFF))
    + "]"
)


class NotAnEventError(ValueError):
    """A message that is not a valid CloudEvent; the text tells its sender why."""


@dataclass(frozen=True, slots=True)
class CloudEvent:
    """One CloudEvent.

    Attributes:
        attributes: The context attributes and extensions by name, `specversion` included.
        data: The payload in bytes; None when there is none.
    """

    attributes: Mapping[str, str]
    data: bytes | None = None

    def having(self, **attributes: str) -> "CloudEvent":
        """Return a copy with these attributes set."""
        return replace(self, attributes={**self.attributes, **attributes})


def attribute_name(name: str) -> str:
    """Return `name` if it is a legal attribute name ("Naming Conventions": lower-case ASCII letters and digits).

    Raises:
        NotAnEventError: The name is not legal.
    """
    if not _NAME.fullmatch(name):
        raise NotAnEventError(f"attribute name {name[:64]!r} has other characters than a-z and 0-9")
    if name == "data":
        raise NotAnEventError("'data' is no attribute name")
    return name


def check(
    attributes: Mapping[str, str],
    *,
    versions: frozenset[str] | None = frozenset({"1.0"}),
    never_empty: tuple[str, ...] = NEVER_EMPTY,
) -> Mapping[str, str]:
    """Return `attributes` if they make a valid event.

    Args:
        attributes: The values by name; the names are already checked.
        versions: The values of `specversion` that are accepted; None for any.
        never_empty: The names of attributes whose value may not be empty.

    Raises:
        NotAnEventError: A required attribute is missing, or a value does not fit its type.
    """
    for name in REQUIRED:
        if name not in attributes:
            raise NotAnEventError(f"required attribute {name!r} is missing")
    if versions is not None and attributes["specversion"] not in versions:
        raise NotAnEventError(f"specversion {attributes['specversion'][:64]!r} is not one of {sorted(versions)}")
    for name in never_empty:
        if attributes.get(name) == "":
            raise NotAnEventError(f"attribute {name!r} is empty")
    for name, value in attributes.items():
        if _FORBIDDEN.search(value):
            raise NotAnEventError(f"the value of attribute {name!r} has a control character or noncharacter")
    for name, (has_form, form) in _FORMS.items():
        # An empty value has been judged above.
        if attributes.get(name) and not has_form(attributes[name]):
            raise NotAnEventError(f"{name} {attributes[name][:64]!r} is not {form}")
    return attributes


def is_timestamp(value: str) -> bool:
    """Return whether a value is a timestamp by RFC 3339."""
    match = _TIME.fullmatch(value)
    if not match:
        return False
    day, minute, second, zone = match.groups()
    # RFC 3339 allows a leap second, and more digits of a second than `datetime` does.
    try:
        datetime.fromisoformat(f"{day}T{minute}:{'59' if second == '60' else second}{zone.upper()}")
    except ValueError:
        return False
    return True


_FORMS: Mapping[str, tuple[Callable[[str], bool], str]] = {
    "source": (uri.is_reference, "a URI-reference (RFC 3986)"),
    "dataschema": (uri.is_absolute, "an absolute URI (RFC 3986)"),
    "time": (is_timestamp, "a timestamp (RFC 3339)"),
    "datacontenttype": (media.is_media_type, "a media type (RFC 2046)"),
}
