"""Orders in pictures: what the suite draws, the transformer passes on, and the predictor reads; no digit is one."""

import base64
from typing import Any

import pytest

from suites.oracles import orders as drawn
from suites.oracles.digits import DOCUMENTED, digits


@pytest.fixture(scope="module")
def features(transformer: Any) -> Any:
    return lambda picture: transformer("features").features({"data": base64.b64encode(picture).decode()})


@pytest.mark.parametrize("kind", range(drawn.FAIL, drawn.SHOW + 1))
@pytest.mark.parametrize("token", [bytes(16), bytes(range(16)), b"\xff" * 16], ids=["zeros", "counted", "ones"])
def test_an_order_is_read_as_it_was_drawn(features: Any, predictor: Any, kind: int, token: bytes) -> None:
    orders = predictor("orders")
    read = orders.order(features(drawn.order(kind, times=255, argument=7, of=token)))
    assert read == orders.Order(kind, 255, 7, token)


def test_both_sides_name_the_kinds_alike(predictor: Any) -> None:
    names = ("FAIL", "REFUSE", "WAIT", "EXIT", "LEAVE", "SAY", "COUNT", "SHOW")
    assert [getattr(drawn, name) for name in names] == [getattr(predictor("orders"), name) for name in names]


def test_no_digit_is_an_order(features: Any, predictor: Any) -> None:
    pictures = [DOCUMENTED, *(digit.picture for digit in digits())]
    assert [picture for picture in pictures if predictor("orders").order(features(picture)) is not None] == []


@pytest.mark.parametrize("instance", [None, [], [1.0] * 63, ["15.75"] * 64, [15.75] * 63 + [None], {"data": "x"}])
def test_what_is_no_picture_is_no_order(predictor: Any, instance: Any) -> None:
    assert predictor("orders").order(instance) is None


def test_the_number_that_say_makes_is_the_tokens() -> None:
    assert drawn.number(bytes([0x80, 0, 0, 0, 0, 0, 1]) + bytes(9)) == 2**55 + 1
