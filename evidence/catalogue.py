"""The catalogue: all requirements and all mutants, as data read strictly from TOML.

One file an area (its name is the area), `mutants.toml`, `groups.toml`, and `VERSION`. In the place of a file of entries
may stand a folder of its name, with several files. Every fault names file, entry and field, and says what to write; all
faults of all files are reported at once. Nothing here runs a test.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from evidence.entries import EntryReader, near

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

LEVELS = ("MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY")
PROFILES = (
    "broker-core",
    "broker-extended",
    "async-inference",
    "inference-extras",
    "kafka-streaming",
    "latency",
    "mlserver-kafka",
    "open-inference",
)
ON_REQUEST = ("mlserver-kafka",)
"""The profiles of real software beside the platform: they count only in a run that asks for their pipeline."""
NOT_REQUESTED = "a run without --pipeline"
"""How the reason begins why a run has left out the cases of such a profile."""
FIELDS = ("id", "level", "profile", "text", "source", "url", "mutants", "cases", "needs")
STORAGE = "broker-storage"
"""A requirement needs a topic that holds a Broker's events, and that can be read and written."""
NEEDS = (STORAGE,)
"""What a requirement may need of the system under test."""
HOSTS = ("platform", "workload")
MUTANTS = "mutants"
"""The name of the file, or of the folder, that has the mutants."""
GROUPS_FILE = "groups.toml"
"""The name of the file that says what each group of requirements is about."""
VERSION_FILE = "VERSION"
OURS = "touchstone"
"""The origin of every requirement of suites/catalogue."""
_ID = re.compile(r"[A-Z][A-Z0-9]*-[A-Z][A-Z0-9]*-[0-9]{3}")
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_VERSION = re.compile(r"[0-9]{1,9}\.[0-9]{1,9}")
# What the text of a field says, for those who left it out.
_MEANINGS = {
    "id": "area, group and the next free number, like EVT-RPL-023",
    "level": f"one of {', '.join(LEVELS)}",
    "profile": f"one of {', '.join(PROFILES)}",
    "cases": "how many test cases ask for it",
    "text": "what the system does, in one sentence of your own",
    "source": "the specification and its section, or the product's contract; for a mutant, the real fault behind it",
    "name": "small letters, words joined by hyphens",
    "host": f"one of {', '.join(HOSTS)}",
    "about": "what the mutant does wrong, and what it leaves right",
    "image": "the folder in images/ of the workload",
    "module": "the module of that image that runs instead, like mutants.name_of_the_mutant",
}
# Where a value is added that an entry may have then.
_ADDED = {
    "profile": "; a new one goes into PROFILES in evidence/catalogue.py and BY_PROFILE in fixtures/preflight/needs.py",
}


class CatalogueError(ValueError):
    """The catalogue is not sound; one line a fault: file, entry, field, what is wrong."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One normative sentence.

    Attributes:
        mutants: The faulty systems that its tests must fail.
        cases: How many test cases ask for it, in a collection of all.
        needs: What the system under test must show so that it can be asked (`NEEDS`).
        origin: The name of its catalogue: `touchstone`, or that of a vendor (`evidence.vendor`).
        builds_on: The profile of ours that a vendor's profile builds on; empty for a requirement of ours.
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
    needs: tuple[str, ...] = ()
    origin: str = OURS
    builds_on: str = ""

    @property
    def group(self) -> str:
        """The group that it belongs to: its id without the number."""
        return self.id.rpartition("-")[0]

    @property
    def base_profile(self) -> str:
        """The profile of ours that says which products the requirement stands on."""
        return self.builds_on or self.profile

    @property
    def binding(self) -> bool:
        """Whether conformance depends on it: MUST and MUST NOT."""
        return self.level in {"MUST", "MUST NOT"}


@dataclass(frozen=True, slots=True)
class Mutant:
    """A faulty system.

    Attributes:
        name: Its name.
        host: `platform` (a policy of the embedded platform) or `workload` (another entry point of an image).
        areas: Whose requirements it is run against.
        about: What it does wrong, and what it leaves right.
        source: The real fault behind it.
        image: The image of a workload.
        module: The module of a workload: `python -m <module>`.
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
    """All requirements and mutants, in the order of files and entries.

    Attributes:
        version: The version of the whole, MAJOR.MINOR; CHANGELOG.md says when it rises. Empty: the folder states none.
        groups: What each group is about, in a few words; empty where the folder does not say.
    """

    requirements: tuple[Requirement, ...]
    mutants: tuple[Mutant, ...]
    version: str = ""
    groups: Mapping[str, str] = field(default_factory=dict)

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

    @cached_property
    def origins(self) -> tuple[str, ...]:
        """The names of the catalogues that are joined here, in the order of their requirements."""
        return tuple(dict.fromkeys(requirement.origin for requirement in self.requirements))

    def bystanders(self, mutant: str) -> frozenset[str]:
        """Return the requirements that must not fail under a mutant: those of its areas that do not name it."""
        areas = self.by_name[mutant].areas
        ids = {requirement.id for requirement in self.requirements if requirement.area in areas}
        return frozenset(ids - self.kill_sets[mutant])


def free_ids(ids: Iterable[str]) -> list[str]:
    """Return the next free id of every group of requirements, sorted: one more than the highest number, never a gap."""
    highest: dict[str, int] = {}
    for name in ids:
        group, _, number = name.rpartition("-")
        highest[group] = max(highest.get(group, 0), int(number))
    return [f"{group}-{number + 1:03}" for group, number in sorted(highest.items())]


def reader_of_entries() -> EntryReader:
    """Return a reader of requirements and mutants, which says what each field means."""
    return EntryReader(_MEANINGS, _ADDED)


def load(folder: Path) -> Catalogue:
    """Read the catalogue of a folder.

    Raises:
        CatalogueError: Something in it is not sound.
    """
    reader = reader_of_entries()
    areas = sorted(name for name in _names(folder) if name != MUTANTS)
    if not areas:
        raise CatalogueError(f"{folder}: no requirements: there is no <area>.toml")
    for name in (*areas, MUTANTS):
        if (folder / name).is_dir() and (file := folder / f"{name}.toml").exists():
            reader.faults.append(f"{file}: stands beside the folder {name}: move its entries into a file there")
    requirements = [
        (file, read_requirement(reader, file, table, area=area))
        for area in areas
        for file in _files(folder, area)
        for table in reader.tables(file, "requirement")
    ]
    mutants = [
        (file, _mutant(reader, file, table, areas))
        for file in _files(folder, MUTANTS)
        for table in reader.tables(file, "mutant")
    ]
    version = _version(reader, folder / VERSION_FILE)
    groups = _groups(reader, folder / GROUPS_FILE, requirements)
    unique_ids(reader, requirements)
    _unique_names(reader, mutants)
    if mutants or not reader.faults:  # a file that cannot be read says nothing about names
        _joined(reader, requirements, mutants, place_of(folder, MUTANTS).name)
    if reader.faults:
        raise CatalogueError("\n".join(reader.faults))
    return Catalogue(
        tuple(requirement for _, requirement in requirements), tuple(mutant for _, mutant in mutants), version, groups
    )


def _names(folder: Path) -> set[str]:
    """Return the names of areas, and of the mutants, that stand in a folder, each as a file or as a folder of files."""
    files = {file.stem for file in folder.glob("*.toml") if file.name != GROUPS_FILE}
    return files | {file.parent.name for file in folder.glob("*/*.toml")}


def place_of(folder: Path, name: str) -> Path:
    """Return the folder of an area or of the mutants where there is one, and the file where there is none."""
    return folder / name if (folder / name).is_dir() else folder / f"{name}.toml"


def _files(folder: Path, name: str) -> list[Path]:
    """Return the files of an area, or of the mutants."""
    place = place_of(folder, name)
    return sorted(place.glob("*.toml")) if place.is_dir() else [place]


def _version(reader: EntryReader, file: Path) -> str:
    """Return the version that a catalogue's folder states, or an empty text."""
    try:
        text = file.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        reader.faults.append(f"{file}: {error}")
        return ""
    if not _VERSION.fullmatch(text):
        reader.faults.append(f"{file}: expected one line MAJOR.MINOR, like 1.0, got {text[:40]!r}")
    return text


def _groups(reader: EntryReader, file: Path, requirements: Sequence[tuple[Path, Requirement]]) -> Mapping[str, str]:
    """Return what a catalogue's folder says of its groups; a folder that says something says it of each."""
    if not file.is_file():
        return {}
    entry, table = "the groups", reader.document(file)
    groups = {name: reader.text(file, entry, table, name) for name in table}
    first = {requirement.group: (where, requirement) for where, requirement in reversed(requirements)}
    for name, (where, requirement) in first.items():
        if groups and name not in groups and _ID.fullmatch(requirement.id):
            advice = f'{file.name} does not say what {name} is about: write {name} = "...", a few words'
            reader.fault(where, f"requirement {requirement.id}", "id", advice)
    for name in sorted({*groups} - {*first}):
        reader.fault(file, entry, name, f"no requirement is of this group{near(name, list(first))}")
    return groups


def read_requirement(
    reader: EntryReader, file: Path, table: Mapping[str, Any], profiles: Sequence[str] = PROFILES, *, area: str
) -> Requirement:
    """Return a requirement as its table has it; the reader keeps what is wrong with it.

    Args:
        reader: The reader.
        file: The file.
        table: The table.
        profiles: The profiles that it may belong to.
        area: The area.
    """
    entry = f"requirement {table.get('id', '(without id)')}"
    reader.known_fields(file, entry, table, FIELDS)
    requirement = Requirement(
        id=reader.text(file, entry, table, "id"),
        level=reader.one_of(file, entry, table, "level", LEVELS),
        profile=reader.one_of(file, entry, table, "profile", profiles),
        area=area,
        text=reader.text(file, entry, table, "text"),
        source=reader.text(file, entry, table, "source"),
        url=reader.text(file, entry, table, "url", required=False),
        mutants=reader.texts(file, entry, table, "mutants"),
        cases=reader.count(file, entry, table, "cases"),
        needs=reader.texts(file, entry, table, "needs"),
    )
    if requirement.id and not _ID.fullmatch(requirement.id):
        reader.fault(file, entry, "id", f"is not of the form ABC-DEF-001: {_MEANINGS['id']}")
    for need in requirement.needs:
        if need not in NEEDS:
            reader.fault(file, entry, "needs", f"{need!r} is none of {', '.join(NEEDS)}")
    if requirement.binding and not requirement.mutants:
        advice = f'write mutants = ["NAME"], a name of {MUTANTS}'
        reader.fault(file, entry, "mutants", f"a {requirement.level} names a mutant that it must catch: {advice}")
    return requirement


def _mutant(reader: EntryReader, file: Path, table: Mapping[str, Any], areas: Sequence[str]) -> Mutant:
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


def unique_ids(reader: EntryReader, requirements: Sequence[tuple[Path, Requirement]]) -> None:
    """Keep as faults the ids that stand twice.

    Args:
        reader: The reader.
        requirements: The requirements with their files.
    """
    first: dict[str, Path] = {}
    for where, requirement in requirements:
        if requirement.id in first:
            other = first[requirement.id]
            reader.fault(
                where,
                f"requirement {requirement.id}",
                "id",
                f"stands in {other.name} already{_free(requirement.id, requirements)}",
            )
        first.setdefault(requirement.id, where)


def _unique_names(reader: EntryReader, mutants: Sequence[tuple[Path, Mutant]]) -> None:
    first: dict[str, Path] = {}
    for file, mutant in mutants:
        if mutant.name in first:
            reader.fault(file, f"mutant {mutant.name}", "name", f"stands in {first[mutant.name].name} already")
        first.setdefault(mutant.name, file)


def _free(taken: str, requirements: Sequence[tuple[Path, Requirement]]) -> str:
    """Return the advice to somebody whose id is taken."""
    if not _ID.fullmatch(taken):
        return ""
    group = taken.rpartition("-")[0]
    numbers = [
        requirement.id for _, requirement in requirements if re.fullmatch(rf"{group}-[0-9]{{3}}", requirement.id)
    ]
    return f"; the next free id is {free_ids(numbers)[0]}"


def _joined(
    reader: EntryReader,
    requirements: Sequence[tuple[Path, Requirement]],
    mutants: Sequence[tuple[Path, Mutant]],
    place: str,
) -> None:
    by_name = {mutant.name: (file, mutant) for file, mutant in mutants}
    named: set[str] = set()
    for where, requirement in requirements:
        entry = f"requirement {requirement.id}"
        for name in requirement.mutants:
            named.add(name)
            if name not in by_name:
                advice = f"there is no mutant {name!r}{near(name, list(by_name))}; a new one is a [[mutant]] in {place}"
                reader.fault(where, entry, "mutants", advice)
                continue
            file, mutant = by_name[name]
            if requirement.area not in mutant.areas:
                areas = ", ".join(mutant.areas)
                told = f"{name!r} is run in {areas}, not in {requirement.area}"
                reader.fault(where, entry, "mutants", f"{told}: write the area in its areas in {file.name}")
    for file, mutant in mutants:
        if mutant.name not in named:
            reader.fault(
                file,
                f"mutant {mutant.name}",
                "name",
                "no requirement names it: write it in mutants of those that must fail",
            )
