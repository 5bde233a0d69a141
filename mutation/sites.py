"""Where a module can be changed: the places at which operators act, and at which a change means something."""

import ast
import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code

from mutation.operators import MODULE, OPERATORS, SUITE

BINARY = frozenset(["+", "-", "*", "/", "//", "%", "**", ">>", "<<", "|", "&", "^"])
_LOGS = re.compile(r"^_?(log|logger|logging|LOG|LOGGER)$")
_TYPE_NAME = re.compile(r"^([A-Z]\w*|str|int|float|bool|bytes|list|dict|tuple|set|frozenset|type|None|object)\b")
_COMPOUND = ("if_stmt", "while_stmt", "for_stmt", "try_stmt", "with_stmt", "funcdef", "classdef")
_FUNCTIONS = ("funcdef", "lambdef", "async_funcdef")


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that an operator can do at a site.

    Attributes:
        operator: The operator's name.
        occurrence: The number of the place among all at which the operator acts in the module, as cosmic-ray counts.
    """

    operator: str
    occurrence: int


@dataclass(frozen=True, slots=True)
class Site:
    """A place in the source that can be changed in one way or in several of one kind.

    Attributes:
        file: The path of the module, from the root of the checkout.
        kind: The kind of change.
        line, last: The first and the last line of the statement, or of a compound statement's head, up to the place.
        text: The line at which the place begins.
        number: The number of the site among those of its file that have the same kind and text.
        in_function: Whether it is executed when a function is called, not when the module is imported.
        changes: The changes that can be made.
    """

    file: str
    kind: str
    line: int
    last: int
    text: str
    number: int
    in_function: bool
    changes: tuple[Change, ...]

    @property
    def name(self) -> str:
        """What stays the same when other lines of the module change."""
        return "\0".join((self.file, self.kind, self.text, str(self.number)))


def sites(root: Path, file: str) -> list[Site]:
    """Return the sites of a module in the order of its source.

    Args:
        root: The folder of the checkout.
        file: The path of the module from there.
    """
    source = (root / file).read_text(encoding="utf-8")
    lines = source.splitlines()
    places: dict[tuple[Any, ...], list[Change]] = defaultdict(list)
    counts: Counter[str] = Counter()
    for node in ast_nodes(get_ast(source)):
        for name in _candidates(node):
            kind, operator = OPERATORS[name]
            for begin, end in operator.mutation_positions(node):
                change = Change(name, counts[name])
                counts[name] += 1
                if not _means_nothing(node) and _can_act(name, node):
                    places[begin, end, kind, _first_line(node), _in_function(node)].append(change)
    seen: Counter[tuple[str, str]] = Counter()
    made = []
    for (begin, end, kind, first, in_function), changes in sorted(places.items(), key=lambda item: item[0]):
        text = lines[begin[0] - 1].strip()
        made.append(Site(file, kind, first, end[0], text, seen[kind, text], in_function, tuple(changes)))
        seen[kind, text] += 1
    return made


def changed_source(source: str, change: Change) -> str:
    """Return the source of a module with one change made.

    Raises:
        ValueError: The operator makes nothing of it that Python reads, or nothing else than there was.
    """
    changed = mutate_code(source, OPERATORS[change.operator][1], change.occurrence)
    try:
        same = changed is None or ast.dump(ast.parse(changed)) == ast.dump(ast.parse(source))
    except SyntaxError as error:
        raise ValueError(f"{change.operator} makes no Python: {error}") from error
    if same:
        raise ValueError(f"{change.operator} changes nothing")
    return str(changed)


def digest(*parts: object) -> str:
    """Return the SHA-256 of some texts, in hexadecimal digits."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()


def _candidates(node: Any) -> Iterable[str]:
    """Return the operators that may act on a node: to ask all 198 at each node takes minutes."""
    if node.type == "operator":
        return _BY_BEGINNING["ReplaceBinaryOperator"] if node.value in BINARY else ()
    if node.type == "comparison":
        return _BY_BEGINNING["ReplaceComparisonOperator"] + _BY_BEGINNING["ReplaceMembership"]
    if node.type in ("factor", "not_test"):
        return _BY_BEGINNING["ReplaceUnaryOperator"]
    return _OTHERS


_BY_BEGINNING: dict[str, list[str]] = defaultdict(list)
for _name in OPERATORS:
    _BY_BEGINNING[_name.partition("_")[0]].append(_name)
_OTHERS = [
    name
    for beginning, names in _BY_BEGINNING.items()
    for name in names
    if beginning not in ("ReplaceBinaryOperator", "ReplaceComparisonOperator", "ReplaceUnaryOperator")
]


def _can_act(name: str, node: Any) -> bool:
    """Tell whether an operator does what it says: one takes `**` of a call for a power, one fails at `except a.B`."""
    if node.type == "operator":
        return node.parent.type in ("term", "power", "arith_expr", "expr", "and_expr", "xor_expr", "shift_expr")
    if name == "ExceptionReplacer":
        return all(part.type in ("name", "operator") for part in _parts(node.children[1]))
    return True


def _parts(caught: Any) -> list[Any]:
    """Return what an `except` catches, with the punctuation between."""
    if caught.type == "atom":
        return _parts(caught.children[1])
    return list(caught.children) if caught.type == "testlist_comp" else [caught]


def _ancestors(node: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each node above this one, with its child that leads here."""
    while node.parent is not None:
        yield node.parent, node
        node = node.parent


def _means_nothing(node: Any) -> bool:
    """Tell whether a node is no code that acts: a type, an import, an assertion, words of a document, log or error."""
    if node.type in ("assert_stmt", "if_stmt") and _takes_meaning(node, node, node):
        return True
    if node.type == "simple_stmt":
        return _is_words(node.children[0])
    if node.type == "string" and node.parent.type in ("simple_stmt", "strings"):
        return True  # documentation, or a text in pieces: a message
    return any(_takes_meaning(above, child, node) for above, child in _ancestors(node))


def _takes_meaning(above: Any, child: Any, node: Any) -> bool:
    """Tell whether what a node is part of makes it no code that acts.

    Args:
        above: The node that it is part of.
        child: The child of that node which leads to it.
        node: The node.
    """
    match above.type:
        case "import_name" | "import_from" | "tfpdef" | "fstring" | "decorator" | "assert_stmt":
            return True
        case "annassign":
            return child is above.children[1]
        case "funcdef":
            return above.annotation is not None and child is above.annotation
        case "atom_expr" | "expr_stmt":
            return _is_words(above)
        case "raise_stmt":
            return bool(node.type == "string")
        case "if_stmt":  # what follows is for a type checker only, and so is an assertion
            return "TYPE_CHECKING" in above.children[1].get_code()
        case "expr":
            return _is_union(above)
    return False


def _is_words(node: Any) -> bool:
    """Tell whether a statement or call only says something, or names types."""
    if node.type in ("atom_expr", "power"):
        first = node.children[0].get_last_leaf().value
        return bool(_LOGS.match(first)) or first in ("print", "TypeVar", "cast")
    if node.type == "expr_stmt":
        target, value = node.children[0], node.children[-1]
        return target.get_code().strip() == "__all__" or _is_alias(node, value)
    return False


def _is_alias(statement: Any, value: Any) -> bool:
    """Tell whether an assignment at the top of a module gives a type a name."""
    outside = statement.parent.parent is not None and statement.parent.parent.type == MODULE
    return (
        outside
        and value.type == "atom_expr"
        and value.children[1].type == "trailer"
        and (value.children[1].children[0].value == "[" and bool(_TYPE_NAME.match(value.get_code().strip())))
    )


def _is_union(expression: Any) -> bool:
    parts, words = expression.children[::2], expression.children[1::2]
    return all(word.value == "|" for word in words) and all(_TYPE_NAME.match(part.get_code().strip()) for part in parts)


def _first_line(node: Any) -> int:
    """Return the line at which the statement of a node begins; of a compound one, the head of its clause."""
    for above, child in _ancestors(node):
        if above.type in (SUITE, MODULE, *_COMPOUND):
            return int(child.start_pos[0])
    return int(node.start_pos[0])


def _in_function(node: Any) -> bool:
    return any(above.type in _FUNCTIONS and child is above.children[-1] for above, child in _ancestors(node))
