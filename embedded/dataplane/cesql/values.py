"""Values of CESQL and the casts between their types (CESQL 1.0, sections 3.1 and 3.7)."""

import re
from typing import TypeAlias

from embedded.dataplane.cesql.errors import ErrorKind, Fault

Value: TypeAlias = str | int | bool
"""A String, an Integer or a Boolean. Python's `bool` is an `int` too, so types are compared by identity."""
Type: TypeAlias = type[str] | type[int] | type[bool]

LEAST, MOST = -(2**31), 2**31 - 1
_INTEGER = re.compile(r"[+-]?0*([0-9]{1,10})", re.ASCII)
_NAMES: dict[Type, str] = {str: "String", int: "Integer", bool: "Boolean"}


def cast(value: Value, target: Type) -> Value:
    """Return a value as one of another type.

    Raises:
        Fault: The text is no Integer or no Boolean; the value is then the zero value of the type.
    """
    if type(value) is target:
        return value
    if target is str:
        return str(value).lower() if isinstance(value, bool) else str(value)
    if not isinstance(value, str):
        return target(value)
    return _integer(value) if target is int else _boolean(value)


def in_range(value: int) -> int:
    """Return the result of an arithmetic operation.

    Raises:
        Fault: It is no 32-bit signed integer. The specification gives no value for that, hence the zero value (3.3).
    """
    if LEAST <= value <= MOST:
        return value
    raise Fault(ErrorKind.MATH, f"expected a result from {LEAST} to {MOST}, got {value}", 0)


def _integer(text: str) -> int:
    found = _INTEGER.fullmatch(text)
    # The digits are few now, whatever the number of leading zeros.
    value = int(f"-{found[1]}" if text.startswith("-") else found[1]) if found else None
    if value is None or not LEAST <= value <= MOST:
        raise Fault(ErrorKind.CAST, f"expected a 32-bit integer in base 10, got {_short(text)}", 0)
    return value


def _boolean(text: str) -> bool:
    lower = text.lower()
    if lower not in {"true", "false"}:
        raise Fault(ErrorKind.CAST, f"expected true or false, got {_short(text)}", value=False)
    return lower == "true"


def name_of(target: Type) -> str:
    """Return the name of a type in the words of the specification."""
    return _NAMES[target]


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:40]}…")
