"""Catalogues of vendors: requirements of their own, which a run asks beside ours.

A vendor's folder holds `catalogue.toml` and one file an area, as suites/catalogue does; the same reader reads them.
`catalogue.toml` says:

    name = "acme"                # the origin of its requirements; their ids begin with it: ACME-RTE-001
    tests = "../tests"           # the folder of their tests, seen from this file

    [[profile]]
    name = "acme-routing"        # begins with the name too
    builds_on = "broker-core"    # where this profile of ours cannot be tested, the vendor's cannot either

What begins with the vendor's name cannot be taken for ours: not the ids, not the profiles, not the areas, which are
`acme.routing` of a file routing.toml. Their requirements name mutants of ours: a mutant is code of the embedded
platform or of an image, so a vendor's catalogue has none of its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from evidence.catalogue import (
    MUTANTS,
    OURS,
    PROFILES,
    Catalogue,
    CatalogueError,
    Requirement,
    read_requirement,
    reader_of_entries,
    unique_ids,
)
from evidence.entries import near

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from evidence.entries import EntryReader

ABOUT_FILE = "catalogue.toml"
_NAME = re.compile(r"[a-z][a-z0-9]*")
_PROFILE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class VendorCatalogue:
    """The catalogue of a vendor.

    Attributes:
        name: The name of the catalogue: the origin of its requirements.
        folder: The folder of the catalogue.
        tests: The folder of the tests that ask for its requirements; it need not be there to read a report.
        requirements: The requirements, in the order of files and entries.
    """

    name: str
    folder: Path
    tests: Path
    requirements: tuple[Requirement, ...]

    @property
    def areas(self) -> tuple[str, ...]:
        """The areas, without the vendor's name: what their files, and folders of tests, are called."""
        return tuple(dict.fromkeys(requirement.area.partition(".")[2] for requirement in self.requirements))


def load_beside(ours: Catalogue, folders: Sequence[Path]) -> tuple[Catalogue, tuple[VendorCatalogue, ...]]:
    """Read the catalogues of vendors; return all requirements in one catalogue, and each vendor's.

    Args:
        ours: The catalogue of suites/catalogue; its requirements come first.
        folders: The vendors' folders, in any order.

    Raises:
        CatalogueError: Something in one of them is not sound, or they cannot be told apart.
    """
    vendors = sorted((_load(folder, ours) for folder in folders), key=lambda vendor: vendor.name)
    for vendor, after in pairwise(vendors):
        if vendor.name == after.name:
            raise CatalogueError(
                f"{after.folder / ABOUT_FILE}: name: expected another one than that of {vendor.folder},"
                f" got {vendor.name!r} again"
            )
    requirements = (*ours.requirements, *(each for vendor in vendors for each in vendor.requirements))
    areas: dict[str, dict[str, None]] = {mutant.name: dict.fromkeys(mutant.areas) for mutant in ours.mutants}
    for requirement in requirements:
        for name in requirement.mutants:
            areas[name][requirement.area] = None
    mutants = tuple(replace(mutant, areas=tuple(areas[mutant.name])) for mutant in ours.mutants)
    return replace(ours, requirements=requirements, mutants=mutants), tuple(vendors)


def _load(folder: Path, ours: Catalogue) -> VendorCatalogue:
    file = folder / ABOUT_FILE
    if not file.is_file():
        raise CatalogueError(f"{folder}: expected a vendor's catalogue with a file {ABOUT_FILE}, found none")
    reader = reader_of_entries()
    about = reader.document(file)
    reader.known_fields(file, "the catalogue", about, ("name", "tests", "profile"))
    name = reader.text(file, "the catalogue", about, "name")
    tests = reader.text(file, "the catalogue", about, "tests")
    reserved = {requirement.id.partition("-")[0].lower() for requirement in ours.requirements} | {OURS}
    if name and not _NAME.fullmatch(name):
        reader.fault(file, "the catalogue", "name", f"expected one word of small letters and digits, got {name!r}")
    elif name in reserved:
        reader.fault(file, "the catalogue", "name", f"{name!r} is ours: {name.upper()}- begins ids of Touchstone")
    profiles = _profiles(reader, file, about, name)
    requirements = _requirements(reader, folder, name, profiles, ours)
    if reader.faults:
        raise CatalogueError("\n".join(reader.faults))
    return VendorCatalogue(name, folder, (folder / tests).resolve(), requirements)


def _profiles(reader: EntryReader, file: Path, about: Mapping[str, Any], name: str) -> dict[str, str]:
    """Return which profile of ours each of the vendor's builds on, by name."""
    profiles: dict[str, str] = {}
    for table in reader.tables_of(file, about, "profile"):
        entry = f"profile {table.get('name', '(without name)')}"
        reader.known_fields(file, entry, table, ("name", "builds_on"))
        profile = reader.text(file, entry, table, "name")
        builds_on = reader.one_of(file, entry, table, "builds_on", PROFILES)
        if profile and (not _PROFILE.fullmatch(profile) or profile.partition("-")[0] != name):
            reader.fault(file, entry, "name", f"expected {name}-WORD, in small letters, got {profile!r}")
        if profile in profiles:
            reader.fault(file, entry, "name", "stands twice")
        profiles[profile] = builds_on
    return profiles


def _requirements(
    reader: EntryReader, folder: Path, name: str, profiles: Mapping[str, str], ours: Catalogue
) -> tuple[Requirement, ...]:
    mutants = folder / f"{MUTANTS}.toml"
    if mutants.exists():
        reader.faults.append(f"{mutants}: a vendor's catalogue has no mutants of its own; name ours in `mutants`")
    files = sorted(file for file in folder.glob("*.toml") if file.name not in {ABOUT_FILE, mutants.name})
    known = list(ours.by_name)
    pairs: list[tuple[Path, Requirement]] = []
    for file in files:
        for table in reader.tables(file, "requirement"):
            requirement = read_requirement(reader, file, table, tuple(profiles), area=f"{name}.{file.stem}")
            entry = f"requirement {requirement.id or '(without id)'}"
            if requirement.id and not requirement.id.startswith(f"{name.upper()}-"):
                reader.fault(file, entry, "id", f"expected an id that begins with {name.upper()}-, the vendor's name")
            for mutant in requirement.mutants:
                if mutant not in ours.by_name:
                    reader.fault(file, entry, "mutants", f"there is no mutant {mutant!r} of ours{near(mutant, known)}")
            builds_on = profiles.get(requirement.profile, "")
            pairs.append((file, replace(requirement, origin=name, builds_on=builds_on)))
    if not pairs and not reader.faults:
        reader.faults.append(f"{folder}: no requirements: there is no <area>.toml with a [[requirement]]")
    unique_ids(reader, pairs)
    used = {requirement.profile for _, requirement in pairs}
    for profile in profiles:
        if profile not in used:
            reader.fault(folder / ABOUT_FILE, f"profile {profile}", "name", "no requirement belongs to it")
    return tuple(requirement for _, requirement in pairs)
