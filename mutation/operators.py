"""The operators: which changes are made. cosmic-ray's, by kind, and three that it lacks, written as its own are.

Of cosmic-ray's operators these are left out: one that removes a decorator, since what is left seldom starts; two that
need names to work with; and those that put `is` where `==` was, which is the same for small numbers and short texts.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from cosmic_ray.operators.operator import Example, Operator
from cosmic_ray.operators.provider import OperatorProvider
from parso.python.tree import Keyword, Name, String

Place = tuple[tuple[int, int], tuple[int, int]]
"""Begin and end of a piece of source: (line, column), lines from 1, columns from 0."""
SUITE, MODULE = ("suite", "file_input")
_REMOVABLE = {"atom_expr", "power", "await_expr", "raise_stmt"}
_NAMED = re.compile(r"[A-Za-z]")


class RemoveStatement(Operator):  # type: ignore[misc]  # cosmic-ray ships no types
    """Replaces a statement that acts (a call, an assignment into an object, `raise`, `del` of an item) by `pass`."""

    def mutation_positions(self, node: Any) -> Iterator[Place]:
        """Tell where it can act on a node."""
        if node.type == "simple_stmt" and node.parent.type in (SUITE, MODULE) and _acts(node.children[0]):
            yield node.children[0].start_pos, node.children[0].end_pos

    def mutate(self, node: Any, index: int) -> Any:
        """Return the changed node."""
        del index
        removed = node.children[0]
        node.children[0] = Name("pass", removed.start_pos, prefix=removed.get_first_leaf().prefix)
        return node

    @classmethod
    def examples(cls) -> Sequence[Example]:
        """Tell what it does."""
        return (Example("f()", "pass"), Example("a.b = 1", "pass"), Example("raise E", "pass"))


def _acts(node: Any) -> bool:
    if node.type == "expr_stmt":
        target, operator = node.children[:2]
        into = target.type in ("atom_expr", "power")
        return into or (operator.type == "operator" and operator.value != "=")
    if node.type == "del_stmt":
        # A name that is deleted was an argument that nobody needs: without that nothing changes.
        target = node.children[1]
        targets = target.children if target.type == "exprlist" else [target]
        return any(one.type in {"atom_expr", "power"} for one in targets)
    return node.type in _REMOVABLE


class ReplaceMembership(Operator):  # type: ignore[misc]  # likewise
    """Turns `in` into `not in`, and back."""

    def mutation_positions(self, node: Any) -> Iterator[Place]:
        """Tell where it can act on a node."""
        if node.type == "comparison":
            yield from ((word.start_pos, word.end_pos) for word in _memberships(node))

    def mutate(self, node: Any, index: int) -> Any:
        """Return the changed node."""
        word = _memberships(node)[index]
        said = "in" if _words(word) == "not in" else "not in"
        changed = Keyword(said, word.start_pos, prefix=word.get_first_leaf().prefix)
        node.children[[child is word for child in node.children].index(True)] = changed
        return node

    @classmethod
    def examples(cls) -> Sequence[Example]:
        """Tell what it does."""
        return (Example("a in b", "a not in b"), Example("a not in b", "a in b"))


def _memberships(node: Any) -> list[Any]:
    return [word for word in node.children[1::2] if _words(word) in ("in", "not in")]


def _words(node: Any) -> str:
    return " ".join(node.get_code().split())


class ReplaceText(Operator):  # type: ignore[misc]  # likewise
    """Puts XX before a text that has a letter, as in a wrong name of a header."""

    def mutation_positions(self, node: Any) -> Iterator[Place]:
        """Tell where it can act on a node."""
        if isinstance(node, String) and _NAMED.search(_content(node)):
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        """Return the changed node."""
        del index
        content = _content(node)
        opening = len(node.value) - len(content) - (3 if node.value.endswith(('"""', "'''")) else 1)
        node.value = f"{node.value[:opening]}XX{node.value[opening:]}"
        return node

    @classmethod
    def examples(cls) -> Sequence[Example]:
        """Tell what it does."""
        return (Example('"id"', '"XXid"'), Example("b'id'", "b'XXid'"))


def _content(node: Any) -> str:
    quote = node.value[-3:] if node.value.endswith(('"""', "'''")) else node.value[-1]
    return str(node.value.partition(quote)[2].removesuffix(quote))


KINDS = {
    "arithmetic": r"ReplaceBinaryOperator_|ReplaceUnaryOperator_(?!.*Not)",
    "comparison": r"ReplaceComparisonOperator_(?!(Eq|NotEq|Lt|LtE|Gt|GtE)_Is|Is_Eq|IsNot_NotEq)|ReplaceMembership",
    "logic": r"ReplaceUnaryOperator_Delete_Not|ReplaceAndWithOr|ReplaceOrWithAnd",
    "constant": r"NumberReplacer|ReplaceTrueWithFalse|ReplaceFalseWithTrue|ReplaceText",
    "branch": r"AddNot|ZeroIterationForLoop|ReplaceBreakWithContinue|ReplaceContinueWithBreak|ExceptionReplacer",
    "statement": r"RemoveStatement",
}
"""Kinds of changes: the names of their operators, as patterns."""

_PROVIDER = OperatorProvider()
_ALL: dict[str, type[Operator]] = {
    **{name: _PROVIDER[name] for name in _PROVIDER},
    **{operator.__name__: operator for operator in (RemoveStatement, ReplaceMembership, ReplaceText)},
}
OPERATORS: dict[str, tuple[str, Any]] = {
    name: (kind, operator())
    for name, operator in _ALL.items()
    for kind, pattern in KINDS.items()
    if re.match(pattern, name)
}
"""Kind and operator, by the operator's name."""
