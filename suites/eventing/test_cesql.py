"""Trigger.spec.filters with the dialect `cesql`: tables from the specification of CESQL 1.0.

One Trigger holds all expressions of a table that must be true, another one all that must not let the event pass. Tables
of other requirements write keywords in capitals, and compare what they compute by `=` only.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from evidence.expectations import Expectation, delivered, not_delivered
from fixtures import Broker, expect

pytestmark = pytest.mark.usefixtures("cesql")

ORDER = {"type": "order.created", "source": "/shop", "hop": "05", "ttl": "10"}


def told_apart(
    broker: Broker, true: Sequence[str], others: Sequence[str], event: Mapping[str, Any] = ORDER
) -> list[Expectation]:
    """Return the claims that an event passes each of the first expressions, and none of the others."""
    every, none = broker.triggers(
        [{"cesql": expression} for expression in true], [{"any": [{"cesql": expression} for expression in others]}]
    )
    (sent,) = broker.send_many([event])
    return [delivered(sent, to=every), not_delivered(sent, to=none)]


@pytest.mark.requirement("EVT-SQL-001")
def test_keywords_count_in_any_case_and_literals_are_of_three_kinds(broker: Broker) -> None:
    true = [
        "true",
        "TrUe aNd nOt fAlSe",
        "type like 'order.%'",
        "exists type",
        "'a' in ('a')",
        "'a' Not In ('b')",
        "type not like 'x'",
        "false or true xor false",
        "int(hop) = 5 and length(type) = 13",
        "Upper('a') = 'A'",
        r"'it\'s' = " + '"it\'s"',
        r'"say \"a\"" = ' + "'say \"a\"'",
        "LENGTH('') = 0",
        "+7 = 7 AND -7 = - 7 AND 007 = 7",
        "2147483647 = 2147483647 AND -2147483648 = -2147483648",
        "'漢字 ☃' = \"漢字 ☃\"",
    ]
    expect(*told_apart(broker, true, ["false", "FaLsE", "type = 'TYPE'", "NOT TRUE"]))


@pytest.mark.requirement("EVT-SQL-020")
def test_names_may_begin_as_keywords_do_and_be_those_of_functions(broker: Broker) -> None:
    names = "notes android orders xorkey inbox likes existing trueish falsehood left length int concat 5g 2fa int32"
    extensions = dict.fromkeys(names.split(), "x")
    true = [f"{name} = 'x' AND EXISTS {name} AND 'x' IN ({name})" for name in extensions]
    more = ["LEFT(left, 1) = 'x' AND left = 'x' AND LENGTH(length) = 1"]
    expect(*told_apart(broker, [*true, *more], ["notes = 'y'", "NOT EXISTS orders"], {**ORDER, **extensions}))


@pytest.mark.requirement("EVT-SQL-021")
def test_each_of_many_operands_and_elements_counts(broker: Broker) -> None:
    others = [f"other.{number}" for number in range(50)]
    alternatives = " OR ".join(f"(type = '{other}')" for other in others)
    elements = ", ".join(f"'{other}'" for other in others)
    conditions = " AND ".join(["EXISTS type"] * 50)
    true = [
        f"{alternatives} OR (type = 'order.created')",
        f"type IN ({elements}, 'order.created')",
        f"{conditions} AND type = 'order.created'",
        " + ".join(["1"] * 50) + " = 50",
        f"CONCAT({elements}, type) LIKE 'other.0%other.49order.created'",
        f"LENGTH('{'x' * 2000}') = 2000",
    ]
    expect(*told_apart(broker, true, [alternatives, f"type IN ({elements})", f"{conditions} AND type = 'order'"]))


@pytest.mark.requirement("EVT-SQL-002")
def test_texts_are_compared_by_case_and_integers_as_numbers(broker: Broker) -> None:
    true = [
        "type = 'order.created'",
        "type != 'Order.created'",
        "type <> 'order'",
        "9 < 10",
        "10 > 9",
        "9 <= 10 AND 10 <= 10",
        "10 >= 9 AND 10 >= 10",
        "-10 < -9",
        "hop < ttl",
        "source != type",
    ]
    others = [
        "type = 'Order.created'",
        "type = 'order.created '",
        "type != 'order.created'",
        "type <> 'order.created'",
        "10 < 9",
        "9 > 10",
        "9 < 9",
        "10 <= 9",
        "9 >= 10",
        "ttl < hop",
    ]
    expect(*told_apart(broker, true, others))


@pytest.mark.requirement("EVT-SQL-003")
def test_operands_are_cast_by_the_types_of_operators(broker: Broker) -> None:
    true = [
        "hop = 5",
        "'+5' = 5",
        "'TRUE' = TRUE",
        "TRUE = 'true' AND FALSE = 'false'",
        "5 = '5'",
        "INT('-2147483648') = -2147483648",
        "INT(TRUE) = 1 AND INT(FALSE) = 0",
        "BOOL('fAlSe') = FALSE",
        "BOOL(-5) AND NOT BOOL(0)",
        "STRING(-5) = '-5' AND STRING(TRUE) = 'true'",
        "NOT 'false'",
        "'true' AND 'TRUE'",
        "LENGTH(12345) = 5",
        "'5' + '3' = 8 AND TRUE + 1 = 2",
    ]
    others = ["5 = hop", "TRUE = 'TRUE'", "FALSE = 'FALSE'", "1 = '01'", "NOT 'true'"]
    expect(*told_apart(broker, true, others))


@pytest.mark.requirement("EVT-SQL-004")
def test_like_matches_the_whole_value(broker: Broker) -> None:
    true = [
        "type LIKE 'order.%'",
        "type LIKE '%.created'",
        "type LIKE '%er.cr%'",
        "type LIKE 'order.created'",
        "type LIKE 'order_created'",
        "'abc' LIKE '_b%' AND 'ab' LIKE '_b%'",
        r"'abc%' LIKE 'abc\%'",
        r"'a_c' LIKE 'a\_c'",
        "'' LIKE '%' AND '' LIKE ''",
        "'漢' LIKE '_'",
        "'a.c' LIKE 'a.c' AND 'a*' LIKE 'a*'",
        "'aab' LIKE '%ab' AND 'abcbd' LIKE 'a%b_'",
        "123 LIKE '12_'",
        "type NOT LIKE 'order'",
        r"'a%b_c' LIKE 'a\%b\_c' AND '(x)' LIKE '(_)'",
        "'ab' LIKE 'a%%b' AND 'a+b' LIKE 'a+b' AND '^$' LIKE '^$'",
        r"'a|b' LIKE 'a|b' AND 'a?' LIKE 'a?' AND 'a{2}' LIKE 'a{2}' AND '\d' LIKE '\d'",
    ]
    others = [
        "type LIKE 'order.'",
        "type LIKE 'created'",
        "type LIKE 'rder.create'",
        "type LIKE 'Order.%'",
        "type LIKE 'order.created_'",
        "'b' LIKE '_b%'",
        "'' LIKE '_'",
        r"'abcd' LIKE 'abc\%'",
        r"'abc' LIKE 'a\_c'",
        "'abc' LIKE 'a.c'",
        "'abc' LIKE '[a-z]%'",
        "'aab' LIKE 'a+b'",
        "'a' LIKE 'a|b'",
        "'aa' LIKE 'a{2}' OR '' LIKE 'a?'",
        r"'1' LIKE '\d' OR 'a1' LIKE 'a\d'",
        r"'aXb_c' LIKE 'a\%b\_c'",
        "type NOT LIKE 'order.%'",
    ]
    expect(*told_apart(broker, true, others))


@pytest.mark.requirement("EVT-SQL-019")
@pytest.mark.parametrize(
    ("true", "other"),
    [
        (r"'C:\Eve.txt' LIKE 'C:\E%' AND 'a\Qb\Ec' LIKE 'a\Qb\E_'", r"'ab' LIKE 'a\E\Qb' OR 'aXc' LIKE 'a\E.\Qc'"),
        ("'a\u2028b' LIKE 'a_b' AND 'a\u2029b' LIKE '%b' AND 'ab\u2028' LIKE 'a%'", "'a\u2028' LIKE 'a'"),
    ],
    ids=["quotation", "line-ends"],
)
def test_like_takes_each_character_for_itself(broker: Broker, true: str, other: str) -> None:
    expect(*told_apart(broker, [true], [other]))


@pytest.mark.requirement("EVT-SQL-005")
def test_in_casts_elements_to_the_type_of_the_left_value(broker: Broker) -> None:
    true = [
        "type IN ('order.created')",
        "type IN ('a', 'order.created', 'b')",
        "source IN (type, '/shop')",
        "type NOT IN ('order', 'created')",
        "5 IN ('4', '05')",
        "'5' IN (4, 5)",
        "'true' IN (TRUE)",
        "TRUE IN ('false', 'TRUE')",
        "2 IN (1, 1 + 1)",
        "TRUE IN (0, 1) AND 1 IN (TRUE) AND 0 NOT IN (1 = 1)",
        "'a' IN ('b', CONCAT('', 'a')) AND hop IN ('5', '05')",
    ]
    others = [
        "type IN ('order', 'created')",
        "type IN ('Order.created')",
        "type NOT IN ('a', 'order.created')",
        "'TRUE' IN (TRUE)",
        "hop IN (5)",
        "5 IN (4, 6)",
        "FALSE IN (1, 2)",
    ]
    expect(*told_apart(broker, true, others))


@pytest.mark.requirement("EVT-SQL-006")
def test_exists_tells_which_attributes_the_event_has(broker: Broker) -> None:
    true = [
        "EXISTS id AND EXISTS source AND EXISTS type AND EXISTS specversion",
        "EXISTS hop",
        "NOT EXISTS subject",
        "NOT EXISTS absent",
    ]
    expect(*told_apart(broker, true, ["EXISTS subject", "EXISTS absent", "NOT EXISTS hop", "NOT EXISTS id"]))


@pytest.mark.requirement("EVT-SQL-007")
def test_and_and_or_evaluate_no_more_than_they_must(broker: Broker) -> None:
    true = [
        "TRUE AND TRUE",
        "TRUE OR TRUE",
        "TRUE OR FALSE",
        "FALSE OR TRUE",
        "TRUE XOR FALSE",
        "FALSE XOR TRUE",
        "TRUE OR absent = 'x'",
        "TRUE OR 1 / 0 = 1",
        "type = 'order.created' OR absent = 'x'",
        "NOT (FALSE AND absent = 'x')",
        "NOT (FALSE AND BOOL('x'))",
        "NOT EXISTS absent OR absent = 'x'",
    ]
    others = [
        "TRUE AND FALSE",
        "FALSE AND TRUE",
        "FALSE AND FALSE",
        "FALSE OR FALSE",
        "TRUE XOR TRUE",
        "FALSE XOR FALSE",
        "FALSE AND absent = 'x'",
    ]
    expect(*told_apart(broker, true, others))


@pytest.mark.requirement("EVT-SQL-008")
def test_operators_have_a_precedence_and_go_from_left_to_right(broker: Broker) -> None:
    true = [
        "2 + 3 * 4 = 14",
        "(2 + 3) * 4 = 20",
        "10 - 4 - 3 = 3",
        "100 / 10 / 5 = 2",
        "8 / 4 * 2 = 4",
        "-2 + 3 = 1",
        "1 = 1 AND 2 = 2",
        "NOT FALSE AND TRUE",
        "FALSE AND TRUE OR TRUE",
        "TRUE XOR TRUE OR TRUE",
        "(TRUE OR FALSE) AND TRUE",
        "((((((TRUE))))))",
        "'a' LIKE 'b' = FALSE",
        "1 + 1 IN (1)  = 2",
    ]
    others = ["TRUE OR FALSE AND FALSE", "TRUE OR TRUE XOR TRUE", "NOT TRUE OR FALSE", "2 * (3 + 4) = 10"]
    expect(*told_apart(broker, true, others))


@pytest.mark.requirement("EVT-SQL-009")
def test_arithmetic_is_that_of_integers(broker: Broker) -> None:
    true = [
        "7 / 2 = 3",
        "-7 / 2 = -3",
        "7 / -2 = -3",
        "-7 / -2 = 3",
        "7 % 3 = 1",
        "-7 % 3 = -1",
        "7 % -3 = 1",
        "4 - 6 = -2",
        "4 + -6 = -2",
        "6 * -7 = -42",
        "--5 = 5",
        "-ttl = -10",
        "ttl + hop = 15",
        "2147483646 + 1 = 2147483647",
    ]
    expect(*told_apart(broker, true, ["7 / 2 = 4", "-7 / 2 = -4", "-7 % 3 = 2", "7 % -3 = -2"]))


@pytest.mark.requirement("EVT-SQL-010")
def test_built_in_functions_have_their_values(broker: Broker) -> None:
    true = [
        "LENGTH('abc') = 3 AND LENGTH('') = 0 AND LENGTH('漢字') = 2",
        "CONCAT('a', 'b', 'c') = 'abc' AND CONCAT() = ''",
        "CONCAT(type, '@', source) = 'order.created@/shop'",
        "CONCAT_WS(', ', 'a', 'b') = 'a, b' AND CONCAT_WS(',') = '' AND CONCAT_WS(',', 'a') = 'a'",
        "LOWER('AbC') = 'abc' AND UPPER('AbC') = 'ABC'",
        "TRIM('  a b  ') = 'a b' AND TRIM('\u2003a\u00a0') = 'a'",
        "LEFT('abc', 2) = 'ab' AND LEFT('abc', 9) = 'abc' AND LEFT('abc', 0) = ''",
        "RIGHT('abc', 2) = 'bc' AND RIGHT('abc', 9) = 'abc' AND RIGHT('abc', 0) = ''",
        "SUBSTRING('abcdef', 1) = 'abcdef' AND SUBSTRING('abcdef', 2) = 'bcdef'",
        "SUBSTRING('abcdef', -2) = 'ef' AND SUBSTRING('abcdef', 0) = ''",
        "SUBSTRING('abcdef', 2, 3) = 'bcd' AND SUBSTRING('abcdef', -3, 2) = 'de'",
        "SUBSTRING('abcdef', 5, 9) = 'ef' AND SUBSTRING('abcdef', 5, 0) = ''",
        "ABS(-3) = 3 AND ABS(3) = 3 AND ABS('-3') = 3",
    ]
    others = ["SUBSTRING('abcdef', 1) = 'bcdef'", "SUBSTRING('abcdef', 0) = 'abcdef'", "LENGTH('ab') = 3"]
    expect(*told_apart(broker, true, others))


@pytest.mark.requirement("EVT-SQL-011")
def test_an_absent_attribute_lets_no_event_pass(broker: Broker) -> None:
    others = [
        "absent",
        "subject = ''",
        "absent = 'x'",
        "absent != 'x'",
        "absent <> 'x'",
        "NOT (absent = 'x')",
        "NOT absent",
        "absent LIKE '%'",
        "absent NOT LIKE 'x'",
        "absent IN ('')",
        "absent NOT IN ('x')",
        "LENGTH(absent) = 0",
        "absent * 5 = 0",
        "CONCAT('a', absent) = ''",
        "absent = 'x' OR TRUE",
        "FALSE OR absent = ''",
        "TRUE AND absent = ''",
        "absent = absent",
    ]
    expect(*told_apart(broker, ["NOT EXISTS absent", "hop = '05'"], others))


@pytest.mark.requirement("EVT-SQL-012")
def test_an_error_lets_no_event_pass(broker: Broker) -> None:
    others = [
        "1 / 0 = 0",
        "1 % 0 = 0",
        "INT('x') = 0",
        "INT('2147483648') = 0",
        "INT(' 1') = 0",
        "NOT BOOL('yes')",
        "'x' != 1",
        "LEFT('abc', -1) = 'abc'",
        "RIGHT('abc', -1) = 'abc'",
        "SUBSTRING('abc', 4) = ''",
        "SUBSTRING('abc', -4) = ''",
        "SUBSTRING('abc', 1, -1) = ''",
        "ABS(-2147483648) = 2147483647",
        "NOT NOSUCH('a')",
        "NOT LENGTH()",
        "NOT CONCAT_WS()",
        "1 / 0 = 0 OR TRUE",
        "TRUE AND 1 / 0 = 0",
    ]
    expect(*told_apart(broker, ["1 / 1 = 1", "INT('7') = 7"], others))


@pytest.mark.requirement("EVT-SQL-013")
def test_a_trigger_goes_on_after_an_error(broker: Broker) -> None:
    # One key: the second event comes when the error has been made.
    (trigger,) = broker.triggers([{"cesql": "10 / hop = 5 AND tenant = 'blue'"}])
    divided, lacking, cast = broker.send_many(
        [{**fields, "partitionkey": "k"} for fields in ({"hop": "0", "tenant": "blue"}, {"hop": "2"}, {"hop": "two"})]
    )
    hit = broker.send(hop="2", tenant="blue", partitionkey="k")
    expect(*(not_delivered(event, to=trigger) for event in (divided, lacking, cast)))
    expect(delivered(hit, to=trigger))


@pytest.mark.requirement("EVT-SQL-014")
def test_only_a_boolean_lets_an_event_pass(broker: Broker) -> None:
    others = ["LENGTH(id)", "1", "'true'", "type", "flag", "STRING(TRUE)", "INT(TRUE)", "1 + 1"]
    expect(*told_apart(broker, ["BOOL(1)", "BOOL('true')", "BOOL(flag)"], others, {**ORDER, "flag": "true"}))


@pytest.mark.requirement("EVT-SQL-015")
def test_an_expression_combines_with_other_dialects(broker: Broker) -> None:
    yes, no = {"cesql": "type = 'order.created'"}, {"cesql": "type = 'order'"}
    here, elsewhere = {"exact": {"source": "/shop"}}, {"prefix": {"source": "/depot"}}
    hits = broker.triggers(
        [{"any": [no, here]}],
        [{"any": [elsewhere, yes]}],
        [{"not": no}],
        [{"all": [yes, {"not": {"any": [no, elsewhere]}}]}, here],
    )
    misses = broker.triggers([yes, elsewhere], [here, no], [{"all": [no, here]}], [{"not": yes}])
    (sent,) = broker.send_many([ORDER])
    expect(*(delivered(sent, to=trigger) for trigger in hits))
    expect(*(not_delivered(sent, to=trigger) for trigger in misses))
