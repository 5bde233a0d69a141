"""A sequence diagram of one event's path as a small inline SVG.

Lane names and colours come from the page's CSS variables, so it follows light and dark. Every text is escaped here.
"""

from html import escape

from reports.path import EXCHANGE_LANES, LANES, Arrow, EventPath

_LANE_WIDTH = 158
_LEFT = 68
_TOP = 40
_ROW = 30


def svg(path: EventPath, witness: frozenset[int] = frozenset()) -> str:
    """Return the diagram; hops whose record is a witness are marked, lanes never reached are dashed.

    Args:
        path: The path.
        witness: The numbers of the records that prove a violation.
    """
    lanes = EXCHANGE_LANES if path.exchange else LANES
    arrows = path.arrows
    width = _LEFT * 2 + _LANE_WIDTH * (len(lanes) - 1)
    height = _TOP + _ROW * (len(arrows) + (1 if path.more else 0)) + 24
    reached = {lane for arrow in arrows for lane in (arrow.start, arrow.end)}
    parts = [
        f'<svg class="path" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">',
        f"<title>{escape('Path of event ' + path.title)}</title>",
    ]
    for lane, name in enumerate(lanes):
        x = _x(lane)
        css = "lane" if lane in reached else "lane unreached"
        parts.append(
            f'<g class="{css}"><line x1="{x}" y1="{_TOP - 12}" x2="{x}" y2="{height - 14}"/>'
            f'<rect x="{x - 60}" y="4" width="120" height="22" rx="6"/>'
            f'<text x="{x}" y="19">{escape(name)}</text></g>'
        )
    begin = arrows[0].t if arrows else 0.0
    for row, arrow in enumerate(path.before):
        parts.append(_arrow(arrow, _y(row), begin, witness))
    gap = len(path.before)
    if path.more:
        parts.append(f'<text class="more" x="{_LEFT}" y="{_y(gap)}">and {path.more} more hops, in the history</text>')
    for row, arrow in enumerate(path.after, start=gap + 1):
        parts.append(_arrow(arrow, _y(row), begin, witness))
    parts.append("</svg>")
    return "".join(parts)


def _arrow(arrow: Arrow, y: int, begin: float, witness: frozenset[int]) -> str:
    css = "hop witness" if arrow.seq in witness or arrow.bad else "hop"
    title = f"<title>record {arrow.seq}, {(arrow.t - begin) * 1000:+.1f} ms</title>"
    from_x, to_x = _x(arrow.start), _x(arrow.end)
    if from_x == to_x:
        return (
            f'<g class="{css}">{title}<circle cx="{from_x}" cy="{y}" r="4"/>'
            f'<text class="note" x="{from_x + 8}" y="{y + 4}">{escape(arrow.label)}</text></g>'
        )
    tip = 7 if to_x > from_x else -7
    return (
        f'<g class="{css}">{title}<line x1="{from_x}" y1="{y}" x2="{to_x - tip}" y2="{y}"/>'
        f'<path d="M{to_x} {y} l{-tip} -4 v8 z"/>'
        f'<text x="{(from_x + to_x) / 2:g}" y="{y - 5}">{escape(arrow.label)}</text></g>'
    )


def _x(lane: int) -> int:
    return _LEFT + _LANE_WIDTH * lane


def _y(row: int) -> int:
    return _TOP + _ROW * row + 18
