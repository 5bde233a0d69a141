"""Near misses: what lies at the right place under a wrong name, for messages that would say "none" otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from common import names
from common.redaction import PLAIN

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from evidence.identity import Identity

MOST_SHOWN: Final = 3
SHORTEST: Final = 4
"""From how many letters on a part of a name is taken for one that was cut."""


def of_name(name: str, others: Mapping[str, int]) -> str:
    """Return the end of a message about a name that is not there; empty when nothing is near it.

    Args:
        name: The name.
        others: The names that are there instead, with the numbers of their records.
    """
    return _told(dict.fromkeys([*_cut(name, others), *names.near(name, others)]), others)


def of_event(wanted: Identity, also: Iterable[str], others: Mapping[Identity, int]) -> str:
    """Return the end of a message about an event that is not there; empty when nothing is near it.

    Args:
        wanted: The source and the id of the event.
        also: Other ids that a faulty system may have given to it, like that of the request that it answers.
        others: The events that are there instead, with the numbers of their records.
    """
    source, event_id = wanted
    of_source = {other_id: seq for (other, other_id), seq in others.items() if other == source and other_id != event_id}
    elsewhere = {other: seq for (other, other_id), seq in others.items() if other_id == event_id and other != source}
    near = [*_cut(event_id, of_source), *names.near(event_id, of_source), *(each for each in also if each in of_source)]
    text = _told(dict.fromkeys(near), of_source)
    return text or _told(dict.fromkeys(elsewhere), elsewhere, " of the same id, by another source")


def _cut(name: str, others: Iterable[str]) -> list[str]:
    """Return the names of which one is a part of the other."""
    return [other for other in others if min(len(name), len(other)) >= SHORTEST and (other in name or name in other)]


def _told(near: Iterable[str], others: Mapping[str, int], how: str = "") -> str:
    shown = [f"{names.shown(PLAIN.cut(name, names.LONGEST_SHOWN))} (record {others[name]})" for name in near]
    return f"; near it{how} is {' and '.join(shown[:MOST_SHOWN])}" if shown else ""
