"""The grammar of CESQL (CESQL 1.0, sections 2 and 3.6), read by lark's LALR parser.

Where the specification is silent: white space is that of its reference grammar (space, tab, line ends), keywords are no
attribute names, a backslash in a text escapes the text's own delimiter and is else a character like others.
"""

import functools
import re
from collections.abc import Callable
from typing import Any

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken, VisitError

from embedded.dataplane.cesql.errors import ParseError
from embedded.dataplane.cesql.evaluation import Node
from embedded.dataplane.cesql.like import Pattern
from embedded.dataplane.cesql.nodes import Attribute, Call, Chain, Exists, In, Like, Literal, Suffix, Suffixed, Unary
from embedded.dataplane.cesql.values import LEAST, MOST

MAX_LENGTH = 16_384
"""The most characters of an expression."""
MAX_DEPTH = 32
"""The most parentheses inside each other, those of functions and sets included."""

GRAMMAR = r"""
?expression: comparison ((AND | OR | XOR) comparison)*
?comparison: additive (COMPARISON additive)*
?additive: multiplicative ((PLUS | MINUS) multiplicative)*
?multiplicative: suffixed (PRODUCT suffixed)*
?suffixed: unary suffix*
?suffix: NOT? _LIKE TEXT -> like
       | NOT? _IN _LPAR expression (_COMMA expression)* _RPAR -> membership
?unary: integer | other
?other: NOT unary -> prefixed
      | MINUS other -> prefixed
      | MINUS INTEGER -> negative
      | MINUS PLUS INTEGER -> negative
      | primary
integer: PLUS? INTEGER
?primary: BOOLEAN -> boolean
        | TEXT -> text
        | NAME -> attribute
        | _EXISTS NAME -> exists
        | FUNCTION _LPAR (expression (_COMMA expression)*)? _RPAR -> call
        | _LPAR expression _RPAR

AND.2: /AND\b/i
OR.2: /OR\b/i
XOR.2: /XOR\b/i
NOT.2: /NOT\b/i
_LIKE.2: /LIKE\b/i
_IN.2: /IN\b/i
_EXISTS.2: /EXISTS\b/i
BOOLEAN.2: /(TRUE|FALSE)\b/i
FUNCTION.1: /[A-Za-z][A-Za-z_]*(?=[ \t\r\n]*\()/
INTEGER.1: /[0-9]+\b/
NAME: /[a-z0-9]+\b/
TEXT: /'(\\[\s\S]|[^'\\])*'|"(\\[\s\S]|[^"\\])*"/
COMPARISON: "=" | "!=" | "<>" | ">=" | "<=" | "<" | ">"
PRODUCT: "*" | "/" | "%"
PLUS: "+"
MINUS: "-"
_LPAR: "("
_RPAR: ")"
_COMMA: ","
%ignore /[ \t\r\n]+/
"""

_WORDS = {
    "TEXT": "a text in quotes",
    "NAME": "an attribute",
    "FUNCTION": "a function",
    "INTEGER": "an integer",
    "BOOLEAN": "TRUE or FALSE",
    "COMPARISON": "a comparison",
    "PRODUCT": "*, / or %",
    "PLUS": "+",
    "MINUS": "-",
    "_LPAR": "(",
    "_RPAR": ")",
    "_COMMA": ",",
    "_LIKE": "LIKE",
    "_IN": "IN",
    "_EXISTS": "EXISTS",
    "$END": "the end",
}


class Builder(Transformer[Token, Node]):
    """Builds nodes while the text is read, from the inside out."""

    def _chain(self, parts: list[Any]) -> Node:
        names = [str(name).upper() for name in parts[1::2]]
        return Chain(parts[0], tuple(zip(names, parts[2::2], strict=True)))

    expression = comparison = additive = multiplicative = _chain

    def suffixed(self, parts: list[Any]) -> Node:
        """Make an operand with operators behind it."""
        return Suffixed(parts[0], tuple(parts[1:]))

    def like(self, parts: list[Any]) -> Suffix:
        """Make LIKE or NOT LIKE."""
        return Like(Pattern.of(_unquoted(parts[-1])), negated=len(parts) == 2)

    def membership(self, parts: list[Any]) -> Suffix:
        """Make IN or NOT IN."""
        negated = isinstance(parts[0], Token)
        return In(tuple(parts[negated:]), negated=negated)

    def prefixed(self, parts: list[Any]) -> Node:
        """Make unary operators before an operand, or add one."""
        name, operand = str(parts[0]).upper(), parts[1]
        if isinstance(operand, Unary):
            return Unary((*operand.operators, name), operand.operand)
        return Unary((name,), operand)

    def negative(self, parts: list[Any]) -> Node:
        """Make a negative integer."""
        if len(parts) == 3:
            return Literal(-_integer(parts[-1], str(parts[-1])))
        return Literal(_integer(parts[-1], f"-{parts[-1]}"))

    def integer(self, parts: list[Any]) -> Node:
        """Make an integer."""
        return Literal(_integer(parts[-1], str(parts[-1])))

    def boolean(self, parts: list[Any]) -> Node:
        """Make a Boolean."""
        return Literal(parts[0].upper() == "TRUE")

    def text(self, parts: list[Any]) -> Node:
        """Make a text."""
        return Literal(_unquoted(parts[0]))

    def attribute(self, parts: list[Any]) -> Node:
        """Make the value of an attribute."""
        return Attribute(str(parts[0]))

    def exists(self, parts: list[Any]) -> Node:
        """Make EXISTS."""
        return Exists(str(parts[0]))

    def call(self, parts: list[Any]) -> Node:
        """Make the invocation of a function."""
        return Call(str(parts[0]), tuple(parts[1:]))


def _integer(token: Token, text: str) -> int:
    # Leading zeros do not count, and Python would refuse to read thousands of digits.
    digits = text.lstrip("+-").lstrip("0") or "0"
    value = int(f"-{digits}" if text.startswith("-") else digits) if len(digits) < 20 else None
    if value is None or not LEAST <= value <= MOST:
        raise ParseError(f"column {token.column}: expected an integer from {LEAST} to {MOST}, got {text[:20]}")
    return value


def _unquoted(token: Token) -> str:
    quote = token[0]
    return token[1:-1].replace(f"\\{quote}", quote)


def parser(grammar: str = GRAMMAR, builder: Builder | None = None) -> Callable[[str], Node]:
    """Make a parser of a grammar that has these rules and terminals.

    Args:
        grammar: The grammar.
        builder: The builder of nodes; None: the language's own.

    Returns:
        The function from a text to the root of its expression; it raises a `ParseError`.
    """

    def parse(text: str) -> Node:
        if len(text) > MAX_LENGTH:
            raise ParseError(f"expected an expression of {MAX_LENGTH} characters at most, got {len(text)}")
        try:
            return _read(_lark(grammar, builder), text)
        except UnexpectedInput as error:
            raise ParseError(_explained(error, text)) from None
        except VisitError as error:
            raise error.orig_exc from None

    return parse


@functools.cache
def _lark(grammar: str, builder: Builder | None) -> Lark:
    """Compute the tables of a grammar once, as a text is read: a platform that reads no CESQL has no need of them."""
    return Lark(
        grammar,
        start="expression",
        parser="lalr",
        lexer="basic",
        transformer=builder or Builder(),
        g_regex_flags=re.ASCII,  # without it, the Kelvin sign is a K of LIKE
    )


def _read(lark: Lark, text: str) -> Node:
    reading = lark.parse_interactive(text)
    depth, last = 0, None
    for token in reading.iter_parse():
        depth += {"_LPAR": 1, "_RPAR": -1}.get(token.type, 0)
        if depth > MAX_DEPTH:
            raise ParseError(f"column {token.column}: expected {MAX_DEPTH} open parentheses at most, got more")
        last = token
    root: Node = reading.feed_eof(last)  # type: ignore[no-untyped-call]  # lark's own types leave it out
    return root


def _explained(error: UnexpectedInput, text: str) -> str:
    if isinstance(error, UnexpectedCharacters):
        rest = text[error.pos_in_stream : (error.pos_in_stream or 0) + 20]
        return f"column {error.column}: expected a word of CESQL, got {rest!r}"
    if isinstance(error, UnexpectedToken):
        wanted = sorted(_WORDS.get(name, name) for name in error.accepts or error.expected)
        got = "the end" if error.token.type == "$END" else repr(str(error.token)[:20])
        return f"column {error.column}: expected one of {', '.join(wanted)}; got {got}"
    return str(error)


parse = parser()
"""The parser of CESQL 1.0."""
