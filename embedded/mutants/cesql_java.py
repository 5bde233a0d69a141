"""CESQL as the Kafka Broker's dispatcher evaluates it: with the Java SDK of CloudEvents."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lark import Token

from embedded.dataplane.cesql import EvaluationError
from embedded.dataplane.cesql.evaluation import MISSING, Evaluation, Node, Operand, Operation
from embedded.dataplane.cesql.grammar import Builder, parser
from embedded.dataplane.cesql.nodes import Suffix
from embedded.dataplane.cesql.values import Value
from embedded.dataplane.policies import DataPlanePolicies
from embedded.mutants.cesql import CUTTING, counting_units, dialect_of, with_rules
from embedded.mutants.hosts import DATA_PLANE
from embedded.mutants.registry import divergence


@dataclass(frozen=True, slots=True)
class _FromTheRight:
    """Operands between AND, OR and XOR, of which the last two belong together, then these and the one before."""

    operands: tuple[Node, ...]
    operators: tuple[str, ...]

    def evaluate(self, run: Evaluation) -> bool:
        """Return the value; an operand that the event lacks is false."""
        inverted = False  # by the true operands of XOR so far
        for operand, name in zip(self.operands, self.operators, strict=False):
            value = self._truth(run, operand)
            if name == "XOR":
                inverted ^= value
            elif value == (name == "OR"):
                return value ^ inverted
        return self._truth(run, self.operands[-1]) ^ inverted

    def _truth(self, run: Evaluation, operand: Node) -> bool:
        value = operand.evaluate(run)
        return value is not MISSING and bool(run.cast(value, bool))


@dataclass(frozen=True, slots=True)
class _OrFalse:
    """An operand that is false where the event lacks it."""

    operand: Node

    def evaluate(self, run: Evaluation) -> Value:
        value = self.operand.evaluate(run)
        return False if value is MISSING else value


class _AsInJava(Builder):
    def expression(self, parts: list[Any]) -> Node:
        return _FromTheRight(tuple(parts[::2]), tuple(str(name).upper() for name in parts[1::2]))

    def suffixed(self, parts: list[Any]) -> Node:
        return super().suffixed([_OrFalse(parts[0]), *parts[1:]])

    def membership(self, parts: list[Any]) -> Suffix:
        return super().membership([part if isinstance(part, Token) else _OrFalse(part) for part in parts])

    def call(self, parts: list[Any]) -> Node:
        return super().call([parts[0], *map(_OrFalse, parts[1:])])


_BUILDER = _AsInJava()

_JAVA = "".join(map(chr, range(0x21)))
"""The characters that `String.trim` of Java takes away."""


@divergence(
    DATA_PLANE,
    replaces=(
        "matcher.dialects.cesql.rules.parse",
        "matcher.dialects.cesql.rules.unary.NOT",
        *(f"matcher.dialects.cesql.rules.functions.{name}" for name in ("TRIM", *CUTTING)),
        "matcher.dialects.cesql.rules.passes",
    ),
)
def cesql_as_sdk_java(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Evaluate CESQL as cloudevents-sql 4.0.1 and `CeSqlFilter` do (Kafka Broker 1.22.3, seen).

    AND, OR and XOR group from the right; TRIM knows ASCII only; errors do not count, and any value is cast. An
    attribute that the event lacks is false for LIKE, IN and functions. Texts are counted by units of UTF-16 (read).
    """

    def inverse(run: Evaluation, operand: Operand) -> Value:
        return operand is not MISSING and not run.cast(operand, bool)

    def passes(value: Value, _errors: Sequence[EvaluationError]) -> bool:
        return value.lower() == "true" if isinstance(value, str) else bool(value)

    rules = dialect_of(honest).rules
    return with_rules(
        honest,
        parse=parser(builder=_BUILDER),
        unary={**rules.unary, "NOT": inverse},
        functions={
            **rules.functions,
            **{name: tuple(map(counting_units, rules.functions[name])) for name in CUTTING},
            "TRIM": (Operation((str,), str, lambda text: text.strip(_JAVA)),),
        },
        passes=passes,
    )
