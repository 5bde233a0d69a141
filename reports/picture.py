"""The kill matrix as one picture: mutants against requirements, as a small inline SVG without a script.

A cell is ten units wide, so that 350 mutants against 300 requirements are a page of 3500 by 3000 units that scrolls.
What each cell is shows by its shape and by its colour; colours are CSS variables of the page, so it follows light and
dark. Only what was asked is drawn: what was not stays the ground. Every text is escaped here.
"""

from collections import Counter
from collections.abc import Sequence
from html import escape

from common.redaction import PLAIN
from reports.matrix import CellKind, kind
from reports.model import Cell, MutantRow, Mutation, Result

CELL = 10
GAP = 6
"""The units between two areas."""
MOST_NAMED = 40
"""How many cells that are not as demanded the description names."""
_LETTER = 5.2
_HEAD = 16
_MARGIN = 4
_LONGEST_NAME = 40
_LONGEST_REASON = 300

WORDS = {
    CellKind.KILLED: "killed as demanded",
    CellKind.MISSED: "missed",
    CellKind.SPARED: "spared as demanded",
    CellKind.FALSE_KILL: "false kill",
    CellKind.UNDECIDED: "undecided",
    CellKind.NOT_ASKED: "not asked",
}
SHAPES = {
    CellKind.KILLED: '<rect x="1" y="1" width="8" height="8" rx="1"/>',
    CellKind.MISSED: '<rect x="1" y="1" width="8" height="8" rx="1"/><path d="M3 3l4 4M7 3l-4 4"/>',
    CellKind.SPARED: '<circle cx="5" cy="5" r="1.4"/>',
    CellKind.FALSE_KILL: '<path d="M5 .5L9.5 5L5 9.5L.5 5z"/>',
    CellKind.UNDECIDED: '<circle cx="5" cy="5" r="3.4"/>',
}


def svg(mutation: Mutation, requirements: Sequence[Result]) -> str:
    """Return the picture.

    Args:
        mutation: The matrix.
        requirements: All requirements of the report, in its order; the areas follow each other.
    """
    columns = _columns(requirements)
    left = _MARGIN * 2 + _LETTER * max((len(_short(row.name)) for row in mutation.mutants), default=0)
    top = _HEAD + _MARGIN + _LETTER * max((len(_short(result.id)) for result in requirements), default=0)
    width = left + (max(columns.values()) + CELL if columns else 0) + _MARGIN
    height = top + CELL * len(mutation.mutants) + _MARGIN
    size = f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}"'
    parts = [
        f'<svg class="picture" {size} role="img" aria-labelledby="picture-title picture-text">',
        f'<title id="picture-title">{_title(mutation, requirements)}</title>',
        f'<desc id="picture-text">{escape(_description(mutation))}</desc>',
        "<defs>",
        *(f'<g id="cell-{shape}" class="cell {shape}">{drawn}</g>' for shape, drawn in SHAPES.items()),
        "</defs>",
        *_areas(requirements, columns, left, top, height - _MARGIN),
        *_heads(requirements, columns, left, top),
    ]
    for number, row in enumerate(mutation.mutants):
        parts += _row(row, columns, left, top + CELL * number)
    parts.append("</svg>")
    return "".join(parts)


def legend(shape: CellKind) -> str:
    """Return the sign of a kind of cell alone, for the legend: hidden from those who listen, who have its word."""
    drawn = SHAPES.get(shape, "")
    return (
        f'<svg class="picture sign" viewBox="0 0 10 10" width="12" height="12" aria-hidden="true">'
        f'<rect class="ground" width="10" height="10"/><g class="cell {shape}">{drawn}</g></svg>'
    )


def _columns(requirements: Sequence[Result]) -> dict[str, float]:
    """Return the place of each requirement's column from the left end of the cells."""
    places: dict[str, float] = {}
    at, area = 0.0, requirements[0].area if requirements else ""
    for result in requirements:
        if result.area != area:
            at, area = at + GAP, result.area
        places[result.id] = at
        at += CELL
    return places


def _areas(
    requirements: Sequence[Result], columns: dict[str, float], left: float, top: float, bottom: float
) -> list[str]:
    """Return the ground of each area, with its name above."""
    parts = []
    for area in dict.fromkeys(result.area for result in requirements):
        places = [columns[result.id] for result in requirements if result.area == area]
        at, wide = left + places[0], places[-1] - places[0] + CELL
        name = area.replace("_", " ")
        shown = name if len(name) * _LETTER * 1.2 <= wide else name[: max(1, int(wide / (_LETTER * 1.2)) - 1)] + "…"
        parts.append(
            f'<g><title>{escape(name)}</title><rect class="ground" x="{at:g}" y="{top:g}" width="{wide:g}" '
            f'height="{bottom - top:g}"/><text class="area" x="{at:g}" y="11">{escape(shown)}</text></g>'
        )
    return parts


def _heads(requirements: Sequence[Result], columns: dict[str, float], left: float, top: float) -> list[str]:
    """Return the ids of the requirements, upright above their columns."""
    return [
        f'<text class="head" transform="translate({left + columns[result.id] + 7.8:g} {top - 3:g}) rotate(-90)">'
        f"<title>{escape(PLAIN.one_line(result.text, 200))}</title>{escape(_short(result.id))}</text>"
        for result in requirements
    ]


def _row(row: MutantRow, columns: dict[str, float], left: float, y: float) -> list[str]:
    head = f'<text class="name {row.status}" x="{left - _MARGIN:g}" y="{y + 7.8:g}">'
    parts = [f"{head}<title>{escape(PLAIN.one_line(row.about, 200))}</title>{escape(_short(row.name))}</text>"]
    for cell in row.cells:
        shape = kind(cell)
        if shape in SHAPES and cell.requirement in columns:
            parts.append(
                f'<use href="#cell-{shape}" x="{left + columns[cell.requirement]:g}" y="{y:g}">'
                f"<title>{escape(_said(row, cell, shape))}</title></use>"
            )
    return parts


def _said(row: MutantRow, cell: Cell, shape: CellKind) -> str:
    """Return what a cell tells: a mutant, a requirement, and what became of the two."""
    said = f"{PLAIN.one_line(row.name, 80)} x {cell.requirement}: {WORDS[shape]}"
    if shape in {CellKind.FALSE_KILL, CellKind.UNDECIDED} and cell.reason:
        said += f" ({PLAIN.one_line(cell.reason, _LONGEST_REASON)})"
    return said


def _title(mutation: Mutation, requirements: Sequence[Result]) -> str:
    return f"Kill matrix: {len(mutation.mutants)} mutants against {len(requirements)} requirements"


def _description(mutation: Mutation) -> str:
    """Return in words what the picture shows: how many cells of each kind, and which are not as demanded."""
    cells = [(row, cell, kind(cell)) for row in mutation.mutants for cell in row.cells]
    counts = Counter(shape for _, _, shape in cells)
    told = ", ".join(f"{counts[shape]} {word}" for shape, word in WORDS.items() if shape in SHAPES)
    wrong = [
        _said(row, cell, shape)
        for row, cell, shape in cells
        if shape in {CellKind.MISSED, CellKind.FALSE_KILL, CellKind.UNDECIDED}
    ]
    more = f"; and {len(wrong) - MOST_NAMED} more" if len(wrong) > MOST_NAMED else ""
    return f"Cells: {told}." + (f" Not as demanded: {'; '.join(wrong[:MOST_NAMED])}{more}." if wrong else "")


def _short(name: str) -> str:
    shown = PLAIN.one_line(name)
    return shown if len(shown) <= _LONGEST_NAME else shown[: _LONGEST_NAME - 1] + "…"
