"""Images of the embedded platform: a folder with code and a pinned list of packages, run in a virtual environment.

A reference resolves by its last path part, tag and digest dropped, to `images/<name>`: `registry.example/x/serving:2.1`
is `images/serving`. No registry is ever asked. Environments live in a cache that platforms share. A partial build is
never used: an environment is built in another folder, marked as complete, then renamed.

    ImageError              an image cannot be used
    ├── UnknownImageError   no folder has the name; the text lists the known ones
    ├── BrokenImageError    the folder is incomplete or its description is wrong
    └── BuildError          its environment cannot be built; the text says what helps
"""

import asyncio
import difflib
import hashlib
import os
import re
import shutil
import sys
import tomllib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import AsyncFileLock

from embedded.runtime.init import KILL_ALL, contained

Progress = Callable[[str], None]
"""A function that is called with each line about the progress of a build."""

MARKER = ".touchstone-complete"
WHEELS = "TOUCHSTONE_WHEELS"
OUTPUT_LINES = 15
NETWORK_WORDS = re.compile(
    r"NewConnectionError|Temporary failure in name resolution|Network is unreachable|ConnectTimeoutError|"
    r"Failed to establish|Could not fetch|No matching distribution found|ProxyError|Max retries exceeded"
)


class ImageError(Exception):
    """An image cannot be used; the text says why and what helps."""


class UnknownImageError(ImageError):
    """No image has that name."""


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
    """

    name: str
    folder: Path
    workdir: Path
    command: tuple[str, ...]
    args: tuple[str, ...] = ()
    readiness: Readiness | None = None
    warm: Warm | None = None
    folders: Mapping[str, Path] = field(default_factory=dict)

    @property
    def requirements(self) -> Path:
        """The pinned list of everything that its environment holds."""
        return self.folder / "requirements.txt"


class Images:
    """The images of one folder, and the cache of their environments."""

    def __init__(self, folder: Path, cache: Path) -> None:
        self._folder = folder
        self._cache = cache / "images"
        self._building: dict[Path, asyncio.Task[Path]] = {}

    def names(self) -> list[str]:
        """Return the names of all images, sorted."""
        return sorted(file.parent.name for file in self._folder.glob("*/image.toml"))

    def resolve(self, reference: str) -> Image:
        """Find the image that a manifest means.

        Raises:
            UnknownImageError: No image has this name.
            BrokenImageError: The image's description cannot be read.
        """
        name = reference.rpartition("/")[2].partition("@")[0].partition(":")[0]
        known = self.names()
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise UnknownImageError(
                f'failed to resolve image "{reference}": this platform knows no image {name!r}{hint} '
                f"(known: {', '.join(known) or 'none'})"
            )
        return _read(self._folder / name)

    def environment(self, image: Image) -> Path:
        """Return the folder of the image's environment, built or not. Images with the same requirements share one."""
        text = image.requirements.read_bytes() + sys.version.encode()
        return self._cache / hashlib.sha256(text).hexdigest()[:12]

    def is_built(self, image: Image) -> bool:
        """Return whether the environment is built completely."""
        return (self.environment(image) / MARKER).is_file()

    async def build(self, image: Image, progress: Progress) -> Path:
        """Return the folder of the image's environment, building it first when it is not there.

        Callers in this and in other processes wait for each other.

        Raises:
            BuildError: The environment cannot be built.
        """
        target = self.environment(image)
        if (target / MARKER).is_file():
            return target
        task = self._building.get(target)
        if task is None:
            task = self._building[target] = asyncio.create_task(self._build(image, target, progress))
            task.add_done_callback(lambda _: self._building.pop(target))
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Stop the builds that are under way; what they made so far is deleted."""
        tasks = list(self._building.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _build(self, image: Image, target: Path, progress: Progress) -> Path:
        target.parent.mkdir(parents=True, exist_ok=True)
        lock = AsyncFileLock(target.with_suffix(".lock"))
        async with lock:
            if (target / MARKER).is_file():
                return target
            # Nobody else holds the lock, so an unmarked folder is a build that was cut off.
            half = target.with_suffix(".half")
            for leftover in (half, target):
                await asyncio.to_thread(shutil.rmtree, leftover, ignore_errors=True)
            try:
                await self._install(image, half, progress)
                _point_scripts_at(half, target)
                (half / MARKER).touch()
                half.rename(target)
            finally:
                await asyncio.to_thread(shutil.rmtree, half, ignore_errors=True)
        progress(f"image {image.name}: built")
        return target

    async def _install(self, image: Image, half: Path, progress: Progress) -> None:
        progress(f"image {image.name}: building its environment (once; {_count(image.requirements)} packages)")
        code, output = await _run(sys.executable, "-m", "venv", str(half))
        if code:
            raise BuildError(f"image {image.name}: cannot make a virtual environment:\n{_tail(output)}")
        options = ["--disable-pip-version-check", "--no-input", "--progress-bar=off"]
        wheels = os.environ.get(WHEELS)
        if wheels:
            options += ["--no-index", "--find-links", wheels]
        python = str(half / "bin" / "python")
        code, output = await _run(
            python, "-m", "pip", "install", *options, "--no-deps", "-r", str(image.requirements),
            each_line=lambda line: _progress_line(image.name, line, progress),
        )  # fmt: skip
        if code:
            hint = ""
            if NETWORK_WORDS.search(output):
                hint = (
                    "\nNo package index in reach? On a machine with one: "
                    f"pip download -d WHEELS -r {image.requirements}\nthen set {WHEELS}=WHEELS here."
                )
            if wheels:
                hint = f"\n{WHEELS}={wheels} was the only place searched."
            raise BuildError(f"image {image.name}: pip failed with exit status {code}:\n{_tail(output)}{hint}")


def _read(folder: Path) -> Image:
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
    workdir = described.get("workdir", ".")
    if not isinstance(workdir, str) or Path(workdir).is_absolute() or not (folder / workdir).is_dir():
        raise BrokenImageError(f"{file}: workdir must be a folder that is there, relative to {folder}: got {workdir!r}")
    if not (folder / "requirements.txt").is_file():
        raise BrokenImageError(f"{folder}: requirements.txt is missing")
    return Image(
        folder.name,
        folder,
        (folder / workdir).resolve(),
        tuple(described["command"]),
        tuple(described.get("args", [])),
        Readiness(readiness["port"], readiness.get("path")) if readiness else None,
        warm,
        _folders(described.get("folders", {}), folder),
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


async def _run(*command: str, each_line: Callable[[str], None] | None = None) -> tuple[int, str]:
    """Run a command to its end; return its exit status and its output, standard error included.

    No process of it outlives this call or this process: it runs as containers do.
    """
    process = await asyncio.create_subprocess_exec(
        *contained(command),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        limit=1024 * 1024,
        start_new_session=True,
    )
    if process.stdout is None:
        raise AssertionError("standard output was asked for as a pipe")
    lines = []
    try:
        async for line in process.stdout:
            lines.append(line.decode(errors="replace"))
            if each_line:
                each_line(lines[-1].rstrip())
        return await process.wait(), "".join(lines)
    finally:
        if process.returncode is None:
            process.send_signal(KILL_ALL)
            await process.wait()


def _progress_line(name: str, line: str, progress: Progress) -> None:
    if line.startswith(("Collecting ", "Installing collected packages")):
        progress(f"image {name}: {line[:100]}")


def _tail(output: str) -> str:
    return "\n".join(output.strip().splitlines()[-OUTPUT_LINES:])


def _count(requirements: Path) -> int:
    return sum(1 for line in requirements.read_text().splitlines() if line.strip() and not line.startswith("#"))


def _point_scripts_at(built: Path, target: Path) -> None:
    """Make scripts name their interpreter by the path that it has after the renaming."""
    for script in (built / "bin").iterdir():
        if script.is_file() and not script.is_symlink():
            text = script.read_bytes()
            if text.startswith(b"#!") or script.name.startswith("activate"):
                script.write_bytes(text.replace(str(built).encode(), str(target).encode()))


async def build_all(images: Images, progress: Progress, names: Collection[str] = ()) -> None:
    """Build the missing environments of these images, or of all, two at a time.

    Raises:
        ImageError: An image cannot be built.
    """
    turn = asyncio.Semaphore(2)

    async def build(name: str) -> None:
        async with turn:
            await images.build(images.resolve(name), progress)

    for outcome in await asyncio.gather(*map(build, names or images.names()), return_exceptions=True):
        if outcome is not None:
            raise outcome
