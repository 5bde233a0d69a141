"""What a field of a record may be: types, bounds, and how to say that one is not so.

A `Field` is checked by the exact type of its value (true is no number), then by a test of its own where it has one.
Values that nest are bounded in depth by the reader (`jsontext.too_deep`), so that whoever walks them may recurse. Each
`Field` says the same in JSON Schema; a selftest compares the two.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, TypeAlias

Test: TypeAlias = Callable[[Any], bool]
LONGEST_SHOWN = 60
LARGEST = 1e12
MOST_NAMES = 1000


class _Missing:
    """Stands for a field that a record does not have."""


MISSING: Final = _Missing()


@dataclass(frozen=True, slots=True, eq=False)  # compared by identity: a type's annotations must be hashable
class Field:
    """A kind of value.

    Attributes:
        expected: The value in words, for messages.
        types: The types that the value may have, exactly.
        fits: A test of a value of these types; None where every one will do.
        inner: The fields of the value, where it is an object of known fields.
        schema: The same in JSON Schema, for a value that is neither null nor left out.
    """

    expected: str
    types: frozenset[type]
    fits: Test | None = None
    inner: Mapping[str, Field] | None = None
    schema: Mapping[str, Any] = field(default_factory=dict)

    @property
    def required(self) -> bool:
        """Whether a record must have it."""
        return _Missing not in self.types


def fault_in(value: Mapping[str, Any], fields: Mapping[str, Field], place: str = "") -> str | None:
    """Return the first field that is not as it should be, in words; None when all are.

    Args:
        value: The object.
        fields: Its fields; others are welcome.
        place: What stands before the names of fields in the message.
    """
    for name, rule in fields.items():
        content = value.get(name, MISSING)
        if type(content) not in rule.types or (rule.fits is not None and not rule.fits(content)):
            return f"field {place}{name}: expected {rule.expected}, got {shown(content)}"
        if rule.inner is not None and isinstance(content, dict):
            fault = fault_in(content, rule.inner, f"{place}{name}.")
            if fault is not None:
                return fault
    return None


def shown(value: object) -> str:
    """Return a value in a message: short, whatever it is."""
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


def optional(rule: Field) -> Field:
    """Return the field, which a record need not have."""
    fits = rule.fits
    return replace(
        rule,
        expected=f"{rule.expected}, or nothing",
        types=rule.types | {_Missing},
        fits=None if fits is None else lambda value: value is MISSING or fits(value),
    )


def maybe(rule: Field) -> Field:
    """Return the field, which may be null."""
    fits = rule.fits
    return replace(
        rule,
        expected=f"{rule.expected} or null",
        types=rule.types | {type(None)},
        fits=None if fits is None else lambda value: value is None or fits(value),
    )


def an_object(inner: Mapping[str, Field]) -> Field:
    """Return an object of these fields, and perhaps of others."""
    return Field("an object", frozenset({dict}), inner=inner)


def one_of(*words: str) -> Field:
    """Return one of some words."""
    return Field(
        f"one of {', '.join(words)}", frozenset({str}), frozenset(words).__contains__, schema={"enum": list(words)}
    )


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


def _latencies(value: list[Any]) -> bool:
    return all(each is None or (type(each) in (int, float) and 0 <= each <= LARGEST) for each in value)


def _counts(value: dict[str, Any]) -> bool:
    return all(type(count) is int and count > 0 for count in value.values())


def _lists(value: list[Any]) -> bool:
    return all(type(item) is list for item in value)


def _versions(value: dict[str, Any]) -> bool:
    return all(type(version) in (str, type(None)) for version in value.values())


def _schema(kind: str, **words: Any) -> dict[str, Any]:
    return {"type": kind, **words}


_DIGEST = re.compile("[0-9a-f]{64}")
_CHAINED = re.compile("[0-9a-f]{32}")
_NAME_SCHEMA = _schema("string", minLength=1, maxLength=MOST_NAMES)
_PAIR = {"type": "array", "minItems": 2, "maxItems": 2}
_STR, _INT, _LIST, _DICT = frozenset({str}), frozenset({int}), frozenset({list}), frozenset({dict})

TEXT = Field("a text", _STR, schema=_schema("string"))
NAME = Field(
    f"a text of 1 to {MOST_NAMES} characters", _STR, lambda value: 0 < len(value) <= MOST_NAMES, schema=_NAME_SCHEMA
)
TIME = Field("a time as by ISO 8601", _STR, _is_time, schema=_schema("string", format="date-time"))
SHA256 = Field(
    "64 hexadecimal digits",
    _STR,
    lambda value: _DIGEST.fullmatch(value) is not None,
    schema=_schema("string", pattern="^[0-9a-f]{64}$"),
)
CHAINED = Field(
    "32 hexadecimal digits",
    _STR,
    lambda value: _CHAINED.fullmatch(value) is not None,
    schema=_schema("string", pattern="^[0-9a-f]{32}$"),
)
BODY = Field(
    "a text",
    _STR,
    schema={
        "anyOf": [
            {"type": "string"},
            {
                "type": "object",
                "properties": {"sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"}},
                "required": ["sha256"],
                "additionalProperties": False,
            },
        ]
    },
)
"""A body as the reader hands it out; in the file a large one stands elsewhere, by its digest (`evidence.bodies`)."""
BOOL = Field("true or false", frozenset({bool}), schema=_schema("boolean"))
WHOLE = Field("a whole number", _INT, schema=_schema("integer"))
COUNT = Field("a whole number from 0", _INT, lambda value: value >= 0, schema=_schema("integer", minimum=0))
ORDINAL = Field("a whole number from 1", _INT, lambda value: value >= 1, schema=_schema("integer", minimum=1))
STATUS = Field(
    "a whole number from 0 to 999",
    _INT,
    lambda value: 0 <= value <= 999,
    schema=_schema("integer", minimum=0, maximum=999),
)
NUMBER = Field("a number", frozenset({int, float}), schema=_schema("number"))
SECONDS = Field(
    f"a number from 0 to {LARGEST:g}",
    frozenset({int, float}),
    lambda value: 0 <= value <= LARGEST,
    schema=_schema("number", minimum=0, maximum=LARGEST),
)
OBJECT = Field("an object", _DICT, schema=_schema("object"))
LIST = Field("a list", _LIST, schema=_schema("array"))
HEADERS = Field(
    "a list of pairs of texts", _LIST, _pairs, schema=_schema("array", items={**_PAIR, "items": {"type": "string"}})
)
KAFKA_HEADERS = Field(
    "a list of pairs of a text and a text or null",
    _LIST,
    _loose_pairs,
    schema=_schema("array", items={**_PAIR, "prefixItems": [{"type": "string"}, {"type": ["string", "null"]}]}),
)
OFFSETS = Field(
    "an object of whole numbers by partition",
    _DICT,
    _offsets,
    schema=_schema(
        "object",
        propertyNames={"pattern": "^[0-9]{1,9}$"},
        additionalProperties={"type": ["integer", "null"]},
    ),
)
NAMES = Field(
    f"a list of at most {MOST_NAMES} texts of 1 to {MOST_NAMES} characters",
    _LIST,
    _names,
    schema=_schema("array", maxItems=MOST_NAMES, items=_NAME_SCHEMA),
)
TEXTS = Field("a list of texts", _LIST, _texts, schema=_schema("array", items={"type": "string"}))
LATENCIES = Field(
    "a list of seconds from 0, or null",
    _LIST,
    _latencies,
    schema=_schema("array", items={"anyOf": [{"type": "number", "minimum": 0}, {"type": "null"}]}),
)
COUNTS = Field(
    "an object of whole numbers from 1",
    _DICT,
    _counts,
    schema=_schema("object", additionalProperties={"type": "integer", "minimum": 1}),
)
LISTS = Field("a list of lists", _LIST, _lists, schema=_schema("array", items={"type": "array"}))
VERSIONS = Field(
    "an object of texts or null",
    _DICT,
    _versions,
    schema=_schema("object", additionalProperties={"type": ["string", "null"]}),
)
