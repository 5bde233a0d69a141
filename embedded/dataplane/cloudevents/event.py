"""A CloudEvent and the rules of its validity (CloudEvents 1.0, "Context Attributes" and "Type System").

Attribute values are kept in their canonical string form, which is what every binary binding carries. The syntax of URIs
is not checked: a `source` is any non-empty string, since no broker can tell an identifier from a misspelt one.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

REQUIRED = ("specversion", "id", "source", "type")
OPTIONAL = ("datacontenttype", "dataschema", "subject", "time")
CORE = frozenset(REQUIRED + OPTIONAL)
# `partitionkey` is an extension, but one whose specification asks for a non-empty string.
NEVER_EMPTY = (*REQUIRED, "dataschema", "subject", "datacontenttype", "time", "partitionkey")

_NAME = re.compile(r"[a-z0-9]+")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
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
    if "time" in attributes and not _is_timestamp(attributes["time"]):
        raise NotAnEventError(f"time {attributes['time'][:64]!r} is not RFC 3339")
    return attributes


def _is_timestamp(value: str) -> bool:
    if not _TIME.fullmatch(value):
        return False
    # RFC 3339 allows a leap second, and more digits of a second than `datetime` does.
    whole = re.sub(r"\.\d+", "", value.upper()).replace(":60", ":59")
    try:
        datetime.fromisoformat(whole)
    except ValueError:
        return False
    return True
