"""JSON from a system under test: read no deeper than what follows can walk through."""

from __future__ import annotations

import json
from typing import Any

MAX_DEPTH = 200


def load(text: str | bytes, **hooks: Any) -> Any:
    """The value of a JSON text.

    Args:
        text: JSON text.
        hooks: keyword arguments of `json.loads`.

    Raises:
        ValueError: no JSON, or nested deeper than `MAX_DEPTH` levels.
    """
    try:
        value = json.loads(text, **hooks)
    except RecursionError as error:
        raise _too_deep() from error
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [part for whole in level for part in _parts(whole)]
        if not level:
            return value
    raise _too_deep()


def _parts(value: Any) -> list[Any]:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [part for part in parts if isinstance(part, dict | list)]


def _too_deep() -> ValueError:
    return ValueError(f"expected at most {MAX_DEPTH} levels of nesting, got more")
