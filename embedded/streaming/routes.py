"""The route that a router's answer names."""

import orjson


def read_route(answer: bytes) -> int:
    """Return the first number of a router's answer: a SeldonMessage with a tensor or an array, or a list.

    Raises:
        ValueError: There is no such number.
    """
    try:
        value = orjson.loads(answer)
        data = value["data"] if isinstance(value, dict) else {"ndarray": value}
        first = (data["ndarray"] if "ndarray" in data else data["tensor"]["values"])[0]
        return int(first[0] if isinstance(first, list) else first)
    except (ValueError, TypeError, KeyError, IndexError) as error:
        raise ValueError(f"a router's answer without a route: {answer[:200]!r}") from error
