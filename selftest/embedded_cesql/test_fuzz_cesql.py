"""CESQL expressions as mistakes and enemies write them: a parse error, or a value; nothing else, and in time."""

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from embedded.dataplane.cesql import Expression, ParseError
from embedded.dataplane.cesql.grammar import MAX_LENGTH
from selftest.fuzzing import SETTINGS, mutated

EVENT: dict[str, Any] = {"id": "1", "source": "/s", "type": "t", "subject": "a" * 1000, "number": 7, "flag": True}
GOODS = (
    b"type = 'order.created' AND (subject LIKE '%a\\_%' OR NOT EXISTS flag)",
    b"INT(number) + -5 * 3 / (number - 7) >= 2 XOR 'a' NOT IN ('a', \"b\", 3, TRUE)",
    b"SUBSTRING(CONCAT_WS(subject, id, UPPER(type), 1), -3, LENGTH(missing) % 2147483647) <> LEFT(TRIM(' x '), 1)",
)
WORDS = (
    "AND",
    "OR",
    "NOT",
    "(",
    ")",
    ",",
    "'a'",
    "-",
    "+",
    "1",
    "type",
    "LIKE",
    "IN",
    "EXISTS",
    "=",
    "*",
    "ABS",
    "TRUE",
)


def evaluated(text: str) -> None:
    try:
        expression = Expression.of(text)
    except ParseError:
        return
    outcome = expression.evaluate(EVENT)
    assert type(outcome.value) in {str, int, bool}
    # The same again: an evaluation leaves nothing behind (1, referential transparency).
    assert expression.evaluate(EVENT) == outcome


@SETTINGS
@given(content=mutated(*GOODS))
@example(content=b"-" * MAX_LENGTH)
@example(content=b"(" * MAX_LENGTH)
@example(content=b"'" + b"\\'" * (MAX_LENGTH // 2))
@example(content=b"NOT " * (MAX_LENGTH // 4 - 1) + b"1")
@example(content=b"subject LIKE '" + b"%_" * 8000 + b"'")
@example(content=b"1" + b" LIKE '1'" * 1800)
def test_a_changed_expression_is_refused_or_evaluated(content: bytes) -> None:
    evaluated(content.decode("utf-8", "surrogateescape"))


@SETTINGS
@given(words=st.lists(st.sampled_from(WORDS), max_size=12))
def test_words_in_any_order_are_refused_or_evaluated(words: list[str]) -> None:
    evaluated(" ".join(words))
