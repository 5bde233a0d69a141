"""The picture of the kill matrix: a shape for each kind of cell, and its words."""

from xml.etree import ElementTree as ET

import pytest

from reports import picture
from reports.matrix import CellKind, kind
from reports.model import Cell, MutantRow, Mutation, Result

SVG = "{http://www.w3.org/2000/svg}"
KINDS = {
    CellKind.KILLED: [("fail", True)],
    CellKind.MISSED: [("pass", True)],
    CellKind.SPARED: [("pass", False)],
    CellKind.FALSE_KILL: [("fail", False)],
    CellKind.UNDECIDED: [
        ("unknown", True),
        ("error", True),
        ("not_testable", True),
        ("flaky", False),
        ("error", False),
    ],
    CellKind.NOT_ASKED: [("skipped", False), ("not_testable", False), ("not_supported", False)],
}
CASES = [(verdict, expected, shape) for shape, cells in KINDS.items() for verdict, expected in cells]


@pytest.mark.parametrize(("verdict", "expected", "shape"), CASES)
def test_each_cell_is_of_one_kind(verdict: str, expected: bool, shape: CellKind) -> None:  # noqa: FBT001 - a table
    assert kind(Cell("EVT-FLT-001", verdict, expected)) is shape


def requirement(name: str, area: str) -> Result:
    return Result(name, "MUST", "broker-core", area, f"{name} holds <always>.", "spec", None, "pass", "", (), None)


def row(name: str, *cells: Cell) -> MutantRow:
    return MutantRow(name, "platform", f"{name} is & wrong", "", "killed", cells)


REQUIREMENTS = [
    requirement("EVT-A-001", "eventing"),
    requirement("EVT-A-002", "eventing"),
    requirement("STR-A-001", "streaming"),
]
MUTATION = Mutation(
    (
        row("one", Cell("EVT-A-001", "fail", expected=True), Cell("EVT-A-002", "pass", expected=False)),
        row(
            "two",
            Cell("EVT-A-002", "fail", expected=False, reason="</title><script>"),
            Cell("STR-A-001", "pass", expected=True),
        ),
        row(
            "three",
            Cell("STR-A-001", "unknown", expected=True, reason="too late"),
            Cell("EVT-A-001", "skipped", expected=False),
        ),
    ),
    (),
    complete=True,
)


def drawn(mutation: Mutation, requirements: list[Result]) -> ET.Element:
    text = picture.svg(mutation, requirements).replace("<svg ", f'<svg xmlns="{SVG[1:-1]}" ', 1)
    return ET.fromstring(text)  # noqa: S314 - our own text


def test_a_cell_stands_where_its_mutant_and_its_requirement_meet() -> None:
    root = drawn(MUTATION, REQUIREMENTS)
    found = {
        use.findtext(f"{SVG}title"): (use.get("href"), float(use.get("x", "")), float(use.get("y", "")))
        for use in root.iter(f"{SVG}use")
    }
    assert {title: cell[0] for title, cell in found.items()} == {
        "one x EVT-A-001: killed as demanded": "#cell-killed",
        "one x EVT-A-002: spared as demanded": "#cell-spared",
        "two x EVT-A-002: false kill (</title><script>)": "#cell-false-kill",
        "two x STR-A-001: missed": "#cell-missed",
        "three x STR-A-001: undecided (too late)": "#cell-undecided",
    }
    places = list(found.values())
    assert places[1][1] == places[2][1] == places[0][1] + picture.CELL
    assert places[3][1] == places[4][1] == places[0][1] + 2 * picture.CELL + picture.GAP
    assert [place[2] - places[0][2] for place in places] == [0, 0, 10, 10, 20]
    shapes = {f"#{group.get('id')}" for group in root.iter(f"{SVG}g") if group.get("id")}
    assert {cell[0] for cell in found.values()} <= shapes


def test_who_listens_is_told_how_many_and_which_are_wrong() -> None:
    root = drawn(MUTATION, REQUIREMENTS)
    assert root.findtext(f"{SVG}title") == "Kill matrix: 3 mutants against 3 requirements"
    told = str(root.findtext(f"{SVG}desc"))
    assert told.startswith("Cells: 1 killed as demanded, 1 missed, 1 spared as demanded, 1 false kill, 1 undecided.")
    assert "two x STR-A-001: missed" in told
    assert "one x" not in told


def test_areas_stand_apart_with_their_names() -> None:
    root = drawn(MUTATION, REQUIREMENTS)
    areas = [text for text in root.iter(f"{SVG}text") if text.get("class") == "area"]
    assert [area.text for area in areas] == ["ev…", "s…"]
    grounds = [rect for rect in root.iter(f"{SVG}rect") if rect.get("class") == "ground"]
    assert [float(ground.get("width", "")) for ground in grounds] == [20, 10]


def test_large_matrices_stay_a_page_that_opens() -> None:
    requirements = [requirement(f"EVT-A-{number:03}", f"area_{number // 50}") for number in range(300)]
    cells = [Cell(f"EVT-A-{number:03}", "pass", expected=False) for number in range(0, 300, 6)]
    text = picture.svg(Mutation(tuple(row(f"mutant-{n}", *cells) for n in range(350)), (), complete=True), requirements)
    assert text.count("<use ") == 350 * 50
    assert len(text) < 4_000_000
    width, height = (float(part) for part in text.partition('viewBox="0 0 ')[2].partition('"')[0].split())
    assert width < 3300
    assert height < 3700


def test_nothing_at_all_is_a_picture_too() -> None:
    assert (
        drawn(Mutation((), (), complete=True), []).findtext(f"{SVG}title")
        == "Kill matrix: 0 mutants against 0 requirements"
    )
