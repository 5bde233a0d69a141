"""The built-in functions of CESQL (CESQL 1.0, section 3.5), and the casts by name (3.7).

`IS_BOOL` and `IS_INT` of the drafts are no functions of version 1.0.
"""

from collections.abc import Mapping, Sequence

from embedded.dataplane.cesql.errors import ErrorKind, Fault
from embedded.dataplane.cesql.evaluation import Operation
from embedded.dataplane.cesql.values import LEAST, MOST

MAX_TEXT = 1_048_576
"""The most characters that CONCAT and CONCAT_WS join: an event is no larger, and a filter needs no more."""

WHITESPACE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
"""The characters with Unicode's property White_Space; Python's `strip` knows four control characters more."""


def _joined(delimiter: str, *texts: str) -> str:
    if sum(map(len, texts)) + len(delimiter) * max(len(texts) - 1, 0) > MAX_TEXT:
        raise Fault(ErrorKind.FUNCTION_EVALUATION, f"expected a text of {MAX_TEXT} characters at most, got more", "")
    return delimiter.join(texts)


def _left(text: str, count: int) -> str:
    _check_count("LEFT", text, count)
    return text[:count]


def _right(text: str, count: int) -> str:
    _check_count("RIGHT", text, count)
    return text[max(len(text) - count, 0) :]


def _check_count(name: str, text: str, count: int) -> None:
    if count < 0:
        raise Fault(ErrorKind.FUNCTION_EVALUATION, f"{name}: expected 0 characters or more, got {count}", text)


def _substring(text: str, position: int, count: int = MOST) -> str:
    if abs(position) > len(text):
        message = f"SUBSTRING: expected a position from -{len(text)} to {len(text)}, got {position}"
        raise Fault(ErrorKind.FUNCTION_EVALUATION, message, "")
    if count < 0:
        raise Fault(ErrorKind.FUNCTION_EVALUATION, f"SUBSTRING: expected 0 characters or more, got {count}", "")
    if position == 0:
        return ""
    start = position - 1 if position > 0 else len(text) + position
    return text[start : start + count]


def _absolute(value: int) -> int:
    if value == LEAST:
        raise Fault(ErrorKind.MATH, f"ABS: expected {LEAST + 1} or more, got {value}", MOST)
    return abs(value)


FUNCTIONS: Mapping[str, Sequence[Operation]] = {
    "LENGTH": (Operation((str,), int, len),),
    "CONCAT": (Operation((), str, lambda *texts: _joined("", *texts), rest=str),),
    "CONCAT_WS": (Operation((str,), str, _joined, rest=str),),
    "LOWER": (Operation((str,), str, str.lower),),
    "UPPER": (Operation((str,), str, str.upper),),
    "TRIM": (Operation((str,), str, lambda text: text.strip(WHITESPACE)),),
    "LEFT": (Operation((str, int), str, _left),),
    "RIGHT": (Operation((str, int), str, _right),),
    "SUBSTRING": (Operation((str, int), str, _substring), Operation((str, int, int), str, _substring)),
    "ABS": (Operation((int,), int, _absolute),),
    # The operand has been cast when the function gets it.
    "INT": (Operation((int,), int, lambda value: value),),
    "BOOL": (Operation((bool,), bool, lambda value: value),),
    "STRING": (Operation((str,), str, lambda value: value),),
}
