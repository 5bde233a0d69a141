"""Mutants of the filter dialect `cesql`."""

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any

from embedded.dataplane.cesql import ErrorKind, EvaluationError, Expression, ParseError
from embedded.dataplane.cesql.errors import Fault
from embedded.dataplane.cesql.evaluation import Binary, Evaluation, Node, Operation
from embedded.dataplane.cesql.functions import FUNCTIONS
from embedded.dataplane.cesql.grammar import GRAMMAR, parser
from embedded.dataplane.cesql.like import Pattern
from embedded.dataplane.cesql.nodes import Chain, Literal, Unary
from embedded.dataplane.cesql.operators import equality, strict
from embedded.dataplane.cesql.values import Type, Value, cast
from embedded.dataplane.cloudevents.event import CORE
from embedded.dataplane.filters import Attributes, Cesql, Dialect, Matcher, Predicate
from embedded.dataplane.policies import DataPlanePolicies
from embedded.mutants.hosts import DATA_PLANE
from embedded.mutants.registry import mutant

LOGIC = "comparison ((AND | OR | XOR) comparison)*"


def dialect_of(honest: DataPlanePolicies) -> Cesql:
    """Return the dialect of policies."""
    dialect = honest.matcher.dialects["cesql"]
    if not isinstance(dialect, Cesql):
        raise TypeError(f"expected the dialect of CESQL, got {dialect!r}")
    return dialect


def _with(honest: DataPlanePolicies, dialect: Cesql) -> DataPlanePolicies:
    dialects: Mapping[str, Dialect] = {**honest.matcher.dialects, "cesql": dialect}
    return replace(honest, matcher=replace(honest.matcher, dialects=dialects))


def with_rules(honest: DataPlanePolicies, **rules: Any) -> DataPlanePolicies:
    """Return policies with other rules of CESQL."""
    return _with(honest, Cesql(replace(dialect_of(honest).rules, **rules)))


def _reading(honest: DataPlanePolicies, grammar: str) -> DataPlanePolicies:
    """Return policies that read by another grammar than the webhook; what it cannot read is false."""
    reads = parser(grammar)

    def parse(text: str) -> Node:
        try:
            return reads(text)
        except ParseError:
            return Literal(value=False)

    return with_rules(honest, parse=parse)


def _operators(honest: DataPlanePolicies, **binary: Binary) -> DataPlanePolicies:
    return with_rules(honest, binary={**dialect_of(honest).rules.binary, **binary})


@mutant(DATA_PLANE, replaces="matcher.dialects.cesql.rules.parse")
def cesql_keywords_case_sensitive(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Read keywords in capitals only; what cannot be read is false (the webhook's parser is another one)."""
    return _reading(honest, GRAMMAR.replace("/i\n", "/\n"))


@mutant(DATA_PLANE, replaces="matcher.dialects.cesql.rules.parse")
def cesql_keywords_begin_names(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take the beginning of a name for a keyword: `notes` for NOT and `es`."""
    begun = r"(?:\b|(?=[a-z0-9]+\b(?!\s*\()))/i"  # names of functions are spared
    return _reading(honest, GRAMMAR.replace(r"\b/i", begun))


@mutant(DATA_PLANE, wraps="matcher.dialects.cesql.rules.parse")
def cesql_parentheses_counted(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take an expression of more than 32 parentheses for false, however few of them are open at once."""
    parsed = dialect_of(honest).rules.parse
    return with_rules(honest, parse=lambda text: Literal(value=False) if text.count("(") > 32 else parsed(text))


@mutant(DATA_PLANE, wraps="matcher.dialects.cesql.rules.contains")
def cesql_sets_cut(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Look at the first sixteen elements of a set only."""
    contains = dialect_of(honest).rules.contains
    return with_rules(honest, contains=lambda run, value, elements: contains(run, value, elements[:16]))


@mutant(DATA_PLANE, replaces="matcher.dialects.cesql.rules.parse")
def cesql_and_before_or(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Let AND bind tighter than OR and XOR, as SQL does (they have one precedence, from left to right)."""
    tighter = """conjunction ((OR | XOR) conjunction)*
    ?conjunction: comparison
                | comparison (AND comparison)+ -> expression"""
    return with_rules(honest, parse=parser(GRAMMAR.replace(LOGIC, tighter)))


@mutant(DATA_PLANE, replaces="matcher.dialects.cesql.rules.parse")
def cesql_not_takes_first_operand(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Negate the first operand alone where NOT stands before operands in parentheses."""
    parsed = dialect_of(honest).rules.parse

    def moved(node: Any) -> Any:
        if isinstance(node, tuple):
            return tuple(map(moved, node))
        if not is_dataclass(node) or isinstance(node, type):
            return node
        node = replace(node, **{each.name: moved(getattr(node, each.name)) for each in fields(node) if each.init})
        if isinstance(node, Unary) and node.operators == ("NOT",) and isinstance(node.operand, Chain):
            return replace(node.operand, first=Unary(node.operators, node.operand.first))
        return node

    return with_rules(honest, parse=lambda text: moved(parsed(text)))


@mutant(DATA_PLANE, replaces=("matcher.dialects.cesql.rules.binary.=", "matcher.dialects.cesql.rules.binary.!="))
def cesql_text_ignores_case(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Compare texts without regard to case."""

    def folded(value: Value) -> Value:
        return value.casefold() if isinstance(value, str) else value

    return _operators(
        honest,
        **{
            "=": equality(lambda left, right: folded(left) == folded(right)),
            "!=": equality(lambda left, right: folded(left) != folded(right)),
        },
    )


@mutant(DATA_PLANE, replaces="matcher.dialects.cesql.rules.binary.=")
def cesql_compares_as_text(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Compare all values as texts (the type of the right one counts)."""
    return _operators(honest, **{"=": strict(str, bool, str.__eq__)})


@mutant(DATA_PLANE, replaces=("matcher.dialects.cesql.rules.binary.<", "matcher.dialects.cesql.rules.binary.>"))
def cesql_integers_as_text(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Order integers as texts: 10 comes before 9."""
    return _operators(honest, **{"<": strict(str, bool, str.__lt__), ">": strict(str, bool, str.__gt__)})


@mutant(DATA_PLANE, replaces="matcher.dialects.cesql.rules.like")
def cesql_like_as_contains(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Look for the pattern of LIKE anywhere in the value."""
    return with_rules(honest, like=lambda pattern, value: Pattern.of(f"%{pattern.text}%").matches(value))


@mutant(DATA_PLANE, replaces="matcher.dialects.cesql.rules.like")
def cesql_like_escapes_ignored(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take the escaped wildcards of LIKE for wildcards."""
    return with_rules(honest, like=lambda pattern, value: Pattern.of(pattern.text.replace("\\", "")).matches(value))


@mutant(DATA_PLANE, wraps="matcher.dialects.cesql.rules.like")
def cesql_like_alternates(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take a bar in the pattern of LIKE for a choice, as a regular expression does."""
    like = dialect_of(honest).rules.like
    return with_rules(
        honest,
        like=lambda pattern, value: any(like(Pattern.of(part), value) for part in pattern.text.split("|")),
    )


@mutant(DATA_PLANE, wraps="matcher.dialects.cesql.rules.like")
def cesql_like_quote_ends(honest: DataPlanePolicies) -> DataPlanePolicies:
    r"""Match nothing by a pattern of LIKE with `\E`, which ends a quotation there (cloudevents-sql 4.0.1, seen)."""
    like = dialect_of(honest).rules.like
    return with_rules(honest, like=lambda pattern, value: r"\E" not in pattern.text and like(pattern, value))


_LINE_ENDS = frozenset("\n\r\x85\u2028\u2029")


@mutant(DATA_PLANE, wraps="matcher.dialects.cesql.rules.like")
def cesql_like_by_lines(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Let no wildcard of LIKE stand for the end of a line (cloudevents-sql 4.0.1, seen: a `.` without DOTALL)."""
    like = dialect_of(honest).rules.like
    return with_rules(
        honest,
        like=lambda pattern, value: not (_LINE_ENDS & set(value)) - set(pattern.text) and like(pattern, value),
    )


@mutant(DATA_PLANE, replaces="matcher.dialects.cesql.rules.exists")
def cesql_exists_ignores_extensions(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Find no extension attribute with EXISTS."""
    return with_rules(honest, exists=lambda attributes, name: name in attributes and name in CORE)


@mutant(DATA_PLANE, replaces="matcher.dialects.cesql.rules.contains")
def cesql_in_casts_left(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Cast the left value of IN to the type of each element (the elements are cast to its type)."""

    def contains(run: Evaluation, value: Value, elements: Sequence[Value]) -> bool:
        return any(run.cast(value, type(element)) == element for element in elements)

    return with_rules(honest, contains=contains)


@mutant(DATA_PLANE, replaces=("matcher.dialects.cesql.rules.binary.AND", "matcher.dialects.cesql.rules.binary.OR"))
def cesql_both_operands_evaluated(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Evaluate both operands of AND and OR, errors included (knative/eventing issue 7653)."""
    return _operators(honest, AND=strict(bool, bool, operator.and_), OR=strict(bool, bool, operator.or_))


@mutant(DATA_PLANE, replaces="matcher.dialects.cesql.rules.binary./")
def cesql_division_floors(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Round quotients down (they are rounded towards 0)."""

    def divided(left: int, right: int) -> int:
        if right == 0:
            raise Fault(ErrorKind.MATH, f"{left} / 0", 0)
        return left // right

    return _operators(honest, **{"/": strict(int, int, divided)})


@mutant(DATA_PLANE, replaces="matcher.dialects.cesql.rules.functions.SUBSTRING")
def cesql_substring_from_zero(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Count characters from 0 in SUBSTRING (the first one is 1)."""

    def shifted(operation: Operation) -> Operation:
        def compute(text: str, position: int, *count: int) -> Value:
            return operation.compute(text, position + 1 if position >= 0 else position, *count)

        return replace(operation, compute=compute)

    functions = {**FUNCTIONS, "SUBSTRING": tuple(map(shifted, FUNCTIONS["SUBSTRING"]))}
    return with_rules(honest, functions=functions)


CUTTING = ("LENGTH", "LEFT", "RIGHT", "SUBSTRING")
"""The functions that count characters."""
_BY_UNITS = tuple(f"matcher.dialects.cesql.rules.functions.{name}" for name in CUTTING)


def counting_units(operation: Operation) -> Operation:
    """Return a function that counts units of UTF-16 in place of characters."""

    def compute(text: Any, *more: Any) -> Value:
        value = operation.compute(_units(text), *more)
        return (
            value if not isinstance(value, str) else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        )

    return replace(operation, compute=compute)


def _units(text: str) -> str:
    """Return a text whose characters are the units of another one in UTF-16."""
    octets = text.encode("utf-16-le", "surrogatepass")
    return "".join(chr(int.from_bytes(octets[place : place + 2], "little")) for place in range(0, len(octets), 2))


@mutant(DATA_PLANE, replaces=_BY_UNITS)
def cesql_counts_units(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Count units of UTF-16, of which an emoji has two (cloudevents-sql 4.0.1: String.length)."""
    changed = {name: tuple(map(counting_units, FUNCTIONS[name])) for name in CUTTING}
    return with_rules(honest, functions={**dialect_of(honest).rules.functions, **changed})


_ENDLESS: Mapping[str, Callable[[int, int], int]] = {"+": operator.add, "-": operator.sub, "*": operator.mul}


@mutant(DATA_PLANE, replaces=tuple(f"matcher.dialects.cesql.rules.binary.{name}" for name in _ENDLESS))
def cesql_integers_unbounded(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Add, subtract and multiply without a bound (integers have 32 bits)."""
    return _operators(honest, **{name: strict(int, int, compute) for name, compute in _ENDLESS.items()})


@mutant(DATA_PLANE, replaces="matcher.dialects.cesql.rules.cast")
def cesql_casts_leniently(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Cast texts that only look like integers or Booleans."""

    def lenient(value: Value, target: Type) -> Value:
        text = value.strip().lower().replace("_", "") if isinstance(value, str) else ""
        if target is bool and text in {"1", "yes", "on", "t"}:
            return True
        if target is int and re.fullmatch(r"[+-]?[0-9]{1,9}(\.[0-9]+)?", text):
            return int(text.partition(".")[0])
        return cast(text if text in {"true", "false"} and target is bool else value, target)

    return with_rules(honest, cast=lenient)


@mutant(DATA_PLANE, replaces="matcher.dialects.cesql.rules.passes")
def cesql_errors_ignored(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Let an event pass when the value is true, whatever errors there were (eventing-kafka-broker `CeSqlFilter`)."""
    return with_rules(honest, passes=lambda value, _errors: value is True)


@mutant(DATA_PLANE, replaces="matcher.dialects.cesql.rules.passes")
def cesql_truthy(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Let an event pass when the value casts to true (only the Boolean does)."""

    def passes(value: Value, errors: Sequence[EvaluationError]) -> bool:
        return not errors and (value == "true" if isinstance(value, str) else bool(cast(value, bool)))

    return with_rules(honest, passes=passes)


class _Empty(dict[str, Value]):
    """Attributes, of which the absent ones are empty texts."""

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ARG002 -- the shape of a mapping
        return super().get(name, "")


class _Compiling(Cesql):
    """The dialect with other predicates."""

    def predicate(self, expression: Expression) -> Predicate:
        """Return the predicate of an expression."""
        raise NotImplementedError

    def __call__(self, _matcher: Matcher, argument: Any, _path: str) -> Predicate:
        """Compile an expression."""
        return self.predicate(Expression.of(argument, self.rules))


class _MissingIsEmpty(_Compiling):
    def predicate(self, expression: Expression) -> Predicate:
        return lambda attributes: expression.matches(_Empty(attributes))


class _Stopping(_Compiling):
    def predicate(self, expression: Expression) -> Predicate:
        stopped = False

        def matches(attributes: Attributes) -> bool:
            nonlocal stopped
            outcome = expression.evaluate(attributes)
            stopped = stopped or bool(outcome.errors)
            return not stopped and self.rules.passes(outcome.value, outcome.errors)

        return matches


@mutant(DATA_PLANE, replaces="matcher.dialects.cesql")
def cesql_missing_is_empty(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take an absent attribute for an empty text (it is an error)."""
    return _with(honest, _MissingIsEmpty(dialect_of(honest).rules))


@mutant(DATA_PLANE, replaces="matcher.dialects.cesql")
def cesql_error_stops_trigger(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Match nothing any more after an evaluation with an error."""
    return _with(honest, _Stopping(dialect_of(honest).rules))
