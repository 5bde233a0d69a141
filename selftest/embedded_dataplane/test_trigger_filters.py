"""Filters, by table."""

from typing import Any

import pytest

from embedded.dataplane import HONEST
from embedded.dataplane.cloudevents import CloudEvent
from embedded.dataplane.filters import Matcher, UnsupportedFilterError
from embedded.dataplane.specs import TriggerSpec
from embedded.types import Composition

EVENT = CloudEvent(
    {"specversion": "1.0", "id": "1", "source": "/orders", "type": "order.created", "ext": "", "tier": "gold"}
)


def trigger(legacy: dict[str, Any] | None = None, filters: list[dict[str, Any]] | None = None) -> TriggerSpec:
    return TriggerSpec(
        *("n", "t", "b", "topic", "g", "http://x"),
        filter=legacy,
        filters=None if filters is None else tuple(filters),
        policies=Composition(HONEST),
    )


@pytest.mark.parametrize(
    ("attributes", "matches"),
    [
        (None, True),
        ({}, True),
        ({"type": "order.created"}, True),
        ({"type": "Order.created"}, False),
        ({"type": "order"}, False),
        ({"type": "order.created "}, False),
        ({"type": "order.created", "source": "/orders"}, True),
        ({"type": "order.created", "source": "/other"}, False),
        ({"tier": "gold"}, True),
        ({"tier": ""}, True),
        ({"ext": ""}, True),
        ({"subject": ""}, False),
        ({"subject": "x"}, False),
        ({"specversion": "1.0"}, True),
    ],
    ids=str,
)
def test_filter_attributes(attributes: dict[str, str] | None, *, matches: bool) -> None:
    assert Matcher().compile(trigger({"attributes": attributes}))(EVENT) is matches


@pytest.mark.parametrize("legacy", [None, {}])
@pytest.mark.parametrize("filters", [None, []])
def test_no_filter_matches_all(legacy: dict[str, Any] | None, filters: list[dict[str, Any]] | None) -> None:
    assert Matcher().compile(trigger(legacy, filters))(EVENT)


YES: dict[str, Any] = {"exact": {"tier": "gold"}}
NO: dict[str, Any] = {"exact": {"tier": "lead"}}
ABSENT: dict[str, Any] = {"prefix": {"subject": "x"}}


@pytest.mark.parametrize(
    ("expression", "matches"),
    [
        ({"exact": {"type": "order.created"}}, True),
        ({"exact": {"type": "order"}}, False),
        ({"exact": {"type": "order.created", "tier": "lead"}}, False),
        ({"prefix": {"type": "order."}}, True),
        ({"prefix": {"type": "order.created"}}, True),
        ({"prefix": {"type": "created"}}, False),
        ({"prefix": {"type": "Order"}}, False),
        ({"suffix": {"type": ".created"}}, True),
        ({"suffix": {"type": "order"}}, False),
        (ABSENT, False),
        ({"all": [YES, YES]}, True),
        ({"all": [YES, NO]}, False),
        ({"all": []}, True),
        ({"any": [NO, YES]}, True),
        ({"any": [ABSENT, YES]}, True),
        ({"any": [NO, NO]}, False),
        ({"any": []}, False),
        ({"not": NO}, True),
        ({"not": YES}, False),
        ({"not": ABSENT}, True),
        ({"not": {"all": [YES, {"not": {"any": [NO, ABSENT]}}]}}, False),
        ({}, True),
        ({"cesql": "tier = 'gold' AND type LIKE 'order.%'"}, True),
        ({"cesql": "tier = 'lead'"}, False),
        ({"cesql": "LENGTH(tier)"}, False),
        ({"cesql": "'true'"}, False),
        ({"cesql": "subject != 'x'"}, False),
        ({"cesql": "1 / 0 = 0"}, False),
        ({"not": {"cesql": "1 / 0 = 0"}}, True),
        ({"all": [YES, {"any": [NO, {"cesql": "EXISTS ext"}]}]}, True),
    ],
    ids=str,
)
def test_dialects(expression: dict[str, Any], *, matches: bool) -> None:
    assert Matcher().compile(trigger(filters=[expression]))(EVENT) is matches


@pytest.mark.parametrize(
    ("legacy", "filters", "matches"),
    [
        (None, [YES, YES], True),
        (None, [YES, NO], False),
        ({"attributes": {"tier": "lead"}}, [YES], True),
        ({"attributes": {"tier": "gold"}}, [NO], False),
        ({"attributes": {"tier": "lead"}}, [], False),
    ],
    ids=["and", "and-false", "filters-win", "filters-win-false", "empty-filters-leave-filter"],
)
def test_expressions_are_joined_and_win(
    legacy: dict[str, Any] | None, filters: list[dict[str, Any]], *, matches: bool
) -> None:
    assert Matcher().compile(trigger(legacy, filters))(EVENT) is matches


@pytest.mark.parametrize(
    ("expression", "place"),
    [
        ({"cesql": "type ="}, r"filters\[0\].cesql: column 6: expected one of .*; got the end"),
        ({"any": [{"cesql": 1}]}, r"filters\[0\].any\[0\].cesql is no text"),
        ({"all": [{"any": [{"regex": {}}]}]}, r"filters\[0\].all\[0\].any\[0\]: dialect 'regex'"),
        ({"exact": {"type": 5}}, r"filters\[0\].exact is no object of strings"),
        ({"all": "x"}, r"filters\[0\].all is no list"),
        ({"not": []}, r"filters\[0\].not is no object"),
    ],
    ids=["cesql", "cesql-number", "nested", "number", "no-list", "no-object"],
)
def test_what_cannot_be_honoured_is_refused_by_its_place(expression: dict[str, Any], place: str) -> None:
    with pytest.raises(UnsupportedFilterError, match=place):
        Matcher().compile(trigger(filters=[expression]))
