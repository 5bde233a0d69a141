"""What an image of the embedded platform is, and how its folder is read: `image.toml` and its list of packages.

ImageError              an image cannot be used
├── UnknownImageError   no folder has the name; the text lists the known ones
├── UnknownVersionError no image has a lock for that version of a package; the text lists the known ones
├── BrokenImageError    the folder is incomplete or its description is wrong
└── BuildError          its environment cannot be built; the text says what helps
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

REQUIREMENTS = "requirements.txt"


class ImageError(Exception):
    """An image cannot be used; the text says why and what helps."""


class UnknownImageError(ImageError):
    """No image has that name."""


class UnknownVersionError(ImageError):
    """No image has a lock with that version of a package."""


class BrokenImageError(ImageError):
    """An image's folder does not hold what it must."""


class BuildError(ImageError):
    """An image's environment cannot be built."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """The readiness check of an image: an HTTP GET or, without a path, a TCP connection."""

    port: int
    path: str | None = None


@dataclass(frozen=True, slots=True)
class Warm:
    """What may be imported before a container of an image begins.

    Attributes:
        imports: Modules that take long to import, and mind neither arguments nor the `variables`.
        variables: The environment variables of the image's own code. A container with others starts an interpreter.
    """

    imports: tuple[str, ...]
    variables: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Image:
    """One folder under `images/`. `command` and `args` run in `workdir`, unless the manifest names its own.

    Attributes:
        folders: The folders that stand for paths inside of the real image, by these paths.
        on_request: Whether its environment is built only when somebody names the image, and not with all others.
        lock: The list of packages to use in place of `requirements.txt`; None: that one.
    """

    name: str
    folder: Path
    workdir: Path
    command: tuple[str, ...]
    args: tuple[str, ...] = ()
    readiness: Readiness | None = None
    warm: Warm | None = None
    folders: Mapping[str, Path] = field(default_factory=dict)
    on_request: bool = False
    lock: Path | None = None

    @property
    def requirements(self) -> Path:
        """The pinned list of everything that its environment holds."""
        return self.lock or self.folder / REQUIREMENTS


def read_image(folder: Path) -> Image:
    """Return the image that a folder describes.

    Raises:
        BrokenImageError: The folder is incomplete, or its description is wrong.
    """
    file = folder / "image.toml"
    try:
        described: dict[str, Any] = tomllib.loads(file.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BrokenImageError(f"{file}: {error}") from error
    for name in ("command", "args"):
        if not _texts(described.get(name, [])):
            raise BrokenImageError(f"{file}: {name} must be a list of strings")
    if not described.get("command"):
        raise BrokenImageError(f"{file}: command is missing")
    readiness = described.get("readiness")
    if readiness is not None and (not isinstance(readiness, dict) or not isinstance(readiness.get("port"), int)):
        raise BrokenImageError(f"{file}: readiness needs a port")
    warm = _warm(described.get("warm"), file)
    on_request = described.get("on_request", False)
    if not isinstance(on_request, bool):
        raise BrokenImageError(f"{file}: on_request: expected true or false, got {on_request!r}")
    workdir = described.get("workdir", ".")
    if not isinstance(workdir, str) or Path(workdir).is_absolute() or not (folder / workdir).is_dir():
        raise BrokenImageError(f"{file}: workdir must be a folder that is there, relative to {folder}: got {workdir!r}")
    if not (folder / REQUIREMENTS).is_file():
        raise BrokenImageError(f"{folder}: {REQUIREMENTS} is missing")
    return Image(
        folder.name,
        folder,
        (folder / workdir).resolve(),
        tuple(described["command"]),
        tuple(described.get("args", [])),
        Readiness(readiness["port"], readiness.get("path")) if readiness else None,
        warm,
        _folders(described.get("folders", {}), folder),
        on_request,
    )


def _folders(table: object, folder: Path) -> dict[str, Path]:
    """Return the table `folders`, its values as absolute paths."""
    if not isinstance(table, dict):
        raise BrokenImageError(f"{folder / 'image.toml'}: folders: expected a table of paths, got {table!r}")
    folders = {}
    for path, name in table.items():
        inside = isinstance(name, str) and (folder / name).resolve().is_relative_to(folder.resolve())
        if not path.strip("/") or not path.startswith("/") or not inside or not (folder / name).is_dir():
            expected = f"an absolute path, and a folder that is there in {folder}"
            raise BrokenImageError(f"{folder / 'image.toml'}: folders: expected {expected}: got {path!r} = {name!r}")
        folders[path] = (folder / name).resolve()
    return folders


def _warm(table: object, file: Path) -> Warm | None:
    if table is None:
        return None
    imports, variables = (table.get("imports"), table.get("variables", [])) if isinstance(table, dict) else (None, None)
    if not isinstance(imports, list) or not _texts(imports) or not isinstance(variables, list) or not _texts(variables):
        raise BrokenImageError(f"{file}: warm: expected imports = [NAME, ...], and maybe variables = [NAME, ...]")
    return Warm(tuple(imports), tuple(variables))


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(part, str) for part in value)


def pinned(requirements: Path) -> dict[str, str]:
    """Return the versions that a list of packages pins, by the name of the package in small letters."""
    lines = requirements.read_text().splitlines()
    pins = (re.fullmatch(r"([A-Za-z0-9._-]+)==([^\s;#]+).*", line.strip()) for line in lines)
    return {pin[1].lower(): pin[2] for pin in pins if pin}
