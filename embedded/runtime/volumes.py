"""The volumes of pods: folders on this machine, and the replacement of mount paths by these folders.

A process has no file system of its own, so the path under which a manifest mounts a volume is replaced by the real
folder, as cluster names are by addresses: in command, arguments, environment and working directory. emptyDir, secret,
configMap, downwardAPI and projected volumes are here; only their owner can read the files, whatever mode is set.
"""

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from embedded.api.store import Store
from embedded.runtime.references import REFERENCES, MissingError, data_of, field_of

OWNER_ONLY = 0o700
READABLE = 0o400
DEFAULT_MODE = 0o644
SOURCES = ("secret", "configMap", "downwardAPI")


class MountError(Exception):
    """A volume that cannot be mounted (yet); the text is a kubelet's."""


class Mounts:
    """The mount paths of one container, with their folders."""

    def __init__(self, folders: Mapping[str, Path]) -> None:
        self._folders = {path.rstrip("/"): str(folder) for path, folder in folders.items()}
        longest_first = sorted(self._folders, key=len, reverse=True)
        self._path = re.compile(rf"(?<![\w.-])(?:{'|'.join(map(re.escape, longest_first))})(?![\w.-])")

    def replace(self, text: str) -> str:
        """Return `text` with every mount path, and every path below one, replaced by the path on this machine."""
        return self._path.sub(lambda match: self._folders[match[0]], text) if self._folders else text


class Volumes:
    """The volumes of one pod, under a folder of its own. They live as long as the pod."""

    def __init__(self, pod: Mapping[str, Any], pod_ip: str, folder: Path, store: Store) -> None:
        self._pod, self._pod_ip, self._folder, self._store = pod, pod_ip, folder, store
        self._volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes") or ()}
        self._written: set[str] = set()

    def mounts(self, container: Mapping[str, Any], image: Mapping[str, Path]) -> Mounts:
        """Make the volumes that the container mounts, and return their folders by mount path.

        Args:
            container: The container's entry in the pod's spec.
            image: The folders of its image, by the paths that they stand for; a volume may hide one.

        Raises:
            MountError: A Secret, ConfigMap or key does not exist, or the type of a volume is not supported.
        """
        folders = dict(image)
        for mount in container.get("volumeMounts") or ():
            if not mount["mountPath"].strip("/"):
                raise MountError(f'volume "{mount["name"]}" cannot be mounted on the root')
            folder = self._made(mount["name"])
            target = folder / _inside(mount.get("subPath") or "")
            if not target.exists():
                target.mkdir(parents=True)
            folders[mount["mountPath"]] = target
        return Mounts(folders)

    def refresh(self) -> None:
        """Write again what changed in mounted Secrets and ConfigMaps; what is missing stays as it was."""
        for name in self._written:
            try:
                self._made(name)
            except MountError:
                continue  # as a kubelet does: the container keeps the files that it started with

    def remove(self) -> None:
        """Delete all volumes."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _made(self, name: str) -> Path:
        folder, volume = self._folder / _inside(name), self._volumes[name]
        self._folder.mkdir(mode=OWNER_ONLY, parents=True, exist_ok=True)
        folder.mkdir(exist_ok=True)
        if "emptyDir" in volume:
            return folder
        try:
            if "projected" in volume:
                mode = volume["projected"].get("defaultMode")
                sources = [(source, mode) for source in volume["projected"].get("sources") or ()]
            else:
                sources = [(volume, None)]
            files = {path: entry for source, mode in sources for path, *entry in self._files(source, mode)}
        except MissingError as error:
            raise MountError(f'MountVolume.SetUp failed for volume "{name}" : {error}') from error
        _write(folder, files)
        self._written.add(name)
        return folder

    def _files(self, source: Mapping[str, Any], mode: int | None) -> Iterator[tuple[str, bytes, int]]:
        """Yield (path, content, mode) of every file in one source."""
        kind = next((kind for kind in SOURCES if kind in source), None)
        if kind is None:
            asked_for = ", ".join(name for name in source if name != "name") or "nothing"
            known = ", ".join(("emptyDir", "projected", *SOURCES))
            raise MissingError(f"this platform has no volumes of {asked_for} (only {known})")
        asked = source[kind]
        mode = asked.get("defaultMode") or mode or DEFAULT_MODE
        for path, content, own_mode in self._items(kind, asked):
            yield path, content, own_mode or mode

    def _items(self, kind: str, asked: Mapping[str, Any]) -> Iterator[tuple[str, bytes, int | None]]:
        items = asked.get("items")
        if kind == "downwardAPI":
            for item in items or ():
                value = field_of(self._pod, self._pod_ip, (item.get("fieldRef") or {}).get("fieldPath", ""))
                yield item["path"], value.encode(), item.get("mode")
            return
        reference = {"name": asked.get("secretName") or asked.get("name"), "optional": asked.get("optional")}
        data = data_of(self._store, REFERENCES[kind], self._pod["metadata"]["namespace"], reference)
        chosen: list[Mapping[str, Any]] = [{"key": key, "path": key} for key in data] if items is None else items
        for item in chosen:
            if item["key"] in data:
                yield item["path"], data[item["key"]], item.get("mode")
            elif not asked.get("optional"):
                word = {"secret": "secret", "configMap": "config"}[kind]
                raise MissingError(f"references non-existent {word} key: {item['key']}")


def _inside(path: str) -> str:
    """Return the path if it is relative and stays inside.

    Raises:
        MountError: The path is absolute or contains `..`.
    """
    if path.startswith("/") or ".." in Path(path).parts:
        raise MountError(f"{path!r} must be a relative path without '..'")
    return path


def _write(folder: Path, files: Mapping[str, list[Any]]) -> None:
    """Make these the only files of the folder; each is there whole, old or new."""
    for old in folder.rglob("*"):
        if old.is_file() and str(old.relative_to(folder)) not in files:
            old.unlink()
    for path, (content, mode) in files.items():
        target = folder / _inside(path)
        if target.is_file() and target.read_bytes() == content:
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = target.with_name(f".{target.name}.new")
        beside.unlink(missing_ok=True)
        with os.fdopen(
            os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode & OWNER_ONLY | READABLE), "wb"
        ) as file:
            file.write(content)
        beside.replace(target)
