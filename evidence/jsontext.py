"""JSON from a system under test: read no deeper than what follows can walk through."""

from __future__ import annotations

import json
from typing import Any

from evidence.fields import too_deep

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
    if too_deep(value, MAX_DEPTH - 1):  # the value itself is the first level
        raise _too_deep()
    return value


def _too_deep() -> ValueError:
    return ValueError(f"expected at most {MAX_DEPTH} levels of nesting, got more")
