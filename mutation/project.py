"""What is mutated and what is asked about it: `project.toml`, read and checked."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.errors import UnknownNameError, UsageError

FILE = Path("mutation", "project.toml")
KEYS = {"folders", "files", "begins", "preload", "forget", "shared", "room"}
ROOM_KEYS = {"name", "paths", "areas", "left_out"}


@dataclass(frozen=True, slots=True)
class Room:
    """A part of the system under test.

    Attributes:
        name: The name, as `--room` has it.
        paths: The folders of its code.
        areas: The areas of suites/ that can see a fault in it, in the order in which they are asked.
        left_out: The files and folders below `paths` that are not mutated.
    """

    name: str
    paths: tuple[str, ...]
    areas: tuple[str, ...]
    left_out: tuple[str, ...] = ()

    def files(self, root: Path) -> list[str]:
        """Return the paths of its modules from the root, sorted."""
        paths = {file.relative_to(root) for folder in self.paths for file in (root / folder).rglob("*.py")}
        return sorted(str(path) for path in paths if not any(path.is_relative_to(name) for name in self.left_out))


@dataclass(frozen=True, slots=True)
class Project:
    """A checkout whose system under test is mutated.

    Attributes:
        root: The folder of the checkout.
        folders, files: What a run of the suite needs of it.
        begins: The modules that begin the processes of the system under test.
        preload: The module that a worker imports before it forks.
        forget: The package that it forgets again.
        shared: The areas whose tests share what they deploy.
        rooms: The rooms, by name.
    """

    root: Path
    folders: tuple[str, ...]
    files: tuple[str, ...]
    begins: tuple[str, ...]
    preload: str
    forget: str
    shared: frozenset[str]
    rooms: dict[str, Room]

    def chosen(self, names: Sequence[str]) -> list[Room]:
        """Return the rooms of these names, or all.

        Raises:
            UnknownNameError: There is no such room.
        """
        for name in names:
            if name not in self.rooms:
                raise UnknownNameError("room", name, self.rooms)
        return [room for name, room in self.rooms.items() if not names or name in names]


def read(root: Path) -> Project:
    """Read the description of a checkout.

    Raises:
        UsageError: It is not there, or not as it must be.
    """
    path = root / FILE
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: expected a description of what is mutated, got: {error}") from error
    _check(path, "the file", data, KEYS, KEYS)
    for entry in data["room"]:
        _check(path, "a room", entry, ROOM_KEYS, ROOM_KEYS - {"left_out"})
    rooms = [Room(**{name: _plain(value) for name, value in entry.items()}) for entry in data["room"]]
    return Project(
        root=root,
        folders=tuple(data["folders"]),
        files=tuple(data["files"]),
        begins=tuple(data["begins"]),
        preload=data["preload"],
        forget=data["forget"],
        shared=frozenset(data["shared"]),
        rooms={room.name: room for room in rooms},
    )


def _check(path: Path, what: str, table: dict[str, Any], known: set[str], needed: set[str]) -> None:
    if unknown := sorted(set(table) - known):
        raise UsageError(f"{path}: {what}: expected {', '.join(sorted(known))}, got {', '.join(unknown)}")
    if missing := sorted(needed - set(table)):
        raise UsageError(f"{path}: {what}: {', '.join(missing)} is missing")


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
