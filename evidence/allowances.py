"""Allowances: what an operator's own files forgive a run, each with a reason, an owner and a day on which it ends.

A file of `--known` holds `[[known]]` entries: failures that the operator knows, so that a run is red for new ones only.
A file of `--waivers` holds `[[waiver]]` entries: requirements whose test is proven wrong, each with the address of the
issue that proves it. The history holds both kinds of files whole, with their digests, so that whoever judges a run
again judges by the same entries. An entry that has ended before the run began forgives nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import tomllib
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from evidence.entries import EntryReader, near
from evidence.record_values import AllowanceFile, AllowanceKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MOST_BYTES: Final = 256 << 10
MOST_FILES: Final = 20
MOST_ENTRIES: Final = 2000
MOST_FAULTS: Final = 20
LONGEST: Final = 2000
"""Characters of a reason, an owner or an address."""
_FIELDS: Final = ("requirement", "reason", "owner", "expires", "url", "cases", "sut", "versions")
_ID = re.compile(r"[A-Z][A-Z0-9]*(-[A-Z0-9]+)+")
_ADDRESS = re.compile(r"https?://[^\s/]\S*")
_MEANINGS: Final = {
    "requirement": "the id of a requirement",
    "reason": "why it is forgiven",
    "owner": "who looks after it",
    "url": "the address of the issue that proves the fault of the suite",
    "sut": "the product whose versions fail so",
}


class AllowanceError(ValueError):
    """A file of allowances cannot be used; the message names file, entry and field."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """An entry of an operator's file.

    Attributes:
        kind: `known` for a failure of the system, `waiver` for a fault of the suite.
        file: The name of its file, without folders.
        requirement: The id of the requirement.
        reason: The reason, in words.
        owner: The one who looks after it.
        expires: The last day on which it forgives, by UTC.
        url: The address of an issue; empty where there is none.
        cases: The node ids of the cases that may fail; empty: all of the requirement's.
        sut: The product that it speaks of; empty: any.
        versions: The versions of the product; empty: any.
    """

    kind: AllowanceKind
    file: str
    requirement: str
    reason: str
    owner: str
    expires: date
    url: str = ""
    cases: tuple[str, ...] = ()
    sut: str = ""
    versions: tuple[str, ...] = ()

    def ended(self, day: date) -> bool:
        """Tell whether it forgives nothing any more on a day."""
        return day > self.expires

    def speaks_of(self, sut: Mapping[str, str]) -> bool:
        """Tell whether it speaks of the versions under test."""
        return not self.sut or str(sut.get(self.sut, "")) in self.versions

    @property
    def told(self) -> str:
        """Who looks after it, and until when, in words."""
        return f"{self.owner}, until {self.expires.isoformat()}, {self.file}"


def load(path: Path, kind: AllowanceKind, requirements: Iterable[str]) -> AllowanceFile:
    """Read a file, and return it as the history holds it.

    Args:
        path: The file.
        kind: The kind of entries that it must hold.
        requirements: The ids of all requirements.

    Raises:
        AllowanceError: It cannot be read, or an entry is wrong; one line for each fault.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise AllowanceError(f"{path}: cannot be read: {error.strerror}") from error
    if len(content) > MOST_BYTES:
        raise AllowanceError(f"{path}: expected at most {MOST_BYTES} bytes, got more")
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise AllowanceError(
            f"{path}: expected UTF-8, got byte {content[error.start]:#04x} at {error.start}"
        ) from error
    parse(text, kind, path, requirements)
    return AllowanceFile(kind=kind, file=path.name, sha256=hashlib.sha256(content).hexdigest(), text=text)


def parse(text: str, kind: AllowanceKind, path: Path, requirements: Iterable[str] = ()) -> tuple[Allowance, ...]:
    """Return the entries of a file.

    Args:
        text: Its content.
        kind: The kind of entries that it must hold.
        path: Its place, for messages; its name goes into the entries.
        requirements: The ids that an entry may name; empty: any.

    Raises:
        AllowanceError: An entry is wrong; one line for each fault.
    """
    try:
        data = tomllib.loads(text)
    except ValueError as error:  # that of TOML's reader has line and column; Python refuses numbers of 5000 digits
        raise AllowanceError(f"{path}: {error}") from error
    except RecursionError as error:
        raise AllowanceError(f"{path}: expected tables, got values nested without end") from error
    reader = EntryReader(_MEANINGS, {})
    for name in data:
        if name != kind:
            reader.faults.append(f"{path}: unknown table {name!r}, expected [[{kind}]]")
    known = sorted(requirements)
    entries: list[Allowance] = []
    tables = reader.tables_of(path, data, kind)
    if len(tables) > MOST_ENTRIES:
        raise AllowanceError(f"{path}: expected at most {MOST_ENTRIES} entries, got {len(tables)}")
    for place, table in zip(_places(text, kind, len(tables)), tables, strict=True):
        if len(reader.faults) >= MOST_FAULTS:
            break
        entry = _entry(reader, path, place, table, kind)
        if known and entry.requirement and entry.requirement not in known:
            hint = near(entry.requirement, known)
            reader.fault(path, place, "requirement", f"there is no requirement {entry.requirement!r}{hint}")
        if any(_meet(entry, other) for other in entries):
            reader.fault(path, place, "requirement", f"{entry.requirement} stands twice: write one entry for it")
        entries.append(entry)
    if reader.faults:
        raise AllowanceError("\n".join(reader.faults))
    return tuple(entries)


def _places(text: str, kind: str, count: int) -> Sequence[str]:
    """Return what each entry is called in a message: its number, and its line where the headers can be counted."""
    header = re.compile(rf"\s*\[\[\s*{kind}\s*\]\]")
    lines = [number for number, line in enumerate(text.splitlines(), 1) if header.match(line)]
    if len(lines) != count:
        return [f"[[{kind}]] {number}" for number in range(1, count + 1)]
    return [f"[[{kind}]] {number} (line {line})" for number, line in enumerate(lines, 1)]


def _entry(reader: EntryReader, path: Path, place: str, table: Mapping[str, Any], kind: AllowanceKind) -> Allowance:
    reader.known_fields(path, place, table, _FIELDS)
    sut = reader.text(path, place, table, "sut", required=False)
    versions = reader.texts(path, place, table, "versions")
    if bool(sut) != bool(versions):
        reader.fault(path, place, "versions", "expected both sut and versions, or neither")
    url = reader.text(path, place, table, "url", required=kind == "waiver")
    if url and not _ADDRESS.fullmatch(url):
        reader.fault(path, place, "url", f"expected an address such as https://host/issues/1, got {url[:100]!r}")
    texts = {name: reader.text(path, place, table, name) for name in ("requirement", "reason", "owner")}
    if texts["requirement"] and not _ID.fullmatch(texts["requirement"][:LONGEST]):
        got = texts["requirement"][:60]
        reader.fault(path, place, "requirement", f"expected an id such as EVT-FLT-003, got {got!r}")
    for name, text in (*texts.items(), ("url", url)):
        if len(text) > LONGEST:
            reader.fault(path, place, name, f"expected at most {LONGEST} characters, got {len(text)}")
    return Allowance(
        kind=kind,
        file=path.name,
        requirement=texts["requirement"],
        reason=" ".join(texts["reason"].split()),
        owner=" ".join(texts["owner"].split()),
        expires=_day(reader, path, place, table.get("expires")),
        url=url,
        cases=reader.texts(path, place, table, "cases"),
        sut=sut,
        versions=versions,
    )


def _day(reader: EntryReader, path: Path, place: str, value: object) -> date:
    """Return the last day of an entry, which TOML writes as a date or as a text."""
    if isinstance(value, str):
        with contextlib.suppress(ValueError):
            value = date.fromisoformat(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    got = "is missing" if value is None else f"got {str(value)[:60]!r}"
    reader.fault(path, place, "expires", f"{got}: write expires = 2027-01-31, the last day on which it forgives")
    return date.min


def _meet(entry: Allowance, other: Allowance) -> bool:
    """Tell whether two entries may speak of the same failure."""
    if entry.requirement != other.requirement or not entry.requirement:
        return False
    return not (entry.sut and other.sut) or (entry.sut == other.sut and bool({*entry.versions} & {*other.versions}))


def recorded(files: Sequence[AllowanceFile], began: str | None) -> tuple[tuple[Allowance, ...], tuple[str, ...]]:
    """Return the entries of the files that a history holds, and what is wrong with them.

    Args:
        files: The files.
        began: The time of day when the run began.

    Returns:
        All entries that can be read, and the faults: what is no such file, and waivers that a run may not have.
    """
    entries: list[Allowance] = []
    faults: list[str] = []
    if len(files) > MOST_FILES:
        faults.append(f"allowances: expected at most {MOST_FILES} files, got {len(files)}")
    for file in files[:MOST_FILES]:
        name = Path(Path(file["file"]).name or "unnamed")
        if len(file["text"]) > MOST_BYTES:
            faults.append(f"allowances: {name}: expected at most {MOST_BYTES} bytes, got more")
            continue
        if hashlib.sha256(file["text"].encode("utf-8", "surrogatepass")).hexdigest() != file["sha256"]:
            faults.append(f"allowances: {name} is not the file that its sha256 {file['sha256'][:16]} names")
            continue
        try:
            entries += parse(file["text"], file["kind"], name)
        except AllowanceError as error:
            faults.append(f"allowances: {error}")
    day = day_of(began)
    faults += [
        f"allowances: the waiver of {entry.requirement} in {entry.file} ended on {entry.expires}, before the run began"
        for entry in entries
        if entry.kind == "waiver" and entry.ended(day)
    ]
    return tuple(entries), tuple(faults)


def expect_valid(files: Sequence[AllowanceFile], day: date) -> None:
    """Refuse waivers that have ended: a certificate may not stand on them.

    Raises:
        AllowanceError: One has ended.
    """
    for file in files:
        for entry in parse(file["text"], file["kind"], Path(file["file"])):
            if entry.kind == "waiver" and entry.ended(day):
                raise AllowanceError(
                    f"{file['file']}: the waiver of {entry.requirement}: expires: expected {day} or later,"
                    f" got {entry.expires}: look at {entry.url} again, and give it a new day or delete it"
                )


def day_of(began: str | None) -> date:
    """Return the day on which a run began, by UTC; where it does not tell, the last of all days: all has ended then."""
    try:
        moment = datetime.fromisoformat(began or "")
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).date()
    except (ValueError, OverflowError):
        return date.max
