"""JSON of others, read no deeper than what follows can walk through.

Two readers, since two things are asked of JSON. `parse` takes what RFC 8259 calls JSON and nothing else. `load` reads
as Python's own reader does, for checks that judge a text themselves: integers of any length, and a hook for every name.
Neither takes NaN and the infinities, which are no JSON.
"""

import json
from collections.abc import Iterator
from typing import Any, NoReturn

import orjson

MAX_DEPTH = 200
"""Levels of lists and objects at most, where a reader does not say otherwise."""


def parse(text: str | bytes, deepest: int = MAX_DEPTH) -> Any:
    """Return the value of a JSON text, read strictly: NaN and lone surrogates are no JSON.

    Args:
        text: The JSON.
        deepest: The number of levels of lists and objects that it may have.

    Raises:
        ValueError: It is no JSON, or nested too deeply.
    """
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"expected JSON, got none: {error}") from error
    return _bounded(value, deepest)


def load(text: str | bytes, **hooks: Any) -> Any:
    """Return the value of a JSON text, as Python's own reader has it; NaN and the infinities are no JSON.

    Args:
        text: The JSON.
        hooks: The keyword arguments of `json.loads`.

    Raises:
        ValueError: It is no JSON, or nested deeper than `MAX_DEPTH` levels.
    """
    try:
        value = json.loads(text, parse_constant=_no_constant, **hooks)
    except RecursionError as error:
        raise _too_deep(MAX_DEPTH) from error
    return _bounded(value, MAX_DEPTH)


def too_deep(value: object, most: int) -> bool:
    """Tell whether lists and objects of a JSON value nest deeper than `most` levels; without recursion."""
    level: list[Any] = [value]
    for _ in range(most + 1):
        level = [
            item
            for outer in level
            for item in (outer.values() if type(outer) is dict else outer if type(outer) is list else ())
            if type(item) in (dict, list)
        ]
        if not level:
            return False
    return True


def levels(value: Any) -> Iterator[tuple[int, Any]]:
    """Yield every part of a JSON value with its depth: 0 for a scalar alone, 1 for a list or object of scalars."""
    pending = [(0, value)]
    while pending:
        depth, part = pending.pop()
        if isinstance(part, dict | list):
            depth += 1
            below = part.values() if isinstance(part, dict) else part
            pending.extend((depth, item) for item in below)
        yield depth, part


def _bounded(value: Any, deepest: int) -> Any:
    if too_deep(value, deepest - 1):  # the value itself is the first level
        raise _too_deep(deepest)
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _too_deep(deepest: int) -> ValueError:
    return ValueError(f"expected at most {deepest} levels of nesting, got more")
