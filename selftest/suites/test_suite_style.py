"""The suite's own rules, read from its syntax trees: stimulus and expectations only, a test for every requirement."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

from evidence.catalogue import load

SUITES = Path(__file__).parents[2] / "suites"
FILES = sorted(SUITES.glob("*/test_*.py"))
CATALOGUE = load(SUITES / "catalogue")
ID = re.compile(r"[A-Z][A-Z0-9]*-[A-Z][A-Z0-9]*-[0-9]{3}")
EXPECTING = {"expect", "generated"}  # a law over generated cases expects what is claimed of each
BARRED = {ast.While: "while", ast.For: "for", ast.AsyncFor: "for", ast.Try: "try", ast.Assert: "assert"}


def identifier(path: Path) -> str:
    return str(path.relative_to(SUITES))


def catalogued() -> set[str]:
    entries = [tomllib.loads(path.read_text()) for path in (SUITES / "catalogue").rglob("*.toml")]
    return {row["id"] for found in entries for row in found.get("requirement", [])}


def functions_of(path: Path) -> list[ast.FunctionDef]:
    tree = ast.parse(path.read_text())
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]


def named_in(path: Path) -> set[str]:
    constants = [node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)]
    return {value for value in constants if isinstance(value, str) and ID.fullmatch(value)}


def test_every_requirement_has_a_test_and_every_mark_a_requirement() -> None:
    marked = set().union(*map(named_in, FILES))
    known = catalogued()
    assert sorted(known - marked) == [], "mark a test of each in suites/<area>/ with @pytest.mark.requirement(ID)"
    assert sorted(marked - known) == [], "add an entry of each to suites/catalogue"


@pytest.mark.parametrize("path", FILES, ids=identifier)
def test_requirements_stand_in_the_folder_of_their_area(path: Path) -> None:
    known = {requirement.id for requirement in CATALOGUE.requirements if requirement.area == path.parent.name}
    assert named_in(path) <= known


@pytest.mark.parametrize("path", FILES, ids=identifier)
def test_every_test_names_its_requirement_and_expects_something(path: Path) -> None:
    for test in functions_of(path):
        assert any("mark.requirement" in ast.unparse(decorator) for decorator in test.decorator_list), test.name
        called = [node.func for node in ast.walk(test) if isinstance(node, ast.Call)]
        names = {function.id for function in called if isinstance(function, ast.Name)}
        assert names & EXPECTING, test.name


@pytest.mark.parametrize("path", FILES, ids=identifier)
def test_tests_hold_no_control_flow_and_no_sleep(path: Path) -> None:
    found = [
        f"{word} at line {getattr(node, 'lineno', '?')}"
        for node in ast.walk(ast.parse(path.read_text()))
        for kind, word in BARRED.items()
        if isinstance(node, kind)
    ]
    assert found == []
    assert "sleep" not in path.read_text()
