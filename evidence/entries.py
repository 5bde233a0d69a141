"""Entries of TOML files, read field by field: every fault names file, entry and field, and says what to write."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

from common import names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


def near(name: str, known: Sequence[str]) -> str:
    """Return `: ` and what helps with an unknown name."""
    return f": {names.hint(name, known)}"


class EntryReader:
    """Reads tables field by field and collects every fault.

    Attributes:
        meanings: What the text of a field says, by field, for those who left it out.
        added: The place where a further value of a field is added, by field.
        faults: The faults, one line each.
    """

    def __init__(self, meanings: Mapping[str, str], added: Mapping[str, str]) -> None:
        self.meanings = meanings
        self.added = added
        self.faults: list[str] = []

    def fault(self, file: Path, entry: str, field: str, what: str) -> None:
        """Note a fault, with its place."""
        self.faults.append(f"{file}: {entry}: {field}: {what}")

    def _meaning(self, field: str) -> str:
        return self.meanings.get(field, "a text")

    def document(self, file: Path) -> dict[str, Any]:
        """Return what a file holds; nothing where it cannot be read."""
        try:
            return tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            self.faults.append(f"{file}: {error}")
            return {}

    def tables(self, file: Path, kind: str) -> list[dict[str, Any]]:
        """Return the tables `[[kind]]` of a file that may hold nothing else; none where the file cannot be read."""
        data = self.document(file)
        for name in data:
            if name != kind:
                self.faults.append(f"{file}: unknown table {name!r}, expected [[{kind}]]")
        return self.tables_of(file, data, kind)

    def tables_of(self, file: Path, data: Mapping[str, Any], kind: str) -> list[dict[str, Any]]:
        """Return the tables `[[kind]]` of what a file holds."""
        tables = data.get(kind, [])
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            self.faults.append(f"{file}: {kind} is no list of tables, write [[{kind}]]")
            return []
        return tables

    def known_fields(self, file: Path, entry: str, table: Mapping[str, Any], known: Sequence[str]) -> None:
        """Note every field that an entry may not have."""
        for name in table:
            if name not in known:
                self.fault(file, entry, name, f"unknown field{near(name, known)}")

    def text(self, file: Path, entry: str, table: Mapping[str, Any], field: str, *, required: bool = True) -> str:
        """Return a field that is a text, or an empty one after a fault."""
        value = table.get(field)
        if value is None and not required:
            return ""
        if not isinstance(value, str) or not value.strip():
            got = "is missing" if value is None else "is no text, or is empty"
            self.fault(file, entry, field, f'{got}: write {field} = "...": {self._meaning(field)}')
            return ""
        return value

    def one_of(self, file: Path, entry: str, table: Mapping[str, Any], field: str, known: Sequence[str]) -> str:
        """Return a field that is one of the known texts."""
        value = self.text(file, entry, table, field)
        if value and value not in known:
            self.fault(file, entry, field, f"{value!r} is none of {', '.join(known)}{self.added.get(field, '')}")
        return value

    def count(self, file: Path, entry: str, table: Mapping[str, Any], field: str) -> int:
        """Return a field that is a whole number from 1, or 0 after a fault."""
        value = table.get(field)
        if type(value) is not int or value < 1:
            got = "is missing" if value is None else f"got {value!r}"
            advice = f"write {field} = N, a whole number from 1: {self._meaning(field)}"
            self.fault(file, entry, field, f"{got}: {advice}")
            return 0
        return value

    def texts(self, file: Path, entry: str, table: Mapping[str, Any], field: str) -> tuple[str, ...]:
        """Return a field that is a list of texts, each once."""
        value = table.get(field, [])
        if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            self.fault(file, entry, field, "is no list of texts")
            return ()
        for item in sorted({item for item in value if value.count(item) > 1}):
            self.fault(file, entry, field, f"{item!r} stands twice")
        return tuple(value)
