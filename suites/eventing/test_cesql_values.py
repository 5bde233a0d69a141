"""Values of CESQL in Trigger.spec.filters: characters, integers of 32 bits, and casts; tables from CESQL 1.0."""

import pytest

from fixtures import Broker, expect
from suites.eventing.test_cesql import told_apart

pytestmark = pytest.mark.usefixtures("cesql")


@pytest.mark.requirement("EVT-SQL-016")
def test_texts_are_counted_and_cut_by_characters(broker: Broker) -> None:
    true = [
        "LENGTH('😀') = 1 AND LENGTH(subject) = 4",
        "LEFT('😀b', 1) = '😀' AND RIGHT('a😀', 1) = '😀'",
        "LEFT(subject, 3) = '😀 漢' AND RIGHT(subject, 2) = '漢é'",
        "SUBSTRING('a😀b', 3) = 'b' AND SUBSTRING('a😀b', 2, 1) = '😀'",
        "SUBSTRING('😀😁😂', -2, 1) = '😁' AND SUBSTRING('😀😁😂', 3) = '😂'",
        "'😀' LIKE '_' AND 'a😀b' LIKE 'a_b' AND subject LIKE '😀%é'",
        "LENGTH('e\u0301') = 2 AND 'e\u0301' != 'é'",
        "UPPER('é漢😀') = 'É漢😀' AND LOWER('ÀÉ') = 'àé'",
    ]
    others = [
        "LENGTH('😀') = 2",
        "LENGTH('é') = 2",
        "'😀' LIKE '__'",
        "'é' LIKE '__'",
        "SUBSTRING('a😀b', 4) = 'b'",
        "'e\u0301' = 'é'",
        "LENGTH(subject) = 5",
    ]
    expect(*told_apart(broker, true, others, {"type": "order.created", "subject": "😀 漢é"}))


@pytest.mark.requirement("EVT-SQL-017")
def test_no_integer_is_beyond_32_bits(broker: Broker) -> None:
    true = [
        "46340 * 46340 = 2147395600 AND 46341 * -46340 = -2147441940",
        "2147483646 + 1 = 2147483647 AND -2147483647 - 1 = -2147483648",
        "-2147483648 / 2 = -1073741824 AND -2147483648 % 10 = -8",
        "-2147483648 + 2147483647 = -1 AND 2147483647 - 2147483647 = 0",
        "ABS(-2147483647) = 2147483647",
    ]
    others = [
        "2147483647 + 1 > 2147483647",
        "2147483647 * 2 > 2147483647",
        "65536 * 65536 > 2147483647",
        "2147483647 - -1 > 2147483647",
        "-(-2147483648) > 2147483647",
        "-2147483648 / -1 > 2147483647",
        "ABS(-2147483648) > 2147483647",
        "-2147483648 - 1 < -2147483648",
        "-2147483648 * 2 < -2147483648",
        "STRING(2147483647 + 1) = '2147483648'",
        "STRING(-2147483648 - 1) = '-2147483649'",
        "INT('2147483648') > 2147483647",
        "INT('4294967301') = 5",
    ]
    expect(*told_apart(broker, true, others))


@pytest.mark.requirement("EVT-SQL-018")
def test_a_cast_takes_what_its_table_names_and_nothing_else(broker: Broker) -> None:
    true = [
        "INT('+5') = 5 AND INT('-0') = 0 AND INT('0000000000012') = 12 AND INT('-00007') = -7",
        "BOOL('TrUe') AND NOT BOOL('FALSE') AND BOOL(-1) AND BOOL(2147483647)",
        "STRING(007) = '7' AND STRING(-0) = '0' AND STRING(+5) = '5' AND STRING(FALSE) = 'false'",
        "INT(BOOL('true')) = 1 AND STRING(INT('05')) = '5' AND INT(STRING(12)) = 12 AND NOT BOOL(INT('0'))",
        "LENGTH(1 = 1) = 4 AND UPPER(TRUE) = 'TRUE' AND ABS(FALSE) = 0",
        "CONCAT(1, TRUE, 'x') = '1truex' AND CONCAT_WS('-', 1, FALSE) = '1-false'",
        "LEFT(12345, '2') = '12' AND RIGHT('abc', '2') = 'bc' AND LENGTH(CONCAT(hop + 10, 'x')) = 3",
    ]
    others = [
        *[f"INT('{text}') = 5" for text in (" 5", "5 ", "5.0", "5e0", "0x5", "0b101", "--5", "+ 5", "5L", "five")],
        "INT('1_000') = 1000",
        "INT('+-5') = -5",
        *[f"BOOL('{text}')" for text in ("1", "yes", "on", "t", " true", "true ", "truetrue")],
    ]
    expect(*told_apart(broker, true, others))
