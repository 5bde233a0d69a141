"""Where the secrets of a text are: every kind over one text, merged."""

from collections.abc import Iterator

from common.redaction import assigned, encoded, kinds
from common.redaction.kinds import Span

DEPTH = 3
"""How often something may be encoded within something encoded."""


def of(text: str, depth: int = DEPTH) -> list[Span]:
    """Return the secrets of a text in their order, none of which overlap."""
    return merged(_all(text, depth))


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
