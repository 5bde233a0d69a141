"""What a field of a record may be: types, bounds, and how to say that one is not so.

A `Field` is checked by the exact type of its value (true is no number), then by a test of its own where it has one.
Values that nest are bounded in depth by the reader (`jsontext.too_deep`), so that whoever walks them may recurse.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, TypeAlias

Test: TypeAlias = Callable[[Any], bool]
LONGEST_SHOWN = 60
LARGEST = 1e12
MOST_NAMES = 1000


class _Missing:
    """Stands for a field that a record does not have."""


MISSING: Final = _Missing()


@dataclass(frozen=True, slots=True)
class Field:
    """A kind of value.

    Attributes:
        expected: The value in words, for messages.
        types: The types that the value may have, exactly.
        fits: A test of a value of these types; None where every one will do.
        inner: The fields of the value, where it is an object of known fields.
    """

    expected: str
    types: frozenset[type]
    fits: Test | None = None
    inner: Mapping[str, Field] | None = None


def fault_in(value: Mapping[str, Any], fields: Mapping[str, Field], place: str = "") -> str | None:
    """The first field that is not as it should be, in words; None when all are.

    Args:
        value: The object.
        fields: Its fields; others are welcome.
        place: What stands before the names of fields in the message.
    """
    for name, field in fields.items():
        content = value.get(name, MISSING)
        if type(content) not in field.types or (field.fits is not None and not field.fits(content)):
            return f"field {place}{name}: expected {field.expected}, got {shown(content)}"
        if field.inner is not None and isinstance(content, dict):
            fault = fault_in(content, field.inner, f"{place}{name}.")
            if fault is not None:
                return fault
    return None


def shown(value: object) -> str:
    """A value in a message: short, whatever it is."""
    if value is MISSING:
        return "nothing"
    if isinstance(value, dict):
        return f"an object of {len(value)} fields"
    if isinstance(value, list):
        return "an empty list" if not value else f"a list of {len(value)}, which begins with {shown(value[0])[:200]}"
    if isinstance(value, str):
        more = "" if len(value) <= LONGEST_SHOWN else f"... ({len(value)} characters)"
        return f"{value[:LONGEST_SHOWN]!r}{more}"
    if value is None or value is True or value is False:
        return "null" if value is None else str(value).lower()
    return repr(value)[:LONGEST_SHOWN]


def optional(field: Field) -> Field:
    """The field, which a record need not have."""
    fits = field.fits
    return replace(
        field,
        expected=f"{field.expected}, or nothing",
        types=field.types | {_Missing},
        fits=None if fits is None else lambda value: value is MISSING or fits(value),
    )


def maybe(field: Field) -> Field:
    """The field, which may be null."""
    fits = field.fits
    return replace(
        field,
        expected=f"{field.expected} or null",
        types=field.types | {type(None)},
        fits=None if fits is None else lambda value: value is None or fits(value),
    )


def an_object(**inner: Field) -> Field:
    """An object of these fields, and perhaps of others."""
    return Field("an object", frozenset({dict}), inner=inner)


def one_of(*words: str) -> Field:
    """One of some words."""
    return Field(f"one of {', '.join(words)}", frozenset({str}), frozenset(words).__contains__)


def _is_time(value: str) -> bool:
    try:
        return datetime.fromisoformat(value).year > 1
    except ValueError:
        return False


def _pairs(value: list[Any]) -> bool:
    for pair in value:
        if type(pair) is not list or len(pair) != 2 or type(pair[0]) is not str or type(pair[1]) is not str:
            return False
    return True


def _loose_pairs(value: list[Any]) -> bool:
    for pair in value:
        if type(pair) is not list or len(pair) != 2 or type(pair[0]) is not str:
            return False
        if type(pair[1]) is not str and pair[1] is not None:
            return False
    return True


def _offsets(value: dict[str, Any]) -> bool:
    return all(
        name.isascii() and name.isdigit() and len(name) < 10 and type(offset) in (int, type(None))
        for name, offset in value.items()
    )


def _names(value: list[Any]) -> bool:
    return len(value) <= MOST_NAMES and all(type(item) is str and 0 < len(item) <= MOST_NAMES for item in value)


def _texts(value: list[Any]) -> bool:
    return all(type(item) is str for item in value)


def _counts(value: dict[str, Any]) -> bool:
    return all(type(count) is int and count > 0 for count in value.values())


def _lists(value: list[Any]) -> bool:
    return all(type(item) is list for item in value)


TEXT = Field("a text", frozenset({str}))
NAME = Field(f"a text of 1 to {MOST_NAMES} characters", frozenset({str}), lambda value: 0 < len(value) <= MOST_NAMES)
TIME = Field("a time as by ISO 8601", frozenset({str}), _is_time)
BOOL = Field("true or false", frozenset({bool}))
WHOLE = Field("a whole number", frozenset({int}))
COUNT = Field("a whole number from 0", frozenset({int}), lambda value: value >= 0)
ORDINAL = Field("a whole number from 1", frozenset({int}), lambda value: value >= 1)
SECONDS = Field(f"a number from 0 to {LARGEST:g}", frozenset({int, float}), lambda value: 0 <= value <= LARGEST)
OBJECT = Field("an object", frozenset({dict}))
LIST = Field("a list", frozenset({list}))
HEADERS = Field("a list of pairs of texts", frozenset({list}), _pairs)
KAFKA_HEADERS = Field("a list of pairs of a text and a text or null", frozenset({list}), _loose_pairs)
OFFSETS = Field("an object of whole numbers by partition", frozenset({dict}), _offsets)
NAMES = Field(f"a list of at most {MOST_NAMES} texts of 1 to {MOST_NAMES} characters", frozenset({list}), _names)
TEXTS = Field("a list of texts", frozenset({list}), _texts)
COUNTS = Field("an object of whole numbers from 1", frozenset({dict}), _counts)
LISTS = Field("a list of lists", frozenset({list}), _lists)
