"""CESQL as a whole: its rules, and expressions that are read once and evaluated on many events."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from embedded.dataplane.cesql.errors import EvaluationError
from embedded.dataplane.cesql.evaluation import MISSING, Evaluation, Node, Rules
from embedded.dataplane.cesql.functions import FUNCTIONS
from embedded.dataplane.cesql.grammar import parse
from embedded.dataplane.cesql.like import Pattern
from embedded.dataplane.cesql.operators import BINARY, UNARY, contains
from embedded.dataplane.cesql.values import Value, cast


@dataclass(frozen=True, slots=True)
class Outcome:
    """The two results of an evaluation.

    Attributes:
        value: The value, a Boolean false where the whole expression is an attribute that the event lacks.
        errors: The errors, in the order in which they arose.
    """

    value: Value
    errors: tuple[EvaluationError, ...] = ()


def passes(value: Value, errors: Sequence[EvaluationError]) -> bool:
    """Return whether an event passes a filter: the value is the Boolean true, and there was no error (1.2)."""
    return value is True and not errors


RULES = Rules(
    parse=parse,
    cast=cast,
    unary=UNARY,
    binary=BINARY,
    like=Pattern.matches,
    exists=lambda attributes, name: name in attributes,
    contains=contains,
    functions=FUNCTIONS,
    passes=passes,
)
"""The rules of CESQL 1.0."""


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression that was read.

    Attributes:
        root: The outermost operation.
        rules: The rules of the language.
    """

    root: Node
    rules: Rules = RULES

    @classmethod
    def of(cls, text: str, rules: Rules = RULES) -> "Expression":
        """Read an expression.

        Raises:
            ParseError: It is none, or too long or too deep.
        """
        return cls(rules.parse(text), rules)

    def evaluate(self, attributes: Mapping[str, Value]) -> Outcome:
        """Return the value for an event with these context attributes, and the errors."""
        run = Evaluation(self.rules, attributes)
        value = self.root.evaluate(run)
        return Outcome(False if value is MISSING else value, tuple(run.errors))

    def matches(self, attributes: Mapping[str, Value]) -> bool:
        """Return whether an event passes the expression as a filter."""
        outcome = self.evaluate(attributes)
        return self.rules.passes(outcome.value, outcome.errors)
