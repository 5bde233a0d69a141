"""The catalogue: all requirements and all mutants, as data read strictly from TOML.

One file an area (its name is the area), and `mutants.toml`. Every fault names file, entry and field; all faults of all
files are reported at once. Nothing here runs a test.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

LEVELS = ("MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY")
PROFILES = ("broker-core", "broker-extended", "async-inference", "kafka-streaming", "latency")
HOSTS = ("platform", "workload")
MUTANTS_FILE = "mutants.toml"
_ID = re.compile(r"[A-Z][A-Z0-9]*-[A-Z][A-Z0-9]*-[0-9]{3}")
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class CatalogueError(ValueError):
    """The catalogue is not sound; one line a fault: file, entry, field, what is wrong."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One normative sentence.

    Attributes:
        mutants: The faulty systems that its tests must fail.
        cases: How many test cases ask for it, in a collection of all.
    """

    id: str
    level: str
    profile: str
    area: str
    text: str
    source: str
    url: str
    mutants: tuple[str, ...]
    cases: int

    @property
    def binding(self) -> bool:
        """Whether conformance depends on it: MUST and MUST NOT."""
        return self.level in {"MUST", "MUST NOT"}


@dataclass(frozen=True, slots=True)
class Mutant:
    """A faulty system.

    Attributes:
        name: its name.
        host: `platform` (a policy of the embedded platform) or `workload` (another entry point of an image).
        areas: whose requirements it is run against.
        about: what it does wrong, and what it leaves right.
        source: the real fault behind it.
        image: of a workload.
        module: of a workload: `python -m <module>`.
    """

    name: str
    host: str
    areas: tuple[str, ...]
    about: str
    source: str
    image: str = ""
    module: str = ""


@dataclass(frozen=True)
class Catalogue:
    """All requirements and mutants, in the order of files and entries."""

    requirements: tuple[Requirement, ...]
    mutants: tuple[Mutant, ...]

    @cached_property
    def by_name(self) -> Mapping[str, Mutant]:
        """Mutants by name."""
        return {mutant.name: mutant for mutant in self.mutants}

    @cached_property
    def kill_sets(self) -> Mapping[str, frozenset[str]]:
        """By mutant: the requirements that must fail under it. All others of its areas must not."""
        found: dict[str, set[str]] = {mutant.name: set() for mutant in self.mutants}
        for requirement in self.requirements:
            for name in requirement.mutants:
                found[name].add(requirement.id)
        return {name: frozenset(ids) for name, ids in found.items()}

    def bystanders(self, mutant: str) -> frozenset[str]:
        """The requirements that must not fail under a mutant: those of its areas that do not name it."""
        areas = self.by_name[mutant].areas
        ids = {requirement.id for requirement in self.requirements if requirement.area in areas}
        return frozenset(ids - self.kill_sets[mutant])


def near(name: str, known: Sequence[str]) -> str:
    """`; near: ...` for an unknown name, or an empty text."""
    found = get_close_matches(name, known, n=3)
    return f"; near: {', '.join(found)}" if found else ""


class _Reader:
    """Reads tables field by field and collects every fault."""

    def __init__(self) -> None:
        self.faults: list[str] = []

    def fault(self, file: Path, entry: str, field: str, what: str) -> None:
        self.faults.append(f"{file}: {entry}: {field}: {what}")

    def tables(self, file: Path, kind: str) -> list[dict[str, Any]]:
        try:
            data = tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            self.faults.append(f"{file}: {error}")
            return []
        for name in data:
            if name != kind:
                self.faults.append(f"{file}: unknown table {name!r}, expected [[{kind}]]")
        tables = data.get(kind, [])
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            self.faults.append(f"{file}: {kind} is no list of tables, write [[{kind}]]")
            return []
        return tables

    def known_fields(self, file: Path, entry: str, table: Mapping[str, Any], known: Sequence[str]) -> None:
        for name in table:
            if name not in known:
                self.fault(file, entry, name, f"unknown field{near(name, known)}")

    def text(self, file: Path, entry: str, table: Mapping[str, Any], field: str, *, required: bool = True) -> str:
        value = table.get(field)
        if value is None and not required:
            return ""
        if not isinstance(value, str) or not value.strip():
            self.fault(file, entry, field, "is missing" if value is None else "is no text, or is empty")
            return ""
        return value

    def one_of(self, file: Path, entry: str, table: Mapping[str, Any], field: str, known: Sequence[str]) -> str:
        value = self.text(file, entry, table, field)
        if value and value not in known:
            self.fault(file, entry, field, f"{value!r} is none of {', '.join(known)}")
        return value

    def count(self, file: Path, entry: str, table: Mapping[str, Any], field: str) -> int:
        value = table.get(field)
        if type(value) is not int or value < 1:
            got = "is missing" if value is None else f"got {value!r}"
            self.fault(file, entry, field, f"{got}, expected a whole number from 1: how many test cases ask for it")
            return 0
        return value

    def texts(self, file: Path, entry: str, table: Mapping[str, Any], field: str) -> tuple[str, ...]:
        value = table.get(field, [])
        if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            self.fault(file, entry, field, "is no list of texts")
            return ()
        for item in sorted({item for item in value if value.count(item) > 1}):
            self.fault(file, entry, field, f"{item!r} stands twice")
        return tuple(value)


def load(folder: Path) -> Catalogue:
    """Read the catalogue of a folder.

    Raises:
        CatalogueError: something in it is not sound.
    """
    reader = _Reader()
    files = sorted(file for file in folder.glob("*.toml") if file.name != MUTANTS_FILE)
    if not files:
        raise CatalogueError(f"{folder}: no requirements: there is no <area>.toml")
    requirements: list[tuple[Path, Requirement]] = []
    for file in files:
        requirements += [(file, _requirement(reader, file, table)) for table in reader.tables(file, "requirement")]
    mutants_file = folder / MUTANTS_FILE
    tables = reader.tables(mutants_file, "mutant")
    mutants = [_mutant(reader, mutants_file, table, [file.stem for file in files]) for table in tables]
    _unique(reader, requirements, mutants_file, mutants)
    _joined(reader, requirements, mutants_file, mutants)
    if reader.faults:
        raise CatalogueError("\n".join(reader.faults))
    return Catalogue(tuple(requirement for _, requirement in requirements), tuple(mutants))


def _requirement(reader: _Reader, file: Path, table: Mapping[str, Any]) -> Requirement:
    entry = f"requirement {table.get('id', '(without id)')}"
    reader.known_fields(file, entry, table, ("id", "level", "profile", "text", "source", "url", "mutants", "cases"))
    found = Requirement(
        id=reader.text(file, entry, table, "id"),
        level=reader.one_of(file, entry, table, "level", LEVELS),
        profile=reader.one_of(file, entry, table, "profile", PROFILES),
        area=file.stem,
        text=reader.text(file, entry, table, "text"),
        source=reader.text(file, entry, table, "source"),
        url=reader.text(file, entry, table, "url", required=False),
        mutants=reader.texts(file, entry, table, "mutants"),
        cases=reader.count(file, entry, table, "cases"),
    )
    if found.id and not _ID.fullmatch(found.id):
        reader.fault(file, entry, "id", "is not of the form ABC-DEF-001")
    if found.binding and not found.mutants:
        reader.fault(file, entry, "mutants", f"a {found.level} names at least one mutant that it must catch")
    return found


def _mutant(reader: _Reader, file: Path, table: Mapping[str, Any], areas: Sequence[str]) -> Mutant:
    entry = f"mutant {table.get('name', '(without name)')}"
    reader.known_fields(file, entry, table, ("name", "host", "areas", "about", "source", "image", "module"))
    found = Mutant(
        name=reader.text(file, entry, table, "name"),
        host=reader.one_of(file, entry, table, "host", HOSTS),
        areas=reader.texts(file, entry, table, "areas"),
        about=reader.text(file, entry, table, "about"),
        source=reader.text(file, entry, table, "source"),
        image=reader.text(file, entry, table, "image", required=table.get("host") == "workload"),
        module=reader.text(file, entry, table, "module", required=table.get("host") == "workload"),
    )
    if found.name and not _NAME.fullmatch(found.name):
        reader.fault(file, entry, "name", "is not of the form words-with-hyphens")
    if not found.areas:
        reader.fault(file, entry, "areas", "names no area")
    for area in found.areas:
        if area not in areas:
            reader.fault(file, entry, "areas", f"{area!r} is none of {', '.join(areas)}")
    return found


def _unique(
    reader: _Reader, requirements: Sequence[tuple[Path, Requirement]], file: Path, mutants: Sequence[Mutant]
) -> None:
    first: dict[str, Path] = {}
    for where, requirement in requirements:
        if requirement.id in first:
            other = first[requirement.id]
            reader.fault(where, f"requirement {requirement.id}", "id", f"stands in {other.name} already")
        first.setdefault(requirement.id, where)
    names = [mutant.name for mutant in mutants]
    for name in sorted({name for name in names if names.count(name) > 1}):
        reader.fault(file, f"mutant {name}", "name", "stands twice")


def _joined(
    reader: _Reader, requirements: Sequence[tuple[Path, Requirement]], file: Path, mutants: Sequence[Mutant]
) -> None:
    by_name = {mutant.name: mutant for mutant in mutants}
    named: set[str] = set()
    for where, requirement in requirements:
        entry = f"requirement {requirement.id}"
        for name in requirement.mutants:
            named.add(name)
            mutant = by_name.get(name)
            if mutant is None:
                reader.fault(where, entry, "mutants", f"there is no mutant {name!r}{near(name, list(by_name))}")
            elif requirement.area not in mutant.areas:
                areas = ", ".join(mutant.areas)
                reader.fault(where, entry, "mutants", f"{name!r} is run in {areas}, not in {requirement.area}")
    for mutant in mutants:
        if mutant.name not in named:
            reader.fault(file, f"mutant {mutant.name}", "name", "no requirement names it: it would kill nothing")
