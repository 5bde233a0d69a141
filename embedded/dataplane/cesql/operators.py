"""The operators of CESQL (CESQL 1.0, section 3.4)."""

import operator
from collections.abc import Callable, Mapping, Sequence

from embedded.dataplane.cesql.errors import ErrorKind, Fault
from embedded.dataplane.cesql.evaluation import MISSING, Binary, Evaluation, Node, Operand, Operation, Unary
from embedded.dataplane.cesql.values import Type, Value, in_range


def strict(parameter: Type, returns: Type, compute: Callable[..., Value]) -> Binary:
    """Make a binary operator whose operands have one type, and are always evaluated."""
    operation = Operation((parameter, parameter), returns, compute)

    def binary(run: Evaluation, left: Operand, right: Node) -> Value:
        return run.apply(operation, (left, right.evaluate(run)))

    return binary


def equality(compare: Callable[[Value, Value], bool]) -> Binary:
    """Make an operator that is overloaded by type: the right operand's type is that of both (3.7)."""

    def binary(run: Evaluation, left: Operand, right: Node) -> Value:
        value = right.evaluate(run)
        if left is MISSING or value is MISSING:
            return False
        return compare(run.cast(left, type(value)), value)

    return binary


def lazy(*, decided_by: bool) -> Binary:
    """Make AND (decided by false) or OR (decided by true): so decided, the right operand is not evaluated (3.6)."""

    def binary(run: Evaluation, left: Operand, right: Node) -> Value:
        if left is MISSING:
            return False
        if run.cast(left, bool) == decided_by:
            return decided_by
        value = right.evaluate(run)
        return False if value is MISSING else run.cast(value, bool)

    return binary


def contains(run: Evaluation, value: Value, elements: Sequence[Value]) -> bool:
    """Return whether a value equals an element; elements are cast to the type of the value (3.4.5)."""
    return value in [run.cast(element, type(value)) for element in elements]


def negation(run: Evaluation, operand: Operand) -> Value:
    """Return the inverse of a Boolean or of a text that stands for one.

    For an Integer the table of casts (3.7) and the technology compatibility kit (`not_operator.yaml`, "Invalid int
    cast") differ. The kit decides: an error, and the inverse of the zero value.
    """
    if operand is MISSING:
        return False
    if type(operand) is int:
        run.fail(ErrorKind.CAST, f"NOT: expected a Boolean, got the Integer {operand}")
        return True
    return not run.cast(operand, bool)


_MINUS = Operation((int,), int, lambda value: in_range(-value))


def _divided(left: int, right: int) -> int:
    if right == 0:
        raise Fault(ErrorKind.MATH, f"{left} / 0: expected a divisor other than 0", 0)
    quotient = abs(left) // abs(right)
    return in_range(quotient if (left < 0) == (right < 0) else -quotient)


def _remainder(left: int, right: int) -> int:
    if right == 0:
        raise Fault(ErrorKind.MATH, f"{left} % 0: expected a divisor other than 0", 0)
    rest = abs(left) % abs(right)
    return -rest if left < 0 else rest


UNARY: Mapping[str, Unary] = {"NOT": negation, "-": lambda run, operand: run.apply(_MINUS, (operand,))}
BINARY: Mapping[str, Binary] = {
    "AND": lazy(decided_by=False),
    "OR": lazy(decided_by=True),
    "XOR": strict(bool, bool, operator.ne),
    "=": equality(operator.eq),
    "!=": equality(operator.ne),
    "<>": equality(operator.ne),
    "<": strict(int, bool, operator.lt),
    "<=": strict(int, bool, operator.le),
    ">": strict(int, bool, operator.gt),
    ">=": strict(int, bool, operator.ge),
    "+": strict(int, int, lambda left, right: in_range(left + right)),
    "-": strict(int, int, lambda left, right: in_range(left - right)),
    "*": strict(int, int, lambda left, right: in_range(left * right)),
    "/": strict(int, int, _divided),
    "%": strict(int, int, _remainder),
}
