"""A sequence diagram of one event's path as a small inline SVG.

Lane names and colours come from the page's CSS variables, so it follows light and dark. Every text is escaped here.
"""

from html import escape

from reports.path import LANES, EventPath

_LANE_WIDTH = 158
_LEFT = 68
_TOP = 40
_ROW = 30


def svg(path: EventPath, witness: frozenset[int] = frozenset()) -> str:
    """The diagram; hops whose record is a witness are marked, lanes never reached are dashed.

    Args:
        path: Hops in order.
        witness: Seqs that prove a violation.
    """
    # An exchange that carried no event ends where it was answered.
    lanes = ("client", "server") if path.exchange else LANES
    width = _LEFT * 2 + _LANE_WIDTH * (len(lanes) - 1)
    height = _TOP + _ROW * (len(path.hops) + (1 if path.more else 0)) + 24
    reached = {lane for hop in path.hops for lane in (hop.start, hop.end)}
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
    begin = path.hops[0].t if path.hops else 0.0
    for row, hop in enumerate(path.hops):
        y = _TOP + _ROW * row + 18
        css = "hop witness" if hop.seq in witness or hop.bad else "hop"
        title = f"<title>record {hop.seq}, {(hop.t - begin) * 1000:+.1f} ms</title>"
        left, right = _x(min(hop.start, hop.end)), _x(max(hop.start, hop.end))
        if hop.start == hop.end:
            parts.append(
                f'<g class="{css}">{title}<circle cx="{left}" cy="{y}" r="4"/>'
                f'<text class="note" x="{left + 8}" y="{y + 4}">{escape(hop.label)}</text></g>'
            )
            continue
        from_x, to_x = _x(hop.start), _x(hop.end)
        tip = 7 if to_x > from_x else -7
        parts.append(
            f'<g class="{css}">{title}<line x1="{from_x}" y1="{y}" x2="{to_x - tip}" y2="{y}"/>'
            f'<path d="M{to_x} {y} l{-tip} -4 v8 z"/>'
            f'<text x="{(left + right) / 2:g}" y="{y - 5}">{escape(hop.label)}</text></g>'
        )
    if path.more:
        parts.append(
            f'<text class="more" x="{_LEFT}" y="{height - 8}">and {path.more} more hops, in the history</text>'
        )
    parts.append("</svg>")
    return "".join(parts)


def _x(lane: int) -> int:
    return _LEFT + _LANE_WIDTH * lane
