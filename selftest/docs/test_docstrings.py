"""Docstrings have one dialect: what lint does not see of it. Lint asks for sentences in the imperative (ruff, D401)."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("benchmarks", "common", "embedded", "evidence", "fixtures", "images", "reports", "selftest", "suites")
FILES = sorted(file for room in ROOMS for file in (ROOT / room).rglob("*.py") if "__pycache__" not in file.parts)
SECTION = re.compile(r"(\s*)(Args|Attributes|Raises|Returns|Yields):$")
ENTRY = re.compile(r"\s*\*{0,2}[\w., ]+: (.*)$")
# An entry is a noun phrase: it begins with no preposition and no relative word, which name nothing.
NO_NOUN = re.compile(r"(of|that|which|those|by|in|as|it|to|from|for|with|at|on|under|where|when|why)\b", re.IGNORECASE)


def documented(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield each docstring of a module, with the number of the line before it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node, clean=True)
            if text is not None:
                yield node.body[0].lineno - 1, text


def faults(text: str) -> Iterator[tuple[int, str]]:
    """Yield what is wrong with a docstring: the number of its line, and what."""
    section, indent = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if begin := SECTION.match(line):
            section, indent = begin[2], len(begin[1])
            continue
        depth = len(line) - len(line.lstrip())
        if section and line.strip() and depth <= indent:
            section = ""
        entry = ENTRY.match(line) if depth == indent + 4 else None
        if section not in {"Args", "Attributes", "Raises"} or entry is None:
            continue
        if entry[1][:1].islower():
            yield number, f"expected a capital letter: {line.strip()}"
        elif section != "Raises" and NO_NOUN.match(entry[1]):
            yield number, f"expected a noun phrase: {line.strip()}"


def test_every_room_is_looked_at() -> None:
    assert {file.relative_to(ROOT).parts[0] for file in FILES} == set(ROOMS)


def test_entries_of_docstrings_are_noun_phrases() -> None:
    found = [
        f"{file.relative_to(ROOT)}:{begin + number}: {fault}"
        for file in FILES
        for begin, text in documented(ast.parse(file.read_text(encoding="utf-8")))
        for number, fault in faults(text)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        ("path: The file of the history.", ""),
        ("path: the file of the history.", "a capital letter"),
        ("seconds: That it took.", "a noun phrase"),
        ("name: Of the cluster.", "a noun phrase"),
    ],
)
def test_a_fault_is_seen(entry: str, fault: str) -> None:
    text = f"Do it.\n\nArgs:\n    {entry}\n"
    assert [words.partition(":")[0] for _, words in faults(text)] == ([f"expected {fault}"] if fault else [])
