"""The evaluation of an expression: a value, and the errors on the way (CESQL 1.0, sections 3.2 and 3.3).

The evaluation is complete: after an error it goes on with the value that the operation has in spite of it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Protocol, TypeAlias

from embedded.dataplane.cesql.errors import ErrorKind, EvaluationError, Fault
from embedded.dataplane.cesql.like import Pattern
from embedded.dataplane.cesql.values import Type, Value


class Missing(Enum):
    """What an attribute that the event lacks has instead of a value."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING
Operand: TypeAlias = Value | Missing


class Node(Protocol):
    """A part of a parsed expression."""

    def evaluate(self, run: "Evaluation") -> Operand:
        """Return its value; errors go into `run`."""


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation on values: an operator, or one overload of a function.

    Attributes:
        parameters: The types of its operands.
        returns: The type of its value.
        compute: The function from operands of these types to the value; it may raise a `Fault`.
        rest: The type of any further operands; None when there can be none.
    """

    parameters: tuple[Type, ...]
    returns: Type
    compute: Callable[..., Value]
    rest: Type | None = None

    def takes(self, count: int) -> bool:
        """Return whether the operation has an overload for so many operands."""
        return count == len(self.parameters) or (self.rest is not None and count > len(self.parameters))


Unary: TypeAlias = Callable[["Evaluation", Operand], Value]
"""A unary operator."""
Binary: TypeAlias = Callable[["Evaluation", Operand, Node], Value]
"""A binary operator, from its left value and its right operand, which it evaluates if it needs to."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The rules of the language, each replaceable alone.

    Attributes:
        parse: The function from an expression's text to its root.
        cast: The cast of a value to a type; it may raise a `Fault`.
        unary: The unary operators by name, in capitals.
        binary: The binary operators by name, in capitals.
        like: The match of a LIKE.
        exists: The operator EXISTS, from the attributes and a name.
        contains: The operator IN, from the left value and the elements' values.
        functions: The overloads of functions by name, in capitals.
        passes: The outcome of a filter, from the value of its expression and the errors.
    """

    parse: Callable[[str], Node]
    cast: Callable[[Value, Type], Value]
    unary: Mapping[str, Unary]
    binary: Mapping[str, Binary]
    like: Callable[[Pattern, str], bool]
    exists: Callable[[Mapping[str, Value], str], bool]
    contains: Callable[["Evaluation", Value, Sequence[Value]], bool]
    functions: Mapping[str, Sequence[Operation]]
    passes: Callable[[Value, Sequence[EvaluationError]], bool]


@dataclass(slots=True)
class Evaluation:
    """One evaluation.

    Attributes:
        rules: The rules of the language.
        attributes: The context attributes of the event, by name.
        errors: The errors so far.
    """

    rules: Rules
    attributes: Mapping[str, Value]
    errors: list[EvaluationError] = field(default_factory=list)

    def fail(self, kind: ErrorKind, message: str) -> None:
        """Note an error."""
        self.errors.append(EvaluationError(kind, message))

    def cast(self, value: Value, target: Type) -> Value:
        """Return a value as one of another type; what cannot be cast is an error, and the type's zero value."""
        try:
            return self.rules.cast(value, target)
        except Fault as fault:
            self.fail(fault.kind, str(fault))
            return fault.value

    def apply(self, operation: Operation, operands: Sequence[Operand]) -> Value:
        """Return the value of an operation, or its zero value where an operand is missing (3.2)."""
        values: list[Value] = []
        for number, operand in enumerate(operands):
            if operand is MISSING:
                return operation.returns()
            parameters = operation.parameters
            target = parameters[number] if number < len(parameters) else operation.rest
            values.append(operand if target is None else self.cast(operand, target))
        try:
            return operation.compute(*values)
        except Fault as fault:
            self.fail(fault.kind, str(fault))
            return fault.value
