"""CESQL as its specification has it (cloudevents/spec cesql/spec.md, version 1.0.0), by table."""

from typing import Any

import pytest

from embedded.dataplane.cesql import Expression, ParseError, grammar
from embedded.dataplane.cesql.errors import ErrorKind
from embedded.dataplane.cesql.functions import MAX_TEXT
from embedded.dataplane.cesql.grammar import MAX_DEPTH, MAX_LENGTH
from embedded.dataplane.cesql.like import Pattern

EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "7",
    "source": "/shop",
    "type": "order.created",
    "empty": "",
    "hop": "3",
    "count": 12,
    "urgent": True,
    "1st": "x",
}
CAST, MATH, MISSING, NO_FUNCTION, IN_FUNCTION = (
    ErrorKind.CAST,
    ErrorKind.MATH,
    ErrorKind.MISSING_ATTRIBUTE,
    ErrorKind.MISSING_FUNCTION,
    ErrorKind.FUNCTION_EVALUATION,
)

VALUES: dict[str, Any] = {
    # 2.2 literals
    "TRUE": True,
    "false": False,
    "0": 0,
    "+7": 7,
    "007": 7,
    "-2147483648": -2147483648,
    "2147483647": 2147483647,
    "''": "",
    r"'it\'s'": "it's",
    r'"say \"a\""': 'say "a"',
    r"""'a "b" c'""": 'a "b" c',
    r"'a\b'": "a\\b",
    "'☃ 漢'": "☃ 漢",
    # 3.2 attributes
    "id": "7",
    "count": 12,
    "urgent": True,
    "1st": "x",
    # 3.4.1 and 3.4.2 operators
    "not true": False,
    "-hop": -3,
    "- -hop": 3,
    "--5": 5,
    "-TRUE": -1,
    "2 - 3 - 4": -5,
    "4-1": 3,
    "2 + -3": -1,
    "7 / 2": 3,
    "-7 / 2": -3,
    "7 / -2": -3,
    "7 % 3": 1,
    "-7 % 3": -1,
    "7 % -3": 1,
    "'5' + 3": 8,
    "TRUE + TRUE": 2,
    "10 < 9": False,
    "'10' < '9'": False,
    "hop >= 3": True,
    "hop <= 2": False,
    "TRUE XOR TRUE": False,
    "TRUE xor FALSE": True,
    "1 AND 0": False,
    "'a' = 'A'": False,
    "'a' <> 'A'": True,
    "TRUE = 'true'": True,
    "TRUE = 'TRUE'": False,
    "'TRUE' = TRUE": True,
    "'05' = 5": True,
    "5 = '05'": False,
    "TRUE = 1": True,
    "1 = TRUE": True,
    # 3.4.3 LIKE
    "'abc' LIKE '_b%'": True,
    "'b' LIKE '_b%'": False,
    "'aBc' LIKE '_b%'": False,
    r"'abc%' LIKE 'abc\%'": True,
    r"'abcd' LIKE 'abc\%'": False,
    r"'a_c' LIKE 'a\_c'": True,
    r"'abc' LIKE 'a\_c'": False,
    "'' LIKE ''": True,
    "'' LIKE '%'": True,
    "'' LIKE '_'": False,
    "'a.c' LIKE 'a.c'": True,
    "'abc' LIKE 'a.c'": False,
    "'a\nb' LIKE 'a%'": True,
    "'漢' LIKE '_'": True,
    "'abab' LIKE '%ab'": True,
    "'abcbd' LIKE 'a%b_'": True,
    "123 LIKE '12_'": True,
    r"'a%b_c' LIKE 'a\%b\_c'": True,
    r"'a\b' LIKE 'a\b'": True,
    "'ab' LIKE 'a%%b'": True,
    "'ab' LIKE '%_%_%'": True,
    "'a' LIKE '%_%_%'": False,
    "'aab' LIKE 'a+b'": False,
    "'%' LIKE '_'": True,
    "-5 LIKE '-_'": True,
    "TRUE LIKE 'true'": True,
    "'abc' NOT LIKE 'a%'": False,
    "type not like 'a%'": True,
    # 3.4.4 EXISTS
    "EXISTS empty": True,
    "EXISTS subject": False,
    "NOT EXISTS subject": True,
    # 3.4.5 IN
    "'a' IN ('b', 'a')": True,
    "'A' IN ('b', 'a')": False,
    "5 IN ('4', '5')": True,
    "'5' IN (4, 5)": True,
    "'TRUE' IN (TRUE)": False,
    "'true' IN (TRUE)": True,
    "'a' NOT IN ('b')": True,
    "2 IN (1, 1 + 1)": True,
    "TRUE IN (0, 1)": True,
    "1 IN (TRUE)": True,
    "'a' IN ('b', CONCAT('', 'a'))": True,
    "'5' IN (05)": True,
    "1 IN (1) IN (TRUE)": True,
    # 3.5 functions
    "LENGTH('漢字')": 2,
    "length(12345)": 5,
    "LENGTH('😀')": 1,
    "LENGTH('e\u0301')": 2,
    "LEFT('😀b', 1)": "😀",
    "RIGHT('a😀', 1)": "😀",
    "SUBSTRING('a😀b', 3)": "b",
    "'😀' LIKE '_'": True,
    "UPPER('straße')": "STRASSE",
    "CONCAT('a')": "a",
    "CONCAT_WS(1, 2, TRUE)": "21true",
    "SUBSTRING('abc', '2')": "bc",
    "SUBSTRING('', 0)": "",
    "SUBSTRING('abc', -3, 3)": "abc",
    "SUBSTRING('abc', 1, 2147483647)": "abc",
    "LEFT('', 0)": "",
    "LENGTH(1 = 1)": 4,
    "INT(TRIM(' 5 '))": 5,
    "CONCAT()": "",
    "CONCAT('a', 1, TRUE)": "a1true",
    "CONCAT_WS(', ', 'a', 'b')": "a, b",
    "CONCAT_WS(',')": "",
    "Upper('aé')": "AÉ",
    "LOWER('AÉ')": "aé",
    "TRIM('\u2003 a b\t\n')": "a b",
    "TRIM('\x1fa\x1f')": "\x1fa\x1f",
    "LEFT('abc', 2)": "ab",
    "LEFT('abc', 9)": "abc",
    "LEFT('abc', 0)": "",
    "RIGHT('abc', 2)": "bc",
    "RIGHT('abc', 9)": "abc",
    "RIGHT('abc', 0)": "",
    "SUBSTRING('abcdef', 2)": "bcdef",
    "SUBSTRING('abcdef', -2)": "ef",
    "SUBSTRING('abcdef', 6)": "f",
    "SUBSTRING('abcdef', 0)": "",
    "SUBSTRING('abcdef', 2, 3)": "bcd",
    "SUBSTRING('abcdef', -3, 2)": "de",
    "SUBSTRING('abcdef', 5, 9)": "ef",
    "SUBSTRING('abcdef', 5, 0)": "",
    "ABS(-3)": 3,
    "ABS('-3')": 3,
    "INT('+0012')": 12,
    "INT('-2147483648')": -2147483648,
    "INT(TRUE)": 1,
    "BOOL('fAlSe')": False,
    "BOOL(0)": False,
    "BOOL(-5)": True,
    "STRING(-5)": "-5",
    "STRING(FALSE)": "false",
    "STRING(007)": "7",
    "STRING(-0)": "0",
    "INT('-0')": 0,
    "INT('0000000000012')": 12,
    "STRING(INT('05'))": "5",
    "BOOL(INT('-1'))": True,
    "LOWER(TRUE)": "true",
    "46340 * 46340": 2147395600,
    "-2147483648 / 2": -1073741824,
    "-2147483648 % 10": -8,
    "-2147483648 % -1": 0,
    # 3.6 precedence and short circuits
    "2 + 3 * 4": 14,
    "(2 + 3) * 4": 20,
    "1 + 1 = 2": True,
    "NOT TRUE = FALSE": True,
    "NOT FALSE AND FALSE": False,
    "-2 + 3": 1,
    "- 2 * 3": -6,
    "1 + 1 LIKE '1'": 2,
    "TRUE = FALSE OR TRUE": True,
    "TRUE OR FALSE AND FALSE": False,
    "FALSE AND TRUE OR TRUE": True,
    "TRUE XOR TRUE OR TRUE": True,
    "'a' LIKE 'a' IN (TRUE)": True,
    "FALSE AND missing": False,
    "TRUE OR 1 / 0 = 1": True,
    "type = 'order.created' OR missing = 'x'": True,
    # 5 examples
    "int(hop) < int(count) and int(hop) < 1000": True,
    'TRUE = "true" AND FALSE = "false"': True,
    'TRUE = "TRUE" OR FALSE = "FALSE"': False,
}


@pytest.mark.parametrize("text", VALUES)
def test_an_expression_has_a_value_and_no_error(text: str) -> None:
    outcome = Expression.of(text).evaluate(EVENT)
    assert (type(outcome.value), outcome.value, outcome.errors) == (type(VALUES[text]), VALUES[text], ())


ERRORS: dict[str, tuple[Any, list[ErrorKind]]] = {
    # 3.2: the part that names the attribute has the zero value of its type
    "missing": (False, [MISSING]),
    "true AND (missing = '')": (False, [MISSING]),
    "missing * 5": (0, [MISSING]),
    "1 / missing": (0, [MISSING]),
    "-missing": (0, [MISSING]),
    "NOT missing": (False, [MISSING]),
    "missing != 2": (False, [MISSING]),
    "missing <> missing": (False, [MISSING, MISSING]),
    "missing < 2": (False, [MISSING]),
    "missing LIKE '%'": (False, [MISSING]),
    "missing NOT LIKE 'a'": (False, [MISSING]),
    "missing IN ('a')": (False, [MISSING]),
    "missing NOT IN ('a')": (False, [MISSING]),
    "'a' IN (missing)": (False, [MISSING]),
    "LENGTH(missing)": (0, [MISSING]),
    "CONCAT('a', missing)": ("", [MISSING]),
    "BOOL(missing)": (False, [MISSING]),
    "missing OR TRUE": (False, [MISSING]),
    "FALSE OR missing": (False, [MISSING]),
    "TRUE AND missing": (False, [MISSING]),
    "missing XOR TRUE": (False, [MISSING]),
    "missing = 'x' OR type = 'order.created'": (True, [MISSING]),
    # 3.4.2, 3.5: what an operation returns besides its error
    "1 / 0": (0, [MATH]),
    "1 % 0": (0, [MATH]),
    "1 / 0 = 0": (True, [MATH]),
    "TRUE AND 1 / 0 = 0": (True, [MATH]),
    "2147483647 + 1": (0, [MATH]),
    "-2147483648 - 1": (0, [MATH]),
    "65536 * 65536": (0, [MATH]),
    "-2147483648 / -1": (0, [MATH]),
    "-(-2147483648)": (0, [MATH]),
    "ABS(-2147483648)": (2147483647, [MATH]),
    "LEFT('abc', -1)": ("abc", [IN_FUNCTION]),
    "RIGHT('abc', -1)": ("abc", [IN_FUNCTION]),
    "SUBSTRING('abc', 4)": ("", [IN_FUNCTION]),
    "SUBSTRING('abc', -4, 1)": ("", [IN_FUNCTION]),
    "SUBSTRING('abc', 1, -1)": ("", [IN_FUNCTION]),
    "SUBSTRING('', 1)": ("", [IN_FUNCTION]),
    "SUBSTRING('abc', 0, -1)": ("", [IN_FUNCTION]),
    "LENGTH(LEFT('abc', -1))": (3, [IN_FUNCTION]),
    "ABS(-2147483648 - 1)": (0, [MATH]),
    "1 / 0 + 1 % 0": (0, [MATH, MATH]),
    "2147483647 * 2 - 1": (-1, [MATH]),
    "NOSUCH(1)": (False, [NO_FUNCTION]),
    "LENGTH()": (False, [NO_FUNCTION]),
    "LENGTH('a', 'b')": (False, [NO_FUNCTION]),
    "CONCAT_WS()": (False, [NO_FUNCTION]),
    "SUBSTRING('abc')": (False, [NO_FUNCTION]),
    "IS_INT('1')": (False, [NO_FUNCTION]),
    # 3.7
    "INT('x')": (0, [CAST]),
    "INT('')": (0, [CAST]),
    "INT(' 1')": (0, [CAST]),
    "INT('1.0')": (0, [CAST]),
    "INT('٣')": (0, [CAST]),
    "INT('2147483648')": (0, [CAST]),
    "INT('-2147483649')": (0, [CAST]),
    "INT('99999999999999999999')": (0, [CAST]),
    "INT('1_000')": (0, [CAST]),
    "INT('5 ')": (0, [CAST]),
    "INT('+')": (0, [CAST]),
    "INT('--5')": (0, [CAST]),
    "INT('0x10')": (0, [CAST]),
    "INT('1e1')": (0, [CAST]),
    "BOOL('1')": (False, [CAST]),
    "BOOL(' true')": (False, [CAST]),
    "0 IN ('1', 'false')": (True, [CAST]),
    "INT('x') IN (0)": (True, [CAST]),
    "LEFT('abc', 'x')": ("", [CAST]),
    "UPPER(missing)": ("", [MISSING]),
    "ABS(missing)": (0, [MISSING]),
    "SUBSTRING(missing, 1)": ("", [MISSING]),
    "missing = 1 + missing": (False, [MISSING, MISSING]),
    "FALSE XOR missing": (False, [MISSING]),
    "STRING(missing)": ("", [MISSING]),
    "BOOL('yes')": (False, [CAST]),
    "BOOL('')": (False, [CAST]),
    "'x' = 1": (False, [CAST]),
    "'x' != 1": (True, [CAST]),
    "'x' + 1": (1, [CAST]),
    "'x' AND TRUE": (False, [CAST]),
    "1 IN ('x', 1)": (True, [CAST]),
    "NOT 'x'": (True, [CAST]),
    "NOT 1": (True, [CAST]),
    "'a' < 'b'": (False, [CAST, CAST]),
}


@pytest.mark.parametrize("text", ERRORS)
def test_an_error_comes_with_a_value(text: str) -> None:
    outcome = Expression.of(text).evaluate(EVENT)
    value, kinds = ERRORS[text]
    assert (type(outcome.value), outcome.value) == (type(value), value)
    assert [each.kind for each in outcome.errors] == kinds
    assert all(each.message for each in outcome.errors)


REFUSED: dict[str, str] = {
    "": "column 1: expected one of",
    "type =": "column 6: expected one of .*an attribute.*; got the end",
    "(TRUE": r"column 2: expected one of .*\).*; got the end",
    "TRUE)": r"column 5: .*; got '\)'",
    "ABC(": "got the end",
    "1 2": "column 3: .*; got '2'",
    "type LIKE source": "column 11: expected one of a text in quotes; got 'source'",
    "type LIKE 1": "expected one of a text in quotes",
    "EXISTS 'type'": "column 8: expected one of an attribute; got",
    "EXISTS (type)": "expected one of an attribute",
    "type IN ()": "got",
    "type IN 'a'": r"expected one of \(",
    "Type = 'a'": "column 1: expected a word of CESQL, got",
    "my_ext = 'a'": "column 1",
    "type == 'a'": "column 7",
    "type & 1": "column 6: expected a word of CESQL, got '& 1'",
    "'open": "column 1: expected a word of CESQL",
    "'a''b'": "column 4",
    "2147483648": "column 1: expected an integer from -2147483648 to 2147483647, got 2147483648",
    "-2147483649": "got -2147483649",
    "1" * 5000: "expected an integer from",
    "NOT": "column 1: .*; got the end",
    "TRUE AND": "got the end",
    "LENGTH('a',)": "got",
    "'a' LI\u212aE 'a'": "column 5",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_expression_is_refused_by_its_place(text: str) -> None:
    with pytest.raises(ParseError, match=REFUSED[text]):
        Expression.of(text)


def test_long_and_deep_expressions_are_bounded() -> None:
    chain = " OR ".join(["id = '8'"] * 1000)
    assert not Expression.of(chain).matches(EVENT)
    assert Expression.of("NOT " * 4000 + "TRUE").matches(EVENT)
    deep = "(" * MAX_DEPTH + "TRUE" + ")" * MAX_DEPTH
    assert Expression.of(deep).matches(EVENT)
    every = "TRUE AND 1 = 1 + 1 * - 1 IN (" * (MAX_DEPTH - 1) + "ABS(1)" + ")" * (MAX_DEPTH - 1)
    assert Expression.of(every).evaluate(EVENT).errors == ()
    assert Expression.of("'true'" + " LIKE 'true'" * 1000).matches(EVENT)
    with pytest.raises(ParseError, match=f"column {MAX_DEPTH + 1}: expected {MAX_DEPTH} open parentheses at most"):
        Expression.of(f"({deep})")
    with pytest.raises(ParseError, match=f"expected an expression of {MAX_LENGTH} characters at most, got"):
        Expression.of(" " * MAX_LENGTH + "1")


def test_a_text_is_not_joined_without_end() -> None:
    outcome = Expression.of("CONCAT(subject, subject)").evaluate({"subject": "x" * (MAX_TEXT // 2 + 1)})
    assert (outcome.value, [each.kind for each in outcome.errors]) == ("", [IN_FUNCTION])


def test_no_pattern_goes_back() -> None:
    # A matcher that tries each place for each % again would not end.
    assert not Pattern.of("%a" * 200 + "%b").matches("a" * 20_000)
    assert Pattern.of("%a" * 200 + "%").matches("a" * 20_000)


def test_an_expression_passes_when_it_is_true_without_errors() -> None:
    verdicts = {
        text: Expression.of(text).matches(EVENT)
        for text in ("TRUE", "FALSE", "'true'", "1", "1 / 0 = 0", "missing = 'x' OR TRUE", "TRUE OR missing")
    }
    assert [text for text, passed in verdicts.items() if passed] == ["TRUE", "TRUE OR missing"]


def test_the_tables_of_a_grammar_are_computed_once() -> None:
    grammar.parser()("a = 1")
    before = grammar._lark.cache_info().misses
    grammar.parser()("b = 1")
    assert grammar._lark.cache_info().misses == before
