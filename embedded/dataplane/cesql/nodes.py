"""The parts of a parsed expression (CESQL 1.0, section 2). Chains are flat, so that a long one is no deep one."""

from dataclasses import dataclass
from typing import Protocol

from embedded.dataplane.cesql.errors import ErrorKind
from embedded.dataplane.cesql.evaluation import MISSING, Evaluation, Missing, Node, Operand
from embedded.dataplane.cesql.like import Pattern
from embedded.dataplane.cesql.values import Value


@dataclass(frozen=True, slots=True)
class Literal:
    """A literal."""

    value: Value

    def evaluate(self, run: Evaluation) -> Value:  # noqa: ARG002 - the shape of a node
        """Return the value."""
        return self.value


@dataclass(frozen=True, slots=True)
class Attribute:
    """The value of a context attribute."""

    name: str

    def evaluate(self, run: Evaluation) -> Operand:
        """Return the attribute's value; its absence is an error."""
        value = run.attributes.get(self.name, MISSING)
        if value is MISSING:
            run.fail(ErrorKind.MISSING_ATTRIBUTE, f"the event has no attribute {self.name}")
        return value


@dataclass(frozen=True, slots=True)
class Exists:
    """EXISTS."""

    name: str

    def evaluate(self, run: Evaluation) -> bool:
        """Return whether the event has the attribute."""
        return run.rules.exists(run.attributes, self.name)


@dataclass(frozen=True, slots=True)
class Unary:
    """Unary operators before one operand, the innermost first."""

    operators: tuple[str, ...]
    operand: Node

    def evaluate(self, run: Evaluation) -> Operand:
        """Return the operators' value."""
        value = self.operand.evaluate(run)
        for name in self.operators:
            value = run.rules.unary[name](run, value)
        return value


@dataclass(frozen=True, slots=True)
class Chain:
    """Operands between binary operators of one precedence, evaluated from left to right."""

    first: Node
    others: tuple[tuple[str, Node], ...]

    def evaluate(self, run: Evaluation) -> Operand:
        """Return the value of the chain."""
        value = self.first.evaluate(run)
        for name, operand in self.others:
            value = run.rules.binary[name](run, value, operand)
        return value


class Suffix(Protocol):
    """An operator behind its operand."""

    def apply(self, run: Evaluation, value: Operand) -> bool:
        """Return the operator's value."""


@dataclass(frozen=True, slots=True)
class Like:
    """LIKE or NOT LIKE."""

    pattern: Pattern
    negated: bool

    def apply(self, run: Evaluation, value: Operand) -> bool:
        """Return whether the operand, as a text, matches the pattern."""
        if value is MISSING:
            return False
        return run.rules.like(self.pattern, str(run.cast(value, str))) is not self.negated


@dataclass(frozen=True, slots=True)
class In:
    """IN or NOT IN."""

    elements: tuple[Node, ...]
    negated: bool

    def apply(self, run: Evaluation, value: Operand) -> bool:
        """Return whether the operand equals an element."""
        elements = [node.evaluate(run) for node in self.elements]
        present = [element for element in elements if not isinstance(element, Missing)]
        if isinstance(value, Missing) or len(present) < len(elements):
            return False
        return run.rules.contains(run, value, present) is not self.negated


@dataclass(frozen=True, slots=True)
class Suffixed:
    """An operand with operators behind it."""

    operand: Node
    suffixes: tuple[Suffix, ...]

    def evaluate(self, run: Evaluation) -> Operand:
        """Return the operators' value."""
        value = self.operand.evaluate(run)
        for suffix in self.suffixes:
            value = suffix.apply(run, value)
        return value


@dataclass(frozen=True, slots=True)
class Call:
    """The invocation of a function."""

    name: str
    arguments: tuple[Node, ...]

    def evaluate(self, run: Evaluation) -> Operand:
        """Return the function's value; a name or number of arguments that nobody has registered is an error."""
        overloads = run.rules.functions.get(self.name.upper(), ())
        operation = next((each for each in overloads if each.takes(len(self.arguments))), None)
        if operation is None:
            counted = f"{len(self.arguments)} argument{'' if len(self.arguments) == 1 else 's'}"
            run.fail(ErrorKind.MISSING_FUNCTION, f"there is no function {self.name} of {counted}")
            return False
        return run.apply(operation, [argument.evaluate(run) for argument in self.arguments])
