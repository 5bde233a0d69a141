"""Two JSON values as checks compare them: numbers nearly, but integers that no double holds exactly."""

from typing import Any

import pytest

from evidence.checks.base import same_json

BEYOND = 2**53


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        pytest.param(1, 1.0, True, id="an integer and a float"),
        pytest.param(0.1, 0.1 + 1e-9, True, id="nearly equal"),
        pytest.param(0.1, 0.2, False, id="apart"),
        pytest.param(0.1234567890123456, 0.12345679104328156, True, id="rounded to single precision"),
        pytest.param(0.1234567890123456, 0.123457, False, id="printed with six digits"),
        pytest.param(1234.5678, 1234.57, False, id="large, printed with six digits"),
        pytest.param(1e-7, 2e-7, False, id="small, apart"),
        pytest.param(0.0, 1e-15, True, id="a sum that should be zero"),
        pytest.param(1, True, False, id="one and true"),
        pytest.param(BEYOND + 1, BEYOND + 1, True, id="beyond a double, equal"),
        pytest.param(BEYOND + 1, BEYOND, False, id="beyond a double, rounded"),
        pytest.param(BEYOND + 1, float(BEYOND), False, id="beyond a double, printed as a float"),
        pytest.param([{"a": -(2**63)}], [{"a": -(2**63) + 1}], False, id="beyond a double, inside"),
        pytest.param(10**400, 1.0, False, id="beyond all floats"),
        pytest.param(1e30, 1e30 * (1 + 1e-9), True, id="large floats, nearly equal"),
    ],
)
def test_numbers_are_compared_nearly_but_for_what_a_double_cannot_hold(one: Any, other: Any, *, equal: bool) -> None:
    assert same_json(one, other) is equal
    assert same_json(other, one) is equal
