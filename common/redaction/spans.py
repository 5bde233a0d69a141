"""Where the secrets of a text are: every kind over one text, merged."""

from collections.abc import Iterator
from functools import lru_cache

from common.redaction import assigned, encoded, kinds
from common.redaction.kinds import Span

DEPTH = 3
"""How often something may be encoded within something encoded."""
SHORT, REMEMBERED = 200, 1 << 13
"""The longest text whose secrets are remembered, in characters, and how many such texts there are at most."""


def of(text: str) -> list[Span]:
    """Return the secrets of a text in their order, none of which overlap."""
    return list(_of_short(text)) if len(text) <= SHORT else merged(_all(text, DEPTH))


@lru_cache(REMEMBERED)
def _of_short(text: str) -> tuple[Span, ...]:
    """As `of`: a report shows the same names of fields, tests, namespaces and checks thousands of times."""
    return tuple(merged(_all(text, DEPTH)))


def _all(text: str, depth: int) -> Iterator[Span]:
    yield from kinds.spans(text)
    yield from assigned.spans(text)
    if depth:
        yield from encoded.spans(text, lambda decoded: _all(decoded, depth - 1))


def merged(found: Iterator[Span]) -> list[Span]:
    """Spans in order, those that touch or overlap as one."""
    joined: list[Span] = []
    for start, end in sorted(found):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], end)
        else:
            joined.append((start, end))
    return joined
