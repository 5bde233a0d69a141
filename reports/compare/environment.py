"""What stands around a run, as facts that can be compared: which of them decide how fast a system is."""

from collections.abc import Mapping
from typing import Any, Final

from common.redaction import PLAIN

_DECISIVE: Final = ("target", "machine")
"""What is not the system under test and yet decides how fast it is. Kafka stands in `target`."""


def facts(told: Mapping[str, Any]) -> dict[str, str]:
    """Return every value of an object that is not empty, by its place in words."""
    return {what: PLAIN.one_line(value, 200) for what, value in _leaves("", told) if value}


def decides_speed(what: str) -> bool:
    """Tell whether latencies cannot be compared where this fact differs."""
    return what.split(maxsplit=1)[0] in _DECISIVE


def _leaves(place: str, value: Any) -> list[tuple[str, str]]:
    if isinstance(value, Mapping):
        leaves = [leaf for key, item in value.items() for leaf in _leaves(f"{place} {key}".strip(), item)]
        return [(PLAIN.one_line(what, 120), told) for what, told in leaves]
    if isinstance(value, list):
        return [(place, ", ".join(map(str, value)))]
    return [(place, "" if value is None else str(value))]
