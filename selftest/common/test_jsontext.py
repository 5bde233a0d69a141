"""JSON of others: the strict reader, Python's own, and the bound on depth that both have."""

from collections.abc import Callable
from typing import Any

import pytest

from common import jsontext


def nested(levels: int) -> str:
    """Return a JSON text of so many levels of lists."""
    return "[" * levels + "]" * levels


@pytest.mark.parametrize("read", [jsontext.parse, jsontext.load], ids=["strict", "as-python"])
def test_both_readers_have_a_bound_on_depth(read: Callable[[str], Any]) -> None:
    assert read(nested(jsontext.MAX_DEPTH)) is not None
    for levels in (jsontext.MAX_DEPTH + 1, 1000, 100_000):
        with pytest.raises(ValueError, match=r"JSON|expected at most 200 levels of nesting, got more"):
            read(nested(levels))


def test_the_strict_reader_takes_another_bound() -> None:
    assert jsontext.parse(nested(3), 3) == [[[]]]
    with pytest.raises(ValueError, match="expected at most 3 levels of nesting, got more"):
        jsontext.parse(nested(4), 3)


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", '"\\ud800"', "", "{"], ids=repr)
def test_the_strict_reader_refuses_what_is_no_json(text: str) -> None:
    with pytest.raises(ValueError, match="expected JSON, got none: "):
        jsontext.parse(text)


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", '{"a": -Infinity}'], ids=repr)
def test_pythons_reader_takes_no_number_that_json_cannot_say(text: str) -> None:
    with pytest.raises(ValueError, match="is no JSON"):
        jsontext.load(text)


def test_pythons_reader_shows_every_name_to_a_hook() -> None:
    pairs: list[list[tuple[str, Any]]] = []
    jsontext.load('{"a": 1, "a": 2}', object_pairs_hook=pairs.append)
    assert pairs == [[("a", 1), ("a", 2)]]


@pytest.mark.parametrize(
    ("value", "deepest"),
    [
        pytest.param(1, 0, id="scalar"),
        pytest.param([], 1, id="empty-list"),
        pytest.param({"a": [1, {"b": 2}]}, 3, id="mixed"),
    ],
)
def test_levels_count_lists_and_objects(value: object, deepest: int) -> None:
    assert max(depth for depth, _ in jsontext.levels(value)) == deepest
