"""One stage's percentile over runs as a line: of blocks for a terminal, as SVG for a page. Pure.

What cannot be compared with the newest run is drawn apart: a dot on the ground line of the blocks, a hollow circle that
no line leads to in the picture.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from markupsafe import Markup

BLOCKS: Final = "▁▂▃▄▅▆▇█"
ASCII_BLOCKS: Final = "_.,-=+*#"
_STEP, _HEIGHT, _EDGE = 9, 34, 5


def blocks(values: Sequence[float | None], comparable: Sequence[bool], *, ascii_only: bool = False) -> str:
    """Return one character a run: the height of its value, `x` for one apart, and a blank where there is none."""
    signs = ASCII_BLOCKS if ascii_only else BLOCKS
    top = _top(values, comparable)
    return "".join(
        " " if value is None else signs[round(value / top * (len(signs) - 1))] if fits else "x"
        for value, fits in zip(values, comparable, strict=True)
    )


def svg(values: Sequence[float | None], comparable: Sequence[bool], label: str) -> Markup:
    """Return the picture.

    Args:
        values: Seconds, the oldest run first; None where there is no figure.
        comparable: Whether each can be compared with the newest.
        label: The picture in words, for those who do not see it.
    """
    top = max([value for value in values if value is not None], default=0.0) or 1.0
    width = max(len(values) - 1, 1) * _STEP + 2 * _EDGE
    points = [
        None
        if value is None
        else (_EDGE + number * _STEP, round(_HEIGHT - _EDGE - value / top * (_HEIGHT - 2 * _EDGE), 1))
        for number, value in enumerate(values)
    ]
    lines = [
        Markup('<polyline points="{}"/>').format(" ".join(f"{x},{y}" for x, y in line))
        for line in _lines(points, comparable)
        if len(line) > 1
    ]
    dots = [
        Markup('<circle cx="{}" cy="{}" r="{}"{}/>').format(
            *point, 3 if number == len(points) - 1 else 1.8, "" if fits else Markup(' class="apart"')
        )
        for number, (point, fits) in enumerate(zip(points, comparable, strict=True))
        if point is not None
    ]
    begin = Markup('<svg class="spark" role="img" aria-label="{}" viewBox="0 0 {} {}" width="{}" height="{}">')
    return Markup("").join([begin.format(label, width, _HEIGHT, width, _HEIGHT), *lines, *dots, Markup("</svg>")])


def _top(values: Sequence[float | None], comparable: Sequence[bool]) -> float:
    return (
        max([value for value, fits in zip(values, comparable, strict=True) if fits and value is not None], default=0)
        or 1
    )


def _lines(points: Sequence[tuple[int, float] | None], comparable: Sequence[bool]) -> Iterator[list[tuple[int, float]]]:
    """Yield the parts of the line: it leads from one comparable run to the next, over those that are apart."""
    line: list[tuple[int, float]] = []
    for point, fits in zip(points, comparable, strict=True):
        if point is not None and fits:
            line.append(point)
        elif point is None and line:
            yield line
            line = []
    yield line
