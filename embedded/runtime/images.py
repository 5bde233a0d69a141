"""Images of the embedded platform: a folder with code and a pinned list of packages, run in a virtual environment.

A reference resolves by its last path part, tag and digest dropped, to `images/<name>`: `registry.example/x/serving:2.1`
is `images/serving`. No registry is ever asked. Environments live in a cache that platforms share. A partial build is
never used: an environment is built in another folder, marked as complete, then renamed.
"""

import asyncio
import difflib
import hashlib
import shutil
import sys
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

from filelock import AsyncFileLock

from embedded.runtime.image_folders import (
    REQUIREMENTS,
    BrokenImageError,
    Image,
    UnknownImageError,
    UnknownVersionError,
    pinned,
    read_image,
)
from embedded.runtime.installing import Progress, install, point_scripts_at

MARKER = ".touchstone-complete"
LOCKS, LOCK = "locks", ".txt"


class Images:
    """The images of one folder, and the cache of their environments.

    Args:
        folder: The folder of the images.
        cache: The folder for built environments.
        packages: The versions of packages to use instead of the usual ones, by package. An image that has a lock for
            one, `locks/<package>-<version>.txt`, uses that.

    Raises:
        UnknownVersionError: No image has such a lock, and none has the version in its usual list.
    """

    def __init__(self, folder: Path, cache: Path, packages: Mapping[str, str] | None = None) -> None:
        self._folder = folder
        self._packages = dict(packages or {})
        for package, version in self._packages.items():
            if version not in (known := self.versions_of(package)):
                told = f"no image has {package} {version} (known: {', '.join(known) or 'none'})"
                raise UnknownVersionError(told)
        self._cache = cache / "images"
        self._replaced: dict[str, Path] = {}
        self._building: dict[Path, asyncio.Task[Path]] = {}

    def names(self) -> list[str]:
        """Return the names of all images, sorted."""
        return sorted(file.parent.name for file in self._folder.glob("*/image.toml"))

    def replace_folder(self, path: str, folder: Path) -> None:
        """Let another folder than the image's own stand for a path, in each image that has one for it."""
        self._replaced[path] = folder

    def usual(self) -> list[str]:
        """Return the names of the images that are built though nobody names them, sorted.

        Raises:
            BrokenImageError: An image's description cannot be read.
        """
        return [name for name in self.names() if not read_image(self._folder / name).on_request]

    def versions_of(self, package: str) -> list[str]:
        """Return the versions of a package that can be asked for, where images have locks with several; sorted."""
        locks = self._folder.glob(f"*/{LOCKS}/{package}-*{LOCK}")
        found = {(lock.parents[1], lock.name.removesuffix(LOCK).removeprefix(f"{package}-")) for lock in locks}
        usual = {pinned(folder / REQUIREMENTS).get(package) for folder, _ in found}
        return sorted({version for _, version in found} | {version for version in usual if version})

    def packages(self) -> list[str]:
        """Return the names of the packages of which images have locks with several versions, sorted."""
        return sorted({lock.stem.rpartition("-")[0] for lock in self._folder.glob(f"*/{LOCKS}/*{LOCK}")})

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
        image = read_image(self._folder / name)
        other = {path: folder for path, folder in self._replaced.items() if path in image.folders}
        return replace(image, folders={**image.folders, **other}, lock=self._lock(name))

    def _lock(self, name: str) -> Path | None:
        names = [f"{package}-{version}{LOCK}" for package, version in self._packages.items()]
        locks = [lock for each in names if (lock := self._folder / name / LOCKS / each).is_file()]
        if len(locks) > 1:
            told = ", ".join(lock.name for lock in locks)
            raise BrokenImageError(f"image {name}: expected a lock for one package at a time, got {told}")
        return locks[0] if locks else None

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
                await install(image, half, progress)
                point_scripts_at(half, target)
                (half / MARKER).touch()
                half.rename(target)
            finally:
                await asyncio.to_thread(shutil.rmtree, half, ignore_errors=True)
        progress(f"image {image.name}: built")
        return target


async def build_all(images: Images, progress: Progress, names: Collection[str] = ()) -> None:
    """Build the missing environments of these images, or of all usual ones, two at a time.

    Raises:
        ImageError: An image cannot be built.
    """
    turn = asyncio.Semaphore(2)

    async def build(name: str) -> None:
        async with turn:
            await images.build(images.resolve(name), progress)

    for outcome in await asyncio.gather(*map(build, names or images.usual()), return_exceptions=True):
        if outcome is not None:
            raise outcome
