"""Trigger filters: `filter.attributes` and the dialects of `filters`, compiled once per Trigger to one predicate.

Sources: knative/specs control-plane (TriggerFilter) and the CloudEvents Subscriptions API draft, 3.2.4. Its dialect
`sql` is called `cesql` in a Trigger.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from embedded.dataplane.cesql import RULES, Expression, ParseError
from embedded.dataplane.cesql.evaluation import Rules
from embedded.dataplane.cloudevents import CloudEvent
from embedded.dataplane.specs import TriggerSpec

Attributes = Mapping[str, str]
Predicate = Callable[[Attributes], bool]
Compare = Callable[[str, str], bool]
"""A comparison of (value in the event, value in the filter)."""


class UnsupportedFilterError(ValueError):
    """A filter that cannot be compiled; the text names its path."""


@dataclass(frozen=True, kw_only=True)
class Matcher:
    """The rules of filtering, each replaceable alone.

    Attributes:
        view: The function from an event to the attributes that filters see.
        legacy: The match of one entry of `filter.attributes`: (attributes, name, expected).
        every: The conjunction of the entries of one object.
        nothing: The outcome where neither `filter` nor `filters` is set.
        joined: The conjunction of the expressions of `filters`.
        dialects: The compilers of expressions by dialect; they get the Matcher for nested expressions.
        effective: The choice between `filter` and `filters`.
        settled: The function from a compiled filter to what the dispatcher asks.
    """

    view: Callable[[CloudEvent], Attributes] = lambda event: event.attributes
    legacy: Callable[[Attributes, str, str], bool] = lambda attributes, name, expected: (
        name in attributes and expected in {"", attributes[name]}
    )
    every: Callable[[Iterable[bool]], bool] = all
    nothing: Callable[[TriggerSpec], bool] = lambda _: True
    joined: Callable[[Iterable[bool]], bool] = all
    dialects: Mapping[str, "Dialect"] = field(default_factory=lambda: DIALECTS)
    effective: Callable[[TriggerSpec], tuple[Mapping[str, Any] | None, Sequence[Mapping[str, Any]] | None]] = (
        lambda spec: (None, spec.filters) if spec.filters else (spec.filter, None)
    )

    settled: Callable[[Callable[[CloudEvent], bool]], Callable[[CloudEvent], bool]] = lambda matches: matches

    def compile(self, spec: TriggerSpec) -> Callable[[CloudEvent], bool]:
        """Make the predicate of a Trigger.

        Raises:
            UnsupportedFilterError: An expression has an unknown dialect, or the wrong shape.
        """
        return self.settled(self._compile(spec))

    def _compile(self, spec: TriggerSpec) -> Callable[[CloudEvent], bool]:
        legacy, expressions = self.effective(spec)
        if expressions:
            parts = [self.expression(item, f"filters[{number}]") for number, item in enumerate(expressions)]
            return lambda event: self.joined(part(attributes) for attributes in [self.view(event)] for part in parts)
        expected = _strings((legacy or {}).get("attributes") or {}, "filter.attributes")
        if expected:
            return lambda event: self.every(
                self.legacy(self.view(event), name, text) for name, text in expected.items()
            )
        outcome = self.nothing(spec)
        return lambda _: outcome

    def expression(self, item: Any, path: str) -> Predicate:
        """Compile one expression of the `filters` array, or one nested in it; `path` is for messages."""
        if not isinstance(item, Mapping):
            raise UnsupportedFilterError(f"{path} is no object")
        parts = []
        for name, argument in item.items():
            if name not in self.dialects:
                raise UnsupportedFilterError(f"{path}: dialect {name!r} is none of {', '.join(self.dialects)}")
            parts.append(self.dialects[name](self, argument, f"{path}.{name}"))
        return lambda attributes: all(part(attributes) for part in parts)


Dialect = Callable[[Matcher, Any, str], Predicate]
"""A function from (matcher, the expression's argument, its path for messages) to a predicate."""


def comparing(compare: Compare) -> Dialect:
    """Make a dialect of attribute names and values: each attribute must be present and agree with its value."""

    def dialect(_: Matcher, argument: Any, path: str) -> Predicate:
        expected = _strings(argument, path)
        return lambda attributes: all(
            name in attributes and compare(attributes[name], text) for name, text in expected.items()
        )

    return dialect


def combining(combine: Callable[[Iterable[bool]], bool]) -> Dialect:
    """Make a dialect of a list of expressions."""

    def dialect(matcher: Matcher, argument: Any, path: str) -> Predicate:
        if not isinstance(argument, Sequence) or isinstance(argument, str):
            raise UnsupportedFilterError(f"{path} is no list")
        parts = [matcher.expression(item, f"{path}[{number}]") for number, item in enumerate(argument)]
        return lambda attributes: combine(part(attributes) for part in parts)

    return dialect


def negation(matcher: Matcher, argument: Any, path: str) -> Predicate:
    """Compile `not`: the inverse of its expression, whatever makes that one false."""
    inner = matcher.expression(argument, path)
    return lambda attributes: not inner(attributes)


@dataclass(frozen=True, slots=True)
class Cesql:
    """The dialect `cesql`: the value of the expression is true, and no error arose (Subscriptions API, 3.2.4.1.2).

    Attributes:
        rules: The rules of the language.
    """

    rules: Rules = RULES

    def __call__(self, _matcher: Matcher, argument: Any, path: str) -> Predicate:
        """Compile an expression.

        Raises:
            UnsupportedFilterError: It is no expression.
        """
        if not isinstance(argument, str):
            raise UnsupportedFilterError(f"{path} is no text")
        try:
            return Expression.of(argument, self.rules).matches
        except ParseError as error:
            raise UnsupportedFilterError(f"{path}: {error}") from error


DIALECTS: Mapping[str, Dialect] = {
    "exact": comparing(str.__eq__),
    "prefix": comparing(str.startswith),
    "suffix": comparing(str.endswith),
    "all": combining(all),
    "any": combining(any),
    "not": negation,
    "cesql": Cesql(),
}


def _strings(argument: Any, path: str) -> Mapping[str, str]:
    if not isinstance(argument, Mapping) or not all(isinstance(text, str) for text in argument.values()):
        raise UnsupportedFilterError(f"{path} is no object of strings")
    return argument
