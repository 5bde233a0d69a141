"""The sample: which mutants a seed draws from the sites of some rooms.

Each site is as likely as any other, however many changes can be made there, and each change of a site as likely as its
others. The order of the draw is the order of a digest of the seed and of what identifies a site: a larger sample begins
with the smaller one, and a changed line moves nothing but its own sites.
"""

import difflib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from common.errors import UnknownNameError
from mutation.equivalents import Equivalent
from mutation.project import Room
from mutation.sites import Change, Site, changed_source, digest, sites

ID_DIGITS = 10


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one module.

    Attributes:
        id: The name to ask for it again.
        room: The name of the room.
        site: Where it is.
        change: What is changed.
        source: The whole source of the module, changed.
        becomes: The line at the place, changed.
        diff: The change as a unified diff.
    """

    id: str
    room: str
    site: Site
    change: Change
    source: str
    becomes: str
    diff: str


def draw(root: Path, rooms: Sequence[Room], equivalents: Sequence[Equivalent], seed: int, count: int) -> list[Mutant]:
    """Draw mutants.

    Args:
        root: The folder of the checkout.
        rooms: The rooms to draw from.
        equivalents: The mutants that are not drawn.
        seed: The number that decides.
        count: How many, at most: there may be fewer sites.
    """
    drawn: list[Mutant] = []
    for room, site in sorted(_all(root, rooms), key=lambda pair: digest(seed, pair[1].name)):
        if len(drawn) == count:
            break
        by_chance = sorted(site.changes, key=lambda change: digest(seed, site.name, change.operator, change.occurrence))
        for change in by_chance:
            mutant = _made(root, room, site, change)
            if mutant is not None and not any(_fits(entry, mutant) for entry in equivalents):
                drawn.append(mutant)
                break
    return drawn


def by_id(root: Path, rooms: Sequence[Room], ids: Collection[str]) -> list[Mutant]:
    """Return mutants by their ids, whether a seed draws them or not.

    Raises:
        UnknownNameError: There is no such mutant of this source.
    """
    found = {
        name: (room, site, change)
        for room, site in _all(root, rooms)
        for change in site.changes
        if (name := identity(site, change)) in ids
    }
    if missing := [name for name in ids if name not in found]:
        raise UnknownNameError("mutant of this source", missing[0], found)
    made = [_made(root, *found[name]) for name in ids]
    return [mutant for mutant in made if mutant is not None]


def unfit(root: Path, rooms: Sequence[Room], equivalents: Sequence[Equivalent]) -> list[Equivalent]:
    """Return the entries that name no mutant of this source."""
    waiting = list(equivalents)
    for room, site in _all(root, rooms) if waiting else ():
        if not any(entry.may_fit(site) for entry in waiting):
            continue
        mutants = [_made(root, room, site, change) for change in site.changes]
        waiting = [entry for entry in waiting if not any(mutant and _fits(entry, mutant) for mutant in mutants)]
    return waiting


def _fits(entry: Equivalent, mutant: Mutant) -> bool:
    return entry.fits(mutant.site, mutant.change.operator, mutant.becomes)


def _all(root: Path, rooms: Sequence[Room]) -> Iterator[tuple[Room, Site]]:
    for room in rooms:
        for file in room.files(root):
            for site in sites(root, file):
                yield room, site


def identity(site: Site, change: Change) -> str:
    """Return the id of a change: it stays the same when other lines change."""
    same = [other.occurrence for other in site.changes if other.operator == change.operator]
    return digest(site.name, change.operator, same.index(change.occurrence))[:ID_DIGITS]


def _made(root: Path, room: Room, site: Site, change: Change) -> Mutant | None:
    source = (root / site.file).read_text(encoding="utf-8")
    try:
        changed = changed_source(source, change)
    except ValueError:
        return None
    before, after = source.splitlines(), changed.splitlines()
    hunks = difflib.unified_diff(before, after, f"a/{site.file}", f"b/{site.file}", lineterm="")
    differ = (new for old, new in zip(before, after, strict=False) if old != new)
    becomes = next(differ, "").strip()
    return Mutant(identity(site, change), room.name, site, change, changed, becomes, "\n".join(hunks))
