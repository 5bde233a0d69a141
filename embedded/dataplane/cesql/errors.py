"""What goes wrong in a CESQL expression (CESQL 1.0, section 3.3): at once when it is read, or while it is evaluated."""

from dataclasses import dataclass
from enum import StrEnum


class ErrorKind(StrEnum):
    """The types of errors that every engine knows."""

    PARSE = "parse"
    MATH = "math"
    CAST = "cast"
    MISSING_ATTRIBUTE = "missingAttribute"
    MISSING_FUNCTION = "missingFunction"
    FUNCTION_EVALUATION = "functionEvaluation"
    GENERIC = "generic"


@dataclass(frozen=True, slots=True)
class EvaluationError:
    """An error of an evaluation, beside which there always is a value.

    Attributes:
        kind: The type of the error.
        message: The explanation, for people.
    """

    kind: ErrorKind
    message: str


class ParseError(ValueError):
    """A text that is no CESQL expression, or one that is too long or too deep; says where."""


class Fault(Exception):  # noqa: N818 - no error of a program: the second result of an operation
    """The error of one operation, with the value that the operation has all the same.

    Attributes:
        kind: The type of the error.
        value: The value of the operation.
    """

    def __init__(self, kind: ErrorKind, message: str, value: str | int) -> None:
        super().__init__(message)
        self.kind = kind
        self.value = value
